import type { Timestamp } from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import type { RestoredRowDeletions } from '../chunk/chunk-deletions.ts';
import { Chunk } from '../chunk.ts';
import { firstAtLeast } from '../first-at-least.ts';
import type { SealedFile } from '../sealed/sealed-file.ts';
import type { SealedSegments } from '../sealed/sealed-segments.ts';
import { SegmentRewrite } from '../sealed/segment-rewrite.ts';
import type { SealedRows } from '../sealed/shard-cut.ts';
import type { StoredKeys } from '../sealed/stored-keys.ts';
import type { ChunkLocations } from './chunk-locations.ts';
import type { EmptiedChunk, EmptiedChunks } from './emptied-chunks.ts';
import type { ShardKeys } from './shard-keys.ts';
import type { ShardPartitions } from './shard-partitions.ts';
import type { WriteTimes } from './write-times.ts';

/** Rows of a chunk over a file: what is done for all rows of a chunk at a stretch stays short. */
const STORED_CHUNK_ROWS = 2 ** 18;
/** Deletions counted between two looks at the clock. */
const STRETCH_ROWS = 16_384;

/** The parts of a shard that have to do with rows in files. */
export interface StoredChunksOptions {
  readonly times: WriteTimes;
  readonly locations: ChunkLocations;
  readonly partitions: ShardPartitions;
  readonly keys: ShardKeys;
  readonly storedKeys: StoredKeys;
  readonly sealed: SealedSegments;
  readonly emptied: EmptiedChunks;
  readonly share: LoopShare;
  /** Called when a read might find rows in another way. */
  readonly onChange: () => void;
}

/** The chunks of a shard that lie over files: how they come to be, and how others take their place. */
export class StoredChunks {
  readonly #shard: StoredChunksOptions;

  constructor(options: StoredChunksOptions) {
    this.#shard = options;
  }

  /** Adds the rows of a file from before the process started, and notes which chunks have no live one. */
  async restore(
    file: SealedFile,
    deletionsOf: (firstRow: number, rows: number) => RestoredRowDeletions,
  ): Promise<readonly EmptiedChunk[]> {
    const { storedKeys, locations, share, partitions, sealed } = this.#shard;
    const emptied: EmptiedChunk[] = [];
    storedKeys.add(file, [{ firstRow: 0, firstLocation: locations.nextLocation }]);
    for (let firstRow = 0; firstRow < file.info.rows; firstRow += STORED_CHUNK_ROWS) {
      if (share.isSpent()) await share.nextTurn();
      const chunk = this.#chunkOver(file, firstRow, deletionsOf);
      partitions.segmentOf(file.info.partitionId).restore(chunk);
      sealed.addStored(chunk);
      emptied.push(...emptiedAmong([chunk]));
    }
    return emptied;
  }

  /** Adds chunks over the rows of an open file that write `ordinal` brings. */
  adopt(file: SealedFile, ordinal: number): readonly Chunk[] {
    const { partitions, sealed, locations } = this.#shard;
    const { partitionId } = file.info;
    sealed.adopt(file);
    const chunks: Chunk[] = [];
    for (let firstRow = 0; firstRow < file.info.rows; firstRow += STORED_CHUNK_ROWS) {
      const rows = Math.min(STORED_CHUNK_ROWS, file.info.rows - firstRow);
      const stored = { file, firstRow };
      const { schema } = partitions;
      const chunk = locations.add(rows, (firstLocation) =>
        Chunk.adopted({ schema, partitionId, firstLocation, rows, stored, ordinal }),
      );
      partitions.segmentOf(partitionId).adopt(chunk);
      sealed.addStored(chunk);
      chunks.push(chunk);
    }
    return chunks;
  }

