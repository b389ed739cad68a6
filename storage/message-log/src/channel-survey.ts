import { type ChannelName, TIMESTAMP_MAX, TIMESTAMP_MIN, type Timestamp } from '@elanus/model';
import { type Disk, DiskError, type DiskFile } from '@elanus/runtime';
import { logFileName, logFileNumber } from './channel-directory.ts';
import { decodeFileHeader, type FileHeader } from './file-header.ts';
import { LogVersionError } from './log-error.ts';
import { readLogFile } from './log-file-reader.ts';
import { FILE_BYTES_MAX, FILE_HEADER, PREVIOUS_END_UNKNOWN } from './log-format.ts';

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

export interface FileDamage {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly reason: string;
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
  readonly damage: readonly FileDamage[];
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
    await survey.readFile(file, opened[index + 1] ?? null);
  }
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
  readonly #damage: FileDamage[] = [];
  readonly #doubtful: (readonly [Timestamp, Timestamp])[] = [];
  /** Damage after which no record has come yet. */
  #doubtfulAfter: Timestamp | null = null;
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
      tornBytes: this.#tornBytes,
    };
  }

  async readHeaders(channel: ChannelName): Promise<readonly FileRead[]> {
    const entries = await this.#disk.list(this.#directory);
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
      this.#report({ path, offset: 0, length: 0, reason: `unreadable: ${error.message}` });
      return { number, path, size: 0, header: null, isReadable: false };
    }
  }

  /**
   * A crash while a file was made leaves a last file without a header. It is no longer than one, because
   * records follow only when the header is durable; a longer file without a header was damaged later.
   */
  async #withoutAbortedFile(read: readonly FileRead[]): Promise<readonly FileRead[]> {
    const last = read.at(-1);
    const isAborted = last?.isReadable && last.header === null && last.size <= FILE_HEADER.bytes;
    if (last === undefined || !isAborted) return read;
    await this.#disk.remove(last.path);
    await this.#disk.syncDirectory(this.#directory);
    this.#nextNumber = last.number;
    return read.slice(0, -1);
  }

  /** `next` is the file after it, `null` for the last. */
  async readFile(read: FileRead, next: FileRead | null): Promise<void> {
    if (!read.isReadable) return;
    const before = this.#files.at(-1);
    if (before !== undefined && read.number !== before.number + 1) {
      this.#report({ path: read.path, offset: 0, length: 0, reason: 'files before it are missing' });
    }
    if (read.header === null) {
      const length = Math.min(read.size, FILE_HEADER.bytes);
      this.#report({ path: read.path, offset: 0, length, reason: 'the file has no sound header' });
    }
    if (read.header !== null && read.header.afterTimestamp > this.#lastTimestamp) {
      this.#lastTimestamp = read.header.afterTimestamp;
    }
    try {
      await using file = await this.#disk.open(read.path, next === null ? 'write' : 'read');
      if (next === null) await this.#readLastFile(file, read);
      else await this.#readSealedFile(file, read, next.header);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#report({ path: read.path, offset: 0, length: read.size, reason: `unreadable: ${error.message}` });
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
      this.#report({ path: read.path, offset: end, length: stated - end, reason });
    }
    this.#keep(read, facts, facts.size);
  }

  async #readLastFile(file: DiskFile, read: FileRead): Promise<void> {
    const facts = this.#factsOf(read, Math.min(read.size, FILE_BYTES_MAX));
    const durable = await this.#durableEnd(file, facts);
    const end = await this.#soundEnd(file, facts, durable);
    const walked = await this.#walk(file, read.path, { ...facts, size: end });
    if (walked < end) {
      this.#report({
        path: read.path,
        offset: walked,
        length: end - walked,
        reason: 'zeros where records were',
      });
    }
    this.#keep(read, facts, end);
    const isSettled = await this.#settleTail(file, read, { durable, end });
    this.#tailIsSound = isSettled && facts.salt !== null && read.size <= FILE_BYTES_MAX;
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
        this.#report({ path, offset: item.from, length: item.to - item.from, reason: item.reason });
        end = item.to;
        continue;
      }
      const { timestamp } = item.header;
      if (this.#doubtfulAfter !== null) this.#doubtful.push([this.#doubtfulAfter, timestamp]);
      this.#doubtfulAfter = null;
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
      this.#report({
        path,
        offset: end,
        length: 0,
        reason: `the end could not be made durable: ${error.message}`,
      });
      return false;
    }
  }

  #report(damage: FileDamage): void {
    this.#damage.push(damage);
    this.#doubtfulAfter ??= this.#lastTimestamp;
  }
}

/** From `end` to the last byte that is not zero. */
async function countTorn(file: DiskFile, end: number, size: number): Promise<number> {
  const chunk = new Uint8Array(256 * 1024);
  let last = end;
  for (let position = end; position < size; position += chunk.length) {
    const read = await file.read(chunk.subarray(0, Math.min(chunk.length, size - position)), position);
    const index = chunk.subarray(0, read).findLastIndex((byte) => byte !== 0);
    if (index !== -1) last = position + index + 1;
  }
  return last - end;
}

/** Writes what the file holds from `from` to `to` once more. Equal bytes over equal bytes: a tear changes nothing. */
async function rewrite(file: DiskFile, from: number, to: number): Promise<void> {
  const chunk = new Uint8Array(Math.min(to - from, 1024 * 1024));
  for (let position = from; position < to; position += chunk.length) {
    const wanted = chunk.subarray(0, Math.min(chunk.length, to - position));
    const read = await file.read(wanted, position);
    await file.writeDurably([wanted.subarray(0, read)], position);
  }
}
