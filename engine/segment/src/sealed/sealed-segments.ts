import {
  assert,
  type PartitionId,
  type SegmentId,
  type SegmentInfo,
  type SegmentRun,
  TIMESTAMP_MIN,
  type Timestamp,
} from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import type { DeletedRows } from '../prepared-write.ts';
import type { ShardPartitions } from '../shard/shard-partitions.ts';
import type { WriteTimes } from '../shard/write-times.ts';
import type { KeptRows, PieceRows } from '../vector-index/indexed-piece.ts';
import { type FilesInUse, useWhereRead } from './files-in-use.ts';
import type { SealedFile } from './sealed-file.ts';
import { type ChunkPlace, EarlierDeletions, type SealedRows, type ShardCut } from './shard-cut.ts';

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

/** Reads that have begun, of all shards: says which files were used last. */
let usesBegun = 0;

/**
 * Which chunks of a shard are sealed, as which rows of which segment, and the files that these rows are read from. A
 * chunk is sealed by a cut and handed over to its file when that is written, or has been in one since the start; its
 * later deletions are gathered for the next cut.
 */
export class SealedSegments {
  readonly #partitions: ShardPartitions;
  readonly #times: WriteTimes;
  /** Where rows are in sealed segments, or will be when their file is written. */
  readonly #places = new Map<Chunk, ChunkPlace>();
  /** Those that rows are read from. */
  #files: readonly SealedFile[] = [];
  /** Of rows in sealed segments, since the last cut. */
  #deletions = new EarlierDeletions();
  #cutTimestamp: Timestamp = TIMESTAMP_MIN;
  /** That came with files of their own since the last cut. */
  #adopted: SegmentInfo[] = [];

  constructor(partitions: ShardPartitions, times: WriteTimes) {
    this.#partitions = partitions;
    this.#times = times;
  }

  /** Those of before the start first. */
  get files(): readonly SealedFile[] {
    return this.#files;
  }

  /** Of the newest write that a cut has seen. */
  get cutTimestamp(): Timestamp {
    return this.#cutTimestamp;
  }

  /** Whether the chunk's rows are, or will be, a segment's. */
  has(chunk: Chunk): boolean {
    return this.#places.has(chunk);
  }

