import { DataType, type Int64Column, type KeyColumn, type VarCharColumn } from '@elanus/model';
import { inPieces, type Turns, takeTurns } from './read.ts';
import type { RowList } from './row-list.ts';
import type { ChunkView } from './shard.ts';

/** Negative when row `rowA` of view `a` comes before row `rowB` of view `b`. Never 0 for different rows. */
export type RowOrder = (a: number, rowA: number, b: number, rowB: number) => number;

/** Ascending keys (texts by their bytes); rows with the same key in the order they are stored. */
export function keyOrder(views: readonly ChunkView[]): RowOrder {
  return rowOrderOf(views.map((view) => view.chunk.keys));
}

/** As `keyOrder`, of rows of columns. */
export function rowOrderOf(columns: readonly KeyColumn[]): RowOrder {
  const isText = columns[0]?.dataType === DataType.VarChar;
  const compare = isText
    ? textOrder(columns as readonly VarCharColumn[])
    : int64Order(columns as readonly Int64Column[]);
  return (a, rowA, b, rowB) => compare(a, rowA, b, rowB) || a - b || rowA - rowB;
}

/** As `keyOrder`, made when it is first asked: few searches ever have equal scores. */
export function keyOrderWhenNeeded(views: () => readonly ChunkView[]): RowOrder {
  let order: RowOrder | null = null;
  return (a, rowA, b, rowB) => {
    order ??= keyOrder(views());
    return order(a, rowA, b, rowB);
  };
}

/** Made once: making a view costs as much as sorting a few rows. */
const wordsOfValues = new WeakMap<BigInt64Array, Int32Array>();

/** The same memory as words, the lower half of each value first. */
export function wordsOf(values: BigInt64Array): Int32Array {
  let words = wordsOfValues.get(values);
  if (words === undefined) {
    words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
    wordsOfValues.set(values, words);
  }
  return words;
}

/** Int64 values, ascending; by halves: reading a bigint makes an object. */
export function int64Order(columns: readonly { readonly values: BigInt64Array }[]): RowOrder {
  const halves = columns.map(({ values }) => wordsOf(values));
  return (a, rowA, b, rowB) => {
    const wordsA = halves[a]!;
    const wordsB = halves[b]!;
    const high = wordsA[2 * rowA + 1]! - wordsB[2 * rowB + 1]!;
    if (high !== 0) return high;
    return (wordsA[2 * rowA]! >>> 0) - (wordsB[2 * rowB]! >>> 0);
  };
}