  /**
   * Lets a file answer for the keys of the rows that were handed over to it; they are found in the key index as well, until
   * `unlinkKeys` of each chunk that this returns. Nothing is prepared.
   */
  storeKeys(file: SealedFile, { chunks }: Pick<SealedRows, 'chunks'>): readonly Chunk[] {
    const { storedKeys } = this.#shard;
    if (storedKeys.has(file)) return [];
    let firstRow = 0;
    const places = chunks.map(({ firstLocation, rows }) => {
      const place = { firstRow, firstLocation };
      firstRow += rows;
      return place;
    });
    storedKeys.add(file, places);
    return chunks.filter((chunk) => !chunk.keysAreStored);
  }

  /** As `storeKeys`, of a file that came with a write. */
  storeAdoptedKeys(file: SealedFile): readonly Chunk[] {
    const { storedKeys, sealed } = this.#shard;
    const chunks = sealed.chunksOf(file);
    const [first] = chunks;
    if (first === undefined || storedKeys.has(file)) return [];
    storedKeys.add(file, [{ firstRow: 0, firstLocation: first.firstLocation - first.stored!.firstRow }]);
    return chunks;
  }

  /** As `storeAdoptedKeys`, of a file whose keys the key index never knew. */
  answersForKeys(file: SealedFile): void {
    for (const chunk of this.storeAdoptedKeys(file)) chunk.storeKeys();
  }

  /** Takes the keys of a chunk out of the key index. No write may come meanwhile. */
  async unlinkKeys(chunk: Chunk): Promise<void> {
    const { keys, share, locations } = this.#shard;
    if (chunk.keysAreStored || locations.get(chunk.firstLocation) !== chunk) return;
    await keys.unlink([chunk], share);
    chunk.storeKeys();
  }

  /** Files whose rows can be put together: all that is known of them is in files, and nobody looks for their keys elsewhere. */
  rewritable(): readonly SealedFile[] {
    const { sealed, storedKeys } = this.#shard;
    return sealed.files.filter(
      (file) =>
        storedKeys.has(file) &&
        !file.isBroken &&
        !sealed.isUnpublished(file) &&
        sealed.chunksOf(file).every((chunk) => chunk.keysAreStored),
    );
  }

  /** Rows of a file that were deleted up to a time; 0 when fewer than `min` rows of it are deleted at all. */
  async countDeleted(
    file: SealedFile,
    { upTo, min }: { readonly upTo: Timestamp; readonly min: number },
  ): Promise<number> {
    const { sealed, times, share } = this.#shard;
    const chunks = sealed.chunksOf(file);
    const live = chunks.reduce((sum, { liveRows }) => sum + liveRows, 0);
    if (file.info.rows - live < Math.max(min, 1)) return 0;
    // Chunks whose rows were all deleted long ago are not kept.
    let deleted = file.info.rows - chunks.reduce((sum, { rows }) => sum + rows, 0);
    let looked = 0;
    for (const chunk of chunks)
      for (const { timestamp } of chunk.deletionTimes(times.writes, (ordinal) =>
        times.timestampOf(ordinal),
      )) {
        if (timestamp <= upTo) deleted += 1;
        if (looked++ % STRETCH_ROWS === 0 && share.isSpent()) await share.nextTurn();
      }
    return deleted;
  }

  /** Begins to put the rows of some files, which are open, together. Nothing is prepared. */
  beginRewrite(files: readonly SealedFile[], dropUpTo: Timestamp): SegmentRewrite {
    const { partitions, sealed, times } = this.#shard;
    return new SegmentRewrite({
      schema: partitions.schema,
      files,
      chunks: files.flatMap((file) => sealed.chunksOf(file)),
      dropUpTo,
      ordinal: times.writes,
      timestampOf: (ordinal) => times.timestampOf(ordinal),
    });
  }

