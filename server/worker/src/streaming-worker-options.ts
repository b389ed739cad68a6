import type { MessageLog } from '@elanus/message-log';
import type { ObjectStore } from '@elanus/object-store';
import type { SegmentCatalog } from '@elanus/rpc';
import type { Clock, Logger, Metrics, Random, TimestampSource } from '@elanus/runtime';
import type { CompactionLimits } from './compaction/compaction-policy.ts';
import type { CollectLimits } from './flush/collection-flushers.ts';
import type { SealLimits } from './flush/seal-policy.ts';
import type { SegmentFiles } from './flush/segment-files.ts';
import type { DamagedLogPolicy } from './lost-writes.ts';

/** What a streaming worker works with, and how. */
export interface StreamingWorkerOptions {
  readonly log: MessageLog;
  /** Where rows go that need no place in the log any more, and who says which files count. */
  readonly store: ObjectStore;
  readonly files: SegmentFiles;
  readonly catalog: SegmentCatalog;
  /** Where large files are made: by default on the event loop, a little at a time. */
  readonly encodeIn?: 'loop' | 'thread';
  readonly timestamps: TimestampSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** 512 MiB by default. */
  readonly writeBytesMax?: number;
  readonly sealLimits?: Partial<SealLimits>;
  readonly collectLimits?: Partial<CollectLimits>;
  readonly compactionLimits?: Partial<CompactionLimits>;
  /** `serve` by default. */
  readonly damagedLog?: DamagedLogPolicy;
}
