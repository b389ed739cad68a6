import { assert, type ChannelName, type Timestamp } from '@elanus/model';
import {
  type Appender,
  type Clock,
  type ConcurrencyLimit,
  type Disk,
  DiskError,
  type Logger,
  type Random,
} from '@elanus/runtime';
import { logFileName } from './channel-directory.ts';
import { type Extent, ExtentMark } from './channel-extent.ts';
import type { ChannelSurvey, LogFile } from './channel-survey.ts';
import { type ChannelTail, tailOf } from './channel-tail.ts';
import { closeQuietly, type FileHandles } from './file-handles.ts';
import { encodeFileHeader } from './file-header.ts';
import {
  channelNotFound,
  channelRepairing,
  LogOutcomeUnknownError,
  logClosed,
  writeRefused,
} from './log-error.ts';
import { FILE_HEADER } from './log-format.ts';
import type { LogMetrics } from './log-metrics.ts';
import { isShortPayload, payloadChecksum } from './payload-checksum.ts';
import {
  layOut,
  paddingBehind,
  type QueuedRecord,
  type RecordToWrite,
  takeGroup,
  type WritableFile,
} from './record-group.ts';

/** What all channels of a log share. */
export interface WriterContext {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: LogMetrics;
  readonly handles: FileHandles;
  /** A new file is begun when one has so many bytes. */
  readonly fileBytesRoll: number;
  /** Bounds the files that are open for writing. */
  readonly writing: ConcurrencyLimit;
  /** Aborted when the log closes: repairs give up. */
  readonly closing: AbortSignal;
}

type WriterState =
  | { readonly name: 'open' }
  /** A write failed and is being undone. New records are refused, so that nothing piles up. */
  | { readonly name: 'repairing' }
  | { readonly name: 'stopped'; readonly reason: Error };

const REPAIR_PAUSE_MS_MIN = 50;
const REPAIR_PAUSE_MS_MAX = 2_000;

/**
 * Appends to one channel's files. One loop writes whatever is queued with one durable write; what comes
 * meanwhile is the next group. Records are written in the order in which they were queued.
 *
 * When a write fails, any part of the group may be on disk, and its records must never be seen again.
 * So before they are rejected the end of the channel is re-established: the file is cut where it was
 * durable, and unless the disk was merely full, a new file is begun whose header says where this one
 * ends, because after a failed sync neither the file's bytes nor its length can be believed. As long as
 * neither succeeds the rejection waits and the channel refuses records; others go on.
 */
export class ChannelWriter {
  readonly #context: WriterContext;
  readonly #channel: ChannelName;
  readonly #directory: string;
  readonly #mark: ExtentMark;
  #state: WriterState = { name: 'open' };
  #tail: ChannelTail;
  #sealed: LogFile[];
  #handle: Appender | null = null;
  #queue: QueuedRecord[] = [];
  /** The loop that empties the queue; `null` when there is nothing to do. */
  #loop: Promise<void> | null = null;
  /** Whether the next turn of the loop ends the file, whatever its length. */
  #isRollWanted = false;
  /** The removals of files, one after the other. */
  #cuts: Promise<unknown> = Promise.resolve();
  /** Whether the last group failed. */
  #isFailing = false;
  #queuedTimestamp: Timestamp;
  #durableTimestamp: Timestamp;

  constructor(context: WriterContext, channel: ChannelName, directory: string, survey: ChannelSurvey) {
    this.#context = context;
    this.#channel = channel;
    this.#directory = directory;
    this.#mark = new ExtentMark(context, directory, survey.extent);
    this.#queuedTimestamp = survey.lastTimestamp;
    this.#durableTimestamp = survey.lastTimestamp;
    const { sealed, tail } = tailOf(survey);
    this.#sealed = sealed;
    this.#tail = tail;
  }

  /** Marks a channel that is made, before its first file: from then on each file that is lost will be missed. */
  async mark(): Promise<void> {
    await this.#mark.noteDurably({ nextNumber: 1, end: 0 });
  }

  /** The files with what is durable of them now, oldest first. */
  files(): readonly LogFile[] {
    return this.#tail.at === 'file' ? [...this.#sealed, this.#tail.file] : [...this.#sealed];
  }

