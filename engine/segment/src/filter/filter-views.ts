import { type Condition, costOfRow, type Predicate, type RowFilter } from '@elanus/expr';
import type { ReadTrace } from '../explain/read-trace.ts';
import { Pace } from '../pace.ts';
import { type Read, takeTurns } from '../read.ts';
import type { ScalarIndexes } from '../scalar-index/scalar-indexes.ts';
import type { ChunkView } from '../shard.ts';
import type { SegmentThreads } from '../threads/open-threads.ts';
import { conditionKey } from './condition-key.ts';
import type { FilterCache, FilterMatches } from './filter-cache.ts';
import { findByIndex } from './find-by-index.ts';
import { keepPlaces } from './json-places.ts';
import { hasLongShapes } from './long-shapes.ts';
import { BITS_SET, matchBits, rowsAtOnce } from './match-bits.ts';
import { type MarkedView, scanOnThreads, wholeView } from './scan-on-threads.ts';
import { rowsOfPiece, TextCosts } from './text-costs.ts';
import { isRuledOut } from './zone-map.ts';

/** What makes filters cheaper than going through all rows on the calling thread. */
export interface FilterTools {
  readonly cache: FilterCache;
  readonly indexes: ScalarIndexes;
  /** `null`: there are none. */
  readonly threads: SegmentThreads | null;
  /** Tests that take longer together leave the calling thread: nanoseconds, 5 ms when left out. */
  readonly nsHereMax?: number;
}

/** Rows of a view that match: at first deleted ones, too. */
export interface ViewMatches {
  readonly view: ChunkView;
  /** Bits of the first `view.rows` rows; perhaps made when they are asked for, which a count does not need. */
  readonly allowed: Uint8Array;
  readonly count: number;
}

/** The rows of the views that match a filter; views without any are left out. */
export async function filterViews(
  read: Read,
  views: readonly ChunkView[],
  filter: RowFilter,
  predicate: Predicate | null,
): Promise<readonly ViewMatches[]> {
  const { filters } = read;
  const matches =
    filters === undefined || predicate === null
      ? await scanHere(read, views, filter)
      : await findMatches(read, views, { filter, predicate, tools: filters });
  const live = matches.map(liveOnes).filter(({ count }) => count > 0);
  if (read.trace != null) noteFilters(read.trace, views, live);
  return live;
}

/** Notes what the filter left of each view. */
function noteFilters(trace: ReadTrace, views: readonly ChunkView[], live: readonly ViewMatches[]): void {
  trace.noteWay(views, 'scan');
  for (const { view, count } of live) trace.filters.get(view)!.matched = count;
}

/** A filter, and what helps to find its rows. */
export interface FilterSearch {
  readonly filter: RowFilter;
  readonly predicate: Predicate;
  readonly tools: FilterTools;
  /** Whether the test of a row may hold the event loop for longer than it may be held. */
  readonly areLong: boolean;
  /** About how long it takes otherwise, in nanoseconds. */
  readonly costOfTest: number;
  /** What it takes more where texts are long. */
  readonly texts: TextCosts;
}

/** From the cache, by indexes, and the rest by testing row by row, in this order. */
async function findMatches(
  read: Read,
  views: readonly ChunkView[],
  asked: Omit<FilterSearch, 'areLong' | 'costOfTest' | 'texts'>,
): Promise<readonly ViewMatches[]> {
  const { condition } = asked.predicate;
  // Rows that are drawn by chance are drawn in their order, all at one place.
  if (hasSample(condition)) return await scanHere(read, views, asked.filter);
  const key = views.length === 0 ? null : conditionKey(condition);
  const known = key === null ? null : asked.tools.cache.open(key);
  const { found, rest } = known === null ? { found: [], rest: views } : findCached(views, known);
  if (found.length > 0)
    read.trace?.noteWay(
      found.map(({ view }) => view),
      'cache',
    );
  if (rest.length === 0) return found;
  const search = {
    ...asked,
    areLong: await hasLongShapes(read, rest, condition),
    costOfTest: costOfRow(condition) + 1,
    texts: new TextCosts(condition),
  };
  const byIndex = await findByIndex(read, rest, search);
  const left = await notRuledOut(read, byIndex.rest, condition);
  const paths = keepPlaces(left, condition) ? 'known' : 'sought';
  const scanned = await scan(read, [...byIndex.named, ...left.map(wholeView)], {
    ...search,
    costOfTest: costOfRow(condition, paths) + 1,
  });
  const fresh = [...byIndex.found, ...scanned];
  if (known !== null) remember(fresh, known);
  return found.length + byIndex.found.length === 0 ? scanned : inOrder(views, [...found, ...fresh]);
}

/** Rows whose least and greatest values are found out between two looks at the clock. */
const ROWS_MEASURED_PER_LOOK = 65_536;

