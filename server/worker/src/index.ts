export {
  COMPACTED_BYTES_MAX,
  COMPACTION_LIMITS_DEFAULT,
  type CompactionLimits,
} from './compaction/compaction-policy.ts';
export { FileVerifier, type FileVerifierOptions } from './files/file-verifier.ts';
export { MappedSegmentFiles } from './files/mapped-segment-files.ts';
export { MemoryKeeper, type MemoryKeeperOptions, type ProcessMemory } from './files/memory-keeper.ts';
export { COLLECT_LIMITS_DEFAULT, type CollectLimits } from './flush/collection-flushers.ts';
export { SEAL_LIMITS_DEFAULT, type SealLimits } from './flush/seal-policy.ts';
export { type SegmentFiles, SegmentFilesInMemory } from './flush/segment-files.ts';
export { IndexFiles, type IndexFilesOptions } from './indexing/index-files.ts';
export {
  type BackgroundIndexWorker,
  type IndexWorkerOptions,
  openIndexWorker,
} from './indexing/index-worker.ts';
export { type DamagedLogPolicy, lossOfChannel } from './lost-writes.ts';
export { openQueryWorker, type QueryWorkerOptions } from './query-worker.ts';
export { RecallCalibrator, type RecallCalibratorOptions } from './recall/recall-calibrator.ts';
export type { RecoveryProgress, RecoveryReport } from './recovery.ts';
export { ServedCollections } from './served-collections.ts';
export { LogStreamingWorker, openStreamingWorker } from './streaming-worker.ts';
export type { StreamingWorkerOptions } from './streaming-worker-options.ts';
