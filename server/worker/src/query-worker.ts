import type { Kernel } from '@elanus/kernel';
import type { CollectionId, Column, FieldId, KeyColumn } from '@elanus/model';
import type {
  QueryRows,
  QueryTask,
  QueryWorker,
  ReadOptions,
  ReadTask,
  RowLocations,
  SearchHits,
  SearchTask,
} from '@elanus/rpc';
import type { LoopShare } from '@elanus/runtime';
import {
  countShards,
  fetchColumns,
  queryShards,
  type Read,
  type ScanTools,
  searchShards,
  VectorCoder,
} from '@elanus/segment';
import { rowSelection } from './row-selection.ts';
import type { ServedCollections } from './served-collections.ts';

export interface QueryWorkerOptions {
  /** Those of the streaming worker of the same process, as is `share`. */
  readonly collections: ServedCollections;
  readonly share: LoopShare;
  readonly kernel: Kernel;
}

export function openQueryWorker(options: QueryWorkerOptions): QueryWorker {
  return new SegmentQueryWorker(options);
}

/** Answers reads from the rows that the streaming worker of the same process holds. */
class SegmentQueryWorker implements QueryWorker {
  readonly #collections: ServedCollections;
  readonly #share: LoopShare;
  readonly #tools: ScanTools;

  constructor({ collections, share, kernel }: QueryWorkerOptions) {
    this.#collections = collections;
    this.#share = share;
    this.#tools = { kernel, coder: new VectorCoder(kernel) };
  }

  async search(task: SearchTask, options?: ReadOptions): Promise<SearchHits> {
    const { read, keyType } = await this.#begin(task, options);
    const hits = await searchShards(read, task, this.#tools, keyType);
    return { readTimestamp: read.scope.at, ...hits };
  }

  async query(task: QueryTask, options?: ReadOptions): Promise<QueryRows> {
    const { read, keyType } = await this.#begin(task, options);
    const rows = await queryShards(read, task, keyType);
    return { readTimestamp: read.scope.at, ...rows };
  }

  async count(task: ReadTask, options?: ReadOptions): Promise<bigint> {
    const { read } = await this.#begin(task, options);
    return BigInt(await countShards(read));
  }

  async fetch(
    id: CollectionId,
    locations: RowLocations,
    fields: readonly FieldId[],
  ): Promise<ReadonlyMap<FieldId, Column>> {
    const { shards, info } = this.#collections.get(id);
    return await fetchColumns({ shards, schema: info.schema, share: this.#share }, locations, fields);
  }

  /** Waits for the writes that the read has to see and fixes the time that it reads at. */
  async #begin(
    task: ReadTask,
    options: ReadOptions = {},
  ): Promise<{ readonly read: Read; readonly keyType: KeyColumn['dataType'] }> {
    const collection = this.#collections.get(task.collection.id, task.collection);
    const at = await collection.timeToRead(task, options);
    const partitionIds = task.partitionIds === null ? null : new Set(task.partitionIds);
    const read = {
      shards: collection.shards,
      scope: { partitionIds, at },
      selection: rowSelection(task.filter),
      share: this.#share,
      // Most reads end without ever asking for it.
      get signal() {
        return options.signal;
      },
    };
    const { dataType } = collection.info.schema.primaryKey;
    return { read, keyType: dataType as KeyColumn['dataType'] };
  }
}
