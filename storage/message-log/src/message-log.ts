import type { ChannelName, Timestamp } from '@elanus/model';
import type { DamageKind } from './file-damage.ts';

/** What one write puts on one channel. The buffers are borrowed until `append` settles. */
export interface LogEntry {
  readonly channel: ChannelName;
  readonly payload: readonly Uint8Array[];
}

export interface LogRecord {
  readonly timestamp: Timestamp;
  readonly payload: Uint8Array;
}

/** A stretch of a log that could not be read: what there is of it was set aside, everything around it is replayed. */
export interface LogDamage {
  readonly channel: ChannelName;
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  readonly reason: string;
  readonly kind: DamageKind;
}

/** A loss that the records of a channel are used without. */
export interface NotedLoss {
  readonly damage: LogDamage;
  /** Where the replay began that has told of it. Whoever begins later has taken the loss over for good. */
  readonly after: Timestamp;
}

export interface ReplayOptions {
  /** Only records later than this; left out: all there are. Files without any are not opened. */
  readonly after?: Timestamp;
  /**
   * Told once of each stretch that may have had records later than `after` and can't be read, files that are not there
   * included; not of losses that were accepted. All are told when the replay has ended.
   */
  readonly onLoss?: (loss: LogDamage) => void;
  /** Called after each stretch read: bytes done and bytes in all, of this channel. */
  readonly onProgress?: (bytesDone: number, bytesTotal: number) => void;
  /** Ends the replay: the next step rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** One ordered, durable log per channel. */
export interface MessageLog {
  /** Found at opening, by name. */
  channels(): readonly ChannelName[];
  /** Idempotent; durable when it resolves. A name is used once: never again after a drop. */
  createChannel(channel: ChannelName): Promise<void>;
  /** Idempotent; the files go in the background. */
  dropChannel(channel: ChannelName): Promise<void>;
  /**
   * Queues one record on each entry's channel before it returns, so that calls made one after the other
   * are in that order on every channel; timestamps must grow. Resolves when all of them are durable
   * (one sync serves every record that waits for it). Rejects when any of them is not: then none will
   * ever be replayed. (One exception: a log that is closed while the disk is broken rejects with
   * `LogOutcomeUnknownError`.) A full disk rejects with code 7; a channel that was dropped, with 500;
   * whatever may work soon, with a retriable error.
   */
  append(timestamp: Timestamp, entries: readonly LogEntry[]): Promise<void>;
  /**
   * The records of one channel, oldest first: all that were acknowledged before the call, and no part of
   * a write without its whole. A payload is lent until the next record is asked for. May be
   * called again and gives the same. Throws `LogVersionError` when another version wrote the files.
   */
  replay(channel: ChannelName, options?: ReplayOptions): AsyncIterable<LogRecord>;
  /**
   * Gives back the space of records up to `upTo`, as far as whole files have no others. Whoever calls has what these
   * records did elsewhere, for all channels that any of the writes went to, and replays none of them again (`after`):
   * a write that was refused may look whole once its missing part could have been cut off. Rejects with what the disk
   * says; then a part of the files may be gone, and the next call goes on. Never waits for writes.
   */
  cut(channels: readonly ChannelName[], upTo: Timestamp): Promise<void>;
  /** From now on, and in later runs, replays don't tell of these losses. Of a channel that is there; durable when it resolves. */
  acceptLosses(channel: ChannelName, losses: readonly LogDamage[]): Promise<void>;
  /** What was noted in this or an earlier run, but for what was accepted. */
  notedLosses(channel: ChannelName): readonly NotedLoss[];
  /** Notes these losses of a channel that is there, in the place of all that were noted before; durable when it resolves. */
  noteLosses(channel: ChannelName, losses: readonly NotedLoss[]): Promise<void>;
  /** Up to when the channel was cut at least; `TIMESTAMP_MIN` when nobody knows. */
  cutTimeOf(channel: ChannelName): Timestamp;
  /** No record that was found at the opening, or acknowledged since, is later; `TIMESTAMP_MIN` when there is none, or nobody can tell. */
  newestTimestampOf(channel: ChannelName): Timestamp;
  /** What recovery had to set aside: damage to the order of records at opening, damage within one by its replay. */
  damage(): readonly LogDamage[];
  /** Waits for what is queued and releases every file. Idempotent. */
  close(): Promise<void>;
}
