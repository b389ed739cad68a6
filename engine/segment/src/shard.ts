import {
  AssertionError,
  assert,
  type CollectionSchema,
  type FieldId,
  type KeyColumn,
  type PartitionId,
  type SegmentId,
  type SegmentRun,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import type { Chunk } from './chunk.ts';
import { chunkRowsOf } from './growing-segment.ts';
import { type DeletedRows, PreparedWrite } from './prepared-write.ts';
import type { FilesInUse } from './sealed/files-in-use.ts';
import type { RestoredDeletions } from './sealed/restored-deletions.ts';
import type { SealedFile } from './sealed/sealed-file.ts';
import { SealedSegments, type ShardSegment } from './sealed/sealed-segments.ts';
import type { SealedRows, ShardCut } from './sealed/shard-cut.ts';
import { StoredKeys } from './sealed/stored-keys.ts';
import { ChunkLocations } from './shard/chunk-locations.ts';
import { type EmptiedChunk, EmptiedChunks } from './shard/emptied-chunks.ts';
import { ShardKeys } from './shard/shard-keys.ts';
import { ShardPartitions } from './shard/shard-partitions.ts';
import { type FileAdoption, ShardWriter } from './shard/shard-writer.ts';
import { StoredChunks } from './shard/stored-chunks.ts';
import { UnfilledRows } from './shard/unfilled-rows.ts';
import { WriteTimes } from './shard/write-times.ts';
import type { KeptRows, PieceRows } from './vector-index/indexed-piece.ts';
import { ShardIndexes } from './vector-index/shard-indexes.ts';
import type { WriteRecord } from './write-record.ts';

export interface ShardOptions {
  /** Names the shard's rows in `RowLocations`. */
  readonly segmentId: SegmentId;
  readonly schema: CollectionSchema;
  /** 32 random bits. */
  readonly seed: number;
  readonly share: LoopShare;
  /** The file of a segment that a write brings; left out: no write does. */
  readonly fileOf?: FileAdoption['fileOf'];
}

/** Which rows of a shard a read starts from. */
export interface ReadScope {
  /** `null`: every partition. */
  readonly partitionIds: ReadonlySet<PartitionId> | null;
  /** As of which time; later than the newest write means now. */
  readonly at: Timestamp;
}

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
export class Shard {
  readonly segmentId: SegmentId;
  /** Of its vectors. */
  readonly vectorIndexes = new ShardIndexes();
  /** Its rows that lie in files, for those who put them together. */
  readonly stored: StoredChunks;
  /** Its rows that lack what a newer function makes. */
  readonly unfilled: UnfilledRows;
  readonly #share: LoopShare;
  readonly #chunkRows: number;
  readonly #times = new WriteTimes();
  readonly #storedKeys = new StoredKeys();
  readonly #locations: ChunkLocations;
  readonly #partitions: ShardPartitions;
  readonly #keys: ShardKeys;
  readonly #sealed: SealedSegments;
  readonly #emptied: EmptiedChunks;
  readonly #writer: ShardWriter;
  #generation = 0;

  constructor({ segmentId, schema, seed, share, fileOf = bringsNoFiles }: ShardOptions) {
    const chunkRows = chunkRowsOf(schema);
    const locations = new ChunkLocations(chunkRows);
    const partitions = new ShardPartitions({ schema, chunkRows, locations, indexes: this.vectorIndexes });
    const keys = new ShardKeys({ schema, locations, stored: this.#storedKeys, seed });
    this.segmentId = segmentId;
    this.#share = share;
    this.#chunkRows = chunkRows;
    this.#locations = locations;
    this.#partitions = partitions;
    this.#keys = keys;
    this.#sealed = new SealedSegments(partitions, this.#times);
    this.#emptied = new EmptiedChunks(this.#sealed);
    const onChange = (): void => {
      this.#generation += 1;
    };
    const [sealed, storedKeys] = [this.#sealed, this.#storedKeys];
    this.unfilled = new UnfilledRows({ partitions, sealed, storedKeys, onChange });
    this.stored = new StoredChunks({
      times: this.#times,
      locations,
      partitions,
      keys,
      storedKeys,
      sealed,
      emptied: this.#emptied,
      share,
      onChange,
    });
    const files: FileAdoption = {
      fileOf,
      adopt: (file, ordinal) => this.stored.adopt(file, ordinal),
      answersForKeys: (file) => this.stored.answersForKeys(file),
    };
    this.#writer = new ShardWriter({ partitions, keys, share, files });
  }

  /** Of the newest write that readers see. */
  get appliedTimestamp(): Timestamp {
    return this.#times.newest;
  }

  /** Whether a moment is not before the newest write. */
  isNow(at: Timestamp): boolean {
    return at >= this.appliedTimestamp;
  }

  /** Earlier moments can't be read any more. */
  get historyStart(): Timestamp {
    return this.#times.historyStart;
  }

  get byteLength(): number {
    return this.#locations.byteLength + this.#keys.byteLength;
  }

  /** Grows whenever a read of this moment might see something else, or find it in another way. */
  get generation(): number {
    return this.#generation + this.vectorIndexes.generation;
  }

  /** Chunks that were ever begun: when the number grows, rows before have got their last neighbour. */
  get chunksBegun(): number {
    return this.#locations.placesBegun;
  }

  /** Rows that anybody could see now, by partition. */
  liveRows(): ReadonlyMap<PartitionId, number> {
    return this.#partitions.liveRows();
  }

  /** Live rows written up to `at` that wait for an index of the field. */
  rowsToIndex(id: FieldId, at: Timestamp): number {
    if (at < this.historyStart) return 0;
    const moment = this.#times.momentAt(at);
    return this.vectorIndexes.of(id).reduce((sum, index) => sum + index.pendingRows(moment), 0);
  }

  /** Rows of a chunk that were there at a time; 0 when that moment can't be read any more. */
  rowsOfChunkAt(chunk: Chunk, at: Timestamp): number {
    return at < this.historyStart ? 0 : chunk.rowsAt(this.#times.momentAt(at));
  }

  /** Rows of a chunk that were written up to a time, however long ago; they may be deleted. A file of such times is open. */
  rowsWrittenUpTo(chunk: Chunk, at: Timestamp): number {
    return chunk.rowsAt(this.#times.writtenAt(at));
  }

  /** Rows from now on have the fields of `schema`; rows before get defaults for what is new. */
  useSchema(schema: CollectionSchema): void {
    this.#generation += 1;
    this.#partitions.useSchema(schema);
  }

  /**
   * Takes in a write, in pieces; nobody sees it before `publish` of what this resolves to, which must come
   * before the next `prepare`. `null` when the shard has applied the timestamp already.
   */
  async prepare(record: WriteRecord, timestamp: Timestamp): Promise<PreparedWrite | null> {
    if (timestamp <= this.appliedTimestamp) return null;
    if (!this.#storedKeys.areOpen) await this.#storedKeys.openToWrite();
    const write = new PreparedWrite(this.#times.writes + 1, (deleted) => this.#published(deleted, timestamp));
    await this.#writer.take(record, write, timestamp);
    return write;
  }

  /** The sealed segments whose rows are read from their files, those of before the start first. */
  get files(): readonly SealedFile[] {
    return this.#sealed.files;
  }

  /** Memory of rows that no segment has yet. */
  get unsealedBytes(): number {
    return this.#sealed.unsealedBytes;
  }

  /** What the shard holds, by segment; rows that are in none yet are one of each partition. */
  segments(): readonly ShardSegment[] {
    return this.#sealed.list();
  }

  /**
   * Seals the rows that no segment has yet: they become one segment of each partition, and what is written from now on
   * goes elsewhere. Nothing is prepared. Nobody sees a difference; the files are to be written from what this returns.
   */
  cut(newSegmentId: () => SegmentId): ShardCut {
    return this.#sealed.cut(newSegmentId);
  }

  /** From now on the rows are read from their file, which is open: the same rows in the same places. */
  handOver(sealed: SealedRows, file: SealedFile): void {
    this.#sealed.handOver(sealed, file);
  }

  /**
   * Where rows of chunks are in sealed segments, neighbours joined; `null` when some of them are in no file, or would not
   * begin at whole bytes of a bitmap after a restart.
   */
  segmentRunsOf(runs: readonly PieceRows[]): readonly SegmentRun[] | null {
    return this.#sealed.segmentRunsOf(runs);
  }

  /** The chunks that rows of sealed segments are in; `null` when some of them are not kept any more. */
  chunkRunsOf(runs: readonly SegmentRun[]): readonly KeptRows[] | null {
    return this.#sealed.chunkRunsOf(runs);
  }

  /** Sealed segments whose rows were all deleted so long ago that they are forgotten. */
  get deadFiles(): readonly SealedFile[] {
    return this.#sealed.deadFiles;
  }

  /** Lets go of dead files, which nobody may want to find keys in any more. */
  forgetFiles(dead: readonly SealedFile[]): void {
    const ids = new Set(dead.map(({ info }) => info.id));
    this.#forgetFiles(({ info }) => ids.has(info.id));
  }

  /**
   * Begins with the rows that files have, which are opened when they are needed. Nothing was written yet, and nobody reads
   * meanwhile.
   */
  async restore({ segments, deletions, checkpoint, historyStart }: RestoredRows): Promise<void> {
    assert(this.#times.writes === 0 && this.chunksBegun === 0, 'a shard is restored before it is used');
    this.#times.restore(checkpoint, historyStart);
    this.#sealed.restore(segments, checkpoint);
    this.#generation += 1;
    const emptied: EmptiedChunk[] = [];
    for (const file of segments) {
      const deletionsOf = (first: number, rows: number) => deletions.of(file.info.id, first, rows);
      emptied.push(...(await this.stored.restore(file, deletionsOf)));
    }
    this.#emptied.restore(emptied);
  }

  /** Puts all rows of partitions out of sight in this tick, then frees their keys and memory. No write may come meanwhile. */
  async dropPartitions(ids: readonly PartitionId[]): Promise<void> {
    const chunks = ids.flatMap((id) => this.#dropPartition(id));
    if (chunks.length > 0) await this.#remove(chunks);
  }

  /** Whether `forgetHistory` would find something. */
  hasHistoryBefore(time: Timestamp): boolean {
    return this.#emptied.hasBefore(time);
  }

  /** Frees chunks whose last row was deleted before `time`; earlier moments can't be read any more. No write may come meanwhile. */
  async forgetHistory(time: Timestamp): Promise<void> {
    const forgotten = this.#emptied.takeBefore(time);
    if (forgotten.length === 0) return;
    this.#times.forgetBefore(forgotten.at(-1)!.timestamp);
    this.#generation += 1;
    for (const { chunk } of forgotten) this.#partitions.forget(chunk);
    await this.#remove(forgotten.map(({ chunk }) => chunk));
  }

  /** Opens the files that a read needs, as `SealedSegments.open`. */
  openFiles({ partitionIds }: ReadScope, use?: FilesInUse): Promise<unknown> | null {
    return this.#sealed.open(partitionIds, use);
  }

  /** Opens all files as far as they can be opened: keys in the others are not found. */
  async openKeys(): Promise<void> {
    await this.#storedKeys.open();
  }

  /** The chunks that hold what a reader may see. Costs nothing per row when the time is now. */
  view(scope: ReadScope): readonly ChunkView[] {
    const views: ChunkView[] = [];
    const moment = this.#times.momentAt(scope.at);
    const isNow = this.isNow(scope.at);
    for (const { partitionId, chunks } of this.#partitions) {
      if (scope.partitionIds !== null && !scope.partitionIds.has(partitionId)) continue;
      for (const chunk of chunks) {
        const rows = isNow ? chunk.visibleRows : chunk.rowsAt(moment);
        if (rows === 0 || (isNow && chunk.liveRows === 0)) continue;
        const live = isNow ? chunk.lendLive() : chunk.liveAt(moment, rows);
        views.push({ shard: this, chunk, rows, live });
      }
    }
    return views;
  }

  /** The locations of the rows of one key that a reader may see; mostly none or one. The keys are open. */
  find(keys: KeyColumn, row: number, { partitionIds, at }: ReadScope): readonly number[] {
    return this.#keys.find(keys, row, this.#times.momentAt(at), partitionIds);
  }

  /** Whether any row that is visible now has the key. The keys are open. */
  has(keys: KeyColumn, row: number): boolean {
    return this.find(keys, row, { partitionIds: null, at: TIMESTAMP_MAX }).length > 0;
  }

  /** The chunk that has the row; `undefined` when it was dropped with its partition, or deleted long ago. */
  findChunk(location: number): Chunk | undefined {
    const chunk = this.#locations.get(location);
    return chunk?.isDead ? undefined : chunk;
  }

  /** The chunk of a row that the key index knows. */
  chunkAt(location: number): Chunk {
    return this.#locations.at(location);
  }

  /** Notes a write that readers see now, and the chunks that have lost their last row by it. */
  #published(deleted: DeletedRows, timestamp: Timestamp): void {
    this.#times.note(timestamp);
    this.#generation += 1;
    this.#sealed.noteDeletions(deleted, this.#times.writes);
    for (const chunk of new Set(deleted.chunks)) {
      const isFull = chunk.isClosed || chunk.rows === this.#chunkRows;
      if (chunk.liveRows === 0 && isFull) this.#emptied.add(chunk, timestamp);
    }
  }

  /** Returns the chunks that are to be removed. */
  #dropPartition(id: PartitionId): readonly Chunk[] {
    const chunks = this.#partitions.drop(id);
    if (chunks === null) return [];
    this.#generation += 1;
    this.#emptied.dropPartition(id);
    this.#forgetFiles(({ info }) => info.partitionId === id);
    return chunks;
  }

  #forgetFiles(isForgotten: (file: SealedFile) => boolean): void {
    this.#sealed.forgetFiles(isForgotten);
    this.#storedKeys.forget(isForgotten);
  }

  /** Takes chunks out of sight in this tick, and their rows out of the chains of their keys after it. */
  async #remove(chunks: readonly Chunk[]): Promise<void> {
    const rests = chunks.map((chunk) => {
      this.#sealed.forget(chunk);
      return this.#locations.keepKeysOnly(chunk);
    });
    await this.#keys.unlink(rests, this.#share);
    for (const rest of rests) this.#locations.free(rest);
  }
}

function bringsNoFiles(): never {
  throw new AssertionError('no write brings files to this shard');
}
