import { costOfRow, type KeyBound, keyBounds, type Predicate, type RowFilter } from '@elanus/expr';
import { firstPlace, type KeyColumn } from '@elanus/model';
import type { Chunk } from './chunk.ts';
import { keyOrderOf } from './files/key-order.ts';
import { matchBits, rowsAtOnce } from './filter/match-bits.ts';
import { rowsOfPiece, TextCosts } from './filter/text-costs.ts';
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
/** A row that is tested by itself costs as much as so many that are tested together. */
const LONE_TEST_ROWS = 8;
/** Such rows between two looks at the clock, when they are short. */
const LONE_TESTS_PER_TURN = 256;

/** A filter, and what it was compiled from. */
interface PageFilter {
  readonly matches: RowFilter;
  readonly predicate: Predicate;
}

/**
 * The first `count` rows by ascending key that match a filter, in this order. Only rows between the bounds that the filter
 * sets their keys are tested, and none behind the last one wanted: a page of an iterator costs what it shows, wherever it
 * begins. Rows that are not stored in the order of their keys are put in it once, for pages behind a key, when no more come.
 * `null` where that is not so, or so few rows match that it is sooner to look for all of them.
 */
export async function pageByKey(read: Read, filter: PageFilter, count: number): Promise<RowList | null> {
  const views = viewShards(read);
  const runs = await runsBetween(read, views, keyBounds(filter.predicate));
  if (runs === null) return null;
  const order = keyOrder(views);
  // No run needs a look before those that begin with lesser keys come to its first.
  runs.sort((a, b) => order(a.number, firstOfRun(a), b.number, firstOfRun(b)));
  const texts = new TextCosts(filter.predicate.condition);
  const budget = { rows: testsMax(filter.predicate, count, views, texts) };
  const page = { viewOf: new Uint32Array(count), rows: new Uint32Array(count), length: 0 };
  const open: Matching[] = [];
  let waiting = 0;
  while (page.length < count) {
    let first = firstOf(open, order);
    for (; waiting < runs.length; waiting++) {
      const run = runs[waiting]!;
      if (first !== null && order(first.number, first.row, run.number, firstOfRun(run)) < 0) break;
      const opened =
        run.order === null
          ? new MatchingRows(run, filter.matches, texts)
          : new MatchingPlaces({ ...run, order: run.order }, filter.matches, texts);
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

function testsMax(
  { condition }: Predicate,
  count: number,
  views: readonly ChunkView[],
  texts: TextCosts,
): number {
  const rows = Math.max(TESTED_ROWS, TESTED_PER_ROW * count);
  const ofTexts = texts.ofAll(views) / views.reduce((sum, view) => sum + view.rows, 1);
  return Math.min(rows, TESTED_NS_MAX / (costOfRow(condition) + 1 + ofTexts));
}

function firstOf(open: readonly Matching[], order: RowOrder): Matching | null {
  let first: Matching | null = null;
  for (const one of open)
    if (first === null || order(one.number, one.row, first.number, first.row) < 0) first = one;
  return first;
}

/** The places `next .. end` in the order of a view's keys, which lie between bounds. */
interface Run {
  readonly view: ChunkView;
  /** Of the view. */
  readonly number: number;
  /** The row at each place; `null`: keys ascend, the place is the row. */
  readonly order: Uint32Array | null;
  readonly next: number;
  readonly end: number;
}

function firstOfRun({ order, next }: Run): number {
  return order === null ? next : order[next]!;
}

/** The order of the keys of chunks in which they do not ascend. */
const orders = new WeakMap<Chunk, Uint32Array | null>();

/** The rows of a closed chunk in the order of their keys; `null`: they lie so. */
async function orderOfKeys(read: Read, chunk: Chunk): Promise<Uint32Array | null> {
  const known = orders.get(chunk);
  if (known !== undefined) return known;
  const order = await keyOrderOf([{ ...chunk.keys, length: chunk.rows }], read);
  orders.set(chunk, order);
  return order;
}

/** What the bounds leave of each view; `null` when there is one whose keys are in no order that is worth making. */
async function runsBetween(
  read: Read,
  views: readonly ChunkView[],
  bounds: readonly KeyBound[],
): Promise<Run[] | null> {
  if (views.length > RUNS_MAX) return null;
  const runs: Run[] = [];
  for (const [number, view] of views.entries()) {
    const ascends = (await ascendingRows(read, view)) === view.rows;
    if (!ascends && (!view.chunk.isClosed || !bounds.some(({ side }) => side === 'lower'))) return null;
    const order = ascends ? null : await orderOfKeys(read, view.chunk);
    const keys = { column: view.chunk.keys, places: order?.length ?? view.rows, order };
    let [next, end] = [0, keys.places];
    for (const bound of bounds) {
      if (bound.side === 'lower') next = Math.max(next, placeOfKey(keys, bound.key, !bound.isIncluded));
      else end = Math.min(end, placeOfKey(keys, bound.key, bound.isIncluded));
    }
    if (next < end) runs.push({ view, number, order, next, end });
  }
  return runs;
}

interface OrderedKeys {
  readonly column: KeyColumn;
  readonly places: number;
  /** As in `Run`. */
  readonly order: Uint32Array | null;
}

/** The first place whose key is not before `key`, or, of those that equal it, behind. */
function placeOfKey({ column, places, order: rows }: OrderedKeys, key: KeyColumn, isBehind: boolean): number {
  // Of equal keys that of the first column comes first.
  const order = rowOrderOf(isBehind ? [column, key] : [key, column]);
  return firstPlace(places, (place) => {
    const row = rows === null ? place : rows[place]!;
    return isBehind ? order(0, row, 1, 0) >= 0 : order(0, 0, 1, row) <= 0;
  });
}

/** Goes through the rows of a run that match and live. */
interface Matching {
  /** Of the view. */
  readonly number: number;
  /** Where it stands; -1 at the end. */
  readonly row: number;
  /** Goes to the next row among those that have been tested; `false` when there is none. */
  advanceHere(): boolean;
  /** Goes to the next row, testing rows at the expense of the budget; at the end there is none. */
  advance(read: Read, budget: { rows: number }): Promise<'found' | 'ended' | 'given up'>;
}

/** As `Matching`, of rows in the order they are stored, testing some at a time. */
class MatchingRows implements Matching {
  readonly number: number;
  row = -1;
  readonly #run: Run;
  readonly #matches: RowFilter;
  readonly #bits: Uint8Array;
  readonly #step: number;
  /** The rows `#tested - 8 * bits .. #tested` have been tested, those before `#at` shown. */
  #first: number;
  #tested: number;
  #at: number;

  constructor(run: Run, matches: RowFilter, texts: TextCosts) {
    const { view } = run;
    this.number = run.number;
    this.#run = run;
    this.#matches = matches;
    const most = Math.min(rowsAtOnce(matches), STEP_ROWS_MIN);
    this.#step = rowsOfPiece(view, texts.of(view.chunk, 0, view.rows), most);
    this.#bits = new Uint8Array(Math.ceil(this.#step / 8));
    this.#first = run.next & ~7;
    this.#tested = this.#first;
    this.#at = run.next;
  }

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

/** As `Matching`, of rows in an order of their own, which are tested one by one. */
class MatchingPlaces implements Matching {
  readonly number: number;
  row = -1;
  readonly #run: Run & { readonly order: Uint32Array };
  readonly #matches: RowFilter;
  readonly #match = new Uint8Array(1);
  #place: number;
  readonly #step: number;
  /** Places before it may be tested in this turn. */
  #pauseAt: number;

  constructor(run: Run & { readonly order: Uint32Array }, matches: RowFilter, texts: TextCosts) {
    const { view } = run;
    this.#step = rowsOfPiece(view, texts.of(view.chunk, 0, view.rows), LONE_TESTS_PER_TURN);
    this.number = run.number;
    this.#run = run;
    this.#matches = matches;
    this.#place = run.next;
    this.#pauseAt = run.next;
  }

  advanceHere(): boolean {
    const { view, order } = this.#run;
    while (this.#place < this.#pauseAt) {
      const row = order[this.#place++]!;
      if (row >= view.rows || (view.live !== null && ((view.live[row >> 3]! >> (row & 7)) & 1) === 0))
        continue;
      this.#matches(view.chunk, row, row + 1, this.#match);
      if (this.#match[0] === 0) continue;
      this.row = row;
      return true;
    }
    return false;
  }

  async advance(read: Read, budget: { rows: number }): Promise<'found' | 'ended' | 'given up'> {
    while (!this.advanceHere()) {
      const { end } = this.#run;
      if (this.#place >= end) {
        this.row = -1;
        return 'ended';
      }
      if (budget.rows <= 0) return 'given up';
      await takeTurns(read);
      this.#pauseAt = Math.min(this.#place + this.#step, end);
      budget.rows -= LONE_TEST_ROWS * (this.#pauseAt - this.#place);
    }
    return 'found';
  }
}
