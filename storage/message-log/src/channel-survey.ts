import { type ChannelName, TIMESTAMP_MAX, TIMESTAMP_MIN, type Timestamp } from '@elanus/model';
import { type Disk, DiskError, type DiskFile } from '@elanus/runtime';
import { logFileName, logFileNumber } from './channel-directory.ts';
import { type Extent, extentAmong } from './channel-extent.ts';
import type { FileDamage, SurveyDamage } from './file-damage.ts';
import { decodeFileHeader, type FileHeader } from './file-header.ts';
import { LogVersionError } from './log-error.ts';
import { readLogFile } from './log-file-reader.ts';
import { FILE_BYTES_MAX, FILE_HEADER, PREVIOUS_END_UNKNOWN } from './log-format.ts';
import { ACCEPTED_LOSSES_FILE, NOTED_LOSSES_FILE } from './loss-lists.ts';
import { countTorn, rewrite } from './settle-file.ts';

/** One file of a channel, as far as it is served. */
export interface LogFile {
  readonly number: number;
  readonly path: string;
  /** `null` when the file's header is lost. */
  readonly salt: number | null;
  /** All its records are later than this. */
  readonly afterTimestamp: Timestamp;
  /** Where its records end. */
  readonly end: number;
}

/** A record of a write that went to several channels. */
export interface SpanRecord {
  readonly timestamp: Timestamp;
  readonly others: readonly ChannelName[];
}

/** What a channel's directory holds, after its torn tail was cut off. */
export interface ChannelSurvey {
  /** Oldest first. */
  readonly files: readonly LogFile[];
  /** Whether the last of `files` may be written on: otherwise a new one has to be begun. */
  readonly tailIsSound: boolean;
  /** All numbers in use are below. */
  readonly nextNumber: number;
  readonly lastTimestamp: Timestamp;
  readonly spans: readonly SpanRecord[];
  /** Exclusive bounds of times whose records may have been lost to damage. */
  readonly doubtful: readonly (readonly [after: Timestamp, before: Timestamp])[];
  readonly damage: readonly SurveyDamage[];
  /** What the channel's mark says; `null` without one. */
  readonly extent: Extent | null;
  /** Whether there is a list of losses that somebody has accepted, and one of those that were noted. */
  readonly hasAcceptedLosses: boolean;
  readonly hasNotedLosses: boolean;
  /** Bytes that a crash left behind the last whole record. */
  readonly tornBytes: number;
}

/**
 * Reads the heads of all records of a channel, and of the last batch the payloads too, cuts off what a
 * crash tore, and makes what is left durable: it may have been in the page cache only when the process
 * died, and nobody may be shown a record that a power cut can still take back.
 *
 * Torn or damaged? Each record says where its batch begins, and a batch is written only when all before
 * it is durable. So a gap that begins before the last batch was durable once: it is damage. A gap in the
 * last batch was never acknowledged: everything from there on is cut off.
 *
 * Throws `LogVersionError` when a file is of another version, then nothing was changed.
 */
export async function surveyChannel(
  disk: Disk,
  directory: string,
  channel: ChannelName,
): Promise<ChannelSurvey> {
  const survey = new Survey(disk, directory);
  const opened = await survey.readHeaders(channel);
  for (const [index, file] of opened.entries()) {
    survey.notePlace(file, opened[index - 1] ?? null);
    await survey.readFile(file, opened[index + 1] ?? null);
  }
  survey.missLastFiles();
  return survey.result();
}

interface FileRead {
  readonly number: number;
  readonly path: string;
  readonly size: number;
  /** `null` when it is damaged or the file is unreadable. */
  readonly header: FileHeader | null;
  readonly isReadable: boolean;
}

/** What stays the same over the passes through one file. */
interface FileFacts {
  readonly salt: number | null;
  readonly afterTimestamp: Timestamp;
  readonly size: number;
}

