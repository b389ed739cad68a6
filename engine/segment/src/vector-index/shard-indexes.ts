import type { FieldId, FieldSchema, PartitionId } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import { type IndexLimits, SegmentIndex } from './segment-index.ts';

/** A growing segment, as far as its indexes are concerned. */
interface IndexedSegment {
  readonly partitionId: PartitionId;
  readonly chunks: readonly Chunk[];
}

/** The vector indexes of one shard: for each indexed field one `SegmentIndex` a partition. */
export class ShardIndexes {
  readonly #fields = new Map<FieldId, { readonly field: FieldSchema; readonly limits: IndexLimits }>();
  readonly #segments = new Map<PartitionId, IndexedSegment>();
  readonly #indexes = new Map<FieldId, Map<PartitionId, SegmentIndex>>();
  #generation = 0;

  /** Grows whenever a search might use other indexes than before. */
  get generation(): number {
    return this.#generation;
  }

  /** From now on the vectors of `field` can have indexes, those of later partitions as well. Idempotent. */
  open(field: FieldSchema, limits: IndexLimits = {}): void {
    if (this.#fields.has(field.id)) return;
    this.#fields.set(field.id, { field, limits });
    this.#indexes.set(field.id, new Map());
    for (const segment of this.#segments.values()) this.#add(segment, field, limits);
  }

  /** Frees the indexes of a field. Idempotent. */
  close(id: FieldId): void {
    for (const index of this.of(id)) index.close();
    this.#fields.delete(id);
    this.#indexes.delete(id);
  }

  closeAll(): void {
    for (const id of [...this.#fields.keys()]) this.close(id);
  }

  /** Of every partition that has rows. */
  of(id: FieldId): readonly SegmentIndex[] {
    return [...(this.#indexes.get(id)?.values() ?? [])];
  }

  find(id: FieldId, partition: PartitionId): SegmentIndex | undefined {
    return this.#indexes.get(id)?.get(partition);
  }

  addSegment(segment: IndexedSegment): void {
    this.#segments.set(segment.partitionId, segment);
    for (const { field, limits } of this.#fields.values()) this.#add(segment, field, limits);
  }

  removeSegment(partition: PartitionId): void {
    this.#segments.delete(partition);
    for (const indexes of this.#indexes.values()) {
      indexes.get(partition)?.close();
      indexes.delete(partition);
    }
  }

  /** Tells the indexes that a chunk's rows are not kept any more. */
  forget(chunk: Chunk): void {
    for (const indexes of this.#indexes.values()) indexes.get(chunk.partitionId)?.forget(chunk);
  }

  #add(segment: IndexedSegment, field: FieldSchema, limits: IndexLimits): void {
    const onChange = () => {
      this.#generation += 1;
    };
    const index = new SegmentIndex(field, { chunks: () => segment.chunks, onChange, limits });
    this.#indexes.get(field.id)!.set(segment.partitionId, index);
  }
}
