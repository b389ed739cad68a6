import {
  assert,
  type CollectionSchema,
  type Column,
  DataType,
  type FieldId,
  type KeyColumn,
  MilvusError,
  type PartitionId,
  type SegmentId,
  TIMESTAMP_MAX,
  TIMESTAMP_MIN,
  type Timestamp,
  type VarCharColumn,
} from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import { type Chunk, storedFields } from './chunk.ts';
import { chunkRowsOf, fixedRowBytes, GrowingSegment } from './growing-segment.ts';
import { type KeyIndex, type KeyReader, NO_ROW } from './key-index.ts';
import { missingColumn } from './missing-column.ts';
import { openKeyIndex } from './open-key-index.ts';
import { PreparedWrite } from './prepared-write.ts';
import { ShardIndexes } from './vector-index/shard-indexes.ts';
import { isRowPart, type KeyPart, type RowPart, type WriteRecord } from './write-record.ts';

/** Work between two looks at the clock. */
const PIECE_ROWS_MAX = 2048;
const PIECE_ROWS_MIN = 1;
const PIECE_BYTES = 1024 * 1024;

export interface ShardOptions {
  /** Names the shard's rows in `RowLocations`. */
  readonly segmentId: SegmentId;
  readonly schema: CollectionSchema;
  /** 32 random bits. */
  readonly seed: number;
  readonly share: LoopShare;
}

/** Which rows of a shard a read starts from. */
export interface ReadScope {
  /** `null`: every partition. */
  readonly partitionIds: ReadonlySet<PartitionId> | null;
  /** As of which time; later than the newest write means now. */
  readonly at: Timestamp;
}

/** Rows of a chunk as a reader found them; nothing of it changes. */
export interface ChunkView {
  readonly shard: Shard;
  readonly chunk: Chunk;
  readonly rows: number;
  /** Bits of the rows that count; `null`: all. */
  readonly live: Uint8Array | null;
}

/**
 * The rows of one channel: every write of the channel goes through `prepare` and `publish`, in the order of
 * timestamps. A primary key has one row at most, wherever its partition, unless duplicates are kept.
 */
export class Shard implements KeyReader {
  readonly segmentId: SegmentId;
  /** Of its vectors. */
  readonly vectorIndexes = new ShardIndexes();
  readonly #share: LoopShare;
  readonly #chunkRows: number;
  readonly #chunkBits: number;
  #schema: CollectionSchema;
  /** By the upper bits of their locations. */
  readonly #chunks: (Chunk | undefined)[] = [];
  /** Full chunks whose rows are all deleted, and when the last of them was; oldest first. */
  #emptied: { readonly chunk: Chunk; readonly timestamp: Timestamp }[] = [];
  #historyStart: Timestamp = TIMESTAMP_MIN;
  readonly #segments = new Map<PartitionId, GrowingSegment>();
  readonly #index: KeyIndex;
  /** Of write `ordinal` at `ordinal - 1`. */
  #timestamps = new BigInt64Array(16);
  #writes = 0;
  #generation = 0;
  /** Until this is set a key's older rows are all dead, and nobody has to look at them. */
  #hasDuplicates = false;

  constructor({ segmentId, schema, seed, share }: ShardOptions) {
    this.segmentId = segmentId;
    this.#share = share;
    this.#schema = schema;
    this.#chunkRows = chunkRowsOf(schema);
    this.#chunkBits = Math.log2(this.#chunkRows);
    const { dataType } = schema.primaryKey;
    assert(dataType === DataType.Int64 || dataType === DataType.VarChar, 'a key is a number or a text');
    this.#index = openKeyIndex(dataType, this, seed);
  }

