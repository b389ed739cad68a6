import { assert, type ChannelName, MilvusError, TIMESTAMP_MIN, type Timestamp } from '@elanus/model';
import { channelDirectoryName, droppedDirectoryName, logFileName } from './channel-directory.ts';
import type { LogFile } from './channel-survey.ts';
import { ChannelWriter, type WriterContext } from './channel-writer.ts';
import { channelNotFound, type LogVersionError, logBusy, logClosed } from './log-error.ts';
import { readLogFile } from './log-file-reader.ts';
import { FILE_HEADER, PAYLOAD_BYTES_MAX } from './log-format.ts';
import { lossIdentity, writeAcceptedLosses, writeNotedLosses } from './loss-lists.ts';
import type { LogDamage, LogEntry, LogRecord, MessageLog, NotedLoss, ReplayOptions } from './message-log.ts';
import type { Quarantine } from './quarantine.ts';
import { encodeSpan } from './record-header.ts';

export type LogChannel =
  | {
      readonly state: 'served';
      readonly directory: string;
      readonly writer: ChannelWriter;
      /** Records in the files that are not replayed: their write is under way, was rejected, or is not whole. */
      readonly withheld: Set<Timestamp>;
      /** What the opening has missed, and no record of it is later than when. */
      readonly losses: readonly { readonly damage: LogDamage; readonly upTo: Timestamp }[];
      /** Identities of losses that nobody is told of any more. */
      readonly accepted: Set<string>;
      noted: readonly NotedLoss[];
    }
  | { readonly state: 'refused'; readonly directory: string; readonly error: LogVersionError };

type ServedChannel = LogChannel & { readonly state: 'served' };

/** Payload bytes that may wait for the disk, over all channels. */
const QUEUED_BYTES_MAX = 512 * 1024 * 1024;

export interface FileMessageLogOptions {
  readonly context: WriterContext;
  readonly directory: string;
  readonly channels: Map<ChannelName, LogChannel>;
  readonly quarantine: Quarantine;
  /** The controller of `context.closing`. */
  readonly closing: AbortController;
}

/** The log in the files of one directory. Made by `openMessageLog`. */
export class FileMessageLog implements MessageLog {
  readonly #context: WriterContext;
  readonly #directory: string;
  readonly #channels: Map<ChannelName, LogChannel>;
  readonly #quarantine: Quarantine;
  readonly #closing: AbortController;
  #queuedBytes = 0;
  #closed: Promise<void> | null = null;
  /** Creations and drops, one after the other. */
  #definitions: Promise<unknown> = Promise.resolve();
  readonly #removals = new Set<Promise<void>>();

  constructor({ context, directory, channels, quarantine, closing }: FileMessageLogOptions) {
    this.#context = context;
    this.#directory = directory;
    this.#channels = channels;
    this.#quarantine = quarantine;
    this.#closing = closing;
  }

