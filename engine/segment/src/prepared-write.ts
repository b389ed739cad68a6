import { assert } from '@elanus/model';
import type { Chunk } from './chunk.ts';

/** What a published write has changed for those who read now. */
export interface WriteEffect {
  readonly insertedRows: number;
  /** Rows of earlier writes that are out of sight now. */
  readonly hiddenRows: number;
}

/** Rows that a write has deleted: row `rows[i]` of `chunks[i]`. */
export interface DeletedRows {
  readonly chunks: readonly Chunk[];
  readonly rows: readonly number[];
}

/** A write that a shard has taken in and nobody sees yet. */
export class PreparedWrite {
  readonly ordinal: number;
  readonly #onPublish: (deleted: DeletedRows) => void;
  readonly #touched = new Map<Chunk, { rows: number }>();
  readonly #deletedChunks: Chunk[] = [];
  readonly #deletedRows: number[] = [];
  #isPublished = false;

  /** `onPublish` is told of the rows that were deleted. */
  constructor(ordinal: number, onPublish: (deleted: DeletedRows) => void) {
    this.ordinal = ordinal;
    this.#onPublish = onPublish;
  }

  /** Notes that the chunk's new rows are this write's; returns the first that has come since the last call. */
  touch(chunk: Chunk): number {
    const known = this.#touched.get(chunk);
    const first = known?.rows ?? chunk.visibleRows;
    if (known === undefined) this.#touched.set(chunk, { rows: chunk.rows });
    else known.rows = chunk.rows;
    return first;
  }

  /** Deletes a row, if no write before has. */
  delete(chunk: Chunk, row: number): void {
    if (!chunk.markDeleted(row, this.ordinal)) return;
    this.#deletedChunks.push(chunk);
    this.#deletedRows.push(row);
  }

  /** Shows the write to readers, all of it at once. */
  publish(): WriteEffect {
    assert(!this.#isPublished, 'a write is published once');
    this.#isPublished = true;
    const deleted = this.#deletedRows;
    let hiddenRows = 0;
    for (let i = 0; i < deleted.length; i++)
      if (deleted[i]! < this.#deletedChunks[i]!.visibleRows) hiddenRows += 1;
    let insertedRows = 0;
    for (const chunk of this.#touched.keys()) insertedRows += chunk.publishRows();
    for (let i = 0; i < deleted.length; i++) this.#deletedChunks[i]!.publishDeletion(deleted[i]!);
    this.#onPublish({ chunks: this.#deletedChunks, rows: deleted });
    return { insertedRows, hiddenRows };
  }
}
