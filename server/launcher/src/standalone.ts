import { totalmem } from 'node:os';
import {
  type CoordinatorState,
  type Coordinators,
  openCoordinatorState,
  openCoordinators,
} from '@elanus/coordinator';
import { loadKernel } from '@elanus/kernel';
import { type MessageLog, openMessageLog } from '@elanus/message-log';
import { type MetaStore, openMetaStore } from '@elanus/meta-store';
import { TIMESTAMP_MIN, type Timestamp } from '@elanus/model';
import {
  type ObjectStore,
  ObjectStoreError,
  type ObjectStoreSettings,
  openObjectFiles,
  openObjectStore,
} from '@elanus/object-store';
import type { ExportFiles, ImportFiles, ImportWorker, QueryWorker, StreamingWorker } from '@elanus/rpc';
import {
  type Clock,
  type Disk,
  type Logger,
  type LoopShare,
  type Metrics,
  NodeDisk,
  systemRandom,
} from '@elanus/runtime';
import {
  FileVerifier,
  IndexFiles,
  MappedSegmentFiles,
  MemoryKeeper,
  openIndexWorker,
  openQueryWorker,
  openStreamingWorker,
  RecallCalibrator,
  type RecoveryProgress,
} from '@elanus/worker';
import { claimObjectStore } from './claim-object-store.ts';
import type { Settings } from './config/settings.ts';
import type { DataDirectory } from './data-directory.ts';
import { AllowedFiles } from './files/allowed-files.ts';
import { registerDirectoryMetrics } from './files/directory-metrics.ts';
import { mendFileRecords } from './files/mend-file-records.ts';
import { StartError } from './start-error.ts';

/** Of the memory of the process, what vector indexes that the server chooses itself may fill. */
const INDEX_SHARE_MAX = 0.5;

export interface StandaloneOptions {
  readonly directory: DataDirectory;
  readonly settings: Settings;
  readonly objectStore: ObjectStoreSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Told while the log is read again, often. */
  readonly onRecovery?: ((progress: RecoveryProgress) => void) | undefined;
}

/** Every role of one machine, in this process. */
export interface StandaloneRoles extends Coordinators, AsyncDisposable {
  readonly streaming: StreamingWorker & ImportWorker;
  readonly importFiles: ImportFiles & ExportFiles;
  readonly reader: QueryWorker;
  readonly share: LoopShare;
  /** Resolves when all collections are back, or have failed; each is served as soon as it is. */
  readonly recovered: Promise<void>;
}

/**
 * Opens the stores in the data directory, begins to recover the worker from them, and puts the coordinators above: what
 * needs a collection whose log is still being read waits for it.
 */
