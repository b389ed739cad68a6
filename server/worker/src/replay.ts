import type { LogDamage, MessageLog } from '@elanus/message-log';
import { assert, type ChannelName, TIMESTAMP_MIN, type Timestamp } from '@elanus/model';
import type { Logger } from '@elanus/runtime';
import { decodeWriteRecord, WriteRecordError } from '@elanus/segment';
import type { ServedCollection } from './served-collection.ts';
import { misfitOf, rowsOfPart, withoutDroppedPartitions } from './write-records.ts';

export interface ReplayContext {
  readonly log: MessageLog;
  readonly logger: Logger;
  /** Up to when files have what was written. */
  readonly after: Timestamp;
  /** Told of every record that was read. */
  readonly onRecord: (rows: number, bytes: number) => void;
  /** Told how much of a channel was read, 0 to 1. */
  readonly onShare: (channel: ChannelName, share: number) => void;
  /** Ends the replay, which rejects then. */
  readonly signal: AbortSignal;
}

/** What the log of one collection held. */
export interface ReplayResult {
  /** Where the replay began. */
  readonly after: Timestamp;
  readonly newestTimestamp: Timestamp;
  /** Records that could not be understood: they were left out and reported. */
  readonly skippedRecords: number;
  /** Stretches of the log that may have held writes and can't be read. */
  readonly losses: readonly LogDamage[];
}

/** Applies what the log has of a collection and no file. Its channels are replayed side by side; nobody may write meanwhile. */
export async function replayCollection(
  context: ReplayContext,
  collection: ServedCollection,
): Promise<ReplayResult> {
  const { channels } = collection.info;
  const results = await Promise.all(channels.map((channel) => replayChannel(context, collection, channel)));
  let newestTimestamp = context.after;
  for (const result of results) if (result.newestTimestamp > newestTimestamp) ({ newestTimestamp } = result);
  collection.noteApplied(newestTimestamp);
  return {
    after: context.after,
    newestTimestamp,
    skippedRecords: results.reduce((sum, result) => sum + result.skippedRecords, 0),
    losses: results.flatMap(({ losses }) => losses),
  };
}

async function replayChannel(
  { log, logger, after, onRecord, onShare, signal }: ReplayContext,
  collection: ServedCollection,
  channel: ChannelName,
): Promise<ReplayResult> {
  const { info } = collection;
  const shard = collection.shardOf(channel);
  assert(shard !== undefined, 'every channel has a shard');
  const partitions = new Set(info.partitions.map(({ id }) => id));
  let newestTimestamp = TIMESTAMP_MIN;
  let skippedRecords = 0;
  const onProgress = (done: number, total: number) => onShare(channel, total === 0 ? 1 : done / total);
  const losses: LogDamage[] = [];
  const onLoss = (loss: LogDamage): void => void losses.push(loss);
  for await (const { timestamp, payload } of log.replay(channel, { after, onProgress, onLoss, signal })) {
    if (timestamp > newestTimestamp) newestTimestamp = timestamp;
    const record = decodeOrExplain(payload);
    const problem = record instanceof Error ? record : misfitOf(record, info.schema);
    if (record instanceof Error || problem !== null) {
      skippedRecords += 1;
      const about = { collection: String(info.id), channel, timestamp: String(timestamp), err: problem };
      logger.error(about, 'a record of the log could not be understood and was left out');
      continue;
    }
    const prepared = await shard.prepare(
      withoutDroppedPartitions(record, partitions, info.schema),
      timestamp,
    );
    prepared?.publish();
    collection.noteUnsealed(timestamp, payload.length);
    onRecord(
      record.parts.reduce((sum, part) => sum + rowsOfPart(part), 0),
      payload.length,
    );
  }
  return { after, newestTimestamp, skippedRecords, losses };
}

function decodeOrExplain(payload: Uint8Array): ReturnType<typeof decodeWriteRecord> | WriteRecordError {
  try {
    return decodeWriteRecord(payload);
  } catch (error) {
    if (error instanceof WriteRecordError) return error;
    throw error;
  }
}
