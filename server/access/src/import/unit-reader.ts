import { Worker } from 'node:worker_threads';
import { assert, importFailed } from '@elanus/model';
import type { ImportFile } from '@elanus/rpc';
import type { EncodedRows, UnitReply, UnitRequest, UnitSpec } from './unit-messages.ts';

/** JavaScript's own memory of a thread; a file that wants more ends its thread, and its import, and nothing else. */
const THREAD_MIB_MAX = 1_024;

/** Rows that were read, and how they are to be had in parts. */
export interface ReadRows {
  readonly batch: number;
  readonly rows: number;
  /** `null`: some of them are not as the schema wants them. */
  readonly encoded: EncodedRows | null;
}

/**
 * Reads the files of one unit in a thread of its own, which takes from here what lies elsewhere. Whoever opens it closes it.
 * All calls reject with MilvusError 2100 for what is wrong with a file.
 */
export class UnitReader implements AsyncDisposable {
  /** `null` until the file says it. */
  totalRows: number | null = null;
  #bytesReadHere = 0;
  #bytesReadThere = 0;
  readonly #files: readonly ImportFile[];
  readonly #thread: Worker;
  readonly #answers: PromiseWithResolvers<UnitReply>[] = [];
  #end: Error | null = null;

  constructor(spec: UnitSpec, files: readonly ImportFile[]) {
    this.#files = files;
    this.#thread = new Worker(new URL('./unit-thread.ts', import.meta.url), {
      workerData: spec,
      resourceLimits: { maxOldGenerationSizeMb: THREAD_MIB_MAX },
    });
    this.#thread.on('message', (reply: UnitReply) => this.#hear(reply));
    this.#thread.on('error', (error) => this.#break(error as Error));
    this.#thread.on('exit', () => this.#break(new Error('the thread that reads a file has ended')));
  }

  /** Bytes that were read, each counted once where files are read from front to back. */
  get bytesRead(): number {
    return this.#bytesReadHere + this.#bytesReadThere;
  }

  /** The next rows, `null` behind the last; `spares` is memory of earlier ones that nobody reads any more. */
  async next(spares: readonly SharedArrayBuffer[]): Promise<ReadRows | null> {
    const reply = await this.#ask({ kind: 'next', spares });
    if (reply.kind === 'end') return null;
    assert(reply.kind === 'rows', 'rows are answered with rows');
    this.#bytesReadThere = reply.bytesRead;
    return reply;
  }

  /** Rows `from .. to` of one of the last two batches; a text says what is wrong with them. */
  async encode(batch: number, from: number, to: number): Promise<EncodedRows | string> {
    const reply = await this.#ask({ kind: 'encode', batch, from, to });
    if (reply.kind === 'bad rows') return reply.reason;
    assert(reply.kind === 'encoded', 'rows are answered with rows');
    return reply.encoded;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate();
    await Promise.all(this.#files.map((file) => file.close()));
  }

  async #ask(request: UnitRequest): Promise<UnitReply> {
    if (this.#end !== null) throw this.#end;
    const answer = Promise.withResolvers<UnitReply>();
    this.#answers.push(answer);
    this.#thread.postMessage(request);
    const reply = await answer.promise;
    if (reply.kind === 'bad file') throw importFailed(reply.reason);
    if (reply.kind === 'failed') throw new Error(reply.reason);
    return reply;
  }

  #hear(reply: UnitReply): void {
    if (reply.kind === 'read') void this.#read(reply);
    else if (reply.kind === 'total') this.totalRows = reply.rows;
    else this.#answers.shift()!.resolve(reply);
  }

  async #read({ ask, file, offset, length }: Extract<UnitReply, { kind: 'read' }>): Promise<void> {
    try {
      const bytes = await this.#files[file]!.read(offset, length);
      this.#bytesReadHere += length;
      this.#tell({ kind: 'bytes', ask, bytes }, [bytes.buffer]);
    } catch (error) {
      this.#tell({ kind: 'no bytes', ask, reason: error instanceof Error ? error.message : String(error) });
    }
  }

  #tell(request: UnitRequest, moved: ArrayBuffer[] = []): void {
    if (this.#end === null) this.#thread.postMessage(request, moved);
  }

  #break(error: Error): void {
    const isTooLarge = (error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY';
    this.#end ??= isTooLarge ? importFailed('a file takes more memory than its reader may have') : error;
    for (const { reject } of this.#answers.splice(0)) reject(this.#end);
  }
}
