import { prepareRead } from './prepare-read.ts';
import { type Read, takeTurns } from './read.ts';
import { rowsByKey } from './rows-by-key.ts';
import { type SelectedRows, selectRows } from './select-rows.ts';
import type { ChunkView } from './shard.ts';

const ROWS_PER_TURN = 1024;

/** Called for each row with the number of its view. */
export type RowVisitor = (view: number, row: number) => void;

/**
 * Shows every row that the read is about, once, to the visitor that `visiting` makes for their views. No row is kept in
 * memory for it.
 */
export async function visitRows(
  read: Read,
  visiting: (views: readonly ChunkView[]) => RowVisitor,
): Promise<readonly ChunkView[]> {
  const preparing = prepareRead(read);
  if (preparing !== null) await preparing;
  if (read.selection?.keys == null) {
    const selected = await selectRows(read);
    const views = selected.map(({ view }) => view);
    await visitSelected(read, selected, visiting(views));
    return views;
  }
  const { views, viewOf, rows } = await rowsByKey(read, read.selection.keys);
  const visit = visiting(views);
  for (let i = 0; i < rows.length; i++) {
    if (i % ROWS_PER_TURN === ROWS_PER_TURN - 1) await takeTurns(read);
    visit(viewOf[i]!, rows[i]!);
  }
  return views;
}

/** Shows the selected rows to `visit`, chunk by chunk in the order they are stored. */
export async function visitSelected(
  read: Read,
  selected: readonly SelectedRows[],
  visit: RowVisitor,
): Promise<void> {
  for (const [number, { view, allowed }] of selected.entries()) {
    for (let start = 0; start < view.rows; start += ROWS_PER_TURN) {
      await takeTurns(read);
      const end = Math.min(start + ROWS_PER_TURN, view.rows);
      for (let row = start; row < end; row++)
        if (allowed === null || ((allowed[row >> 3]! >> (row & 7)) & 1) === 1) visit(number, row);
    }
  }
}
