import {
  type ChannelName,
  type CollectionInfo,
  type Column,
  type PartitionId,
  type RowBatch,
  type StagedSegment,
  segmentFileKey,
} from '@elanus/model';
import type { ObjectStore } from '@elanus/object-store';
import type { InsertPart, RowStage, SegmentCatalog } from '@elanus/rpc';
import type { TimestampSource } from '@elanus/runtime';
import { storedFields } from '@elanus/segment';
import type { FileEncoder } from '../flush/file-encoder.ts';
import { writeSegmentFile } from '../flush/write-segment-file.ts';

export interface StagedRowsContext {
  readonly store: ObjectStore;
  readonly encoder: FileEncoder;
  readonly catalog: Pick<SegmentCatalog, 'allocateIds'>;
  readonly timestamps: TimestampSource;
}

/** Rows of one shard and one partition, in the order in which they came. */
interface Pile {
  readonly channel: ChannelName;
  readonly partitionId: PartitionId;
  batches: RowBatch[];
}

/**
 * Rows of an import between their files and ours: piles of memory for each shard and partition, which `flush` makes
 * segment files of. Nobody knows of these files; whoever asked for them keeps their names.
 */
export class StagedRows implements RowStage {
  readonly #collection: CollectionInfo;
  readonly #context: StagedRowsContext;
  #piles = new Map<string, Pile>();
  #pendingBytes = 0;

  constructor(collection: CollectionInfo, context: StagedRowsContext) {
    this.#collection = collection;
    this.#context = context;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  add(parts: readonly InsertPart[]): void {
    for (const { channel, partitionId, batch } of parts) {
      const key = `${channel} ${partitionId}`;
      const pile = this.#piles.get(key) ?? { channel, partitionId, batches: [] };
      this.#piles.set(key, pile);
      pile.batches.push(batch);
      for (const column of batch.columns.values()) this.#pendingBytes += bytesOf(column);
    }
  }

  async flush(signal: AbortSignal): Promise<readonly StagedSegment[]> {
    const piles = [...this.#piles.values()];
    this.#piles = new Map();
    this.#pendingBytes = 0;
    const written: StagedSegment[] = [];
    const ids = await this.#context.catalog.allocateIds(piles.length);
    for (const [at, pile] of piles.entries()) written.push(await this.#write(ids[at]!, pile, signal));
    return written;
  }

  async #write(
    id: StagedSegment['id'],
    { channel, partitionId, batches }: Pile,
    signal: AbortSignal,
  ): Promise<StagedSegment> {
    const { store, encoder, timestamps } = this.#context;
    const { id: collectionId, schema } = this.#collection;
    // Until the write that brings the file is ordered; from then on the time of that write counts.
    const timestamp = timestamps.next();
    const content = {
      kind: 'rows',
      label: { collectionId, partitionId, segmentId: id, channel, notes: {} },
      columns: storedFields(schema).map((field) => ({
        field,
        pieces: batches.map(({ columns }) => columns.get(field.id)!),
      })),
      timestamps: batches.map(({ length }) => new BigInt64Array(length).fill(timestamp)),
    } as const;
    const key = segmentFileKey(collectionId, id);
    // An import may be larger than memory, and is read when all of it is there.
    const { bytes, crc32 } = await writeSegmentFile(content, {
      key,
      store,
      encoder,
      signal,
      cache: 'passed',
    });
    const rows = batches.reduce((sum, { length }) => sum + length, 0);
    return { id, channel, partitionId, rows, bytes, crc32 };
  }
}

/** Bytes that the values of a column take. */
function bytesOf(column: Column): number {
  const validity = column.validity?.length ?? 0;
  if ('elements' in column) return validity + column.offsets.byteLength + bytesOf(column.elements);
  if ('values' in column) return validity + column.values.byteLength;
  const offsets = 'offsets' in column ? column.offsets : null;
  if (offsets === null) return validity + column.bytes.length;
  return validity + offsets.byteLength + offsets.at(-1)! - offsets[0]!;
}
