import { Worker } from 'node:worker_threads';
import { ConcurrencyLimit, DiskError, NodeDisk } from '@elanus/runtime';
import type { SegmentFileContent } from '@elanus/segment';
import type { EncoderReply, EncoderRequest } from './encoder-messages.ts';
import type { FileEncoder, WrittenFile } from './file-encoder.ts';

const SMALL_ROWS_MAX = 1_024;

/**
 * Makes files in a thread of its own, one after the other: statistics, checksums and the order of keys take half a second
 * for a hundred megabytes. Columns in shared memory are read where they lie. The thread starts with the first file, works
 * one answer ahead of its reader, and keeps the process alive only while a file is being made.
 */
export class ThreadEncoder implements FileEncoder, AsyncDisposable {
  readonly #small: FileEncoder;
  readonly #turns = new ConcurrencyLimit(1);
  #thread: EncoderThread | null = null;
  #isClosed = false;

  /** Files of few rows are made by `small`: they take less time than the way to a thread. */
  constructor(small: FileEncoder) {
    this.#small = small;
  }

  async *encode(content: SegmentFileContent, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    if (isSmall(content)) {
      yield* this.#small.encode(content, signal);
      return;
    }
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    void this.#turns.run(async () => {
      begun.resolve();
      await ended.promise;
    });
    try {
      await begun.promise;
      signal.throwIfAborted();
      yield* this.#encodeAlone(content, signal);
    } finally {
      ended.resolve();
    }
  }

  /** The thread writes while it makes what follows, and begins with the next file while the disk has not all of this one. */
  write(content: SegmentFileContent, path: string, options: WriteOptions): Promise<WrittenFile> | null {
    return isSmall(content) ? null : this.#write(content, path, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#thread?.end();
  }

  async #write(
    content: SegmentFileContent,
    path: string,
    { cache, signal }: WriteOptions,
  ): Promise<WrittenFile> {
    signal.throwIfAborted();
    try {
      const reply = await this.#started().ask({ kind: 'write', content, path, cache });
      signal.throwIfAborted();
      if (reply.kind === 'written') return { bytes: reply.bytes, crc32: reply.crc32 };
      if (reply.kind === 'disk failed') throw new DiskError(reply.disk, reply.path, reply.reason);
      throw unmade(reply);
    } catch (error) {
      await new NodeDisk().remove(path);
      throw error;
    }
  }

  async *#encodeAlone(
    content: SegmentFileContent,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    const thread = this.#started();
    let isOver = false;
    try {
      let reply = await thread.ask({ kind: 'begin', content });
      while (reply.kind === 'pieces') {
        isOver = reply.isLast;
        // The next bytes are made while these are written.
        const next: Promise<EncoderReply> | null = isOver ? null : thread.ask({ kind: 'next' });
        next?.catch(() => {});
        for (const piece of reply.pieces) {
          signal.throwIfAborted();
          yield piece;
        }
        if (next === null) return;
        reply = await next;
      }
      isOver = true;
      throw unmade(reply);
    } finally {
      if (!isOver && !thread.hasEnded) await thread.ask({ kind: 'leave' });
    }
  }

  #started(): EncoderThread {
    if (this.#isClosed) throw new Error('the encoder is closed');
    if (this.#thread === null || this.#thread.hasEnded) this.#thread = new EncoderThread();
    return this.#thread;
  }
}

type WriteOptions = Parameters<NonNullable<FileEncoder['write']>>[2];

function isSmall({ timestamps }: SegmentFileContent): boolean {
  return timestamps.reduce((sum, { length }) => sum + length, 0) <= SMALL_ROWS_MAX;
}

function unmade(reply: EncoderReply): Error {
  return new Error(`a segment file could not be made: ${'reason' in reply ? reply.reason : reply.kind}`);
}

interface Pending {
  readonly resolve: (reply: EncoderReply) => void;
  readonly reject: (error: unknown) => void;
}

/** A thread that answers requests in their order. */
class EncoderThread {
  hasEnded = false;
  readonly #worker = new Worker(new URL('./encoder-thread.ts', import.meta.url));
  readonly #pending: Pending[] = [];

  constructor() {
    this.#worker.unref();
    this.#worker.on('message', (reply: EncoderReply) => {
      this.#pending.shift()!.resolve(reply);
      if (this.#pending.length === 0) this.#worker.unref();
    });
    this.#worker.on('error', (error) => this.#break(error));
    this.#worker.on('exit', () => this.#break(new Error('the thread that makes files has ended')));
  }

  ask(request: EncoderRequest): Promise<EncoderReply> {
    if (this.hasEnded) return Promise.reject(new Error('the thread that makes files has ended'));
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(request);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #break(error: unknown): void {
    this.hasEnded = true;
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }
}
