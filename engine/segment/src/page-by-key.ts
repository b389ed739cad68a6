import { costOfRow, type KeyBound, keyBounds, type Predicate, type RowFilter } from '@elanus/expr';
import type { KeyColumn } from '@elanus/model';
import { matchBits, rowsAtOnce } from './filter/match-bits.ts';
import { ascendingRows } from './first-by-key.ts';
import { keyOrder, type RowOrder, rowOrderOf } from './key-order.ts';
import { type Read, takeTurns, viewShards } from './read.ts';
import type { RowList } from './row-list.ts';
import type { ChunkView } from './shard.ts';

/** Runs that are merged; the next row is looked for in each. */
const RUNS_MAX = 64;
/** Rows that are tested for each one wanted, and for so few of them, before others go through all rows at once. */
const TESTED_PER_ROW = 64;
const TESTED_ROWS = 65_536;
/** Tests that take longer together, in nanoseconds, are for other threads. */
const TESTED_NS_MAX = 5_000_000;
const STEP_ROWS_MIN = 1_024;

/** A filter, and what it was compiled from. */
interface PageFilter {
  readonly matches: RowFilter;
  readonly predicate: Predicate;
}

/**
 * The first `count` rows by ascending key that match a filter, in this order. Where keys ascend in the order their rows are
 * stored only rows between the bounds that the filter sets them are tested, and none behind the last one wanted: a page of
 * an iterator costs what it shows, wherever it begins. `null` where keys lie otherwise, or so few rows match that it is
 * sooner to look for all of them.
 */
export async function pageByKey(read: Read, filter: PageFilter, count: number): Promise<RowList | null> {
  const views = viewShards(read);
  const runs = await runsBetween(read, views, keyBounds(filter.predicate));
  if (runs === null) return null;
  const order = keyOrder(views);
  // No run needs a look before those that begin with lesser keys come to its first.
  runs.sort((a, b) => order(a.number, a.next, b.number, b.next));
  const budget = { rows: testsMax(filter.predicate, count) };
  const page = { viewOf: new Uint32Array(count), rows: new Uint32Array(count), length: 0 };
  const open: MatchingRows[] = [];
  let waiting = 0;
  while (page.length < count) {
    let first = firstOf(open, order);
    for (; waiting < runs.length; waiting++) {
      const { number, next } = runs[waiting]!;
      if (first !== null && order(first.number, first.row, number, next) < 0) break;
      const opened = new MatchingRows(runs[waiting]!, filter.matches);
      if ((await opened.advance(read, budget)) === 'given up') return null;
      if (opened.row < 0) continue;
      open.push(opened);
      first = firstOf(open, order);
    }
    if (first === null) break;
    page.viewOf[page.length] = first.number;
    page.rows[page.length] = first.row;
    page.length += 1;
    const advanced = first.advanceHere() ? 'found' : await first.advance(read, budget);
    if (advanced === 'given up') return null;
    if (first.row < 0) open.splice(open.indexOf(first), 1);
  }
  return { views, viewOf: page.viewOf.subarray(0, page.length), rows: page.rows.subarray(0, page.length) };
}

function testsMax({ condition }: Predicate, count: number): number {
  const rows = Math.max(TESTED_ROWS, TESTED_PER_ROW * count);
  return Math.min(rows, TESTED_NS_MAX / (costOfRow(condition) + 1));
}

function firstOf(open: readonly MatchingRows[], order: RowOrder): MatchingRows | null {
  let first: MatchingRows | null = null;
  for (const one of open)
    if (first === null || order(one.number, one.row, first.number, first.row) < 0) first = one;
  return first;
}

/** The rows `next .. end` of a view, whose keys ascend and lie between bounds. */
interface Run {
  readonly view: ChunkView;
  /** Of the view. */
  readonly number: number;
  readonly next: number;
  readonly end: number;
}

/** What the bounds leave of each view; `null` when there is one whose keys do not ascend. */
async function runsBetween(
  read: Read,
  views: readonly ChunkView[],
  bounds: readonly KeyBound[],
): Promise<Run[] | null> {
  if (views.length > RUNS_MAX) return null;
  const runs: Run[] = [];
  for (const [number, view] of views.entries()) {
    if ((await ascendingRows(read, view)) < view.rows) return null;
    const { keys } = view.chunk;
    let [next, end] = [0, view.rows];
    for (const bound of bounds) {
      if (bound.side === 'lower')
        next = Math.max(next, firstRow(keys, view.rows, bound.key, !bound.isIncluded));
      else end = Math.min(end, firstRow(keys, view.rows, bound.key, bound.isIncluded));
    }
    if (next < end) runs.push({ view, number, next, end });
  }
  return runs;
}

/** The first row of ascending keys that is not before `key`, or, of those that equal it, behind. */
function firstRow(keys: KeyColumn, rows: number, key: KeyColumn, isBehind: boolean): number {
  // Of equal keys that of the first column comes first.
  const order = rowOrderOf(isBehind ? [keys, key] : [key, keys]);
  const isBefore = (row: number) => (isBehind ? order(0, row, 1, 0) < 0 : order(0, 0, 1, row) > 0);
  let [low, high] = [0, rows];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Goes through the rows of a run that match and live, testing some at a time. */
class MatchingRows {
  /** Of the view. */
  readonly number: number;
  /** Where it stands; -1 at the end. */
  row = -1;
  readonly #run: Run;
  readonly #matches: RowFilter;
  readonly #bits: Uint8Array;
  readonly #step: number;
  /** The rows `#tested - 8 * bits .. #tested` have been tested, those before `#at` shown. */
  #first: number;
  #tested: number;
  #at: number;

  constructor(run: Run, matches: RowFilter) {
    this.number = run.number;
    this.#run = run;
    this.#matches = matches;
    this.#step = Math.min(rowsAtOnce(matches), STEP_ROWS_MIN);
    this.#bits = new Uint8Array(Math.ceil(this.#step / 8));
    this.#first = run.next & ~7;
    this.#tested = this.#first;
    this.#at = run.next;
  }

  /** Goes to the next row among those that have been tested; `false` when there is none. */
  advanceHere(): boolean {
    for (let row = this.#at; row < this.#tested; row++) {
      const bits = this.#bits[(row - this.#first) >> 3]! >> (row & 7);
      if (bits === 0) {
        row |= 7;
        continue;
      }
      if ((bits & 1) === 0) continue;
      this.row = row;
      this.#at = row + 1;
      return true;
    }
    this.#at = Math.max(this.#at, this.#tested);
    return false;
  }

  /** Goes to the next row, testing rows at the expense of the budget; at the end there is none. */
  async advance(read: Read, budget: { rows: number }): Promise<'found' | 'ended' | 'given up'> {
    while (!this.advanceHere()) {
      const { view, end } = this.#run;
      if (this.#tested >= end) {
        this.row = -1;
        return 'ended';
      }
      if (budget.rows <= 0) return 'given up';
      await takeTurns(read);
      this.#first = this.#tested;
      this.#tested = Math.min(this.#first + this.#step, end);
      budget.rows -= this.#tested - this.#first;
      matchBits(this.#matches, view.chunk, this.#first, this.#tested, this.#bits, 0);
      const { live } = view;
      if (live !== null)
        for (let at = 0; at < (this.#tested - this.#first + 7) >> 3; at++)
          this.#bits[at]! &= live[(this.#first >> 3) + at]!;
    }
    return 'found';
  }
}
