import type { KeyColumn } from '@elanus/model';
import type { OrderKey, QueryRows } from '@elanus/rpc';
import { fieldOrder } from './field-order.ts';
import { hasSample } from './filter/filter-views.ts';
import { hasLongShapes } from './filter/long-shapes.ts';
import { firstByKey } from './first-by-key.ts';
import { FirstRows, type RowOrder, sortRows } from './key-order.ts';
import { pageByKey } from './page-by-key.ts';
import { prepareRead } from './prepare-read.ts';
import { type Read, viewShards } from './read.ts';
import { keysOfRows, locationsOfRows, type RowList, rowListSlice } from './row-list.ts';
import { rowsByKey } from './rows-by-key.ts';
import { countSelected, type SelectedRows, selectRows } from './select-rows.ts';
import type { ChunkView } from './shard.ts';
import { visitSelected } from './visit-rows.ts';

/** Up to here only the wanted rows are held while the others are looked at. */
const HEAP_ROWS_MAX = 65_536;

export interface RowWindow {
  /** `null`: to the end. */
  readonly limit: number | null;
  readonly offset: number;
  readonly orderBy?: readonly OrderKey[];
}

/** The rows that the read is about, in the order asked for and then by ascending key, cut to the window. */
export async function queryShards(
  read: Read,
  window: RowWindow,
  keyType: KeyColumn['dataType'],
): Promise<Omit<QueryRows, 'readTimestamp'>> {
  const preparing = prepareRead(read);
  if (preparing !== null) await preparing;
  read.trace?.stages.lap('open');
  const end = window.limit === null ? Number.POSITIVE_INFINITY : window.offset + window.limit;
  const orderOf = (views: readonly ChunkView[]): RowOrder => fieldOrder(views, window.orderBy ?? []);
  const isByKey = (window.orderBy ?? []).length === 0;
  const page = isByKey ? await filteredPage(read, end) : null;
  const candidates = page ?? (await candidateRows(read, end, isByKey ? null : orderOf));
  const isSorted = page !== null || (isByKey && candidates.keys !== undefined);
  const sorted = isSorted ? candidates : await sortRows(read, candidates, orderOf(candidates.views));
  read.trace?.stages.lap('order');
  const rows = rowListSlice(sorted, window.offset, Math.min(end, sorted.rows.length));
  const keys = await keysOfRows(read, rows, keyType);
  const locations = await locationsOfRows(read, rows);
  read.trace?.stages.lap('collect');
  return { keys, locations };
}

/** How many rows the read is about. */
export async function countShards(read: Read): Promise<number> {
  const isOfAll = read.selection === null && read.shards.every((shard) => shard.isNow(read.scope.at));
  // Whoever can't read a file does not know which of its rows later writes have replaced.
  const isBroken = read.shards.some((shard) => shard.files.some((file) => file.isBroken));
  const preparing = isOfAll && !isBroken ? null : prepareRead(read);
  if (preparing !== null) await preparing;
  read.trace?.stages.lap('open');
  if (read.selection?.keys != null) return (await rowsByKey(read, read.selection.keys)).rows.length;
  return (await selectRows(read)).reduce((sum, selected) => sum + countSelected(selected), 0);
}

/** As `pageByKey`, where that may be quicker. Who wants to know how many rows match has all of them tested. */
async function filteredPage(read: Read, count: number): Promise<RowList | null> {
  const { matches, predicate, keys } = read.selection ?? { matches: null, keys: null };
  if (matches === null || predicate === undefined || keys !== null) return null;
  if (count > HEAP_ROWS_MAX || read.trace != null || hasSample(predicate.condition)) return null;
  // Rows of a page are tested here.
  if (await hasLongShapes(read, viewShards(read), predicate.condition)) return null;
  return await pageByKey(read, { matches, predicate }, count);
}

/** At least the first `count` rows by the order; `null`: by their keys. */
async function candidateRows(
  read: Read,
  count: number,
  orderOf: ((views: readonly ChunkView[]) => RowOrder) | null,
): Promise<RowList> {
  if (read.selection?.keys != null) return await rowsByKey(read, read.selection.keys);
  const selected = await selectRows(read);
  const views = selected.map(({ view }) => view);
  if (count > HEAP_ROWS_MAX) return await allRows(read, selected);
  const capacity = Math.min(count, totalRows(selected));
  if (orderOf === null) return await firstByKey(read, selected, capacity);
  const first = new FirstRows(orderOf(views), capacity);
  await visitSelected(read, selected, (view, row) => first.offer(view, row));
  return first.list(views);
}

async function allRows(read: Read, selected: readonly SelectedRows[]): Promise<RowList> {
  const total = selected.reduce((sum, one) => sum + countSelected(one), 0);
  const viewOf = new Uint32Array(total);
  const rows = new Uint32Array(total);
  let at = 0;
  await visitSelected(read, selected, (view, row) => {
    viewOf[at] = view;
    rows[at] = row;
    at += 1;
  });
  return { views: selected.map(({ view }) => view), viewOf, rows };
}

function totalRows(selected: readonly SelectedRows[]): number {
  return selected.reduce((sum, { view }) => sum + view.rows, 0);
}
