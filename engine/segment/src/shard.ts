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
  type SegmentRun,
  TIMESTAMP_MAX,
  TIMESTAMP_MIN,
  type Timestamp,
  type VarCharColumn,
} from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import { Chunk } from './chunk.ts';
import { chunkRowsOf, fixedRowBytes, GrowingSegment } from './growing-segment.ts';
import { type KeyIndex, type KeyReader, NO_ROW } from './key-index.ts';
import { missingColumn } from './missing-column.ts';
import type { Moment } from './moment.ts';
import { openKeyIndex } from './open-key-index.ts';
import { type DeletedRows, PreparedWrite } from './prepared-write.ts';
import type { RestoredDeletions } from './sealed/restored-deletions.ts';
import type { SealedFile } from './sealed/sealed-file.ts';
import { type ChunkPlace, EarlierDeletions, type SealedRows, type ShardCut } from './sealed/shard-cut.ts';
import type { KeptRows, PieceRows } from './vector-index/indexed-piece.ts';
import { ShardIndexes } from './vector-index/shard-indexes.ts';
import { storedFields } from './stored-fields.ts';
import { isRowPart, type KeyPart, type RowPart, type WriteRecord } from './write-record.ts';

/** Work between two looks at the clock. */
const PIECE_ROWS_MAX = 2048;
const PIECE_ROWS_MIN = 1;
const PIECE_BYTES = 1024 * 1024;
/** Rows of a chunk over a file: what is done for all rows of a chunk at a stretch stays short. */
const RESTORED_CHUNK_ROWS = 2 ** 18;

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

const mayBeThere = new Uint8Array(1);
/** Reads that have begun, of all shards: says which files were used last. */
let usesBegun = 0;

/** What a shard had before the process started. */
export interface RestoredRows {
  /** In the order in which they were sealed. */
  readonly segments: readonly SealedFile[];
  readonly deletions: RestoredDeletions;
  /** Everything written up to here is among the segments and deletions. */
  readonly checkpoint: Timestamp;
  /** Earlier moments can't be read. */
  readonly historyStart: Timestamp;
}