  /** Memory of rows that no segment has yet. */
  get unsealedBytes(): number {
    let bytes = 0;
    for (const { chunks } of this.#partitions)
      for (const chunk of chunks) if (!this.#places.has(chunk)) bytes += chunk.byteLength;
    return bytes;
  }

  /** What the shard holds, by segment; rows that are in none yet are one of each partition. */
  list(): readonly ShardSegment[] {
    const found = new Map<string, { id: SegmentId | null; partitionId: PartitionId; chunks: Chunk[] }>();
    for (const { partitionId, chunks } of this.#partitions) {
      for (const chunk of chunks) {
        const id = this.#places.get(chunk)?.segmentId ?? null;
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

  /** Seals the chunks that no segment has yet, one segment for each partition. */
  cut(newSegmentId: () => SegmentId): ShardCut {
    const segments: SealedRows[] = [];
    for (const { partitionId, chunks } of this.#partitions) {
      const fresh = chunks.filter((chunk) => chunk.rows > 0 && !this.#places.has(chunk));
      if (fresh.length > 0) segments.push(this.#seal(newSegmentId(), partitionId, fresh));
    }
    const earlierDeletions = this.#deletions;
    this.#deletions = new EarlierDeletions();
    const adopted = this.#adopted;
    this.#adopted = [];
    this.#cutTimestamp = this.#times.newest;
    return {
      schema: this.#partitions.schema,
      segments,
      adopted,
      earlierDeletions,
      lastOrdinal: this.#times.writes,
      timestampOf: (ordinal) => this.#times.timestampOf(ordinal),
    };
  }

  /** From now on the rows are read from their file, which is open and used: the same rows in the same places. */
  handOver(sealed: SealedRows, file: SealedFile): void {
    assert(
      file.isOpen && file.info.rows === sealed.rows,
      'a file that is handed over is open and has the rows',
    );
    let firstRow = 0;
    useWhereRead(file);
    this.#files = [...this.#files, file];
    for (const chunk of sealed.chunks) {
      if (this.#places.has(chunk)) chunk.moveTo({ file, firstRow });
      firstRow += chunk.rows;
    }
  }

  /** Begins with files that have all that was written up to `checkpoint`; their chunks are added by `addStored`. */
  restore(files: readonly SealedFile[], checkpoint: Timestamp): void {
    this.#files = files;
    this.#cutTimestamp = checkpoint;
  }

  /** Takes in an open file whose chunks are added by `addStored`; the next cut makes it known. */
  adopt(file: SealedFile): void {
    this.#files = [...this.#files, file];
    this.#adopted.push(file.info);
  }

  /** Adds a chunk over a file that was restored or adopted. */
  addStored(chunk: Chunk): void {
    const { file, firstRow } = chunk.stored!;
    this.#places.set(chunk, { segmentId: file.info.id, firstRow });
  }

  /** The chunks of a file that the shard keeps, in the order of their rows. */
  chunksOf({ info }: SealedFile): readonly Chunk[] {
    const own = [...this.#places].filter(([, { segmentId }]) => segmentId === info.id);
    return own.sort(([, left], [, right]) => left.firstRow - right.firstRow).map(([chunk]) => chunk);
  }

  /** Whether the next cut makes the file known: it came with a write. */
  isUnpublished({ info }: SealedFile): boolean {
    return this.#adopted.some(({ id }) => id === info.id);
  }

  /** Deletions of sealed rows by writes after `ordinal`, since the last cut. */
  *deletionsSince(ordinal: number): Generator<{ chunk: Chunk; row: number; ordinal: number }> {
    const { chunks, rows, ordinals } = this.#deletions;
    for (let at = ordinals.length - 1; at >= 0 && ordinals[at]! > ordinal; at--)
      yield { chunk: chunks[at]!, row: rows[at]!, ordinal: ordinals[at]! };
  }

  /** Gathers that a write has deleted a sealed row, for the next cut. */
  noteDeletion(chunk: Chunk, row: number, ordinal: number): void {
    const place = this.#places.get(chunk);
    assert(place !== undefined, 'the row is sealed');
    this.#deletions.add(chunk, place, row, ordinal);
  }

  /** Rows are read from `file`, which is used, in the place of others, `null`: there are none left; its chunks are added by `addStored`. */
  replace(gone: readonly SealedFile[], chunks: ReadonlySet<Chunk>, file: SealedFile | null): void {
    this.#files = this.#files.filter((one) => !gone.includes(one));
    if (file !== null) {
      useWhereRead(file);
      this.#files = [...this.#files, file];
    }
    for (const chunk of chunks) this.#places.delete(chunk);
  }

  /** Reads the rows of one file from another, which is open and used and has them in the same places; returns their chunks. */
  refile(before: SealedFile, after: SealedFile): readonly Chunk[] {
    assert(
      after.isOpen && after.info.id === before.info.id && after.info.rows === before.info.rows,
      'another file of a segment is open and has its rows',
    );
    after.lastUse = before.lastUse;
    useWhereRead(after);
    this.#files = this.#files.map((file) => (file === before ? after : file));
    const chunks = this.chunksOf(before);
    for (const chunk of chunks) chunk.moveTo({ file: after, firstRow: chunk.stored!.firstRow });
    return chunks;
  }

  /** Gathers deletions of sealed rows by write `ordinal` for the next cut. */
  noteDeletions({ chunks, rows }: DeletedRows, ordinal: number): void {
    for (const [i, chunk] of chunks.entries()) {
      const place = this.#places.get(chunk);
      if (place !== undefined) this.#deletions.add(chunk, place, rows[i]!, ordinal);
    }
  }

  /** Forgets a chunk that the shard does not keep any more. */
  forget(chunk: Chunk): void {
    this.#places.delete(chunk);
  }

  /** Segments whose rows were all deleted so long ago that they are forgotten. */
  get deadFiles(): readonly SealedFile[] {
    const alive = new Set([...this.#places.values()].map(({ segmentId }) => segmentId));
    return this.#files.filter(({ info }) => !alive.has(info.id));
  }

  /** Lets go of files from which no rows are read any more. */
  forgetFiles(isForgotten: (file: SealedFile) => boolean): void {
    this.#files = this.#files.filter((file) => !isForgotten(file));
  }

  /**
   * Opens the files of some partitions, `null` meaning all, for a read that begins and uses them as long as `use` lasts; left
   * out: columns are there only where they stay. `null` when all is there.
   * @throws MilvusError 1009 when one can't be opened, or brought back
   */
  open(partitionIds: ReadonlySet<PartitionId> | null, use?: FilesInUse): Promise<unknown> | null {
    usesBegun += 1;
    const away: SealedFile[] = [];
    for (const file of this.#files) {
      if (partitionIds !== null && !partitionIds.has(file.info.partitionId)) continue;
      file.lastUse = usesBegun;
      if (!file.isLasting) away.push(file);
    }
    if (away.length === 0) return null;
    if (use !== undefined) return use.addAll(away);
    const closed = away.filter(({ isOpen }) => !isOpen);
    return closed.length === 0 ? null : Promise.all(closed.map((file) => file.open()));
  }

  /**
   * Where rows of chunks are in sealed segments, neighbours joined; `null` when some of them are in no file, or would not
   * begin at whole bytes of a bitmap after a restart.
   */
  segmentRunsOf(runs: readonly PieceRows[]): readonly SegmentRun[] | null {
    const found: SegmentRun[] = [];
    for (const { chunk, from, to } of runs) {
      const place = chunk === null || chunk.stored === null ? undefined : this.#places.get(chunk);
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
      for (const [chunk, place] of this.#places) {
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

  #seal(id: SegmentId, partitionId: PartitionId, chunks: readonly Chunk[]): SealedRows {
    let rows = 0;
    for (const chunk of chunks) {
      chunk.close();
      this.#places.set(chunk, { segmentId: id, firstRow: rows });
      rows += chunk.rows;
    }
    return {
      id,
      partitionId,
      rows,
      firstTimestamp: this.#times.timestampOf(chunks[0]!.ordinals.first),
      lastTimestamp: this.#times.timestampOf(chunks.at(-1)!.ordinals.last),
      chunks,
    };
  }
}
