import { crc32 } from '@elanus/kernel';
import type { StoredFile } from '@elanus/model';
import { type ObjectFiles, ObjectStoreError } from '@elanus/object-store';
import type { Clock, Counter, Disk, Logger, Metrics } from '@elanus/runtime';

export interface FileToVerify {
  readonly file: StoredFile;
  /** What the log says of it. */
  readonly about: Readonly<Record<string, string>>;
  readonly onDamage: (cause: ObjectStoreError) => void;
}

export interface FileVerifierOptions {
  readonly files: ObjectFiles;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Bytes read at a time, and how long to leave the disk to others after them: 400 MB/s at most. */
const PART_BYTES = 2 * 1024 * 1024;
const PAUSE_MS = 5;
/** Bytes whose checksum is computed at a stretch. */
const CHECKSUM_STRETCH = 512 * 1024;

/** Compares files with their checksums in the background, each once, one after the other. */
export class FileVerifier implements AsyncDisposable {
  readonly #options: FileVerifierOptions;
  readonly #verified: Counter;
  readonly #damaged: Counter;
  readonly #known = new Set<string>();
  readonly #waiting: FileToVerify[] = [];
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: FileVerifierOptions) {
    this.#options = options;
    const { metrics } = options;
    this.#verified = metrics.counter('elanus_files_verified_total', 'Files whose checksum is right', []);
    this.#damaged = metrics.counter('elanus_files_damaged_total', 'Files that are not what was written', []);
    metrics.gauge('elanus_files_to_verify', 'Files that wait to be compared with their checksum', () => {
      return this.#waiting.length;
    });
  }

  add(file: FileToVerify): void {
    const { key } = file.file;
    if (this.#closing.signal.aborted || this.#known.has(key)) return;
    this.#known.add(key);
    this.#waiting.push(file);
    this.#running ??= this.#verifyAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the server stops'));
    await this.#running;
  }

  async #verifyAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#verify(next);
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        this.#report(next, error);
      }
    }
    this.#running = null;
  }

  async #verify({ file }: FileToVerify): Promise<void> {
    const { files, disk, clock } = this.#options;
    const { signal } = this.#closing;
    const held = await files.hold(file);
    try {
      await using opened = await disk.open(held.path, 'read');
      const part = new Uint8Array(PART_BYTES);
      let sum = 0;
      for (let at = 0; ; at += PART_BYTES) {
        await clock.sleep(PAUSE_MS, { signal });
        const read = await opened.read(part, at);
        for (let from = 0; from < read; from += CHECKSUM_STRETCH)
          sum = crc32(part.subarray(from, Math.min(from + CHECKSUM_STRETCH, read)), sum);
        if (read < PART_BYTES) break;
      }
      if (sum !== file.crc32)
        throw new ObjectStoreError('damaged', file.key, 'the bytes are not those that were written');
      this.#verified.inc({});
    } finally {
      held.release();
    }
  }

  /** What can't be read now may be read later; other bytes stay other bytes. */
  #report({ file, about, onDamage }: FileToVerify, error: unknown): void {
    const { logger } = this.#options;
    if (!(error instanceof ObjectStoreError) || error.kind !== 'damaged') {
      logger.warn({ ...about, file: file.key, err: error }, 'a file could not be verified');
      this.#known.delete(file.key);
      return;
    }
    this.#damaged.inc({});
    logger.error({ ...about, file: file.key, err: error }, 'a file is damaged: what needs it is refused');
    onDamage(error);
  }
}