  /** Takes in what was deleted since a rewrite began. Nothing is prepared. */
  async catchUp(rewrite: SegmentRewrite): Promise<void> {
    await rewrite.catchUp(this.#shard.times.writes, this.#shard.share);
  }

  /**
   * Reads the rows from `file`, which is open, from now on; `null`: none are left. In one tick: no read finds a row twice or
   * misses one. Those under way may still fetch from the old chunks, until `free`. Nothing is prepared, and there was no cut
   * since the last `catchUp`. Returns the old chunks; `null`: the partition was dropped, and nothing has changed.
   */
  finishRewrite(rewrite: SegmentRewrite, file: SealedFile | null): readonly Chunk[] | null {
    const { partitions, sealed, emptied, storedKeys, times, locations, onChange } = this.#shard;
    const { chunks, files, dropUpTo } = rewrite;
    const { partitionId } = files[0]!.info;
    if (!partitions.has(partitionId)) return null;
    // Chunks may have been forgotten meanwhile, whose rows were all deleted long ago.
    const gone = new Set(chunks);
    const since = [...sealed.deletionsSince(rewrite.ordinal)].reverse();
    const { rows, timestamps } = rewrite.retained;
    const added: Chunk[] = [];
    if (file !== null) {
      storedKeys.add(file, [{ firstRow: 0, firstLocation: locations.nextLocation }]);
      for (let firstRow = 0; firstRow < file.info.rows; firstRow += STORED_CHUNK_ROWS)
        added.push(
          this.#chunkOver(file, firstRow, (first, count) => slice({ rows, timestamps }, first, count)),
        );
    }
    sealed.replace(files, gone, file);
    for (const chunk of added) sealed.addStored(chunk);
    for (const { chunk, row, ordinal } of since) {
      const newRow = gone.has(chunk) ? rewrite.newRowOf(chunk, row) : null;
      if (newRow === null) continue;
      const target = added[Math.floor(newRow / STORED_CHUNK_ROWS)]!;
      const own = newRow % STORED_CHUNK_ROWS;
      if (!target.markDeleted(own, ordinal)) continue;
      target.publishDeletion(own);
      sealed.noteDeletion(target, own, ordinal);
    }
    partitions.replace(partitionId, gone, added);
    emptied.replace(gone, emptiedAmong(added, times.newest));
    storedKeys.forget((one) => files.includes(one));
    if (dropUpTo > times.historyStart) times.forgetBefore(dropUpTo);
    onChange();
    return chunks;
  }

  /** Lets go of old chunks. No read that has begun before their rows had other places is under way. */
  free(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) this.#shard.locations.free(chunk);
  }

  #chunkOver(
    file: SealedFile,
    firstRow: number,
    deletionsOf: (firstRow: number, rows: number) => RestoredRowDeletions,
  ): Chunk {
    const { locations, partitions } = this.#shard;
    const { schema } = partitions;
    const { partitionId } = file.info;
    const rows = Math.min(STORED_CHUNK_ROWS, file.info.rows - firstRow);
    const stored = { file, firstRow };
    const deletions = deletionsOf(firstRow, rows);
    return locations.add(rows, (firstLocation) =>
      Chunk.restored({ schema, partitionId, firstLocation, rows, stored, deletions }),
    );
  }
}

/** The chunks without live rows; `newest`: what their last deletion is not later than, where they do not know it. */
function emptiedAmong(chunks: readonly Chunk[], newest: Timestamp | null = null): readonly EmptiedChunk[] {
  return chunks.flatMap((chunk) => {
    const timestamp = chunk.liveRows === 0 ? (newest ?? chunk.lastRestoredDeletion) : null;
    return timestamp === null ? [] : [{ chunk, timestamp }];
  });
}

/** Those of rows `first .. first + count`, counted from `first`. */
function slice(
  { rows, timestamps }: RestoredRowDeletions,
  first: number,
  count: number,
): RestoredRowDeletions {
  const start = firstAtLeast(rows, first);
  const end = firstAtLeast(rows, first + count);
  return {
    rows: rows.subarray(start, end).map((row) => row - first),
    timestamps: timestamps.slice(start, end),
  };
}
