import type { KeyColumn } from '@elanus/model';
import type { QueryRows } from '@elanus/rpc';
import { FirstRows, keyOrder, sortRows } from './key-order.ts';
import { prepareRead } from './prepare-read.ts';
import { type Read, takeTurns } from './read.ts';
import { keysOfRows, locationsOfRows, type RowList, rowListSlice } from './row-list.ts';
import { rowsByKey } from './rows-by-key.ts';
import { countSelected, type SelectedRows, selectRows } from './select-rows.ts';

/** Up to here only the wanted rows are held while the others are looked at. */
const HEAP_ROWS_MAX = 65_536;
const SCAN_ROWS = 1024;

export interface RowWindow {
  /** `null`: to the end. */
  readonly limit: number | null;
  readonly offset: number;
}

/** The rows that the read is about, in ascending key order, cut to the window. */
export async function queryShards(
  read: Read,
  window: RowWindow,
  keyType: KeyColumn['dataType'],
): Promise<Omit<QueryRows, 'readTimestamp'>> {
  const preparing = prepareRead(read);
  if (preparing !== null) await preparing;
  const end = window.limit === null ? Number.POSITIVE_INFINITY : window.offset + window.limit;
  const candidates = await candidateRows(read, end);
  const sorted = await sortRows(read, candidates, keyOrder(candidates.views));
  const rows = rowListSlice(sorted, window.offset, Math.min(end, sorted.rows.length));
  return { keys: await keysOfRows(read, rows, keyType), locations: await locationsOfRows(read, rows) };
}

/** How many rows the read is about. */
export async function countShards(read: Read): Promise<number> {
  const isOfAll = read.selection === null && read.shards.every((shard) => shard.isNow(read.scope.at));
  const preparing = isOfAll ? null : prepareRead(read);
  if (preparing !== null) await preparing;
  if (read.selection?.keys != null) return (await rowsByKey(read, read.selection.keys)).rows.length;
  return (await selectRows(read)).reduce((sum, selected) => sum + countSelected(selected), 0);
}

/** At least the first `count` rows by key. */
async function candidateRows(read: Read, count: number): Promise<RowList> {
  if (read.selection?.keys != null) return await rowsByKey(read, read.selection.keys);
  const selected = await selectRows(read);
  const views = selected.map(({ view }) => view);
  if (count > HEAP_ROWS_MAX) return await allRows(read, selected);
  const first = new FirstRows(keyOrder(views), Math.min(count, totalRows(selected)));
  await forEachRow(read, selected, (view, row) => first.offer(view, row));
  return first.list(views);
}

async function allRows(read: Read, selected: readonly SelectedRows[]): Promise<RowList> {
  const total = selected.reduce((sum, one) => sum + countSelected(one), 0);
  const viewOf = new Uint32Array(total);
  const rows = new Uint32Array(total);
  let at = 0;
  await forEachRow(read, selected, (view, row) => {
    viewOf[at] = view;
    rows[at] = row;
    at += 1;
  });
  return { views: selected.map(({ view }) => view), viewOf, rows };
}

async function forEachRow(
  read: Read,
  selected: readonly SelectedRows[],
  visit: (view: number, row: number) => void,
): Promise<void> {
  for (const [number, { view, allowed }] of selected.entries()) {
    for (let start = 0; start < view.rows; start += SCAN_ROWS) {
      await takeTurns(read);
      const end = Math.min(start + SCAN_ROWS, view.rows);
      for (let row = start; row < end; row++)
        if (allowed === null || ((allowed[row >> 3]! >> (row & 7)) & 1) === 1) visit(number, row);
    }
  }
}

function totalRows(selected: readonly SelectedRows[]): number {
  return selected.reduce((sum, { view }) => sum + view.rows, 0);
}
