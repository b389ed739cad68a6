import { type ColumnSource, costOfRow, type RowFilter } from '@elanus/expr';
import type { Read } from '../read.ts';
import type { ScalarPiece } from '../scalar-index/index-pieces.ts';
import { planRows, TEST_COST } from '../scalar-index/plan-rows.ts';
import type { Probe } from '../scalar-index/probe-index.ts';
import { piecesOver } from '../scalar-index/scalar-indexes.ts';
import type { ChunkView } from '../shard.ts';
import type { FilterSearch, ViewMatches } from './filter-views.ts';
import { BITS_SET, countBits, matchBits, rowsAtOnce } from './match-bits.ts';

interface FoundRows {
  readonly found: readonly ViewMatches[];
  /** Views whose rows no index finds, or not more cheaply than a test of each. */
  readonly rest: readonly ChunkView[];
}

/** Views whose rows one group of pieces numbers. */
interface CoveredViews {
  readonly piece: ScalarPiece;
  readonly probe: Probe;
  readonly views: ChunkView[];
}

/** Finds rows by the collection's scalar indexes, as far as that is cheaper than testing all of them. */
export async function findByIndex(
  read: Read,
  views: readonly ChunkView[],
  search: FilterSearch,
): Promise<FoundRows> {
  const { covered, rest } = cover(views, search);
  const found: ViewMatches[] = [];
  for (const group of covered) await markGroup(read, group, search, found);
  return { found, rest };
}

function cover(
  views: readonly ChunkView[],
  { predicate, tools }: FilterSearch,
): { readonly covered: readonly CoveredViews[]; readonly rest: readonly ChunkView[] } {
  const indexes = tools.indexes.on(predicate.fieldIds);
  if (indexes.length === 0) return { covered: [], rest: views };
  const covered: CoveredViews[] = [];
  const rest: ChunkView[] = [];
  /** What is known of the pieces over a chunk, by the first of them. */
  const planned = new Map<ScalarPiece, CoveredViews | null>();
  for (const view of views) {
    const groups = piecesOver(indexes, view.chunk);
    let best: CoveredViews | null = null;
    for (const group of groups) {
      const [piece] = group as [ScalarPiece];
      let known = planned.get(piece);
      if (known === undefined) {
        const probe = planRows(
          predicate.condition,
          group.map(({ index }) => index),
        );
        known = probe === null ? null : { piece, probe, views: [] };
        planned.set(piece, known);
        if (known !== null) covered.push(known);
      }
      if (known !== null && (best === null || known.probe.cost < best.probe.cost)) best = known;
    }
    if (best === null) rest.push(view);
    else best.views.push(view);
  }
  return { covered: covered.filter((group) => group.views.length > 0), rest };
}

/** Marks the rows that the indexes name, and tests them where indexes are not sure. */
async function markGroup(
  read: Read,
  { piece, probe, views }: CoveredViews,
  search: FilterSearch,
  found: ViewMatches[],
): Promise<void> {
  // Whole words, so that they can be counted as such.
  const marked = new Uint8Array(4 * Math.ceil(piece.index.rows / 32));
  const marking = probe.marking(marked);
  while (!marking.next().done) if (read.share.isSpent()) await read.share.nextTurn(read.signal);
  for (const view of views) {
    if (read.share.isSpent()) await read.share.nextTurn(read.signal);
    const first = piece.firstRows.get(view.chunk)! >> 3;
    const bits = marked.subarray(first, first + Math.ceil(view.rows / 8));
    const count = countMarked(bits, view.rows);
    if (count === 0) continue;
    if (probe.isExact) found.push({ view, bits, count });
    else found.push({ view, bits, count: await testMarked(read, view, search, bits) });
  }
}

/** As `countBits`; quick where few bits are set. The bits of the last byte beyond `rows` are cleared. */
function countMarked(bits: Uint8Array, rows: number): number {
  // An earlier moment may see less of a chunk than the index.
  if ((rows & 7) !== 0) bits[bits.length - 1]! &= (1 << (rows & 7)) - 1;
  if (bits.byteOffset % 4 !== 0) return countBits(bits, rows);
  const words = new Int32Array(bits.buffer, bits.byteOffset, bits.length >> 2);
  let count = 0;
  for (let at = 0; at < words.length; at++) if (words[at] !== 0) count += bitsOfWord(words[at]!);
  for (let at = words.length * 4; at < bits.length; at++) count += BITS_SET[bits[at]!]!;
  return count;
}

function bitsOfWord(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

const one = new Uint8Array(1);

/** Tests the rows whose bits are set and clears those that do not match; returns how many are left. */
async function testMarked(
  read: Read,
  { chunk, rows }: ChunkView,
  { filter, predicate }: FilterSearch,
  bits: Uint8Array,
): Promise<number> {
  const costOfTest = costOfRow(predicate.condition) + 1;
  const step = rowsAtOnce(filter);
  const tested = new Uint8Array(step / 8);
  let left = 0;
  for (let start = 0; start < rows; start += step) {
    const end = Math.min(start + step, rows);
    const window = bits.subarray(start >> 3, (end + 7) >> 3);
    const count = countBits(window, end - start);
    if (count === 0) continue;
    if (read.share.isSpent()) await read.share.nextTurn(read.signal);
    if (count * (TEST_COST + costOfTest) < (end - start) * costOfTest) {
      left += testOneByOne(chunk, filter, start, window);
      continue;
    }
    matchBits(filter, chunk, start, end, tested, 0);
    for (let at = 0; at < window.length; at++) {
      window[at]! &= tested[at]!;
      left += BITS_SET[window[at]!]!;
    }
  }
  return left;
}

function testOneByOne(chunk: ColumnSource, filter: RowFilter, start: number, window: Uint8Array): number {
  let left = 0;
  for (let at = 0; at < window.length; at++) {
    for (let bits = window[at]!; bits !== 0; bits &= bits - 1) {
      const bit = 31 - Math.clz32(bits & -bits);
      const row = start + 8 * at + bit;
      filter(chunk, row, row + 1, one);
      if (one[0] === 1) left += 1;
      else window[at]! &= ~(1 << bit);
    }
  }
  return left;
}