/** Rows of one partition that are, or will be, one sealed segment. */
export interface ShardSegment {
  /** `null`: they still grow. */
  readonly id: SegmentId | null;
  readonly partitionId: PartitionId;
  readonly chunks: readonly Chunk[];
  /** `null` as long as they are in memory. */
  readonly file: SealedFile | null;
  readonly liveRows: number;
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
  /** Up to when everything was restored, not written. */
  #checkpoint: Timestamp = TIMESTAMP_MIN;
  /** Of the newest write that a cut has seen. */
  #cutTimestamp: Timestamp = TIMESTAMP_MIN;
  /** Those that rows are read from. */
  #files: readonly SealedFile[] = [];
  /** Where rows are in sealed segments, or will be when their file is written. */
  readonly #sealed = new Map<Chunk, ChunkPlace>();
  /** Of such rows, since the last cut. */
  #deletions = new EarlierDeletions();
  /** Rows from before the process started, oldest first: row 0 of each file is at its location, the others follow. */
  #restored: { readonly file: SealedFile; readonly firstLocation: number }[] = [];
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
    return this.#writes === 0 ? this.#checkpoint : this.#timestampOf(this.#writes);
  }

  /** The sealed segments whose rows are read from their files, those of before the start first. */
  get files(): readonly SealedFile[] {
    return this.#files;
  }

  /** Memory of rows that no segment has yet. */
  get unsealedBytes(): number {
    let bytes = 0;
    for (const { chunks } of this.#segments.values())
      for (const chunk of chunks) if (!this.#sealed.has(chunk)) bytes += chunk.byteLength;
    return bytes;
  }

  /** What the shard holds, by segment; rows that are in none yet are one of each partition. */
  segments(): readonly ShardSegment[] {
    const found = new Map<string, { id: SegmentId | null; partitionId: PartitionId; chunks: Chunk[] }>();
    for (const [partitionId, { chunks }] of this.#segments) {
      for (const chunk of chunks) {
        const id = this.#sealed.get(chunk)?.segmentId ?? null;
        const key = `${partitionId} ${id}`;
        const segment = found.get(key) ?? { id, partitionId, chunks: [] };
        if (segment.chunks.push(chunk) === 1) found.set(key, segment);
      }
    }
    return [...found.values()].map((segment) => ({
      ...segment,
      file: segment.chunks[0]!.stored?.file ?? null,
      liveRows: segment.chunks.reduce((sum, { liveRows }) => sum + liveRows, 0),
    }));
  }

  /** Whether a moment is not before the newest write. */
  isNow(at: Timestamp): boolean {
    return at >= this.appliedTimestamp;
  }

  /** Earlier moments can't be read any more. */
  get historyStart(): Timestamp {
    return this.#historyStart;
  }

  get byteLength(): number {
    // A chunk over a file has several places.
    return [...new Set(this.#chunks)].reduce(
      (sum, chunk) => sum + (chunk?.byteLength ?? 0),
      this.#index.byteLength,
    );
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
    if (at < this.#historyStart) return 0;
    const moment = this.#momentAt(at);
    return this.vectorIndexes.of(id).reduce((sum, index) => sum + index.pendingRows(moment), 0);
  }

  /** Rows of a chunk that were there at a time; 0 when that moment can't be read any more. */
  rowsOfChunkAt(chunk: Chunk, at: Timestamp): number {
    return at < this.#historyStart ? 0 : chunk.rowsAt(this.#momentAt(at));
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
    if (this.#restored.some(isClosed)) await this.#openKeysToWrite();
    const write = new PreparedWrite(this.#writes + 1, (deleted) => {
      this.#noteTimestamp(timestamp);
      this.#noteDeletions(deleted, timestamp);
    });
    for (const part of record.parts) {
      if (isRowPart(part)) await this.#takeRows(part, record.duplicates, write);
      else await this.#takeKeys(part, write);
    }
    return write;
  }

  /**
   * Seals the rows that no segment has yet: they become one segment of each partition, and what is written from now on
   * goes elsewhere. Nothing is prepared. Nobody sees a difference; the files are to be written from what this returns.
   */
  cut(newSegmentId: () => SegmentId): ShardCut {
    const segments: SealedRows[] = [];
    for (const [partitionId, { chunks }] of this.#segments) {
      const fresh = chunks.filter((chunk) => chunk.rows > 0 && !this.#sealed.has(chunk));
      if (fresh.length === 0) continue;
      const id = newSegmentId();
      let rows = 0;
      for (const chunk of fresh) {
        chunk.close();
        this.#sealed.set(chunk, { segmentId: id, firstRow: rows });
        rows += chunk.rows;
      }
      const timestamps = fresh.map((chunk) => chunk.ordinals);
      segments.push({
        id,
        partitionId,
        rows,
        firstTimestamp: this.#timestampOf(timestamps[0]!.first),
        lastTimestamp: this.#timestampOf(timestamps.at(-1)!.last),
        chunks: fresh,
      });
    }
    const earlierDeletions = this.#deletions;
    this.#deletions = new EarlierDeletions();
    this.#cutTimestamp = this.appliedTimestamp;
    return {
      schema: this.#schema,
      segments,
      earlierDeletions,
      lastOrdinal: this.#writes,
      timestampOf: (ordinal) => this.#timestampOf(ordinal),
    };
  }

  /** From now on the rows are read from their file, which is open: the same rows in the same places. */
  handOver(sealed: SealedRows, file: SealedFile): void {
    assert(
      file.isOpen && file.info.rows === sealed.rows,
      'a file that is handed over is open and has the rows',
    );
    let firstRow = 0;
    this.#files = [...this.#files, file];
    for (const chunk of sealed.chunks) {
      if (this.#sealed.has(chunk)) chunk.moveTo({ file, firstRow });
      firstRow += chunk.rows;
    }
  }

  /**
   * Where rows of chunks are in sealed segments, neighbours joined; `null` when some of them are in no file, or would not
   * begin at whole bytes of a bitmap after a restart.
   */
  segmentRunsOf(runs: readonly PieceRows[]): readonly SegmentRun[] | null {
    const found: SegmentRun[] = [];
    for (const { chunk, from, to } of runs) {
      const place = chunk === null || chunk.stored === null ? undefined : this.#sealed.get(chunk);
      if (place === undefined) return null;
      const { segmentId, firstRow } = place;
      const isWhole = (firstRow + to) % 8 === 0 || firstRow + to === chunk!.stored!.file.info.rows;
      if ((firstRow + from) % 8 !== 0 || !isWhole) return null;
      const last = found.at(-1);
      if (last?.segmentId === segmentId && last.to === firstRow + from)
        found[found.length - 1] = { ...last, to: firstRow + to };
      else found.push({ segmentId, from: firstRow + from, to: firstRow + to });
    }
    return found;
  }

  /** The chunks that rows of sealed segments are in; `null` when some of them are not kept any more. */
  chunkRunsOf(runs: readonly SegmentRun[]): readonly KeptRows[] | null {
    const found: KeptRows[] = [];
    let rows = 0;
    for (const { segmentId, from, to } of runs) {
      let next = from;
      for (const [chunk, place] of this.#sealed) {
        const start = next - place.firstRow;
        if (place.segmentId !== segmentId || start < 0 || start >= chunk.rows || next === to) continue;
        const end = Math.min(chunk.rows, to - place.firstRow);
        found.push({ chunk, from: start, to: end, firstRow: rows });
        rows += end - start;
        next += end - start;
      }
      if (next !== to) return null;
    }
    return found;
  }

  /** Sealed segments whose rows were all deleted so long ago that they are forgotten. */
  get deadFiles(): readonly SealedFile[] {
    const alive = new Set([...this.#sealed.values()].map(({ segmentId }) => segmentId));
    return this.#files.filter(({ info }) => !alive.has(info.id));
  }

  /** Lets go of dead files, which nobody may want to find keys in any more. */
  forgetFiles(dead: readonly SealedFile[]): void {
    this.#files = this.#files.filter((file) => !dead.includes(file));
    this.#restored = this.#restored.filter(({ file }) => !dead.includes(file));
  }

  /**
   * Begins with the rows that files have, which are opened when they are needed. Nothing was written yet, and nobody reads
   * meanwhile.
   */
  async restore({ segments, deletions, checkpoint, historyStart }: RestoredRows): Promise<void> {
    assert(this.#writes === 0 && this.#chunks.length === 0, 'a shard is restored before it is used');
    this.#checkpoint = checkpoint;
    this.#historyStart = historyStart;
    this.#cutTimestamp = checkpoint;
    this.#files = segments;
    this.#generation += 1;
    for (const file of segments) {
      const { id, partitionId, rows } = file.info;
      const segment = this.#segmentOf(partitionId);
      this.#restored.push({ file, firstLocation: this.#chunks.length * this.#chunkRows });
      for (let firstRow = 0; firstRow < rows; firstRow += RESTORED_CHUNK_ROWS) {
        if (this.#share.isSpent()) await this.#share.nextTurn();
        const count = Math.min(RESTORED_CHUNK_ROWS, rows - firstRow);
        const firstLocation = this.#chunks.length * this.#chunkRows;
        assert(firstLocation + count < NO_ROW, 'a shard has fewer than 2^32 rows');
        const chunk = Chunk.restored({
          schema: this.#schema,
          partitionId,
          firstLocation,
          rows: count,
          stored: { file, firstRow },
          deletions: deletions.of(id, firstRow, count),
        });
        for (let places = Math.ceil(count / this.#chunkRows); places > 0; places--) this.#chunks.push(chunk);
        segment.restore(chunk);
        this.#sealed.set(chunk, { segmentId: id, firstRow });
        const emptiedAt = chunk.liveRows === 0 ? chunk.lastRestoredDeletion : null;
        if (emptiedAt !== null) this.#emptied.push({ chunk, timestamp: emptiedAt });
      }
    }
    this.#emptied.sort((left, right) => (left.timestamp < right.timestamp ? -1 : 1));
  }

  /** Puts all rows of a partition out of sight at once, then frees their keys and memory. No write may come meanwhile. */
  async dropPartition(id: PartitionId): Promise<void> {
    const segment = this.#segments.get(id);
    if (segment === undefined) return;
    this.#segments.delete(id);
    this.#generation += 1;
    this.vectorIndexes.removeSegment(id);
    this.#emptied = this.#emptied.filter(({ chunk }) => chunk.partitionId !== id);
    const isOther = (file: SealedFile): boolean => file.info.partitionId !== id;
    this.#files = this.#files.filter(isOther);
    this.#restored = this.#restored.filter(({ file }) => isOther(file));
    await this.#remove(segment.chunks);
  }

  /** Whether `forgetHistory` would find something. */
  hasHistoryBefore(time: Timestamp): boolean {
    return this.#emptied.some((one) => this.#isForgettable(one, time));
  }

  /** Frees chunks whose last row was deleted before `time`; earlier moments can't be read any more. No write may come meanwhile. */
  async forgetHistory(time: Timestamp): Promise<void> {
    const forgotten = this.#emptied.filter((one) => this.#isForgettable(one, time));
    if (forgotten.length === 0) return;
    this.#emptied = this.#emptied.filter((one) => !forgotten.includes(one));
    this.#historyStart = forgotten.at(-1)!.timestamp;
    this.#generation += 1;
    for (const { chunk } of forgotten) {
      this.#segments.get(chunk.partitionId)?.remove(chunk);
      this.vectorIndexes.forget(chunk);
    }
    await this.#remove(forgotten.map(({ chunk }) => chunk));
  }

  /**
   * Opens the files that a read needs; `null` when they are open.
   * @throws MilvusError 1009 when one can't be
   */
  openFiles(scope: ReadScope): Promise<void> | null {
    const { partitionIds } = scope;
    let isAllOpen = true;
    usesBegun += 1;
    for (const file of this.#files) {
      isAllOpen &&= file.isOpen;
      if (partitionIds === null || partitionIds.has(file.info.partitionId)) file.lastUse = usesBegun;
    }
    if (isAllOpen) return null;
    const closed = this.#files.filter(
      ({ isOpen, info }) => !isOpen && (partitionIds === null || partitionIds.has(info.partitionId)),
    );
    return closed.length === 0 ? null : this.#openAll(closed);
  }

  /** A file has the rows of a sealed chunk: their deletions may not be forgotten before they are in one, too. */
  #isForgettable(
    { chunk, timestamp }: { readonly chunk: Chunk; readonly timestamp: Timestamp },
    time: Timestamp,
  ): boolean {
    return timestamp < time && (timestamp <= this.#cutTimestamp || !this.#sealed.has(chunk));
  }

  /** Opens all files as far as they can be opened: keys in the others are not found. */
  async openKeys(): Promise<void> {
    await Promise.allSettled(this.#restored.filter(isClosed).map(({ file }) => file.open()));
  }

  /** As `openKeys`. Rows in files that can't be opened may be replaced by the write: they are not shown again. */
  async #openKeysToWrite(): Promise<void> {
    for (const { file } of this.#restored) {
      if (file.isOpen) continue;
      try {
        await file.open();
      } catch (error) {
        file.giveUp(error instanceof Error ? (error.cause ?? error) : error);
      }
    }
  }

  async #openAll(closed: readonly SealedFile[]): Promise<void> {
    await Promise.all(closed.map((file) => file.open()));
  }

  /** The chunks that hold what a reader may see. Costs nothing per row when the time is now. */
  view(scope: ReadScope): readonly ChunkView[] {
    const views: ChunkView[] = [];
    const moment = this.#momentAt(scope.at);
    const isNow = this.isNow(scope.at);
    for (const [id, segment] of this.#segments) {
      if (scope.partitionIds !== null && !scope.partitionIds.has(id)) continue;
      for (const chunk of segment.chunks) {
        const rows = isNow ? chunk.visibleRows : chunk.rowsAt(moment);
        if (rows === 0 || (isNow && chunk.liveRows === 0)) continue;
        const live = isNow ? chunk.lendLive() : chunk.liveAt(moment, rows);
        views.push({ shard: this, chunk, rows, live });
      }
    }
    return views;
  }

  /** The locations of the rows of one key that a reader may see; mostly none or one. The keys are open. */
  find(keys: KeyColumn, row: number, scope: ReadScope): readonly number[] {
    const found: number[] = [];
    const moment = this.#momentAt(scope.at);
    let location = this.#index.find(keys, row);
    let mayBeOlder = true;
    while (location !== NO_ROW) {
      const chunk = this.chunkAt(location);
      const at = location - chunk.firstLocation;
      const isWanted = scope.partitionIds === null || scope.partitionIds.has(chunk.partitionId);
      if (isWanted && chunk.isVisibleAt(at, moment)) found.push(location);
      // The row that had the key at that time is the only one that can count.
      mayBeOlder = this.#hasDuplicates || at >= chunk.rowsAt(moment);
      if (!mayBeOlder) break;
      location = chunk.previous(at);
    }
    if (!mayBeOlder || this.#restored.length === 0) return found;
    for (const older of this.#findRestored(keys, row)) {
      const chunk = this.findChunk(older);
      if (chunk === undefined) continue;
      const isWanted = scope.partitionIds === null || scope.partitionIds.has(chunk.partitionId);
      if (isWanted && chunk.isVisibleAt(older - chunk.firstLocation, moment)) found.push(older);
    }
    return found;
  }

  /** Whether any row that is visible now has the key. The keys are open. */
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

  isTextAt(location: number, bytes: Uint8Array, start: number, end: number): boolean {
    const chunk = this.chunkAt(location);
    const texts = chunk.keys as VarCharColumn;
    let at = texts.offsets[location - chunk.firstLocation]!;
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
      if (this.#restored.length > 0) this.#replaceRestored(keys, { start, end, replaced, duplicates }, write);
      for (let i = 0; i < end - start; i++) {
        if (replaced[i] === NO_ROW) continue;
        chunk.setPrevious(first + i, replaced[i]!);
        if (duplicates === 'replace') this.#supersede(replaced[i]!, null, write);
        else this.#hasDuplicates = true;
      }
      start = end;
    }
  }

  /** Looks for the keys of new rows in the files; `replaced` says where the key index has found them. */
  #replaceRestored(
    keys: KeyColumn,
    rows: {
      readonly start: number;
      readonly end: number;
      readonly replaced: Uint32Array;
      readonly duplicates: 'replace' | 'keep';
    },
    write: PreparedWrite,
  ): void {
    const { start, end, replaced, duplicates } = rows;
    const mayBe = new Uint8Array(end - start);
    for (const { file, firstLocation } of this.#restored) {
      if (!file.isOpen) continue;
      file.keys.mayHold(keys, start, end, mayBe);
      for (let i = 0; i < end - start; i++) {
        // Whoever is known to the index has replaced what was there before.
        if (mayBe[i] === 0 || (replaced[i] !== NO_ROW && !this.#hasDuplicates)) continue;
        for (const row of file.keys.rowsOf(keys, start + i)) {
          if (duplicates === 'replace') this.#deleteAt(firstLocation + row, null, write);
          else this.#hasDuplicates = true;
        }
      }
    }
  }

  /** The locations of a key's rows in the files, newest first. */
  #findRestored(keys: KeyColumn, row: number): readonly number[] {
    const found: number[] = [];
    for (let at = this.#restored.length - 1; at >= 0; at--) {
      const { file, firstLocation } = this.#restored[at]!;
      if (!file.isOpen) continue;
      file.keys.mayHold(keys, row, row + 1, mayBeThere);
      if (mayBeThere[0] === 0) continue;
      for (const stored of file.keys.rowsOf(keys, row)) found.push(firstLocation + stored);
    }
    return found;
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
      const location = this.#index.find(keys, row);
      this.#supersede(location, wanted, write);
      // Whoever is known to the index has replaced what was there before.
      if (this.#restored.length === 0 || (location !== NO_ROW && !this.#hasDuplicates)) continue;
      for (const older of this.#findRestored(keys, row)) this.#deleteAt(older, wanted, write);
    }
  }

  /** Deletes the row at `location` and, where there may be more, the older ones of its key. */
  #supersede(location: number, partitionIds: ReadonlySet<PartitionId> | null, write: PreparedWrite): void {
    for (let at = location; at !== NO_ROW; ) {
      this.#deleteAt(at, partitionIds, write);
      const chunk = this.chunkAt(at);
      at = this.#hasDuplicates ? chunk.previous(at - chunk.firstLocation) : NO_ROW;
    }
  }

  #deleteAt(location: number, partitionIds: ReadonlySet<PartitionId> | null, write: PreparedWrite): void {
    const chunk = this.#chunks[location >>> this.#chunkBits];
    // All rows of a file may have been deleted long ago.
    if (chunk === undefined) return;
    if (partitionIds === null || partitionIds.has(chunk.partitionId))
      write.delete(chunk, location - chunk.firstLocation);
  }

  /** Takes chunks out of sight in this tick, and their rows out of the chains of their keys after it. */
  async #remove(chunks: readonly Chunk[]): Promise<void> {
    const rests = chunks.map((chunk) => {
      const rest = chunk.keysOnly();
      this.#setChunk(chunk, rest);
      this.#sealed.delete(chunk);
      return rest;
    });
    for (const rest of rests) {
      // The key index has never heard of them.
      if (rest.isRestored) continue;
      for (let row = 0; row < rest.rows; row++) {
        if (row % PIECE_ROWS_MAX === 0 && this.#share.isSpent()) await this.#share.nextTurn();
        this.#unlink(rest, row);
      }
    }
    for (const rest of rests) this.#setChunk(rest, undefined);
  }

  /** Puts something else in all places of a chunk. */
  #setChunk({ firstLocation, rows }: Chunk, replacement: Chunk | undefined): void {
    const first = firstLocation >>> this.#chunkBits;
    this.#chunks.fill(replacement, first, first + Math.max(1, Math.ceil(rows / this.#chunkRows)));
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
      const next = other.previous(newer - other.firstLocation);
      if (next === location) {
        other.setPrevious(newer - other.firstLocation, older);
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

  /** @throws MilvusError when that moment can't be read any more */
  #momentAt(at: Timestamp): Moment {
    return { ordinal: this.#ordinalAt(at), at };
  }

  /** How many writes of this process had happened at a time. */
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

  #timestampOf(ordinal: number): Timestamp {
    return this.#timestamps[ordinal - 1] as Timestamp;
  }

  /** Remembers deletions of rows that a file has, and chunks that have lost their last row. */
  #noteDeletions({ chunks, rows }: DeletedRows, timestamp: Timestamp): void {
    for (const [i, chunk] of chunks.entries()) {
      const place = this.#sealed.get(chunk);
      if (place !== undefined) this.#deletions.add(chunk, place, rows[i]!, this.#writes);
    }
    for (const chunk of new Set(chunks)) {
      const isFull = chunk.isClosed || chunk.rows === this.#chunkRows;
      if (chunk.liveRows === 0 && isFull) this.#emptied.push({ chunk, timestamp });
    }
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

function isClosed({ file }: { readonly file: SealedFile }): boolean {
  return !file.isOpen;
}

function snapshotTooOld(): MilvusError {
  return new MilvusError('the rows of this moment are no longer kept', { code: 65535, inputError: true });
}

/** Bytes beyond a fixed size for each row. */
function textBytesOf(column: Column): number {
  if ('elements' in column)
    return 'bytes' in column.elements ? column.elements.bytes.length : column.elements.values.byteLength;
  return 'offsets' in column ? column.bytes.length : 0;
}
