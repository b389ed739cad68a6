import { type ColumnSource, type Condition, type RowTest, rowTester } from '@elanus/expr';
import type { Chunk } from '../chunk.ts';
import { firstAtLeast } from '../first-at-least.ts';
import { Pace } from '../pace.ts';
import { type Read, takeTurns } from '../read.ts';
import type { ScalarIndexPieces, ScalarPiece } from '../scalar-index/index-pieces.ts';
import { planRows, TEST_COST } from '../scalar-index/plan-rows.ts';
import type { Probe } from '../scalar-index/probe-index.ts';
import { groupedByRows } from '../scalar-index/scalar-indexes.ts';
import type { ChunkView } from '../shard.ts';
import type { FilterSearch, ViewMatches } from './filter-views.ts';
import { BITS_SET, countBits, keepMatching, matchBits, rowsAtOnce, testOfFilter } from './match-bits.ts';
import type { MarkedView } from './scan-on-threads.ts';
import { rowsOfPiece } from './text-costs.ts';

interface FoundRows {
  readonly found: readonly ViewMatches[];
  /** Views of which indexes have named rows that are still to be tested, where a test may take long. */
  readonly named: readonly MarkedView[];
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
  const named: MarkedView[] = [];
  for (const group of covered) {
    const { views: inGroup, probe, piece } = group;
    read.trace?.noteWay(inGroup, 'scalar index', Math.min(1, probe.rows / Math.max(1, piece.index.rows)));
    await findGroup(read, group, search, { found, named });
  }
  return { found, named, rest };
}

function cover(
  views: readonly ChunkView[],
  { predicate, tools }: FilterSearch,
): { readonly covered: readonly CoveredViews[]; readonly rest: readonly ChunkView[] } {
  const indexes = tools.indexes.on(predicate.fieldIds);
  if (indexes.length === 0) return { covered: [], rest: views };
  const covered: CoveredViews[] = [];
  const rest: ChunkView[] = [];
  let known: readonly (ScalarPiece | undefined)[] = [];
  let last: CoveredViews | null = null;
  for (const view of views) {
    // Views of one piece follow each other.
    if (!areOf(known, indexes, view.chunk)) {
      known = indexes.map((index) => index.pieceOf(view.chunk));
      last = cheapest(known, predicate.condition, covered);
    }
    if (last === null) rest.push(view);
    else last.views.push(view);
  }
  return { covered, rest };
}

/** Whether these are the pieces that cover a chunk, index by index. */
function areOf(
  pieces: readonly (ScalarPiece | undefined)[],
  indexes: readonly ScalarIndexPieces[],
  chunk: Chunk,
): boolean {
  if (pieces.length !== indexes.length) return false;
  for (let at = 0; at < indexes.length; at++) if (indexes[at]!.pieceOf(chunk) !== pieces[at]) return false;
  return true;
}

/** The cheapest way to find rows by some of the pieces, added to `covered`; `null` when there is none. */
function cheapest(
  pieces: readonly (ScalarPiece | undefined)[],
  condition: Condition,
  covered: CoveredViews[],
): CoveredViews | null {
  let best: CoveredViews | null = null;
  for (const group of groupedByRows(pieces)) {
    const [piece] = group as readonly [ScalarPiece];
    const probe = planRows(
      condition,
      group.map(({ index }) => index),
    );
    if (probe !== null && (best === null || probe.cost < best.probe.cost)) best = { piece, probe, views: [] };
  }
  if (best !== null) covered.push(best);
  return best;
}

/** Finds the rows that the indexes name, and tests them where indexes are not sure and tests are short. */
async function findGroup(
  read: Read,
  group: CoveredViews,
  search: FilterSearch,
  results: Omit<FoundList, 'listed'>,
): Promise<void> {
  const { listing } = group.probe;
  if (listing === undefined) await markGroup(read, group, search, results);
  else await listGroup(read, group, search, { ...results, listed: listing() });
}

/** What work on listed rows may take between two looks at the clock, and finding out which are a view's: nanoseconds. */
const LISTED_NS = 250_000;
const VIEW_NS = 500;

/** Few rows are never marked among all, nor looked for there. */
async function listGroup(
  read: Read,
  { piece, probe, views }: CoveredViews,
  search: FilterSearch,
  { listed, found, named }: FoundList,
): Promise<void> {
  const pace = new Pace(LISTED_NS);
  const testOf = loneTester(search);
  for (const view of views) {
    if (pace.isDue(VIEW_NS)) await takeTurns(read);
    const rows = new ListedRows(view, listed, piece.firstRows.get(view.chunk)!);
    if (rows.count === 0) continue;
    if (probe.isExact) {
      found.push(rows);
      continue;
    }
    if (search.areLong) {
      named.push({ view, marked: rows.allowed });
      continue;
    }
    const test = testOf(view.chunk);
    const testNs = costOfLoneTest(view, search);
    const left: number[] = [];
    for (let i = 0; i < rows.count; i++) {
      if (pace.isDue(testNs)) await takeTurns(read);
      const row = rows.rowAt(i);
      if (test(row)) left.push(row);
    }
    found.push(new ListedRows(view, Uint32Array.from(left), 0));
  }
}

