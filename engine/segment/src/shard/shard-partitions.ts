import type { CollectionSchema, PartitionId } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import { GrowingSegment } from '../growing-segment.ts';
import type { ShardIndexes } from '../vector-index/shard-indexes.ts';
import type { ChunkLocations } from './chunk-locations.ts';

/** The rows of a shard by partition, each begun with its first row, and their schema. Keeps the vector indexes in step. */
export class ShardPartitions {
  readonly #chunkRows: number;
  readonly #locations: ChunkLocations;
  readonly #indexes: ShardIndexes;
  readonly #segments = new Map<PartitionId, GrowingSegment>();
  #schema: CollectionSchema;

  constructor(options: {
    readonly schema: CollectionSchema;
    /** Most rows of a chunk that grows. */
    readonly chunkRows: number;
    readonly locations: ChunkLocations;
    readonly indexes: ShardIndexes;
  }) {
    this.#schema = options.schema;
    this.#chunkRows = options.chunkRows;
    this.#locations = options.locations;
    this.#indexes = options.indexes;
  }

  get schema(): CollectionSchema {
    return this.#schema;
  }

  /** In the order in which they were begun. */
  [Symbol.iterator](): Iterator<GrowingSegment> {
    return this.#segments.values();
  }

  /** Rows from now on have the fields of `schema`; rows before get defaults for what is new. */
  useSchema(schema: CollectionSchema): void {
    this.#schema = schema;
    for (const segment of this.#segments.values()) segment.useSchema(schema);
  }

  /** The rows of a partition, begun now if there were none. */
  segmentOf(partitionId: PartitionId): GrowingSegment {
    const known = this.#segments.get(partitionId);
    if (known !== undefined) return known;
    const segment = new GrowingSegment({
      schema: this.#schema,
      partitionId,
      chunkRows: this.#chunkRows,
      addChunk: (make) => this.#locations.add(this.#chunkRows, make),
    });
    this.#segments.set(partitionId, segment);
    this.#indexes.addSegment(segment);
    return segment;
  }

  /** Forgets a partition; returns the chunks that it had, `null` when it had no rows ever. */
  drop(partitionId: PartitionId): readonly Chunk[] | null {
    const segment = this.#segments.get(partitionId);
    if (segment === undefined) return null;
    this.#segments.delete(partitionId);
    this.#indexes.removeSegment(partitionId);
    return segment.chunks;
  }

  /** Forgets a chunk whose rows are all deleted. */
  forget(chunk: Chunk): void {
    this.#segments.get(chunk.partitionId)?.remove(chunk);
    this.#indexes.forget(chunk);
  }

  /** Whether a partition has rows, or had some. */
  has(partitionId: PartitionId): boolean {
    return this.#segments.has(partitionId);
  }

  /** Puts chunks in the place of others of their partition. */
  replace(partitionId: PartitionId, gone: ReadonlySet<Chunk>, added: readonly Chunk[]): void {
    this.#segments.get(partitionId)?.replace(gone, added);
    for (const chunk of gone) this.#indexes.forget(chunk);
  }

  /** Rows that anybody could see now. */
  liveRows(): ReadonlyMap<PartitionId, number> {
    return new Map([...this.#segments].map(([id, segment]) => [id, segment.liveRows]));
  }
}