  channels(): readonly ChannelName[] {
    return [...this.#channels.keys()].sort();
  }

  damage(): readonly LogDamage[] {
    return this.#quarantine.damage();
  }

  createChannel(channel: ChannelName): Promise<void> {
    return this.#define(async () => {
      const { disk } = this.#context;
      const directory = `${this.#directory}/${channelDirectoryName(channel)}`;
      await disk.createDirectory(directory);
      if (this.#channels.has(channel)) return;
      const empty = {
        files: [],
        tailIsSound: false,
        nextNumber: 1,
        lastTimestamp: 0n as Timestamp,
        spans: [],
        doubtful: [],
        damage: [],
        extent: null,
        hasAcceptedLosses: false,
        hasNotedLosses: false,
        tornBytes: 0,
      };
      const writer = new ChannelWriter(this.#context, channel, directory, empty);
      await writer.mark();
      this.#channels.set(channel, {
        state: 'served',
        directory,
        writer,
        withheld: new Set(),
        losses: [],
        accepted: new Set(),
        noted: [],
      });
    });
  }

  dropChannel(channel: ChannelName): Promise<void> {
    return this.#define(async () => {
      const { disk, random } = this.#context;
      const known = this.#channels.get(channel);
      if (known !== undefined) {
        const dropped = droppedDirectoryName(known.directory, random.uint32());
        if (known.state === 'served') await known.writer.stopForDrop();
        try {
          await disk.rename(known.directory, dropped);
        } catch (error) {
          if (known.state === 'served') known.writer.resume();
          throw error;
        }
        this.#channels.delete(channel);
        // Removed only when the new name is durable, or a crash could bring the channel back without its files.
        await disk.syncDirectory(this.#directory);
        this.#removeInBackground(dropped);
        return;
      }
      await disk.syncDirectory(this.#directory);
    });
  }

  async append(timestamp: Timestamp, entries: readonly LogEntry[]): Promise<void> {
    const parts = entries.map((entry) => this.#checked(timestamp, entry));
    const channels = entries.map((entry) => entry.channel);
    assert(new Set(channels).size === channels.length, 'an append has one entry a channel');
    const bytes = parts.reduce((sum, part) => sum + part.payloadBytes, 0);
    if (this.#queuedBytes > 0 && this.#queuedBytes + bytes > QUEUED_BYTES_MAX) throw logBusy();
    const isSpanning = parts.length > 1;
    if (isSpanning) for (const { target } of parts) target.withheld.add(timestamp);
    this.#queuedBytes += bytes;
    const written = parts.map(({ target, payload, payloadBytes }, index) => {
      const span = encodeSpan(channels.filter((_, other) => other !== index));
      return target.writer.append({ timestamp, span, payload, payloadBytes });
    });
    // A rejection waits for all parts, so that nothing is under way any more when the caller hears of it.
    const outcomes = await Promise.allSettled(written);
    this.#queuedBytes -= bytes;
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    if (isSpanning) for (const { target } of parts) target.withheld.delete(timestamp);
  }

  async *replay(channel: ChannelName, options: ReplayOptions = {}): AsyncGenerator<LogRecord> {
    const { after = TIMESTAMP_MIN, onProgress, signal } = options;
    const known = this.#served(channel);
    const all = known.writer.files();
    const losses = new ReplayLosses(known, options.onLoss ?? (() => {}));
    for (const { damage, upTo } of known.losses) if (upTo > after) losses.tell(damage);
    const [first] = all;
    // Whoever cuts has what it cuts off elsewhere: nothing behind `after` was.
    if (first !== undefined && first.afterTimestamp > after && first.number > 1)
      losses.tell(missingBefore(channel, known.directory, first));
    const files = filesAfter(all, after);
    const withheld = new Set(known.withheld);
    const bytesTotal = files.reduce((sum, file) => sum + file.end, 0);
    let bytesBefore = 0;
    for (const { path, end, salt, afterTimestamp } of files) {
      await using file = await this.#context.disk.openReader(path);
      const range = { from: FILE_HEADER.bytes, to: end, salt, afterTimestamp, payloads: 'read' } as const;
      for await (const item of readLogFile(file, range)) {
        signal?.throwIfAborted();
        if (item.kind === 'gap') {
          const { from, to, reason } = item;
          const damage = { offset: from, length: to - from, reason, kind: 'damaged' } as const;
          await this.#quarantine.setAside(channel, known.directory, { path, ...damage });
          losses.suspect({ channel, file: path, ...damage });
          continue;
        }
        const { timestamp } = item.header;
        assert(item.payload !== null, 'replay reads payloads');
        // What stood before a record was not later.
        if (timestamp > after) losses.confirm();
        else losses.dismiss();
        if (timestamp > after && !withheld.has(timestamp)) yield { timestamp, payload: item.payload };
        onProgress?.(bytesBefore + item.end, bytesTotal);
      }
      bytesBefore += end;
    }
    losses.confirm();
    onProgress?.(bytesTotal, bytesTotal);
  }

  async acceptLosses(channel: ChannelName, losses: readonly LogDamage[]): Promise<void> {
    const known = this.#served(channel);
    const accepted = new Set([...known.accepted, ...losses.map(lossIdentity)]);
    await writeAcceptedLosses(this.#context.disk, known.directory, accepted);
    for (const identity of accepted) known.accepted.add(identity);
  }

  notedLosses(channel: ChannelName): readonly NotedLoss[] {
    const { noted, accepted } = this.#served(channel);
    return noted.filter(({ damage }) => !accepted.has(lossIdentity(damage)));
  }

  async noteLosses(channel: ChannelName, losses: readonly NotedLoss[]): Promise<void> {
    const known = this.#served(channel);
    await writeNotedLosses(this.#context.disk, known.directory, losses);
    known.noted = losses;
  }

  cutTimeOf(channel: ChannelName): Timestamp {
    const known = this.#channels.get(channel);
    return (known?.state === 'served' ? known.writer.files()[0]?.afterTimestamp : undefined) ?? TIMESTAMP_MIN;
  }

  newestTimestampOf(channel: ChannelName): Timestamp {
    const known = this.#channels.get(channel);
    return known?.state === 'served' ? known.writer.queuedTimestamp() : TIMESTAMP_MIN;
  }

  async cut(channels: readonly ChannelName[], upTo: Timestamp): Promise<void> {
    for (const channel of channels) {
      const known = this.#channels.get(channel);
      if (known?.state !== 'served') continue;
      await known.writer.cut(upTo);
      const [first] = known.writer.files();
      for (const timestamp of known.withheld)
        if (first !== undefined && timestamp <= first.afterTimestamp) known.withheld.delete(timestamp);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#definitions;
    this.#closing.abort(logClosed());
    const served = [...this.#channels.values()].filter((channel) => channel.state === 'served');
    await Promise.all(served.map((channel) => channel.writer.close()));
    await Promise.all(this.#removals);
  }

  #served(channel: ChannelName): ServedChannel {
    const known = this.#channels.get(channel);
    if (known === undefined) throw channelNotFound(channel);
    if (known.state === 'refused') throw known.error;
    return known;
  }

  /** Says why the entry can't be queued, before anything is: an append is queued on all its channels or on none. */
  #checked(
    timestamp: Timestamp,
    { channel, payload }: LogEntry,
  ): { target: ServedChannel; payload: readonly Uint8Array[]; payloadBytes: number } {
    if (this.#closed !== null) throw logClosed();
    const target = this.#channels.get(channel);
    if (target === undefined) throw channelNotFound(channel);
    if (target.state === 'refused') throw target.error;
    const refusal = target.writer.refusal();
    if (refusal !== null) throw refusal;
    assert(timestamp > target.writer.queuedTimestamp(), `timestamps grow on ${channel}`);
    const payloadBytes = payload.reduce((sum, buffer) => sum + buffer.length, 0);
    if (payloadBytes > PAYLOAD_BYTES_MAX) {
      const reason = `a log record of ${payloadBytes} bytes is larger than ${PAYLOAD_BYTES_MAX}`;
      throw new MilvusError(reason, { code: 1100, inputError: true });
    }
    return { target, payload, payloadBytes };
  }

  #define<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#closed !== null) return Promise.reject(logClosed());
    const result = this.#definitions.then(work);
    this.#definitions = result.catch(() => {});
    return result;
  }

  #removeInBackground(directory: string): void {
    const removal = this.#context.disk
      .remove(directory)
      .catch((error) => {
        // What is left goes when the log is next opened.
        this.#context.logger.warn({ err: error }, 'the files of a dropped channel could not be removed');
      })
      .finally(() => this.#removals.delete(removal));
    this.#removals.add(removal);
  }
}

/** What a replay could not give, each told of once, when it may matter to whoever replays. */
class ReplayLosses {
  readonly #accepted: ReadonlySet<string>;
  readonly #onLoss: (loss: LogDamage) => void;
  readonly #told = new Set<string>();
  #suspected: LogDamage[] = [];

  constructor({ accepted }: { readonly accepted: ReadonlySet<string> }, onLoss: (loss: LogDamage) => void) {
    this.#accepted = accepted;
    this.#onLoss = onLoss;
  }

  tell(loss: LogDamage): void {
    const place = `${loss.file}:${loss.offset}`;
    if (this.#told.has(place) || this.#accepted.has(lossIdentity(loss))) return;
    this.#told.add(place);
    this.#onLoss(loss);
  }

  /** It is told of when `confirm` comes before `dismiss`. */
  suspect(loss: LogDamage): void {
    this.#suspected.push(loss);
  }

  confirm(): void {
    for (const loss of this.#suspected.splice(0)) this.tell(loss);
  }

  dismiss(): void {
    this.#suspected = [];
  }
}

function missingBefore(channel: ChannelName, directory: string, { number }: LogFile): LogDamage {
  const file = `${directory}/${logFileName(number - 1)}`;
  return { channel, file, offset: 0, length: 0, reason: 'the file is missing', kind: 'missing' };
}

/** Without the files whose records are all of `after` or earlier. */
function filesAfter(files: readonly LogFile[], after: Timestamp): readonly LogFile[] {
  const first = files.findLastIndex(({ afterTimestamp }) => afterTimestamp <= after);
  return files.slice(Math.max(first, 0));
}
