import type { MessageLog } from '@elanus/message-log';
import {
  type ChannelName,
  type CollectionId,
  type CollectionInfo,
  TIMESTAMP_MIN,
  type Timestamp,
} from '@elanus/model';
import { ConcurrencyLimit, type Counter, type Logger } from '@elanus/runtime';
import { type DamagedLogPolicy, lossOfChannel, settleLosses, writesLost } from './lost-writes.ts';
import { replayCollection } from './replay.ts';
import { type RestoreContext, restoreCollection } from './restore.ts';
import type { ServedCollection } from './served-collection.ts';

/** Collections replayed side by side. */
const REPLAYING_MAX = 4;

export interface RecoveryProgress {
  readonly collectionsDone: number;
  readonly collectionsTotal: number;
  /** How much of the logs was read, 0 to 1; every channel counts alike. */
  readonly share: number;
  /** Rows and deleted keys read so far, and the bytes of their records. */
  readonly rows: number;
  readonly bytes: number;
}

export interface RecoveryReport extends RecoveryProgress {
  /** Every timestamp from now on must be above it. */
  readonly newestTimestamp: Timestamp;
  /** Records that were left out, each reported as an error. */
  readonly skippedRecords: number;
  /** Collections that could not be replayed: they refuse reads and writes until the next start. */
  readonly failedCollections: readonly CollectionId[];
}

/** Collections on their way back. */
export interface Recovery {
  /** Resolves when all are back, also when some could not be read. */
  readonly finished: Promise<RecoveryReport>;
}

export interface RecoveryOptions {
  readonly onProgress?: (progress: RecoveryProgress) => void;
  readonly ownsChannel?: (channel: ChannelName) => boolean;
}

export interface RecoveryContext extends RestoreContext {
  readonly log: MessageLog;
  readonly logger: Logger;
  readonly rowsReplayed: Counter;
  readonly damagedLog: DamagedLogPolicy;
  /** Makes the collection, without rows. */
  readonly serve: (info: CollectionInfo) => ServedCollection;
  /** Ends what is read: these collections are not served then. */
  readonly signal: AbortSignal;
}

/** As `LogStreamingWorker.beginRecovery`. */
export async function beginRecovery(
  context: RecoveryContext,
  collections: readonly CollectionInfo[],
  options: RecoveryOptions,
): Promise<Recovery> {
  const limit = new ConcurrencyLimit(REPLAYING_MAX);
  const sum = { collectionsDone: 0, collectionsTotal: collections.length, share: 0, rows: 0, bytes: 0 };
  const shares = new Map(collections.flatMap(({ channels }) => channels.map((channel) => [channel, 0])));
  const noteShare = (channel: ChannelName, share: number): void => {
    sum.share += (share - (shares.get(channel) ?? 0)) / shares.size;
    shares.set(channel, share);
    options.onProgress?.({ ...sum });
  };
  const failedCollections: CollectionId[] = [];
  let newestTimestamp = TIMESTAMP_MIN;
  let skippedRecords = 0;
  const recoverOne = async (collection: ServedCollection): Promise<void> => {
    try {
      const onRecord = (rows: number, bytes: number): void => {
        sum.rows += rows;
        sum.bytes += bytes;
      };
      const result = await recoverRows(context, collection, onRecord, noteShare);
      skippedRecords += result.skippedRecords;
      if (result.newestTimestamp > newestTimestamp) newestTimestamp = result.newestTimestamp;
      await settleLosses(context, collection, { told: result.losses, after: result.after });
    } catch (error) {
      const { id, name } = collection.info;
      if (!context.signal.aborted)
        context.logger.error({ collection: String(id), name, err: error }, 'a collection is not served');
      failedCollections.push(id);
      collection.fail(error);
    }
    sum.collectionsDone += 1;
    options.onProgress?.({ ...sum });
  };
  const replays = collections.map((info) => {
    const collection = context.serve(info);
    const replay = limit.run(() => recoverOne(collection));
    collection.startReplay(replay);
    return replay;
  });
  await dropUnknownChannels(context, collections, options.ownsChannel ?? (() => false));
  const finished = Promise.all(replays).then(() => ({
    ...sum,
    newestTimestamp,
    skippedRecords,
    failedCollections,
  }));
  return { finished };
}

async function recoverRows(
  context: RecoveryContext,
  collection: ServedCollection,
  noteRecord: (rows: number, bytes: number) => void,
  onShare: (channel: ChannelName, share: number) => void,
): ReturnType<typeof replayCollection> {
  const { log, logger, signal } = context;
  const known = new Set(log.channels());
  const missing = collection.info.channels.filter((channel) => !known.has(channel));
  // Channels are made before their collection, and not made anew: that would hide what is lost from the next start.
  if (missing.length > 0) throw writesLost(collection.info, missing.map(lossOfChannel));
  const onRecord = (rows: number, bytes: number): void => {
    context.rowsReplayed.inc({}, rows);
    noteRecord(rows, bytes);
  };
  const after = await restoreCollection(collection, context);
  return await replayCollection({ log, logger, after, onRecord, onShare, signal }, collection);
}

/** A crash can leave channels whose collection never was, or is no more. */
async function dropUnknownChannels(
  { log, logger }: RecoveryContext,
  collections: readonly CollectionInfo[],
  ownsChannel: (channel: ChannelName) => boolean,
): Promise<void> {
  const wanted = new Set(collections.flatMap(({ channels }) => channels));
  for (const channel of log.channels()) {
    if (wanted.has(channel) || ownsChannel(channel)) continue;
    try {
      await log.dropChannel(channel);
      logger.info({ channel }, 'dropped a channel without a collection');
    } catch (error) {
      logger.warn({ channel, err: error }, 'a channel without a collection stays');
    }
  }
}