class Survey {
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #files: LogFile[] = [];
  readonly #spans: SpanRecord[] = [];
  readonly #damage: { -readonly [Key in keyof SurveyDamage]: SurveyDamage[Key] }[] = [];
  readonly #doubtful: (readonly [Timestamp, Timestamp])[] = [];
  /** Damage after which no record has come yet. */
  #doubtfulAfter: Timestamp | null = null;
  #extent: Extent | null = null;
  #hasAcceptedLosses = false;
  #hasNotedLosses = false;
  #nextNumber = 1;
  #lastTimestamp: Timestamp = TIMESTAMP_MIN;
  #tailIsSound = false;
  #tornBytes = 0;

  constructor(disk: Disk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  result(): ChannelSurvey {
    if (this.#doubtfulAfter !== null) this.#doubtful.push([this.#doubtfulAfter, TIMESTAMP_MAX]);
    return {
      files: this.#files,
      tailIsSound: this.#tailIsSound,
      nextNumber: this.#nextNumber,
      lastTimestamp: this.#lastTimestamp,
      spans: this.#spans,
      doubtful: this.#doubtful,
      damage: this.#damage,
      extent: this.#extent,
      hasAcceptedLosses: this.#hasAcceptedLosses,
      hasNotedLosses: this.#hasNotedLosses,
      tornBytes: this.#tornBytes,
    };
  }

  async readHeaders(channel: ChannelName): Promise<readonly FileRead[]> {
    const entries = await this.#disk.list(this.#directory);
    this.#extent = extentAmong(entries.map(({ name }) => name));
    const isThere = (file: string): boolean => entries.some(({ name }) => name === file);
    this.#hasAcceptedLosses = isThere(ACCEPTED_LOSSES_FILE);
    this.#hasNotedLosses = isThere(NOTED_LOSSES_FILE);
    const read: FileRead[] = [];
    for (const entry of entries) {
      const number = logFileNumber(entry.name);
      if (entry.kind !== 'file' || number === null) continue;
      read.push(await this.#readHeader(channel, number, `${this.#directory}/${logFileName(number)}`));
      this.#nextNumber = number + 1;
    }
    return await this.#withoutAbortedFile(read);
  }

  async #readHeader(channel: ChannelName, number: number, path: string): Promise<FileRead> {
    try {
      await using file = await this.#disk.open(path, 'read');
      const bytes = new Uint8Array(FILE_HEADER.bytes);
      const length = await file.read(bytes, 0);
      const header = decodeFileHeader(bytes.subarray(0, length));
      if (header.state === 'foreign') throw new LogVersionError(channel, path, header.version);
      const sound = header.state === 'valid' && header.header.number === number ? header.header : null;
      return { number, path, size: await file.size(), header: sound, isReadable: true };
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      return { number, path, size: 0, header: null, isReadable: false };
    }
  }

  /**
   * A crash while a file was made leaves a last file without a header. Behind it there is nothing but zeros, because
   * records follow only when the header is durable; a file without a header that holds more was damaged later, and so
   * was one that the channel's mark counts.
   */
  async #withoutAbortedFile(read: readonly FileRead[]): Promise<readonly FileRead[]> {
    const last = read.at(-1);
    const isCounted = last !== undefined && this.#nextCounted > last.number;
    if (last === undefined || isCounted || last.header !== null) return read;
    if (!last.isReadable || !(await this.#holdsNoRecord(last))) return read;
    await this.#disk.remove(last.path);
    await this.#disk.syncDirectory(this.#directory);
    this.#nextNumber = last.number;
    return read.slice(0, -1);
  }

  async #holdsNoRecord({ path, size }: FileRead): Promise<boolean> {
    try {
      await using file = await this.#disk.open(path, 'read');
      return (await countTorn(file, FILE_HEADER.bytes, size)) === 0;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      return false;
    }
  }

  /** Reports what is wrong about the file as a whole; `before` is the file before it, `null` for the first. */
  notePlace({ path, number, size, header, isReadable }: FileRead, before: FileRead | null): void {
    if (before !== null && number !== before.number + 1) this.#missFiles(before.number + 1, number - 1);
    if (header !== null) this.#boundLosses(header.afterTimestamp);
    if (!isReadable) {
      this.#report({ path, offset: 0, length: 0, reason: 'the file can’t be read', kind: 'missing' });
      return;
    }
    if (header === null) {
      const length = Math.min(size, FILE_HEADER.bytes);
      const reason = 'the file has no sound header';
      this.#report({ path, offset: 0, length, reason, kind: 'damaged' }, { records: 'kept' });
    }
    if (header !== null && header.afterTimestamp > this.#lastTimestamp)
      this.#lastTimestamp = header.afterTimestamp;
  }

  /** Files that the channel's mark counts and nobody has found. */
  missLastFiles(): void {
    const next = this.#nextCounted;
    if (next <= this.#nextNumber) return;
    // Those before may have been cut when nothing is left that would say so.
    this.#missFiles(this.#files.length === 0 ? next - 1 : this.#nextNumber, next - 1);
    this.#nextNumber = next;
  }

  /** `next` is the file after it, `null` for the last. */
  async readFile(read: FileRead, next: FileRead | null): Promise<void> {
    if (!read.isReadable) return;
    const isLast = next === null && this.#nextCounted <= read.number + 1;
    try {
      await using file = await this.#disk.open(read.path, isLast ? 'write' : 'read');
      if (isLast) await this.#readLastFile(file, read);
      else await this.#readSealedFile(file, read, next?.header ?? null);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      const reason = `unreadable: ${error.message}`;
      this.#report({ path: read.path, offset: 0, length: read.size, reason, kind: 'missing' });
    }
  }

  /** All of a file that has a successor was durable, up to the end that the successor states. */
  async #readSealedFile(file: DiskFile, read: FileRead, next: FileHeader | null): Promise<void> {
    const stated = next === null || next.previousEnd === PREVIOUS_END_UNKNOWN ? null : next.previousEnd;
    const facts = this.#factsOf(read, Math.min(stated ?? read.size, read.size));
    const end = await this.#walk(file, read.path, facts);
    if (stated === null) {
      this.#keep(read, facts, end);
      return;
    }
    if (end < stated) {
      const reason = `${stated} bytes were durable`;
      const kind = read.size < stated ? 'missing' : 'damaged';
      this.#report({ path: read.path, offset: end, length: stated - end, reason, kind });
    }
    this.#keep(read, facts, facts.size);
  }

  async #readLastFile(file: DiskFile, read: FileRead): Promise<void> {
    const facts = this.#factsOf(read, Math.min(read.size, FILE_BYTES_MAX));
    const counted = this.#nextCounted === read.number + 1 ? this.#extent!.end : FILE_HEADER.bytes;
    if (counted > facts.size) {
      await this.#readCutFile(file, read, { facts, counted });
      return;
    }
    const durable = Math.max(await this.#durableEnd(file, facts), counted);
    const end = await this.#soundEnd(file, facts, durable);
    const walked = await this.#walk(file, read.path, { ...facts, size: end });
    if (walked < end) {
      this.#report({
        path: read.path,
        offset: walked,
        length: end - walked,
        reason: 'zeros where records were',
        kind: 'damaged',
      });
    }
    this.#keep(read, facts, end);
    const isSettled = await this.#settleTail(file, read, { durable, end });
    this.#tailIsSound = isSettled && facts.salt !== null && read.size <= FILE_BYTES_MAX;
  }

  /** Bytes that were durable are not there. Nothing is written behind what is left. */
  async #readCutFile(
    file: DiskFile,
    read: FileRead,
    { facts, counted }: { readonly facts: FileFacts; readonly counted: number },
  ): Promise<void> {
    const end = await this.#walk(file, read.path, facts);
    const [offset, length] = [end, counted - end];
    const reason = `${counted} bytes were durable`;
    this.#report({ path: read.path, offset, length, reason, kind: 'missing' });
    this.#keep(read, facts, Math.min(end, facts.size));
  }