export async function openStandalone(options: StandaloneOptions): Promise<StandaloneRoles> {
  const { directory, settings, clock, metrics } = options;
  const role = (name: string) => options.logger.child({ role: name });

  await using opened = new AsyncDisposableStack();
  const store = opened.adopt(
    await openMetaStore({
      disk: new NodeDisk(),
      directory: directory.pathOf('catalog'),
      logger: role('meta-store'),
    }),
    (metaStore) => metaStore.close(),
  );
  const log = opened.adopt(
    await openMessageLog({
      disk: new NodeDisk(),
      directory: directory.pathOf('log'),
      clock,
      random: systemRandom,
      logger: role('message-log'),
      metrics,
    }),
    (messageLog) => messageLog.close(),
  );
  const disk = new NodeDisk();
  const objects = opened.use(await openOwnObjectStore(options, disk, store));
  const objectFiles = await openObjectFiles({
    store: objects,
    disk,
    cacheDirectory: directory.pathOf('cache'),
    cacheBytesMax: settings.objectCacheBytes,
  });
  metrics.gauge('elanus_object_cache_bytes', 'Copies of a bucket’s objects on this machine’s disk', () => {
    return objectFiles.cachedBytes;
  });
  metrics.gauge(
    'elanus_object_cache_held_bytes',
    'Those of them that are in use',
    () => objectFiles.usedBytes,
  );
  registerDirectoryMetrics(metrics, {
    paths: {
      log: directory.pathOf('log'),
      catalog: directory.pathOf('catalog'),
      cache: directory.pathOf('cache'),
      objects: directory.pathOf('objects'),
    },
  });
  const verifier = opened.use(
    new FileVerifier({ files: objectFiles, disk, clock, logger: role('files'), metrics }),
  );
  const state = await openCoordinatorState({ store, clock, logger: role('coordinator') });
  await mendFileRecords({
    catalog: state.catalog,
    store: objects,
    cutTimeOf: (channel) => log.cutTimeOf(channel),
    clock,
    logger: role('catalog'),
  });
  opened.adopt(state.oracle, (oracle) => oracle.close());
  const streaming = opened.use(
    openStreamingWorker({
      log,
      store: objects,
      files: new MappedSegmentFiles(objectFiles, verifier),
      catalog: state.segments,
      timestamps: state.oracle,
      clock,
      random: systemRandom,
      logger: role('worker'),
      metrics,
      sealLimits: settings.flush.seal,
      collectLimits: settings.flush.collect,
      compactionLimits: settings.compaction,
      damagedLog: settings.damagedLog,
      encodeIn: 'thread',
    }),
  );
  await state.oracle.raiseTo(newestWriteOf(log, state));
  const { finished } = await streaming.beginRecovery(state.catalog.collections(), {
    ownsChannel: (channel) => state.catalog.ownsChannel(channel),
    ...(options.onRecovery === undefined ? {} : { onProgress: options.onRecovery }),
  });
  // Writes that are still to be replayed may refer to files that nothing else does.
  const recovered = finished.then(() => streaming.watchFiles());
  const { collections, share } = streaming;
  const kernel = loadKernel();
  const calibrator = opened.use(
    new RecallCalibrator({
      collections,
      kernel,
      catalog: state.segments,
      clock,
      random: systemRandom,
      logger: role('recall'),
      metrics,
    }),
  );
  const reader = opened.use(
    openQueryWorker({ collections, share, kernel, filterThreads: kernel.threads, metrics, calibrator }),
  );
  const memoryBytesMax = settings.memoryBytesMax || settings.memoryShareMax * machineBytes();
  const indexing = opened.use(
    openIndexWorker({
      collections,
      share,
      kernel,
      clock,
      logger: role('index'),
      metrics,
      buildsMax: settings.indexBuildsMax,
      memoryBytesMax: INDEX_SHARE_MAX * memoryBytesMax,
      indexFiles: new IndexFiles({
        store: objects,
        files: objectFiles,
        catalog: state.segments,
        kernel,
        disk,
        logger: role('index'),
      }),
    }),
  );
  const coordinators = await openCoordinators({
    ...state,
    streaming,
    indexing,
    clock,
    limits: settings.coordinator,
    memoryBytesMax,
    cacheBytesMax: objects.files === null ? settings.objectCacheBytes : Number.POSITIVE_INFINITY,
    logger: role('coordinator'),
  });
  opened.use(
    new MemoryKeeper({
      collections,
      isLoaded: (id) => state.catalog.loadOf(id) !== undefined,
      indexesOf: (id) => indexing.mappedIndexes(id),
      bytesMax: memoryBytesMax,
      clock,
      share,
      logger: role('memory'),
      metrics,
    }),
  );
  const owned = opened.move();
  return {
    ...coordinators,
    streaming,
    importFiles: new AllowedFiles(objects, settings.importDirectory),
    reader,
    share,
    recovered,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** No write that is in the log or in a file is later: new ones must be. */
function newestWriteOf(log: MessageLog, { catalog }: CoordinatorState): Timestamp {
  const times = log.channels().map((channel) => log.newestTimestampOf(channel));
  for (const { id } of catalog.collections()) {
    const { checkpoint } = catalog.files.of(id);
    if (checkpoint !== null) times.push(checkpoint.timestamp);
  }
  return times.reduce((newest, time) => (time > newest ? time : newest), TIMESTAMP_MIN);
}

/** What this process may have at most: of the machine, or of its container. */
function machineBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** @throws StartError in a sentence for whoever set it up */
async function openOwnObjectStore(
  { objectStore, directory, clock, logger }: StandaloneOptions,
  disk: Disk,
  catalog: MetaStore,
): Promise<ObjectStore> {
  const place = placeOf(objectStore);
  try {
    await using opened = new AsyncDisposableStack();
    const store = opened.use(await openObjectStore(objectStore, { clock, random: systemRandom, disk }));
    const isInside = objectStore.type === 'local' && objectStore.directory === directory.pathOf('objects');
    await claimObjectStore(store, { directory, catalog }, { random: systemRandom, isInside, logger });
    opened.move();
    return store;
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    throw new StartError(`the object store can't be used (${place}): ${error.message}`, error);
  }
}

function placeOf(settings: ObjectStoreSettings): string {
  if (settings.type === 'local') return `directory ${settings.directory}`;
  const endpoint = settings.endpoint === null ? '' : ` at ${settings.endpoint}`;
  return `${settings.type} bucket ${settings.bucket}${endpoint}`;
}
