import { Worker } from 'node:worker_threads';
import { diskFull } from '@elanus/model';
import type { WriteReply, WriteRequest, WriterData } from './lmdb-writer-messages.ts';

interface Pending {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Commits in a thread of its own. The binding's asynchronous writes would do that too, but when the disk
 * is full they reject promises that nobody holds and then corrupt the heap (lmdb 3.5.6); its synchronous
 * transactions roll back cleanly, and would hold the event loop for a sync. The thread starts with the
 * first commit, so that a server whose catalog is there already is not kept waiting, and keeps the
 * process alive only while a commit is under way.
 */
export class LmdbWriter {
  readonly #path: string;
  #worker: Worker | null = null;
  #nextId = 1;
  readonly #pending = new Map<number, Pending>();
  /** Why there will be no thread again. */
  #ended: Error | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Resolves when the changes are durable, all of them; rejects when none is there. */
  commit(changes: WriteRequest['changes']): Promise<void> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const worker = this.#started();
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      worker.ref();
      worker.postMessage({ id, changes } satisfies WriteRequest);
    });
  }

  /** Waits for the commits under way and ends the thread. */
  async close(): Promise<void> {
    this.#ended ??= new Error('the meta store is closed');
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    worker.ref();
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage('close');
    await exited;
  }

  #started(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = new Worker(new URL('./lmdb-writer-thread.ts', import.meta.url), {
      workerData: { path: this.#path } satisfies WriterData,
    });
    worker.on('message', (reply: WriteReply) => this.#settle(reply));
    worker.on('error', (error) =>
      this.#end(new Error('the meta store can no longer commit', { cause: error })),
    );
    worker.on('exit', () => this.#end(new Error('the thread of the meta store ended')));
    this.#worker = worker;
    return worker;
  }

  #settle({ id, error }: WriteReply): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#worker?.unref();
    if (error === null) pending?.resolve();
    else pending?.reject(error.isDiskFull ? diskFull(new Error(error.message)) : new Error(error.message));
  }

  #end(reason: Error): void {
    this.#ended ??= reason;
    this.#worker = null;
    for (const { reject } of this.#pending.values()) reject(this.#ended);
    this.#pending.clear();
  }
}