  /** Of the newest write that readers see. */
  get appliedTimestamp(): Timestamp {
    return (this.#writes === 0 ? TIMESTAMP_MIN : this.#timestamps[this.#writes - 1]) as Timestamp;
  }

  get byteLength(): number {
    return this.#chunks.reduce((sum, chunk) => sum + (chunk?.byteLength ?? 0), this.#index.byteLength);
  }

  /** Grows whenever a read of this moment might see something else, or find it in another way. */
  get generation(): number {
    return this.#generation + this.vectorIndexes.generation;
  }

  /** Chunks that were ever begun: when the number grows, rows before have got their last neighbour. */
  get chunksBegun(): number {
    return this.#chunks.length;
  }

  /** Rows that anybody could see now, by partition. */
  liveRows(): ReadonlyMap<PartitionId, number> {
    return new Map([...this.#segments].map(([id, segment]) => [id, segment.liveRows]));
  }

  /** Live rows written up to `at` that wait for an index of the field. */
  rowsToIndex(id: FieldId, at: Timestamp): number {
    const ordinal = at < this.#historyStart ? 0 : this.#ordinalAt(at);
    return this.vectorIndexes.of(id).reduce((sum, index) => sum + index.pendingRows(ordinal), 0);
  }

  /** Rows from now on have the fields of `schema`; rows before get defaults for what is new. */
  useSchema(schema: CollectionSchema): void {
    this.#schema = schema;
    this.#generation += 1;
    for (const segment of this.#segments.values()) segment.useSchema(schema);
  }

  /**
   * Takes in a write, in pieces; nobody sees it before `publish` of what this resolves to, which must come
   * before the next `prepare`. `null` when the shard has applied the timestamp already.
   */
  async prepare(record: WriteRecord, timestamp: Timestamp): Promise<PreparedWrite | null> {
    if (timestamp <= this.appliedTimestamp) return null;
    const write = new PreparedWrite(this.#writes + 1, (shrunk) => {
      this.#noteTimestamp(timestamp);
      for (const chunk of shrunk)
        if (chunk.liveRows === 0 && chunk.rows === this.#chunkRows) this.#emptied.push({ chunk, timestamp });
    });
    for (const part of record.parts) {
      if (isRowPart(part)) await this.#takeRows(part, record.duplicates, write);
      else await this.#takeKeys(part, write);
    }
    return write;
  }

  /** Puts all rows of a partition out of sight at once, then frees their keys and memory. No write may come meanwhile. */
  async dropPartition(id: PartitionId): Promise<void> {
    const segment = this.#segments.get(id);
    if (segment === undefined) return;
    this.#segments.delete(id);
    this.#generation += 1;
    this.vectorIndexes.removeSegment(id);
    this.#emptied = this.#emptied.filter(({ chunk }) => chunk.partitionId !== id);
    await this.#remove(segment.chunks);
  }

  /** Whether `forgetHistory` would find something. */
  hasHistoryBefore(time: Timestamp): boolean {
    const oldest = this.#emptied[0];
    return oldest !== undefined && oldest.timestamp < time;
  }

  /** Frees chunks whose last row was deleted before `time`; earlier moments can't be read any more. No write may come meanwhile. */
  async forgetHistory(time: Timestamp): Promise<void> {
    const forgotten = this.#emptied.filter(({ timestamp }) => timestamp < time);
    if (forgotten.length === 0) return;
    this.#emptied = this.#emptied.slice(forgotten.length);
    this.#historyStart = forgotten.at(-1)!.timestamp;
    this.#generation += 1;
    for (const { chunk } of forgotten) {
      this.#segments.get(chunk.partitionId)?.remove(chunk);
      this.vectorIndexes.forget(chunk);
    }
    await this.#remove(forgotten.map(({ chunk }) => chunk));
  }

  /** The chunks that hold what a reader may see. Costs nothing per row when the time is now. */
  view(scope: ReadScope): readonly ChunkView[] {
    const views: ChunkView[] = [];
    const ordinal = this.#ordinalAt(scope.at);
    const isNow = ordinal === this.#writes;
    for (const [id, segment] of this.#segments) {
      if (scope.partitionIds !== null && !scope.partitionIds.has(id)) continue;
      for (const chunk of segment.chunks) {
        const rows = isNow ? chunk.visibleRows : chunk.rowsAt(ordinal);
        if (rows === 0 || (isNow && chunk.liveRows === 0)) continue;
        const live = isNow ? chunk.lendLive() : chunk.liveAt(ordinal, rows);
        views.push({ shard: this, chunk, rows, live });
      }
    }
    return views;
  }

  /** The locations of the rows of one key that a reader may see, newest first; mostly none or one. */
  find(keys: KeyColumn, row: number, scope: ReadScope): readonly number[] {
    const found: number[] = [];
    const ordinal = this.#ordinalAt(scope.at);
    let location = this.#index.find(keys, row);
    while (location !== NO_ROW) {
      const chunk = this.chunkAt(location);
      const at = this.rowAt(location);
      const isWanted = scope.partitionIds === null || scope.partitionIds.has(chunk.partitionId);
      if (isWanted && chunk.isVisibleAt(at, ordinal)) found.push(location);
      // The row that had the key at that time is the only one that can count.
      if (!this.#hasDuplicates && at < chunk.rowsAt(ordinal)) break;
      location = chunk.previous(at);
    }
    return found;
  }

  /** Whether any row that is visible now has the key. */
  has(keys: KeyColumn, row: number): boolean {
    return this.find(keys, row, { partitionIds: null, at: TIMESTAMP_MAX }).length > 0;
  }

  /** The chunk that has the row; `undefined` when it was dropped with its partition, or deleted long ago. */
  findChunk(location: number): Chunk | undefined {
    const chunk = this.#chunks[location >>> this.#chunkBits];
    return chunk?.isDead ? undefined : chunk;
  }

  /** The chunk of a row that the key index knows. */
  chunkAt(location: number): Chunk {
    const chunk = this.#chunks[location >>> this.#chunkBits];
    assert(chunk !== undefined, 'a location names a chunk');
    return chunk;
  }

  /** The row within `chunkAt(location)`. */
  rowAt(location: number): number {
    return location & (this.#chunkRows - 1);
  }

  isTextAt(location: number, bytes: Uint8Array, start: number, end: number): boolean {
    const texts = this.chunkAt(location).keys as VarCharColumn;
    let at = texts.offsets[this.rowAt(location)]!;
    for (let i = start; i < end; i++, at++) if (texts.bytes[at] !== bytes[i]) return false;
    return true;
  }

  async #takeRows(part: RowPart, duplicates: 'replace' | 'keep', write: PreparedWrite): Promise<void> {
    const { batch, partitionId } = part;
    const columns = this.#storedColumns(batch.columns, batch.length);
    const keys = columns.get(this.#schema.primaryKey.id) as KeyColumn;
    const segment = this.#segmentOf(partitionId);
    const pieceRows = this.#pieceRowsOf(columns, batch.length);
    const replaced = new Uint32Array(Math.min(pieceRows, batch.length));
    for (let start = 0; start < batch.length; ) {
      if (this.#share.isSpent()) await this.#share.nextTurn();
      const piece = Math.min(pieceRows, batch.length - start);
      const chunk = segment.append(columns, start, start + piece, write.ordinal);
      const first = write.touch(chunk);
      const end = start + chunk.rows - first;
      this.#index.put(keys, start, end, chunk.firstLocation + first, replaced);
      for (let i = 0; i < end - start; i++) {
        if (replaced[i] === NO_ROW) continue;
        chunk.setPrevious(first + i, replaced[i]!);
        if (duplicates === 'replace') this.#supersede(replaced[i]!, null, write);
        else this.#hasDuplicates = true;
      }
      start = end;
    }
  }

  /** How many rows of a batch are taken in at a time. */
  #pieceRowsOf(columns: ReadonlyMap<FieldId, Column>, rows: number): number {
    let textBytes = 0;
    for (const column of columns.values()) textBytes += textBytesOf(column);
    const rowBytes = fixedRowBytes(this.#schema) + textBytes / Math.max(rows, 1);
    return Math.min(PIECE_ROWS_MAX, Math.max(PIECE_ROWS_MIN, Math.floor(PIECE_BYTES / rowBytes)));
  }

  async #takeKeys({ keys, partitionIds }: KeyPart, write: PreparedWrite): Promise<void> {
    const wanted = partitionIds === null ? null : new Set(partitionIds);
    for (let row = 0; row < keys.length; row++) {
      if (row % PIECE_ROWS_MAX === PIECE_ROWS_MAX - 1 && this.#share.isSpent()) await this.#share.nextTurn();
      this.#supersede(this.#index.find(keys, row), wanted, write);
    }
  }

  /** Deletes the row at `location` and, where there may be more, the older ones of its key. */
  #supersede(location: number, partitionIds: ReadonlySet<PartitionId> | null, write: PreparedWrite): void {
    for (let at = location; at !== NO_ROW; ) {
      const chunk = this.chunkAt(at);
      const row = this.rowAt(at);
      const isWanted = partitionIds === null || partitionIds.has(chunk.partitionId);
      if (isWanted) write.delete(chunk, row);
      at = this.#hasDuplicates ? chunk.previous(row) : NO_ROW;
    }
  }

  /** Takes chunks out of sight in this tick, and their rows out of the chains of their keys after it. */
  async #remove(chunks: readonly Chunk[]): Promise<void> {
    const rests = chunks.map((chunk) => {
      const rest = chunk.keysOnly();
      this.#chunks[chunk.firstLocation >>> this.#chunkBits] = rest;
      return rest;
    });
    for (const rest of rests) {
      for (let row = 0; row < rest.rows; row++) {
        if (row % PIECE_ROWS_MAX === 0 && this.#share.isSpent()) await this.#share.nextTurn();
        this.#unlink(rest, row);
      }
    }
    for (const { firstLocation } of rests) this.#chunks[firstLocation >>> this.#chunkBits] = undefined;
  }

  #unlink(chunk: Chunk, row: number): void {
    const location = chunk.firstLocation + row;
    const older = chunk.previous(row);
    let newer = this.#index.find(chunk.keys, row);
    if (newer === location) {
      this.#index.move(chunk.keys, row, location, older);
      return;
    }
    while (newer !== NO_ROW) {
      const other = this.chunkAt(newer);
      const next = other.previous(this.rowAt(newer));
      if (next === location) {
        other.setPrevious(this.rowAt(newer), older);
        return;
      }
      newer = next;
    }
  }

  #storedColumns(given: ReadonlyMap<FieldId, Column>, length: number): ReadonlyMap<FieldId, Column> {
    return new Map(
      storedFields(this.#schema).map((field) => [
        field.id,
        given.get(field.id) ?? missingColumn(field, length),
      ]),
    );
  }

  #segmentOf(partitionId: PartitionId): GrowingSegment {
    const known = this.#segments.get(partitionId);
    if (known !== undefined) return known;
    const segment = new GrowingSegment({
      schema: this.#schema,
      partitionId,
      chunkRows: this.#chunkRows,
      addChunk: (make) => {
        const firstLocation = this.#chunks.length * this.#chunkRows;
        assert(firstLocation + this.#chunkRows < NO_ROW, 'a shard has fewer than 2^32 rows');
        const chunk = make(firstLocation);
        this.#chunks.push(chunk);
        return chunk;
      },
    });
    this.#segments.set(partitionId, segment);
    this.vectorIndexes.addSegment(segment);
    return segment;
  }

  /** How many writes had happened at a time. @throws MilvusError when that moment can't be read any more */
  #ordinalAt(at: Timestamp): number {
    if (at >= this.appliedTimestamp) return this.#writes;
    if (at < this.#historyStart) throw snapshotTooOld();
    let low = 0;
    let high = this.#writes;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timestamps[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #noteTimestamp(timestamp: Timestamp): void {
    assert(timestamp > this.appliedTimestamp, 'writes are applied in the order of their timestamps');
    if (this.#writes === this.#timestamps.length) {
      const grown = new BigInt64Array(2 * this.#timestamps.length);
      grown.set(this.#timestamps);
      this.#timestamps = grown;
    }
    this.#timestamps[this.#writes] = timestamp;
    this.#writes += 1;
    this.#generation += 1;
  }
}

function snapshotTooOld(): MilvusError {
  return new MilvusError('the rows of this moment are no longer kept', { code: 65535, inputError: true });
}

/** Bytes beyond a fixed size for each row. */
function textBytesOf(column: Column): number {
  if (column.dataType === DataType.Array)
    return 'bytes' in column.elements ? column.elements.bytes.length : column.elements.values.byteLength;
  return 'offsets' in column ? column.bytes.length : 0;
}
