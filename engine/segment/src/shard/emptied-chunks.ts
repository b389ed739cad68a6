import type { PartitionId, Timestamp } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import type { SealedSegments } from '../sealed/sealed-segments.ts';

/** A chunk to which no rows come any more and whose rows are all deleted. */
export interface EmptiedChunk {
  readonly chunk: Chunk;
  /** When the last of its rows was deleted. */
  readonly timestamp: Timestamp;
}

/** Chunks that only moments of the past still see, so that they can be freed when nobody may read those any more. */
export class EmptiedChunks {
  readonly #sealed: SealedSegments;
  /** Oldest first. */
  #emptied: EmptiedChunk[] = [];

  constructor(sealed: SealedSegments) {
    this.#sealed = sealed;
  }

  /** The chunk has lost its last row; no other has later. */
  add(chunk: Chunk, timestamp: Timestamp): void {
    this.#emptied.push({ chunk, timestamp });
  }

  /** Has these chunks and no others, given in any order. */
  restore(emptied: readonly EmptiedChunk[]): void {
    this.#emptied = [...emptied].sort((left, right) => (left.timestamp < right.timestamp ? -1 : 1));
  }

  /** Other chunks have taken the place of some. */
  replace(gone: ReadonlySet<Chunk>, added: readonly EmptiedChunk[]): void {
    this.restore([...this.#emptied.filter(({ chunk }) => !gone.has(chunk)), ...added]);
  }

  dropPartition(id: PartitionId): void {
    this.#emptied = this.#emptied.filter(({ chunk }) => chunk.partitionId !== id);
  }

  /** Whether `takeBefore` would find something. */
  hasBefore(time: Timestamp): boolean {
    return this.#emptied.some((one) => this.#isForgettable(one, time));
  }

  /** Takes out what may be freed when moments before `time` are not read any more; oldest first. */
  takeBefore(time: Timestamp): readonly EmptiedChunk[] {
    const taken = this.#emptied.filter((one) => this.#isForgettable(one, time));
    this.#emptied = this.#emptied.filter((one) => !taken.includes(one));
    return taken;
  }

  /** A file has the rows of a sealed chunk: their deletions may not be forgotten before they are in one, too. */
  #isForgettable({ chunk, timestamp }: EmptiedChunk, time: Timestamp): boolean {
    return timestamp < time && (timestamp <= this.#sealed.cutTimestamp || !this.#sealed.has(chunk));
  }
}
