import { type Coordinators, openCoordinatorState, openCoordinators } from '@elanus/coordinator';
import { loadKernel } from '@elanus/kernel';
import { type MessageLog, openMessageLog } from '@elanus/message-log';
import type { MetaStore } from '@elanus/meta-store';
import type { Timestamp } from '@elanus/model';
import { openObjectStore } from '@elanus/object-store';
import type { QueryWorker } from '@elanus/rpc';
import {
  type Clock,
  type Disk,
  type Logger,
  noMetrics,
  type Random,
  silentLogger,
  type TimestampSource,
} from '@elanus/runtime';
import {
  type LogStreamingWorker,
  openIndexWorker,
  openQueryWorker,
  openStreamingWorker,
  type RecoveryReport,
  SegmentFilesInMemory,
} from '@elanus/worker';

export interface AssemblyOptions {
  readonly disk: Disk;
  readonly store: MetaStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of each timestamp that the streaming worker takes, in the asynchronous context of its write. */
  readonly onTimestamp: (timestamp: Timestamp) => void;
  /** Told of what is logged as an error. */
  readonly onError: (message: string) => void;
}

/** Both workers over one log. */
export interface Workers {
  readonly streaming: LogStreamingWorker;
  readonly reader: QueryWorker;
  readonly recovery: RecoveryReport;
}

/** Every role of one machine but access, as the launcher puts them together, on a simulated disk and clock. */
export interface Assembly extends Coordinators, Workers {
  readonly log: MessageLog;
  /** Sealed segments that the catalog knew at the start. */
  readonly segmentsFound: number;
  /** Rejects when the store refuses; the log is closed then all the same. */
  close(): Promise<void>;
  /** More workers over the same log and catalog; they replay every record `times` over, one channel after its end again. */
  replayAgain(times: number): Promise<Workers>;
}

/** A small machine: files of the log are short, so that there are many. */
const FILE_BYTES_ROLL = 20_000;

export async function openAssembly(options: AssemblyOptions): Promise<Assembly> {
  const { disk, store, clock, random, onTimestamp } = options;
  const logger = alarming(options.onError);
  const log = await openMessageLog({
    disk,
    directory: '/data/log',
    clock,
    random,
    logger,
    metrics: noMetrics,
    fileBytesRoll: FILE_BYTES_ROLL,
  });
  const objects = await openObjectStore(
    { type: 'local', directory: '/data/objects' },
    { clock, random, disk },
  );
  const state = await openCoordinatorState({ store, clock, logger });
  const { catalog, oracle } = state;
  const timestamps: TimestampSource = {
    next() {
      const timestamp = oracle.next();
      onTimestamp(timestamp);
      return timestamp;
    },
  };
  const recover = async (source: MessageLog): Promise<Workers> => {
    const streaming = openStreamingWorker({
      log: source,
      store: objects,
      files: new SegmentFilesInMemory(objects),
      catalog: state.segments,
      timestamps,
      clock,
      random,
      logger,
      metrics: noMetrics,
    });
    const recovery = await streaming.recover(catalog.collections(), {
      ownsChannel: (channel) => catalog.ownsChannel(channel),
    });
    const { collections, share } = streaming;
    return { streaming, reader: openQueryWorker({ collections, share, kernel: loadKernel() }), recovery };
  };
  const workers = await recover(log);
  await oracle.raiseTo(workers.recovery.newestTimestamp);
  const { streaming } = workers;
  const segmentsFound = catalog
    .collections()
    .reduce((sum, { id }) => sum + state.segments.filesOf(id).segments.length, 0);
  const indexing = openIndexWorker({
    collections: streaming.collections,
    share: streaming.share,
    kernel: loadKernel(),
    clock,
    logger,
    metrics: noMetrics,
    buildsMax: 1,
  });
  const coordinators = await openCoordinators({ ...state, streaming, indexing, clock, logger });
  return {
    ...coordinators,
    ...workers,
    log,
    segmentsFound,
    async close() {
      await indexing[Symbol.asyncDispose]();
      await streaming.close();
      const [oracleClosed] = await Promise.allSettled([oracle.close()]);
      await log.close();
      await store.close();
      if (oracleClosed.status === 'rejected') throw oracleClosed.reason;
    },
    replayAgain: (times) => recover(repeated(log, times)),
  };
}

function alarming(onError: (message: string) => void): Logger {
  const logger: Logger = {
    ...silentLogger,
    error: (_, message) => onError(message),
    child: () => logger,
  };
  return logger;
}

/** The log as a reader sees it that does not remember what it has read. */
function repeated(log: MessageLog, times: number): MessageLog {
  return {
    channels: () => log.channels(),
    createChannel: (channel) => log.createChannel(channel),
    dropChannel: (channel) => log.dropChannel(channel),
    append: (timestamp, entries) => log.append(timestamp, entries),
    cut: (channels, upTo) => log.cut(channels, upTo),
    async *replay(channel, options) {
      for (let round = 0; round < times; round += 1) yield* log.replay(channel, options);
    },
    acceptLosses: (channel, losses) => log.acceptLosses(channel, losses),
    notedLosses: (channel) => log.notedLosses(channel),
    noteLosses: (channel, losses) => log.noteLosses(channel, losses),
    cutTimeOf: (channel) => log.cutTimeOf(channel),
    newestTimestampOf: (channel) => log.newestTimestampOf(channel),
    damage: () => log.damage(),
    close: () => log.close(),
  };
}