/** Texts by their bytes, ascending. */
export function textOrder(
  columns: readonly { readonly offsets: Uint32Array; readonly bytes: Uint8Array }[],
): RowOrder {
  return (a, rowA, b, rowB) => {
    const textA = columns[a]!;
    const textB = columns[b]!;
    const startA = textA.offsets[rowA]!;
    const startB = textB.offsets[rowB]!;
    const lengthA = textA.offsets[rowA + 1]! - startA;
    const lengthB = textB.offsets[rowB + 1]! - startB;
    const common = Math.min(lengthA, lengthB);
    for (let i = 0; i < common; i++) {
      const difference = textA.bytes[startA + i]! - textB.bytes[startB + i]!;
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB;
  };
}

/** Keeps the first `capacity` rows by an order, in a heap whose root is the last of them. */
export class FirstRows {
  readonly #order: RowOrder;
  readonly #capacity: number;
  readonly #viewOf: Uint32Array;
  readonly #rows: Uint32Array;
  #size = 0;

  constructor(order: RowOrder, capacity: number) {
    this.#order = order;
    this.#capacity = capacity;
    this.#viewOf = new Uint32Array(capacity);
    this.#rows = new Uint32Array(capacity);
  }

  /** Whether the row is kept, until better ones come. */
  offer(view: number, row: number): boolean {
    if (this.#size < this.#capacity) {
      this.#viewOf[this.#size] = view;
      this.#rows[this.#size] = row;
      this.#rise(this.#size);
      this.#size += 1;
      return true;
    }
    if (this.#capacity === 0 || this.#order(view, row, this.#viewOf[0]!, this.#rows[0]!) > 0) return false;
    this.#viewOf[0] = view;
    this.#rows[0] = row;
    this.#sink();
    return true;
  }

  /** What was kept, in no order. */
  list(views: readonly ChunkView[]): RowList {
    return { views, viewOf: this.#viewOf.subarray(0, this.#size), rows: this.#rows.subarray(0, this.#size) };
  }

  #isBefore(a: number, b: number): boolean {
    return this.#order(this.#viewOf[a]!, this.#rows[a]!, this.#viewOf[b]!, this.#rows[b]!) < 0;
  }

  #swap(a: number, b: number): void {
    const view = this.#viewOf[a]!;
    const row = this.#rows[a]!;
    this.#viewOf[a] = this.#viewOf[b]!;
    this.#rows[a] = this.#rows[b]!;
    this.#viewOf[b] = view;
    this.#rows[b] = row;
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(parent, at)) return;
      this.#swap(parent, at);
      at = parent;
    }
  }

  #sink(): void {
    for (let at = 0; ; ) {
      let child = 2 * at + 1;
      if (child >= this.#size) return;
      if (child + 1 < this.#size && this.#isBefore(child, child + 1)) child += 1;
      if (!this.#isBefore(at, child)) return;
      this.#swap(at, child);
      at = child;
    }
  }
}

/** Rows sorted at a stretch, and comparisons between two looks at the clock. */
const RUN_ROWS = 512;
const MERGE_ROWS = 2048;

/** Up to here rows are put in their places one by one, without anything to allocate but the answer. */
const FEW_ROWS = 32;

/** The list in the order given; long lists in pieces. */
export async function sortRows(read: Turns, list: RowList, order: RowOrder): Promise<RowList> {
  if (list.rows.length <= FEW_ROWS) return sortFewRows(list, order);
  return await takeRows(read, list, await sortedPositions(read, list, order));
}

/** The positions in the list of its rows in the order given. */
export async function sortedPositions(
  read: Turns,
  { viewOf, rows }: RowList,
  order: RowOrder,
): Promise<Uint32Array> {
  const before = (a: number, b: number): number => order(viewOf[a]!, rows[a]!, viewOf[b]!, rows[b]!);
  let from = Uint32Array.from(rows, (_, i) => i);
  for (let start = 0; start < from.length; start += RUN_ROWS) {
    await takeTurns(read);
    from.subarray(start, start + RUN_ROWS).sort(before);
  }
  let to = new Uint32Array(from.length);
  for (let width = RUN_ROWS; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width)
      await mergeRuns(read, { from, to, start, width, before });
    [from, to] = [to, from];
  }
  return from;
}

function sortFewRows(list: RowList, order: RowOrder): RowList {
  const viewOf = list.viewOf.slice();
  const rows = list.rows.slice();
  for (let next = 1; next < rows.length; next++) {
    const view = viewOf[next]!;
    const row = rows[next]!;
    let at = next;
    for (; at > 0 && order(view, row, viewOf[at - 1]!, rows[at - 1]!) < 0; at--) {
      viewOf[at] = viewOf[at - 1]!;
      rows[at] = rows[at - 1]!;
    }
    viewOf[at] = view;
    rows[at] = row;
  }
  return { views: list.views, viewOf, rows };
}

/** The rows at `positions` of the list, in that order. */
export async function takeRows(read: Turns, list: RowList, positions: Uint32Array): Promise<RowList> {
  const viewOf = new Uint32Array(positions.length);
  const rows = new Uint32Array(positions.length);
  await inPieces(read, positions.length, (start, end) => {
    for (let i = start; i < end; i++) {
      viewOf[i] = list.viewOf[positions[i]!]!;
      rows[i] = list.rows[positions[i]!]!;
    }
  });
  return { views: list.views, viewOf, rows };
}

/** Merges `from[start .. start + width]` with the next `width` into the same places of `to`. */
async function mergeRuns(
  read: Turns,
  merge: {
    readonly from: Uint32Array;
    readonly to: Uint32Array;
    readonly start: number;
    readonly width: number;
    readonly before: (a: number, b: number) => number;
  },
): Promise<void> {
  const { from, to, start, width, before } = merge;
  const middle = Math.min(start + width, from.length);
  const end = Math.min(middle + width, from.length);
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    if (at % MERGE_ROWS === 0) await takeTurns(read);
    const takesLeft = right === end || (left < middle && before(from[left]!, from[right]!) < 0);
    to[at] = takesLeft ? from[left++]! : from[right++]!;
  }
}
