import type { KeyColumn } from '@elanus/model';
import type { Chunk } from './chunk.ts';
import { FirstRows, keyOrder, rowOrderOf } from './key-order.ts';
import { type Read, type Turns, takeTurns } from './read.ts';
import type { RowList } from './row-list.ts';
import type { SelectedRows } from './select-rows.ts';
import type { ChunkView } from './shard.ts';

const ROWS_PER_TURN = 8_192;

/**
 * The first `capacity` selected rows by ascending key, in no order. Where keys ascend in the order their rows are
 * stored, no row is looked at behind the first that comes too late: the page of an iterator costs what it shows.
 */
export async function firstByKey(
  read: Read,
  selected: readonly SelectedRows[],
  capacity: number,
): Promise<RowList> {
  const views = selected.map(({ view }) => view);
  const first = new FirstRows(keyOrder(views), capacity);
  for (const [number, { view, allowed }] of selected.entries()) {
    const ascending = await ascendingRows(read, view);
    const offer = { number, allowed };
    await offerRows(read, first, { ...offer, from: 0, to: ascending, stopsWhenLate: true });
    // Rows behind those that ascend may come before them.
    await offerRows(read, first, { ...offer, from: ascending, to: view.rows, stopsWhenLate: false });
  }
  return first.list(views);
}

interface OfferedRows {
  /** Of their view. */
  readonly number: number;
  readonly allowed: Uint8Array | null;
  readonly from: number;
  readonly to: number;
  readonly stopsWhenLate: boolean;
}

/** Offers rows; of those that ascend none is looked at behind one that comes too late. */
async function offerRows(
  read: Turns,
  first: FirstRows,
  { number, allowed, from, to, stopsWhenLate }: OfferedRows,
): Promise<void> {
  for (let start = from; start < to; start += ROWS_PER_TURN) {
    await takeTurns(read);
    const end = Math.min(start + ROWS_PER_TURN, to);
    for (let row = start; row < end; row++) {
      if (allowed !== null) {
        const bits = allowed[row >> 3]! >> (row & 7);
        if (bits === 0) row |= 7;
        if ((bits & 1) === 0) continue;
      }
      if (!first.offer(number, row) && stopsWhenLate) return;
    }
  }
}

interface Ascent {
  /** Rows that were looked at. */
  readonly rows: number;
  /** Of them, from the first on, ascend. */
  readonly ascending: number;
}

/** Rows of a chunk stay where they are: of each it is asked once. */
const known = new WeakMap<Chunk, Ascent>();

/** How many of the view's rows, from its first on, have keys each of which is no less than the one before. */
export async function ascendingRows(read: Turns, { chunk, rows }: ChunkView): Promise<number> {
  for (;;) {
    await takeTurns(read);
    const { rows: from, ascending } = known.get(chunk) ?? { rows: 0, ascending: 0 };
    if (ascending < from) return Math.min(ascending, rows);
    if (from >= rows) return rows;
    const end = Math.min(from + ROWS_PER_TURN, rows);
    known.set(chunk, { rows: end, ascending: ascentEnd(chunk.keys, from, end) });
  }
}

/** The first row of `from .. end` whose key is less than that of the row before; `end` when there is none. */
function ascentEnd(keys: KeyColumn, from: number, end: number): number {
  const order = rowOrderOf([keys]);
  for (let row = Math.max(from, 1); row < end; row++) if (order(0, row - 1, 0, row) > 0) return row;
  return end;
}