  #factsOf(read: FileRead, size: number): FileFacts {
    return { salt: read.header?.salt ?? null, afterTimestamp: this.#lastTimestamp, size };
  }

  #keep(read: FileRead, { salt, afterTimestamp }: FileFacts, end: number): void {
    this.#files.push({ number: read.number, path: read.path, salt, afterTimestamp, end });
  }

  /** Where the last batch begins: all before was durable. */
  async #durableEnd(file: DiskFile, { salt, afterTimestamp, size }: FileFacts): Promise<number> {
    let end: number = FILE_HEADER.bytes;
    const range = { from: FILE_HEADER.bytes, to: size, salt, afterTimestamp, payloads: 'skip' } as const;
    for await (const item of readLogFile(file, range)) {
      if (item.kind === 'record') end = Math.max(end, item.header.batchAt);
    }
    return end;
  }

  /** Where the first gap of the last batch begins, or where its last record ends. */
  async #soundEnd(
    file: DiskFile,
    { salt, afterTimestamp, size }: FileFacts,
    durable: number,
  ): Promise<number> {
    let end = durable;
    const range = { from: durable, to: size, salt, afterTimestamp, payloads: 'read' } as const;
    for await (const item of readLogFile(file, range)) {
      if (item.kind === 'gap') break;
      end = item.end;
    }
    return end;
  }

  /** Notes what the file holds and answers where its last record or gap ends. */
  async #walk(file: DiskFile, path: string, { salt, afterTimestamp, size }: FileFacts): Promise<number> {
    let end: number = FILE_HEADER.bytes;
    const range = { from: FILE_HEADER.bytes, to: size, salt, afterTimestamp, payloads: 'skip' } as const;
    for await (const item of readLogFile(file, range)) {
      if (item.kind === 'gap') {
        const { from, to, reason } = item;
        this.#report({ path, offset: from, length: to - from, reason, kind: 'damaged' });
        end = item.to;
        continue;
      }
      const { timestamp } = item.header;
      if (this.#doubtfulAfter !== null) this.#doubtful.push([this.#doubtfulAfter, timestamp]);
      this.#doubtfulAfter = null;
      this.#boundLosses((timestamp - 1n) as Timestamp);
      this.#lastTimestamp = timestamp;
      if (item.span.length > 0) this.#spans.push({ timestamp, others: item.span });
      end = item.end;
    }
    return end;
  }

  /**
   * Cuts off what lies behind `end` and makes the rest durable; answers whether that worked. The last
   * batch is written again, because its sync may have failed in an earlier life: then it is in the page
   * cache only, and no sync of ours would write what looks clean. The same goes for the header and the
   * file's name as long as there is no record: the first is written only when they are durable.
   */
  async #settleTail(
    file: DiskFile,
    { path, size }: FileRead,
    { durable, end }: { readonly durable: number; readonly end: number },
  ): Promise<boolean> {
    try {
      this.#tornBytes = await countTorn(file, end, size);
      if (this.#tornBytes > 0) {
        await file.truncate(end);
        await file.sync();
      }
      await rewrite(file, durable, end);
      if (end === FILE_HEADER.bytes) {
        await rewrite(file, 0, FILE_HEADER.bytes);
        await this.#disk.syncDirectory(this.#directory);
      }
      return true;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      const reason = `the end could not be made durable: ${error.message}`;
      this.#report({ path, offset: end, length: 0, reason, kind: 'damaged' }, { records: 'kept' });
      return false;
    }
  }

  /** The number behind the last file that the channel's mark counts. */
  get #nextCounted(): number {
    return this.#extent?.nextNumber ?? 1;
  }

  #missFiles(first: number, last: number): void {
    const reason = first === last ? 'the file is missing' : `files ${first} to ${last} are missing`;
    const path = `${this.#directory}/${logFileName(last)}`;
    this.#report({ path, offset: 0, length: 0, reason, kind: 'missing' });
  }

  #report(
    damage: FileDamage,
    { records }: { readonly records: 'kept' | 'lost' } = { records: 'lost' },
  ): void {
    this.#damage.push({ ...damage, lostUpTo: records === 'lost' ? TIMESTAMP_MAX : null });
    this.#doubtfulAfter ??= this.#lastTimestamp;
  }

  /** What was lost so far is no later than this. */
  #boundLosses(upTo: Timestamp): void {
    for (const damage of this.#damage) if (damage.lostUpTo === TIMESTAMP_MAX) damage.lostUpTo = upTo;
  }
}
