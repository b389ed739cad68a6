import { Worker } from 'node:worker_threads';

/** What goes to a thread and comes back; typed arrays over shared memory go without a copy. */
export interface ThreadTask<Request> {
  readonly id: number;
  readonly request: Request;
}

export type ThreadReply<Result> =
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly failure: string };

interface Pending<Request, Result> {
  readonly task: ThreadTask<Request>;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread<Request, Result> {
  readonly worker: Worker;
  running: Pending<Request, Result> | null;
}

/** Threads that work on one task at a time each. They start when they are first needed and never keep the process alive when idle. */
export class ThreadPool<Request, Result> implements AsyncDisposable {
  readonly #script: URL;
  readonly #threadsMax: number;
  readonly #data: unknown;
  readonly #threads: Thread<Request, Result>[] = [];
  readonly #waiting: Pending<Request, Result>[] = [];
  #nextId = 1;
  #isClosed = false;
  #isWarm = false;
  #warming: Promise<unknown> | null = null;

  /** `script` answers every `ThreadTask` by a `ThreadReply`; `data` is its `workerData`. */
  constructor(script: URL, options: { readonly threads: number; readonly data?: unknown }) {
    this.#script = script;
    this.#threadsMax = options.threads;
    this.#data = options.data;
  }

  get threads(): number {
    return this.#threadsMax;
  }

  /** Tasks that wait for a thread. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * A task that begins before the signal aborts is done to its end.
   * @throws what the script threw, as an error with the same message; the signal's reason; an error when the pool is closed
   */
  run(request: Request, signal?: AbortSignal): Promise<Result> {
    if (this.#isClosed) return Promise.reject(new Error('the threads have ended'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task: { id: this.#nextId++, request }, signal, resolve, reject });
      this.#next();
    });
  }

  /** Whether a thread has answered before: until then each of them takes longer to start than most tasks. */
  get isWarm(): boolean {
    return this.#isWarm;
  }

  /** Starts all threads by having each answer `request`; resolves when one has. Idempotent. */
  async warmUp(request: Request): Promise<void> {
    this.#warming ??= Promise.any(Array.from({ length: this.#threadsMax }, () => this.run(request)));
    await this.#warming;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const ended = new Error('the threads have ended');
    for (const { reject } of this.#waiting.splice(0)) reject(ended);
    const threads = this.#threads.splice(0);
    for (const { running } of threads) running?.reject(ended);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const [first] = this.#waiting as [Pending<Request, Result>];
      if (first.signal?.aborted) {
        this.#waiting.shift();
        first.reject(first.signal.reason);
        continue;
      }
      const thread = this.#threads.find(({ running }) => running === null) ?? this.#started();
      if (thread === undefined) return;
      const pending = this.#waiting.shift()!;
      thread.running = pending;
      thread.worker.ref();
      thread.worker.postMessage(pending.task);
    }
  }

  #started(): Thread<Request, Result> | undefined {
    if (this.#threads.length >= this.#threadsMax) return undefined;
    const worker = new Worker(this.#script, { workerData: this.#data });
    const thread: Thread<Request, Result> = { worker, running: null };
    worker.on('message', (reply: ThreadReply<Result>) => {
      const { running } = thread;
      thread.running = null;
      worker.unref();
      if (running !== null && 'failure' in reply) running.reject(new Error(reply.failure));
      else if (running !== null && 'result' in reply) running.resolve(reply.result);
      this.#isWarm = true;
      this.#next();
    });
    worker.on('error', (error) => this.#end(thread, error));
    worker.on('exit', () => this.#end(thread, new Error('a thread has ended')));
    worker.unref();
    this.#threads.push(thread);
    return thread;
  }

  /** The next task gets a new thread. */
  #end(thread: Thread<Request, Result>, error: unknown): void {
    const at = this.#threads.indexOf(thread);
    if (at < 0) return;
    this.#threads.splice(at, 1);
    thread.running?.reject(error);
    this.#next();
  }
}
