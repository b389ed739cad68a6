import {
  type CollectionSchema,
  DataType,
  type KeyColumn,
  type SegmentId,
  type Timestamp,
} from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import type { Chunk } from '../chunk.ts';
import { type ColumnBuffer, columnBuffer } from '../column-buffer.ts';
import type { SegmentFileLabel } from '../files/segment-file-footer.ts';
import type { SegmentFileContent } from '../files/segment-file-writer.ts';
import { sharedBytes } from '../shared-memory.ts';
import { storedFields } from '../stored-fields.ts';
import { mergeRuns, type RowRun, type RunSource } from './merge-runs.ts';
import { type DeletedRowTimes, RowTimes } from './row-times.ts';
import type { SealedFile } from './sealed-file.ts';
import { ROW_FIELD, SEGMENT_FIELD } from './shard-cut.ts';

/** Of a row that the new segment has not. */
const DROPPED = 0xffff_ffff;
/** Rows of a piece of a column that is written. */
const PIECE_ROWS = 8192;
/** Rows looked at between two looks at the clock. */
const STRETCH_ROWS = 16_384;

/** What a shard says of itself when a rewrite begins. */
export interface RewriteStart {
  readonly schema: CollectionSchema;
  /** Whose rows are put together. They are open. */
  readonly files: readonly SealedFile[];
  /** All chunks of the files that there are. */
  readonly chunks: readonly Chunk[];
  /** Rows that were deleted up to then are left out: nobody may read an earlier moment. */
  readonly dropUpTo: Timestamp;
  /** The last write that is taken into account. */
  readonly ordinal: number;
  readonly timestampOf: (ordinal: number) => Timestamp;
}

/**
 * Rows of sealed segments on their way into one: which of them, in which order, and what of them is deleted. The old
 * chunks are read, never changed, and writes go on meanwhile: `catchUp` takes in what they have deleted.
 */
export class SegmentRewrite {
  readonly files: readonly SealedFile[];
  readonly chunks: readonly Chunk[];
  readonly dropUpTo: Timestamp;
  readonly #start: RewriteStart;
  readonly #newRows = new Map<Chunk, Uint32Array>();
  /** When each deleted row of the new segment was deleted. */
  readonly #deletions = new RowTimes();
  #retained: DeletedRowTimes = { rows: new Uint32Array(0), timestamps: new BigInt64Array(0) };
  #runs: readonly RowRun[] = [];
  #rows = 0;
  /** When each row of the new segment was written. */
  #timestamps: BigInt64Array = new BigInt64Array(0);
  #ordinal: number;

  constructor(start: RewriteStart) {
    this.#start = start;
    this.files = start.files;
    this.chunks = start.chunks;
    this.dropUpTo = start.dropUpTo;
    this.#ordinal = start.ordinal;
  }

  /** Of the new segment, deleted ones that somebody may still read included. Known after `plan`, as what follows. */
  get rows(): number {
    return this.#rows;
  }