interface FoundList {
  readonly listed: Uint32Array;
  readonly found: ViewMatches[];
  readonly named: MarkedView[];
}

/** Of one row of a view, in nanoseconds. */
function costOfLoneTest({ chunk, rows }: ChunkView, { costOfTest, texts }: FilterSearch): number {
  return TEST_COST + costOfTest + texts.of(chunk, 0, rows) / rows;
}

/** Rows whose bits are counted between two looks at the clock. */
const ROWS_PER_LOOK = 262_144;

/** Marks the rows that the indexes name, and tests them where indexes are not sure and tests are short. */
async function markGroup(
  read: Read,
  { piece, probe, views }: CoveredViews,
  search: FilterSearch,
  { found, named }: Omit<FoundList, 'listed'>,
): Promise<void> {
  const testOf = loneTester(search);
  // Whole words, so that they can be counted as such.
  const marked = new Uint8Array(4 * Math.ceil(piece.index.rows / 32));
  const marking = probe.marking(marked);
  while (!marking.next().done) await takeTurns(read);
  const pace = new Pace(ROWS_PER_LOOK);
  for (const view of views) {
    if (pace.isDue(view.rows)) await takeTurns(read);
    const first = piece.firstRows.get(view.chunk)! >> 3;
    const bits = marked.subarray(first, first + Math.ceil(view.rows / 8));
    // An earlier moment may see less of a chunk than the index.
    if ((view.rows & 7) !== 0) bits[bits.length - 1]! &= (1 << (view.rows & 7)) - 1;
    const count = countBits(bits, view.rows);
    if (count === 0) continue;
    if (probe.isExact) found.push({ view, allowed: bits, count });
    else if (search.areLong) named.push({ view, marked: bits });
    else {
      const left = await testMarked(read, view, search, { bits, count, testOf });
      found.push({ view, allowed: bits, count: left });
    }
  }
}

/** The rows of a view among those that an index lists. */
class ListedRows implements ViewMatches {
  readonly view: ChunkView;
  readonly count: number;
  /** As the index numbers them, of which `#firstRow` is the view's row 0: those of the view begin at `#start`. */
  readonly #listed: Uint32Array;
  readonly #start: number;
  readonly #firstRow: number;
  #bits: Uint8Array | null = null;

  constructor(view: ChunkView, listed: Uint32Array, firstRow: number) {
    this.view = view;
    this.#listed = listed;
    this.#start = firstAtLeast(listed, firstRow);
    this.#firstRow = firstRow;
    this.count = firstAtLeast(listed, firstRow + view.rows, this.#start) - this.#start;
  }

  /** Within the view, ascending. */
  rowAt(at: number): number {
    return this.#listed[this.#start + at]! - this.#firstRow;
  }

  get allowed(): Uint8Array {
    if (this.#bits !== null) return this.#bits;
    const bits = new Uint8Array(Math.ceil(this.view.rows / 8));
    for (let at = 0; at < this.count; at++) {
      const row = this.rowAt(at);
      bits[row >> 3]! |= 1 << (row & 7);
    }
    this.#bits = bits;
    return bits;
  }
}

/** Rows of a view that an index has named, to be tested. */
interface MarkedRows {
  readonly bits: Uint8Array;
  readonly count: number;
  /** Tests one by one. */
  readonly testOf: (source: ColumnSource) => RowTest;
}

/** Makes the test of the rows of a view, one by one. */
function loneTester({ filter, predicate }: FilterSearch): (source: ColumnSource) => RowTest {
  return rowTester(predicate.condition) ?? ((source) => testOfFilter(filter, source));
}

/** Tests the rows whose bits are set, `count` of them, and clears those that do not match; returns how many are left. */
async function testMarked(
  read: Read,
  view: ChunkView,
  { filter, costOfTest, texts }: FilterSearch,
  { bits, count, testOf }: MarkedRows,
): Promise<number> {
  const { chunk, rows } = view;
  const areFew = count * (TEST_COST + costOfTest) < rows * costOfTest;
  const test = testOf(chunk);
  const step = rowsOfPiece(view, texts.of(chunk, 0, rows), rowsAtOnce(filter));
  const tested = new Uint8Array(step / 8);
  let left = 0;
  for (let start = 0; start < rows; start += step) {
    const end = Math.min(start + step, rows);
    const window = bits.subarray(start >> 3, (end + 7) >> 3);
    if (read.share.isSpent()) await read.share.nextTurn(read.signal);
    if (areFew) {
      left += keepMatching(test, start, window);
      continue;
    }
    if (countBits(window, end - start) === 0) continue;
    matchBits(filter, chunk, start, end, tested, 0);
    for (let at = 0; at < window.length; at++) {
      window[at]! &= tested[at]!;
      left += BITS_SET[window[at]!]!;
    }
  }
  return left;
}
