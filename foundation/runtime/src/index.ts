export type { Clock } from './clock.ts';
export { ConcurrencyLimit } from './concurrency-limit.ts';
export {
  type Appender,
  type DirectoryEntry,
  type Disk,
  DiskError,
  type DiskErrorKind,
  type DiskFile,
  type FileBuilder,
  type FileStatus,
  type OpenMode,
  type SequentialReader,
} from './disk.ts';
export { IdlePoll } from './idle-poll.ts';
export { type Logger, silentLogger } from './logger.ts';
export { LoopShare } from './loop-share.ts';
export { ManualClock } from './manual-clock.ts';
export {
  type Counter,
  type GaugeReader,
  type GaugesReader,
  type Histogram,
  type Metrics,
  noMetrics,
} from './metrics.ts';
export { NodeDisk } from './node-disk.ts';
export { type Random, randomHex, seededRandom, systemRandom } from './random.ts';
export { type CrashKind, SimulatedDisk, type SimulatedDiskOptions } from './simulated-disk.ts';
export { StageTimes } from './stage-times.ts';
export { systemClock } from './system-clock.ts';
export type { TimestampSource } from './timestamp-source.ts';
