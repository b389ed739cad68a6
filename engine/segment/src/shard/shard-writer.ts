import type { CollectionSchema, Column, FieldId, KeyColumn, Timestamp } from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import type { Chunk } from '../chunk.ts';
import { functionColumn } from '../function-column.ts';
import { fixedRowBytes } from '../growing-segment.ts';
import { missingColumn } from '../missing-column.ts';
import type { PreparedWrite } from '../prepared-write.ts';
import type { SealedFile } from '../sealed/sealed-file.ts';
import { storedFields } from '../stored-fields.ts';
import {
  isRowPart,
  isSegmentPart,
  type KeyPart,
  type RowPart,
  type SegmentPart,
  type WriteRecord,
} from '../write-record.ts';
import type { ShardKeys } from './shard-keys.ts';
import type { ShardPartitions } from './shard-partitions.ts';

/** Work between two looks at the clock. */
const PIECE_ROWS_MAX = 2048;
const PIECE_ROWS_MIN = 1;
const COMPARED_ROWS_MAX = 16_384;
const PIECE_BYTES = 1024 * 1024;

/** How a shard takes in rows that come with a file. */
export interface FileAdoption {
  /** The file of a segment that a write at `timestamp` brings. */
  fileOf(part: SegmentPart, timestamp: Timestamp): SealedFile;
  /** Chunks over all rows of an open file, brought by write `ordinal`. */
  adopt(file: SealedFile, ordinal: number): readonly Chunk[];
  /** From now on an adopted file answers for its keys, of which the key index knows none. */
  answersForKeys(file: SealedFile): void;
}

/** Brings the rows and deletions of writes into a shard, in pieces; nobody sees them before the write is published. */
export class ShardWriter {
  readonly #partitions: ShardPartitions;
  readonly #keys: ShardKeys;
  readonly #share: LoopShare;
  readonly #files: FileAdoption;

  constructor(options: {
    readonly partitions: ShardPartitions;
    readonly keys: ShardKeys;
    readonly share: LoopShare;
    readonly files: FileAdoption;
  }) {
    this.#partitions = options.partitions;
    this.#keys = options.keys;
    this.#share = options.share;
    this.#files = options.files;
  }

  /** Takes in all parts of a record for `write`, of which nothing is published. One record at a time. */
  async take(record: WriteRecord, write: PreparedWrite, timestamp: Timestamp): Promise<void> {
    for (const part of record.parts) {
      if (isRowPart(part)) await this.#takeRows(part, record.duplicates, write);
      else if (isSegmentPart(part)) await this.#takeSegment(part, record.duplicates, write, timestamp);
      else await this.#takeKeys(part, write);
    }
  }

  async #takeRows(part: RowPart, duplicates: 'replace' | 'keep', write: PreparedWrite): Promise<void> {
    const { batch, partitionId } = part;
    const { schema } = this.#partitions;
    const columns = await this.#storedColumns(part);
    const keys = columns.get(schema.primaryKey.id) as KeyColumn;
    const segment = this.#partitions.segmentOf(partitionId);
    const pieceRows = pieceRowsOf(schema, columns, batch.length);
    for (let start = 0; start < batch.length; ) {
      if (this.#share.isSpent()) await this.#share.nextTurn();
      const piece = Math.min(pieceRows, batch.length - start);
      const chunk = segment.append(columns, start, start + piece, write.ordinal);
      const firstRow = write.touch(chunk);
      const end = start + chunk.rows - firstRow;
      this.#keys.put({ keys, start, end, chunk, firstRow, duplicates }, write);
      start = end;
    }
  }

  /** A column for each field that rows are stored with: a function that the writer did not know is caught up on. */
  async #storedColumns({ batch }: RowPart): Promise<ReadonlyMap<FieldId, Column>> {
    const { schema } = this.#partitions;
    const columns = storedColumns(schema, batch.columns, batch.length);
    for (const made of schema.functions) {
      if (made.fillsEarlierRows !== true || batch.columns.has(made.output)) continue;
      const rows = { length: batch.length, column: (id: FieldId) => columns.get(id)! };
      columns.set(made.output, await functionColumn(made, schema, rows, this.#share));
    }
    return columns;
  }

  /**
   * Rows stay in their file. Their keys are taken in as those of any write, unless nobody else has any of them: then the file
   * answers for them at once, and the next flush need not take them out of the key index again.
   * @throws MilvusError 1009
   */
  async #takeSegment(
    part: SegmentPart,
    duplicates: 'replace' | 'keep',
    write: PreparedWrite,
    timestamp: Timestamp,
  ): Promise<void> {
    const file = this.#files.fileOf(part, timestamp);
    await file.open();
    if (part.takes === 'keys') {
      const keys = file.column(this.#partitions.schema.primaryKey.id, 0, file.info.rows) as KeyColumn;
      await this.#takeKeys({ keys, partitionIds: null }, write);
      return;
    }
    const chunks = this.#files.adopt(file, write.ordinal);
    for (const chunk of chunks) write.touch(chunk);
    if (this.#keys.knowsNoneOf(file) && (await this.#areAllDifferent(file))) {
      this.#files.answersForKeys(file);
      return;
    }
    for (const chunk of chunks) {
      const { keys } = chunk;
      for (let start = 0; start < chunk.rows; start += PIECE_ROWS_MAX) {
        if (this.#share.isSpent()) await this.#share.nextTurn();
        const end = Math.min(start + PIECE_ROWS_MAX, chunk.rows);
        this.#keys.put({ keys, start, end, chunk, firstRow: start, duplicates }, write);
      }
    }
  }

  async #areAllDifferent({ keys, info }: SealedFile): Promise<boolean> {
    for (let start = 0; start < info.rows; start += COMPARED_ROWS_MAX) {
      if (this.#share.isSpent()) await this.#share.nextTurn();
      if (!keys.isRising(start, start + COMPARED_ROWS_MAX)) return false;
    }
    return true;
  }

  async #takeKeys({ keys, partitionIds }: KeyPart, write: PreparedWrite): Promise<void> {
    const wanted = partitionIds === null ? null : new Set(partitionIds);
    for (let row = 0; row < keys.length; row++) {
      if (row % PIECE_ROWS_MAX === PIECE_ROWS_MAX - 1 && this.#share.isSpent()) await this.#share.nextTurn();
      this.#keys.delete(keys, row, wanted, write);
    }
  }
}

/** A column for each field that rows are stored with; a field that is newer than the write has its default. */
function storedColumns(
  schema: CollectionSchema,
  given: ReadonlyMap<FieldId, Column>,
  length: number,
): Map<FieldId, Column> {
  return new Map(
    storedFields(schema).map((field) => [field.id, given.get(field.id) ?? missingColumn(field, length)]),
  );
}

/** How many rows of a batch are taken in at a time. */
function pieceRowsOf(schema: CollectionSchema, columns: ReadonlyMap<FieldId, Column>, rows: number): number {
  let textBytes = 0;
  for (const column of columns.values()) textBytes += textBytesOf(column);
  const rowBytes = fixedRowBytes(schema) + textBytes / Math.max(rows, 1);
  return Math.min(PIECE_ROWS_MAX, Math.max(PIECE_ROWS_MIN, Math.floor(PIECE_BYTES / rowBytes)));
}

/** Bytes beyond a fixed size for each row. */
function textBytesOf(column: Column): number {
  if ('elements' in column)
    return 'bytes' in column.elements ? column.elements.bytes.length : column.elements.values.byteLength;
  return 'offsets' in column ? column.bytes.length : 0;
}
