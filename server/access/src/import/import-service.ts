import { MilvusError } from '@elanus/model';
import type { ImportJob } from '@elanus/rpc';
import { ConcurrencyLimit, type Counter } from '@elanus/runtime';
import { type ImportDependencies, type ImportProgress, ImportRun } from './import-run.ts';

/** Imports that read at a time; the others are pending. */
const RUNNING_MAX = 1;
/** Between two tries to make staged rows visible. */
const RETRY_MS = 2_000;
/** Between two lines of the log about an import. */
const LOG_EVERY_MS = 10_000;

/** An import, and how far it is by now. */
export interface ImportStatus {
  readonly job: ImportJob;
  /** 0 to 100. */
  readonly percent: number;
}

/** Runs the imports that the coordinator knows, one after the other, those that a stop has interrupted first. */
export class ImportService implements AsyncDisposable {
  readonly #dependencies: ImportDependencies;
  readonly #running = new ConcurrencyLimit(RUNNING_MAX);
  readonly #closing = new AbortController();
  readonly #runs = new Map<bigint, ImportRun>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #rows: Counter;
  readonly #ended: Counter;

  private constructor(dependencies: ImportDependencies) {
    this.#dependencies = dependencies;
    const { metrics } = dependencies;
    this.#rows = metrics.counter('elanus_import_rows_total', 'Rows that imports have read', []);
    this.#ended = metrics.counter('elanus_imports_total', 'Imports that have ended', ['state']);
    metrics.gauge('elanus_imports_running', 'Imports that have not ended', () => this.#tasks.size);
    metrics.gauge(
      'elanus_import_progress',
      'How much of its files the import under way has read, 0 to 1',
      () => {
        const [run] = this.#runs.values();
        return run?.progress.share ?? 0;
      },
    );
  }

  /** Goes on with what an earlier process has begun. */
  static async open(dependencies: ImportDependencies): Promise<ImportService> {
    const service = new ImportService(dependencies);
    for (const job of await dependencies.imports.unfinishedImports()) service.start(job);
    return service;
  }

  /** Runs an import in the background. */
  start(job: ImportJob): void {
    const task: Promise<void> = this.#running
      .run(() => this.#run(job))
      .catch((error) => {
        const about = { job: String(job.id), err: error };
        if (!this.#closing.signal.aborted)
          this.#dependencies.logger.error(about, 'an import rests until the next start');
      })
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  /** `job` as it is by now. */
  statusOf(job: ImportJob): ImportStatus {
    const progress = this.#runs.get(job.id)?.progress;
    const units = progress === undefined || job.state === 'committing' ? job.units : progress.units;
    return { job: { ...job, units }, percent: percentOf(job, progress) };
  }

  /** Stops what runs; the next start goes on with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the server stops'));
    await Promise.all(this.#tasks);
  }

  async #run(job: ImportJob): Promise<void> {
    const { signal } = this.#closing;
    signal.throwIfAborted();
    const { imports, logger } = this.#dependencies;
    const about = { job: String(job.id), collection: job.collectionName };
    logger.info({ ...about, files: job.units.length, kind: job.kind }, 'an import begins');
    try {
      const read = job.state === 'committing' ? job : await this.#read(job);
      const isRehearsal = read.kind === 'rehearsal';
      if (!isRehearsal) await this.#commit(await imports.changeImport(job.id, { state: 'committing' }));
      const mistakes = read.units.flatMap((unit) =>
        unit.mistakes.map((one) => `${unit.paths.join(', ')}: ${one}`),
      );
      const state = mistakes.length === 0 ? 'completed' : 'failed';
      await this.#end(job, state, mistakes.join('; '));
    } catch (error) {
      if (signal.aborted) throw error;
      await this.#fail(job, error);
    }
  }

  async #read(job: ImportJob): Promise<ImportJob> {
    const { imports, clock, logger } = this.#dependencies;
    let saidMs = clock.monotonicMs();
    const run = new ImportRun(
      await imports.changeImport(job.id, { state: 'importing' }),
      this.#dependencies,
      {
        signal: this.#closing.signal,
        rowsRead: (rows) => {
          this.#rows.inc({}, rows);
          if (clock.monotonicMs() - saidMs < LOG_EVERY_MS) return;
          saidMs = clock.monotonicMs();
          const percent = Math.round(100 * run.progress.share);
          logger.info({ job: String(job.id), percent }, 'an import goes on');
        },
      },
    );
    this.#runs.set(job.id, run);
    try {
      return await run.read();
    } catch (error) {
      await run.settled();
      // Nothing of it will be seen; what was wrong will be.
      const units = run.progress.units.map((unit) => ({ ...unit, rows: 0 }));
      if (!this.#closing.signal.aborted) await imports.changeImport(job.id, { units });
      throw error;
    } finally {
      this.#runs.delete(job.id);
    }
  }

  /** Makes the rows visible. Whoever does not hear of it asks again: files are adopted once. */
  async #commit({ id, collectionId }: ImportJob): Promise<void> {
    const { root, imports, importing, streaming, clock, logger } = this.#dependencies;
    const { signal } = this.#closing;
    for (;;) {
      const collection = await root.describeCollectionById(collectionId);
      const segments = (await imports.findImport(id))?.segments ?? [];
      try {
        await importing.adopt(collection, segments);
        // The files of the rows are known to the catalog from then on, and the log may be cut.
        await streaming.flush(collectionId);
        return;
      } catch (error) {
        if (error instanceof MilvusError && !error.retriable) throw error;
        logger.warn({ job: String(id), err: error }, 'the rows of an import could not be made visible yet');
        await clock.sleep(RETRY_MS, { signal });
      }
    }
  }

  async #fail(job: ImportJob, error: unknown): Promise<void> {
    const { imports, importing, logger } = this.#dependencies;
    const isTold = error instanceof MilvusError;
    if (!isTold) logger.error({ job: String(job.id), err: error }, 'an import failed by our own fault');
    const staged = (await imports.findImport(job.id))?.segments ?? [];
    await this.#end(job, 'failed', isTold ? error.message : String(error), { isGivenUp: true });
    await importing.discard(job.collectionId, staged);
  }

  async #end(
    job: ImportJob,
    state: 'completed' | 'failed',
    reason: string,
    change: { readonly isGivenUp?: boolean } = {},
  ): Promise<void> {
    const { imports, clock, logger } = this.#dependencies;
    const ended = await imports.changeImport(job.id, { ...change, state, reason, endedMs: clock.nowMs() });
    this.#ended.inc({ state });
    const rows = ended.units.reduce((sum, unit) => sum + unit.rows, 0);
    logger.info(
      { job: String(job.id), collection: job.collectionName, state, rows, reason },
      'an import has ended',
    );
  }
}

/** Reading takes most of the time: it goes from 10 to 80. */
function percentOf({ state, units }: ImportJob, progress: ImportProgress | undefined): number {
  const isRead = units.every(({ rows, totalRows }) => rows === totalRows);
  switch (state) {
    case 'pending':
      return 0;
    case 'importing':
      return 10 + Math.floor(70 * (progress?.share ?? (isRead ? 1 : 0)));
    case 'committing':
      return 99;
    case 'completed':
      return 100;
    case 'failed':
      return 0;
  }
}