/** The views that some row may match in, as far as the least and the greatest of their numbers tell. */
async function notRuledOut(
  read: Read,
  views: readonly ChunkView[],
  condition: Condition,
): Promise<readonly ChunkView[]> {
  const left: ChunkView[] = [];
  const pace = new Pace(ROWS_MEASURED_PER_LOOK);
  for (const view of views) {
    if (pace.isDue(view.rows)) await takeTurns(read);
    if (!view.chunk.isClosed || !isRuledOut(condition, view.chunk)) left.push(view);
    else read.trace?.noteWay([view], 'bounds of values', 0);
  }
  return left;
}

/** Whether a filter keeps some rows by chance: whoever leaves out rows before it would draw others. */
export function hasSample(condition: Condition): boolean {
  return (
    condition.kind === 'sample' ||
    (condition.kind === 'and' && condition.operands.some(({ kind }) => kind === 'sample'))
  );
}

function findCached(
  views: readonly ChunkView[],
  known: FilterMatches,
): { readonly found: readonly ViewMatches[]; readonly rest: readonly ChunkView[] } {
  const found: ViewMatches[] = [];
  const rest: ChunkView[] = [];
  for (const view of views) {
    const matches = isFixed(view) ? known.get(view.chunk) : undefined;
    if (matches === undefined) rest.push(view);
    else found.push({ view, allowed: matches.bits, count: matches.count });
  }
  return { found, rest };
}

/** Whether the view shows all rows that its chunk will ever have. */
function isFixed({ chunk, rows }: ChunkView): boolean {
  return chunk.isClosed && rows === chunk.rows;
}

function remember(matches: readonly ViewMatches[], known: FilterMatches): void {
  // A copy: the bits are part of larger memory.
  for (const { view, allowed, count } of matches)
    if (isFixed(view)) known.set(view.chunk, { bits: allowed.slice(), count });
}

/** The matches in the order of the views. */
function inOrder(views: readonly ChunkView[], matches: readonly ViewMatches[]): readonly ViewMatches[] {
  if (isInOrder(views, matches)) return matches;
  const byView = new Map(matches.map((one) => [one.view, one]));
  return views.map((view) => byView.get(view)).filter((one) => one !== undefined);
}

function isInOrder(views: readonly ChunkView[], matches: readonly ViewMatches[]): boolean {
  let at = 0;
  for (const { view } of matches) {
    while (at < views.length && views[at] !== view) at++;
    if (at === views.length) return false;
  }
  return true;
}

const NS_HERE_MAX = 5_000_000;

async function scan(
  read: Read,
  views: readonly MarkedView[],
  search: FilterSearch,
): Promise<readonly ViewMatches[]> {
  if (views.length === 0) return [];
  const rows = views.reduce((sum, { view }) => sum + view.rows, 0);
  const costOfScan = rows * search.costOfTest + search.texts.ofAll(views.map(({ view }) => view));
  if (search.areLong || costOfScan > (search.tools.nsHereMax ?? NS_HERE_MAX)) {
    const matches = await scanOnThreads(read, views, search);
    if (matches !== null) return matches;
  }
  // All rows, whatever indexes have named: a filter that has to be tested elsewhere can be but for an accident.
  const whole = views.map(({ view }) => view);
  return await scanHere(read, whole, search.filter, (view) => stepOf(search, view));
}

/** Rows of a view to be tested here at a time. */
function stepOf({ filter, areLong, texts }: FilterSearch, view: ChunkView): number {
  return areLong ? 8 : rowsOfPiece(view, texts.of(view.chunk, 0, view.rows), rowsAtOnce(filter));
}

/** Tests row by row on the calling thread, a little in each turn. */
async function scanHere(
  read: Read,
  views: readonly ChunkView[],
  filter: RowFilter,
  stepOf: (view: ChunkView) => number = () => rowsAtOnce(filter),
): Promise<readonly ViewMatches[]> {
  const memory = new Uint8Array(views.reduce((sum, { rows }) => sum + Math.ceil(rows / 8), 0));
  const matches: ViewMatches[] = [];
  // Views may be smaller than what is tested at once.
  const pace = new Pace(1);
  let used = 0;
  for (const view of views) {
    const bits = memory.subarray(used, used + Math.ceil(view.rows / 8));
    const step = stepOf(view);
    let count = 0;
    for (let start = 0; start < view.rows; start += step) {
      if (pace.isDue(Math.min(step, view.rows - start) / step)) await takeTurns(read);
      count += matchBits(filter, view.chunk, start, Math.min(start + step, view.rows), bits);
    }
    used += bits.length;
    matches.push({ view, allowed: bits, count });
  }
  return matches;
}

/** Less the rows that are deleted, of which there are mostly none. */
function liveOnes(matches: ViewMatches): ViewMatches {
  const { view, count } = matches;
  const { live } = view;
  if (live === null || count === 0) return matches;
  const { allowed: bits } = matches;
  const allowed = new Uint8Array(bits.length);
  let left = 0;
  for (let at = 0; at < bits.length; at++) {
    const byte = bits[at]! & live[at]!;
    allowed[at] = byte;
    left += BITS_SET[byte]!;
  }
  return { view, allowed, count: left };
}