  /** When the first and the last of its rows were written; `null` without rows. */
  get times(): { readonly first: Timestamp; readonly last: Timestamp } | null {
    const [first, last] = [this.#timestamps.at(0), this.#timestamps.at(-1)];
    if (first === undefined || last === undefined) return null;
    return { first: first as Timestamp, last: last as Timestamp };
  }

  /** Deletions by later writes are not taken into account yet. */
  get ordinal(): number {
    return this.#ordinal;
  }

  get segmentIds(): readonly SegmentId[] {
    return this.files.map(({ info }) => info.id);
  }

  /** Decides which rows stay, in the order in which they were written. */
  async plan(share: LoopShare): Promise<void> {
    const { chunks, timestampOf, dropUpTo } = this.#start;
    const sources: RunSource[] = [];
    const deletedAt = new Map<Chunk, Map<number, Timestamp>>();
    for (const chunk of chunks) {
      const kept = new Uint8Array(chunk.rows).fill(1);
      const later = new Map<number, Timestamp>();
      let looked = 0;
      for (const { row, timestamp } of chunk.deletionTimes(this.#ordinal, timestampOf)) {
        if (looked++ % STRETCH_ROWS === 0 && share.isSpent()) await share.nextTurn();
        if (timestamp <= dropUpTo) kept[row] = 0;
        else later.set(row, timestamp);
      }
      deletedAt.set(chunk, later);
      sources.push({ chunk, timestamps: chunk.timestamps(timestampOf), kept });
      this.#newRows.set(chunk, new Uint32Array(chunk.rows).fill(DROPPED));
      if (share.isSpent()) await share.nextTurn();
    }
    this.#runs = await mergeRuns(sources, share);
    const timesOf = new Map(sources.map(({ chunk, timestamps }) => [chunk, timestamps]));
    const rows = this.#runs.reduce((sum, { start, end }) => sum + end - start, 0);
    this.#timestamps = new BigInt64Array(sharedBytes(8 * rows).buffer);
    for (const { chunk, start, end } of this.#runs) {
      if (share.isSpent()) await share.nextTurn();
      const numbers = this.#newRows.get(chunk)!;
      this.#timestamps.set(timesOf.get(chunk)!.subarray(start, end), this.#rows);
      for (let row = start; row < end; row++) numbers[row] = this.#rows++;
    }
    for (const [chunk, deleted] of deletedAt)
      for (const [row, timestamp] of deleted) this.#note(chunk, row, timestamp);
    this.#retained = await this.#deletions.sorted(share);
  }

  /** The file of the new segment. There are rows. */
  async content(label: SegmentFileLabel, share: LoopShare): Promise<SegmentFileContent> {
    const columns = [];
    for (const field of storedFields(this.#start.schema)) {
      const pieces = new ColumnPieces(() => columnBuffer(field, Math.min(PIECE_ROWS, this.#rows)));
      for (const { chunk, start, end } of this.#runs) {
        if (share.isSpent()) await share.nextTurn();
        await pieces.append(chunk.column(field.id), start, end, share);
      }
      columns.push({ field, pieces: pieces.columns() });
    }
    const timestamps = Array.from({ length: Math.ceil(this.#rows / PIECE_ROWS) }, (_, at) =>
      this.#timestamps.subarray(at * PIECE_ROWS, Math.min(this.#rows, (at + 1) * PIECE_ROWS)),
    );
    return { kind: 'rows', label, columns, timestamps };
  }

  /** Takes in the deletions of writes up to `ordinal`. Nothing is prepared. */
  async catchUp(ordinal: number, share: LoopShare): Promise<void> {
    const { timestampOf } = this.#start;
    for (const chunk of this.chunks) {
      for (const { row, ordinal: by } of chunk.deletions())
        if (by > this.#ordinal && by <= ordinal) this.#note(chunk, row, timestampOf(by));
      if (share.isSpent()) await share.nextTurn();
    }
    this.#ordinal = ordinal;
    this.#retained = await this.#deletions.sorted(share);
  }

  /** The row that a row of an old chunk has become; `null`: it was left out. */
  newRowOf(chunk: Chunk, row: number): number | null {
    const found = this.#newRows.get(chunk)?.[row] ?? DROPPED;
    return found === DROPPED ? null : found;
  }

  /** All that is known to be deleted of the new segment, in the order of its rows. */
  get retained(): DeletedRowTimes {
    return this.#retained;
  }

  /** The file of the deletions that are `retained`; `null` when there are none. */
  async deletionContent(
    segmentId: SegmentId,
    label: SegmentFileLabel,
    share: LoopShare,
  ): Promise<SegmentFileContent | null> {
    const { rows, timestamps } = this.#retained;
    if (rows.length === 0) return null;
    const { primaryKey } = this.#start.schema;
    const keys = new ColumnPieces(() => columnBuffer(primaryKey, Math.min(PIECE_ROWS, rows.length)));
    let run = 0;
    let firstRow = 0;
    for (const newRow of rows) {
      while (newRow >= firstRow + lengthOf(this.#runs[run]!)) {
        firstRow += lengthOf(this.#runs[run]!);
        run += 1;
      }
      const { chunk, start } = this.#runs[run]!;
      const row = start + newRow - firstRow;
      await keys.append(chunk.keys, row, row + 1, share);
    }
    const columns = [
      { field: primaryKey, pieces: keys.columns() },
      { field: SEGMENT_FIELD, pieces: [int64s(new BigInt64Array(rows.length).fill(segmentId))] },
      { field: ROW_FIELD, pieces: [int64s(widened(rows))] },
    ];
    return { kind: 'deletes', label, columns, timestamps: [timestamps] };
  }

  #note(chunk: Chunk, row: number, timestamp: Timestamp): void {
    const newRow = this.newRowOf(chunk, row);
    if (newRow !== null) this.#deletions.note(newRow, timestamp);
  }
}

/** Copies of rows, in columns of some thousands. */
class ColumnPieces {
  readonly #newBuffer: () => ColumnBuffer;
  readonly #pieces: ReturnType<ColumnBuffer['column']>[] = [];
  #open: ColumnBuffer | null = null;
  #openRows = 0;

  constructor(newBuffer: () => ColumnBuffer) {
    this.#newBuffer = newBuffer;
  }

  async append(
    column: ReturnType<ColumnBuffer['column']>,
    start: number,
    end: number,
    share: LoopShare,
  ): Promise<void> {
    for (let from = start; from < end; ) {
      if (share.isSpent()) await share.nextTurn();
      this.#open ??= this.#newBuffer();
      const to = Math.min(end, from + PIECE_ROWS - this.#openRows);
      this.#open.append(column, from, to);
      this.#openRows += to - from;
      from = to;
      if (this.#openRows === PIECE_ROWS) this.#close();
    }
  }

  columns(): readonly ReturnType<ColumnBuffer['column']>[] {
    if (this.#openRows > 0) this.#close();
    return this.#pieces;
  }

  #close(): void {
    this.#pieces.push(this.#open!.column());
    this.#open = null;
    this.#openRows = 0;
  }
}

function lengthOf({ start, end }: RowRun): number {
  return end - start;
}

function int64s(values: BigInt64Array): KeyColumn {
  return { dataType: DataType.Int64, length: values.length, validity: null, values };
}

/** The same numbers in 64 bits: making bigints of them would take longer than all else. */
function widened(numbers: Uint32Array): BigInt64Array {
  const words = new Uint32Array(2 * numbers.length);
  for (let at = 0; at < numbers.length; at++) words[2 * at] = numbers[at]!;
  return new BigInt64Array(words.buffer);
}
