export {
  type BackgroundIndexWorker,
  type IndexWorkerOptions,
  openIndexWorker,
} from './indexing/index-worker.ts';
export { openQueryWorker, type QueryWorkerOptions } from './query-worker.ts';
export { ServedCollections } from './served-collections.ts';
export {
  LogStreamingWorker,
  openStreamingWorker,
  type RecoveryProgress,
  type RecoveryReport,
  type StreamingWorkerOptions,
} from './streaming-worker.ts';
