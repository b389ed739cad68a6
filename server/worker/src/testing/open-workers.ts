import { loadKernel } from '@elanus/kernel';
import { type ChannelName, type CollectionInfo, TIMESTAMP_MAX } from '@elanus/model';
import type { QueryWorker, ReadTask } from '@elanus/rpc';
import {
  type Clock,
  type Logger,
  noMetrics,
  type Random,
  silentLogger,
  systemClock,
  type TimestampSource,
} from '@elanus/runtime';
import type { TestKey } from '@elanus/segment/testing';
import type { SealLimits } from '../flush/seal-policy.ts';
import { SegmentFilesInMemory } from '../flush/segment-files.ts';
import type { DamagedLogPolicy } from '../lost-writes.ts';
import { openQueryWorker } from '../query-worker.ts';
import { type LogStreamingWorker, openStreamingWorker } from '../streaming-worker.ts';
import { SteppingTimestamps } from './collection-fixture.ts';
import type { FakeMessageLog } from './fake-message-log.ts';
import { TestFiles } from './test-files.ts';

export interface Workers {
  readonly streaming: LogStreamingWorker;
  readonly query: QueryWorker;
}

export interface OpenWorkersOptions {
  readonly timestamps?: TimestampSource;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly sealLimits?: SealLimits;
  /** What outlives the workers besides the log; otherwise new. */
  readonly files?: TestFiles;
  readonly damagedLog?: DamagedLogPolicy;
}

/** Both workers over one log, with the real kernel. */
export function openWorkers(log: FakeMessageLog, random: Random, options: OpenWorkersOptions = {}): Workers {
  const { store, catalog } = options.files ?? new TestFiles();
  const streaming = openStreamingWorker({
    log,
    store,
    files: new SegmentFilesInMemory(store),
    catalog,
    timestamps: options.timestamps ?? new SteppingTimestamps(),
    clock: options.clock ?? systemClock,
    random,
    logger: options.logger ?? silentLogger,
    metrics: noMetrics,
    ...(options.sealLimits !== undefined && { sealLimits: options.sealLimits }),
    ...(options.damagedLog !== undefined && { damagedLog: options.damagedLog }),
  });
  const { collections, share } = streaming;
  return { streaming, query: openQueryWorker({ collections, share, kernel: loadKernel() }) };
}

/** Any rule does, as long as a key always goes to the same shard. */
export function channelOf(key: TestKey, { channels }: CollectionInfo): ChannelName {
  const number = typeof key === 'bigint' ? Number(key) : Buffer.from(key).reduce((a, b) => a + b, 0);
  return channels[Math.abs(number) % channels.length]!;
}

/** Reads the whole collection as it is now, but for `changes`. */
export function readTask(collection: CollectionInfo, changes: Partial<ReadTask> = {}): ReadTask {
  return {
    collection,
    partitionIds: null,
    guarantee: TIMESTAMP_MAX,
    snapshot: null,
    filter: null,
    ...changes,
  };
}
