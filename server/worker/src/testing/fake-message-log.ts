import type {
  LogDamage,
  LogEntry,
  LogRecord,
  MessageLog,
  NotedLoss,
  ReplayOptions,
} from '@elanus/message-log';
import { assert, type ChannelName, TIMESTAMP_MIN, type Timestamp } from '@elanus/model';

export interface FakeMessageLogOptions {
  /** Whether the append of this timestamp fails, or how; nothing of it is kept then. */
  readonly fails?: (timestamp: Timestamp) => boolean | Error;
  /** Resolves when the append of this timestamp may be durable. */
  readonly delay?: (timestamp: Timestamp) => Promise<void>;
}

/** A log in memory that keeps what a real one would keep, and nothing of what it was lent. */
export class FakeMessageLog implements MessageLog {
  readonly #options: FakeMessageLogOptions;
  readonly #channels = new Map<ChannelName, LogRecord[]>();
  #lastTimestamp = 0n;
  /** Replays every record this many times. */
  repetitions = 1;

  constructor(options: FakeMessageLogOptions = {}) {
    this.#options = options;
  }

  channels(): readonly ChannelName[] {
    return [...this.#channels.keys()];
  }

  async createChannel(channel: ChannelName): Promise<void> {
    if (!this.#channels.has(channel)) this.#channels.set(channel, []);
  }

  async dropChannel(channel: ChannelName): Promise<void> {
    this.#channels.delete(channel);
  }

  async append(timestamp: Timestamp, entries: readonly LogEntry[]): Promise<void> {
    assert(timestamp > this.#lastTimestamp, 'timestamps grow');
    this.#lastTimestamp = timestamp;
    const records = entries.map(({ channel, payload }) => {
      const records = this.#channels.get(channel);
      if (records === undefined) throw new Error(`no channel ${channel}`);
      return { records, record: { timestamp, payload: new Uint8Array(Buffer.concat(payload)) } };
    });
    await this.#options.delay?.(timestamp);
    const failure = this.#options.fails?.(timestamp) ?? false;
    if (failure !== false) throw failure === true ? new Error(`append of ${timestamp} failed`) : failure;
    for (const { records: list, record } of records) list.push(record);
  }

  /** Puts bytes on a channel that no writer wrote. */
  plant(channel: ChannelName, timestamp: Timestamp, payload: Uint8Array): void {
    this.#channels.get(channel)?.push({ timestamp, payload });
    if (timestamp > this.#lastTimestamp) this.#lastTimestamp = timestamp;
  }

  async *replay(channel: ChannelName, options: ReplayOptions = {}): AsyncGenerator<LogRecord> {
    const { after = TIMESTAMP_MIN, onLoss = () => {} } = options;
    for (const loss of this.losses) if (loss.channel === channel) onLoss(loss);
    const records = (this.#channels.get(channel) ?? []).filter(({ timestamp }) => timestamp > after);
    records.sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
    for (let round = 0; round < this.repetitions; round++) yield* records;
  }

  async cut(channels: readonly ChannelName[], upTo: Timestamp): Promise<void> {
    for (const channel of channels) {
      // Writes under way hold on to the list.
      const records = this.#channels.get(channel) ?? [];
      records.splice(0, records.length, ...records.filter(({ timestamp }) => timestamp > upTo));
    }
  }

  /** What replays tell that they have lost. */
  losses: readonly LogDamage[] = [];

  async acceptLosses(_channel: ChannelName, losses: readonly LogDamage[]): Promise<void> {
    this.losses = this.losses.filter((loss) => !losses.includes(loss));
  }

  readonly #noted = new Map<ChannelName, readonly NotedLoss[]>();

  notedLosses(channel: ChannelName): readonly NotedLoss[] {
    return this.#noted.get(channel) ?? [];
  }

  async noteLosses(channel: ChannelName, losses: readonly NotedLoss[]): Promise<void> {
    this.#noted.set(channel, losses);
  }

  cutTimeOf(): Timestamp {
    return TIMESTAMP_MIN;
  }

  newestTimestampOf(channel: ChannelName): Timestamp {
    const times = (this.#channels.get(channel) ?? []).map(({ timestamp }) => timestamp);
    return times.reduce((newest, time) => (time > newest ? time : newest), TIMESTAMP_MIN);
  }

  damage(): readonly LogDamage[] {
    return [];
  }

  async close(): Promise<void> {}
}