  /** Why nothing can be queued now, or `null`. */
  refusal(): Error | null {
    switch (this.#state.name) {
      case 'open':
        return null;
      case 'repairing':
        return channelRepairing(this.#channel);
      case 'stopped':
        return this.#state.reason;
    }
  }

  /** The time that a new record must be after. */
  queuedTimestamp(): Timestamp {
    return this.#queuedTimestamp;
  }

  /**
   * Queues a record before it returns. Resolves when it is durable; rejects when it will never be read.
   * Requires that there is no refusal and that the record is later than those queued before.
   */
  append(record: RecordToWrite): Promise<void> {
    assert(this.#state.name === 'open', 'a record is queued on an open channel');
    assert(record.timestamp > this.#queuedTimestamp, 'timestamps grow on a channel');
    this.#queuedTimestamp = record.timestamp;
    const checksum = isShortPayload(record.payloadBytes) ? payloadChecksum(record.payload) : null;
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...record, payloadChecksum: checksum, resolve, reject });
      this.#loop ??= this.#run();
    });
  }

  /**
   * Removes the files whose records are all of `upTo` or earlier. The last file goes too, when nothing waits to be
   * written: an empty one takes its place, so that the channel remembers how far it has come.
   */
  cut(upTo: Timestamp): Promise<void> {
    const cut = this.#cuts.then(() => this.#cut(upTo));
    this.#cuts = cut.catch(() => {});
    return cut;
  }

  /** Writes what is queued, refuses what comes later and closes the file. */
  async close(): Promise<void> {
    await this.#stop(logClosed());
  }

  /**
   * Writes what is queued, refuses what comes later and closes the file. The queue is written although
   * the channel goes, because its other channels could not know that a write was rejected here.
   */
  async stopForDrop(): Promise<void> {
    await this.#stop(channelNotFound(this.#channel));
  }

  async #stop(reason: Error): Promise<void> {
    this.#state = { name: 'stopped', reason };
    await this.#loop;
    await this.#cuts;
    await this.#mark.noteIfPossible(this.#extent());
    await this.#closeHandle();
  }

  /** After a drop that failed: takes records again. */
  resume(): void {
    this.#state = { name: 'open' };
  }

  async #cut(upTo: Timestamp): Promise<void> {
    const { disk } = this.#context;
    if (this.#isTailCovered(upTo)) {
      this.#isRollWanted = true;
      this.#loop ??= this.#run();
      await this.#loop;
    }
    while (this.#state.name !== 'stopped') {
      const [oldest, next] = this.files();
      if (oldest === undefined || next === undefined || next.afterTimestamp > upTo) return;
      await disk.remove(oldest.path);
      // Each before the next: a gap between files would be taken for damage.
      await disk.syncDirectory(this.#directory);
      this.#sealed = this.#sealed.filter((file) => file !== oldest);
    }
  }

  #isTailCovered(upTo: Timestamp): boolean {
    const isEmpty = this.#tail.at === 'file' && this.#tail.file.end === FILE_HEADER.bytes;
    const isSettled = this.#state.name === 'open' && this.#loop === null;
    return isSettled && !isEmpty && this.#durableTimestamp <= upTo && this.files().length > 0;
  }

  async #run(): Promise<void> {
    // Whoever calls in the same tick joins the first group.
    await null;
    this.#context.handles.busy(this.#closeIdle);
    while (this.#queue.length > 0 || this.#isRollWanted) {
      await this.#context.writing.run(async () => {
        if (this.#isRollWanted) await this.#roll();
        while (this.#queue.length > 0) await this.#writeGroup(takeGroup(this.#queue));
      });
    }
    this.#loop = null;
    if (this.#state.name === 'open') this.#mark.noteSoon(this.#extent);
    if (this.#handle !== null) this.#context.handles.idle(this.#closeIdle);
  }

  async #writeGroup(group: readonly QueuedRecord[]): Promise<void> {
    try {
      const { file, handle, allocated } = await this.#openTail();
      const { buffers, end } = await layOut(group, file);
      const padding = paddingBehind(end, end - file.end, allocated);
      try {
        await this.#writeMeasured(
          handle,
          padding === null ? buffers : [...buffers, padding],
          file.end,
          group.length,
        );
      } catch (error) {
        await this.#repair(file, error);
        throw error;
      }
      this.#durableTimestamp = group.at(-1)!.timestamp;
      const written = end + (padding?.length ?? 0);
      this.#tail = { at: 'file', file: { ...file, end }, allocated: Math.max(allocated, written) };
    } catch (error) {
      this.#context.metrics.failures.inc({});
      this.#logFailure(error);
      const reason = error instanceof LogOutcomeUnknownError ? error : writeRefused(this.#channel, error);
      for (const record of group) record.reject(reason);
      return;
    }
    this.#isFailing = false;
    for (const record of group) record.resolve();
  }

  /** A full disk fails every write: only the first of a run is worth a line. */
  #logFailure(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    this.#context.logger.error({ channel: this.#channel, err: error }, 'a write to the log failed');
  }

  async #writeMeasured(
    handle: Appender,
    buffers: readonly Uint8Array[],
    position: number,
    records: number,
  ): Promise<void> {
    const { clock, metrics } = this.#context;
    const startedMs = clock.monotonicMs();
    await handle.writeDurably(buffers, position);
    metrics.fsyncSeconds.observe({}, (clock.monotonicMs() - startedMs) / 1000);
    metrics.groupRecords.observe({}, records);
    metrics.records.inc({}, records);
    metrics.bytes.inc(
      {},
      buffers.reduce((sum, buffer) => sum + buffer.length, 0),
    );
  }

  /** The file to append to, opened; a new one when the last is full. When it rejects, no record was written. */
  async #openTail(): Promise<{ file: WritableFile; handle: Appender; allocated: number }> {
    if (this.#tail.at === 'file' && this.#tail.file.end >= this.#context.fileBytesRoll) await this.#seal();
    if (this.#tail.at === 'next-file') await this.#makeNextFile(this.#tail);
    assert(this.#tail.at === 'file', 'there is a file to append to');
    const { file, allocated } = this.#tail;
    this.#handle ??= await this.#context.disk.openAppender(file.path, 'write');
    return { file, handle: this.#handle, allocated };
  }

  /** Ends the file and begins the next. Where that fails, the next record begins it. */
  async #roll(): Promise<void> {
    this.#isRollWanted = false;
    if (this.#state.name !== 'open') return;
    try {
      if (this.#tail.at === 'file') await this.#seal();
      if (this.#tail.at === 'next-file') await this.#makeNextFile(this.#tail);
    } catch (error) {
      this.#context.logger.warn({ channel: this.#channel, err: error }, 'the log could not begin a new file');
    }
  }

  async #seal(): Promise<void> {
    assert(this.#tail.at === 'file', 'only a file is sealed');
    const { file } = this.#tail;
    this.#sealed.push(file);
    this.#tail = { at: 'next-file', number: file.number + 1, previousEnd: file.end };
    await this.#closeHandle();
  }

  /** Makes the next file durable, name and header. May be tried again: no record is in it before it succeeds. */
  async #makeNextFile({ number, previousEnd }: ChannelTail & { at: 'next-file' }): Promise<void> {
    const { disk, random } = this.#context;
    const path = `${this.#directory}/${logFileName(number)}`;
    const salt = random.uint32();
    const afterTimestamp = this.#durableTimestamp;
    const handle = await disk.openAppender(path, 'create');
    try {
      await handle.writeDurably([encodeFileHeader({ salt, number, previousEnd, afterTimestamp })], 0);
      await disk.syncDirectory(this.#directory);
    } catch (error) {
      await closeQuietly(handle);
      throw error;
    }
    this.#handle = handle;
    const end = FILE_HEADER.bytes;
    // Only now: a file that is counted may not be taken back by a power cut, nor begun once more.
    await this.#mark.noteIfPossible({ nextNumber: number + 1, end });
    this.#tail = { at: 'file', file: { number, path, salt, afterTimestamp, end }, allocated: end };
  }

  /** Resolves when nothing behind the durable end of `file` can be read again; see the class. */
  async #repair(file: WritableFile, cause: unknown): Promise<void> {
    if (this.#state.name === 'open') this.#state = { name: 'repairing' };
    this.#logFailure(cause);
    this.#rejectQueued(channelRepairing(this.#channel));
    const wasCut = await this.#cutTail(file.end);
    if (wasCut && cause instanceof DiskError && cause.kind === 'full') {
      this.#tail = { at: 'file', file, allocated: file.end };
    } else {
      await this.#seal();
      await this.#untilMade(cause);
    }
    if (this.#state.name === 'repairing') this.#state = { name: 'open' };
  }

  async #cutTail(end: number): Promise<boolean> {
    try {
      await this.#handle?.truncate(end);
      await this.#handle?.sync();
      return true;
    } catch {
      return false;
    }
  }

  async #untilMade(cause: unknown): Promise<void> {
    const { clock, closing } = this.#context;
    for (let pauseMs = REPAIR_PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, REPAIR_PAUSE_MS_MAX)) {
      try {
        assert(this.#tail.at === 'next-file', 'a repair makes a file');
        await this.#makeNextFile(this.#tail);
        return;
      } catch (error) {
        this.#context.logger.warn(
          { channel: this.#channel, err: error },
          'the log could not begin a new file',
        );
      }
      try {
        await clock.sleep(pauseMs, { signal: closing });
      } catch {
        throw new LogOutcomeUnknownError(this.#channel, cause);
      }
    }
  }

  #rejectQueued(reason: Error): void {
    for (const record of this.#queue.splice(0)) record.reject(reason);
  }

  readonly #extent = (): Extent | null =>
    this.#tail.at === 'file' ? { nextNumber: this.#tail.file.number + 1, end: this.#tail.file.end } : null;

  readonly #closeIdle = (): void => {
    void this.#closeHandle();
  };

  async #closeHandle(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    this.#context.handles.busy(this.#closeIdle);
    if (handle !== null) await closeQuietly(handle);
  }
}
