import { Worker } from 'node:worker_threads';
import { assert } from '@elanus/model';
import type { ExportReply, ExportRequest } from './export-messages.ts';

/** A thread that makes files, a request at a time. Whoever opens it closes it. */
export class FileThread implements AsyncDisposable {
  readonly #worker = new Worker(new URL('./export-thread.ts', import.meta.url));
  #answer: PromiseWithResolvers<ExportReply> | null = null;
  #end: Error | null = null;

  constructor() {
    this.#worker.on('message', (reply: ExportReply) => this.#answer?.resolve(reply));
    this.#worker.on('error', (error) => this.#break(error as Error));
    this.#worker.on('exit', () => this.#break(new Error('the thread that makes files has ended')));
  }

  /** Bytes of the file, in answer to anything but `measure`. */
  async bytes(request: ExportRequest): Promise<Uint8Array> {
    const reply = await this.#ask(request);
    assert(reply.kind === 'bytes', 'a file is made of bytes');
    return reply.bytes;
  }

  async width(request: Extract<ExportRequest, { kind: 'measure' }>): Promise<number> {
    const reply = await this.#ask(request);
    assert(reply.kind === 'width', 'texts have a width');
    return reply.width;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  async #ask(request: ExportRequest): Promise<ExportReply> {
    if (this.#end !== null) throw this.#end;
    assert(this.#answer === null, 'one request at a time');
    this.#answer = Promise.withResolvers();
    this.#worker.postMessage(request);
    try {
      const reply = await this.#answer.promise;
      if (reply.kind === 'failed') throw new Error(reply.reason);
      return reply;
    } finally {
      this.#answer = null;
    }
  }

  #break(error: Error): void {
    this.#end ??= error;
    this.#answer?.reject(this.#end);
  }
}
