import { sortKeyedRows } from './sort-keys.ts';

/** Bytes that are compared at a time. */
const BLOCK = 8;
/** So few texts are compared pair by pair. */
const FEW = 32;

/** Texts one behind the other: text i is `bytes[offsets[i] .. offsets[i + 1])`. */
export interface TextList {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly length: number;
}

/** The numbers of the texts, all of them different, in ascending order of their bytes. */
export function sortTexts(texts: TextList): Uint32Array {
  const order = Uint32Array.from({ length: texts.length }, (_, i) => i);
  /** Stretches of `order` whose texts agree in the first `depth` bytes, none of them shorter. */
  const stretches = [{ start: 0, end: order.length, depth: 0 }];
  for (let stretch = stretches.pop(); stretch !== undefined; stretch = stretches.pop()) {
    const { start, end, depth } = stretch;
    if (end - start <= FEW) order.subarray(start, end).sort((a, b) => compareTexts(texts, a, b, depth));
    else stretches.push(...sortByBlock(texts, order, start, end, depth));
  }
  return order;
}

/** Orders a stretch by the next block; returns the stretches that agree in it and go on. */
function sortByBlock(
  texts: TextList,
  order: Uint32Array,
  start: number,
  end: number,
  depth: number,
): { start: number; end: number; depth: number }[] {
  const count = end - start;
  const keys = { low: new Uint32Array(count), high: new Uint32Array(count), rows: order.slice(start, end) };
  for (let i = 0; i < count; i++) {
    keys.high[i] = bytesAt(texts, keys.rows[i]!, depth);
    keys.low[i] = bytesAt(texts, keys.rows[i]!, depth + 4);
  }
  const { low, high, rows } = sortKeyedRows(keys);
  order.set(rows, start);
  const further = [];
  for (let from = 0, to = 1; from < count; from = to, to++) {
    while (to < count && low[to] === low[from] && high![to] === high![from]) to++;
    if (to - from < 2) continue;
    const ended = endedFirst(texts, order.subarray(start + from, start + to), depth + BLOCK);
    if (to - from - ended > 1)
      further.push({ start: start + from + ended, end: start + to, depth: depth + BLOCK });
  }
  return further;
}

/** Puts the texts of up to `depth` bytes in front, the shorter ones first; returns how many they are. */
function endedFirst({ offsets }: TextList, order: Uint32Array, depth: number): number {
  const lengthOf = (text: number): number => offsets[text + 1]! - offsets[text]!;
  const ended = order.filter((text) => lengthOf(text) <= depth);
  if (ended.length === 0) return 0;
  const rest = order.filter((text) => lengthOf(text) > depth);
  // They are distinct and agree but for zeros at their ends, so there are no more of them than a block has bytes.
  order.set(ended.sort((a, b) => lengthOf(a) - lengthOf(b)));
  order.set(rest, ended.length);
  return ended.length;
}

/** Four bytes of a text from `depth` on as a number that orders like them; zeros behind the end. */
function bytesAt({ bytes, offsets }: TextList, text: number, depth: number): number {
  const at = offsets[text]! + depth;
  const end = offsets[text + 1]!;
  if (at + 4 <= end)
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  let word = 0;
  for (let i = 0; i < 4; i++) word = (word << 8) | (at + i < end ? bytes[at + i]! : 0);
  return word >>> 0;
}

function compareTexts({ bytes, offsets }: TextList, a: number, b: number, depth: number): number {
  let left = offsets[a]! + depth;
  let right = offsets[b]! + depth;
  const leftEnd = offsets[a + 1]!;
  const rightEnd = offsets[b + 1]!;
  for (; left < leftEnd && right < rightEnd; left++, right++)
    if (bytes[left] !== bytes[right]) return bytes[left]! - bytes[right]!;
  return leftEnd - left - (rightEnd - right);
}
