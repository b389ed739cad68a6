import { importFailed, MilvusError, type Timestamp } from '@elanus/model';
import type { ImportJob } from '@elanus/rpc';
import { ConcurrencyLimit, type Counter } from '@elanus/runtime';
import { ownRef } from '../definition/collection-ref.ts';
import { GIVEN_UP, ImportDecision } from './import-decision.ts';
import { isCommittedWhenAsked } from './import-options.ts';
import { type ImportDependencies, type ImportProgress, ImportRun } from './import-run.ts';

/** Imports that read at a time; the others are pending. */
const RUNNING_MAX = 1;
/** Between two tries to make staged rows visible. */
const RETRY_MS = 2_000;
/** Between two looks at indexes, at first; each time longer, up to the most. */
const INDEX_POLL_MS = { first: 20, most: 1_000 } as const;
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
  /** Imports whose rows can be seen, and how much of their indexes is built: 0 to 1. */
  readonly #indexing = new Map<bigint, number>();
  /** Imports that have not ended. */
  readonly #tasks = new Map<bigint, ImportTask>();
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
    const decision = new ImportDecision();
    const ended = this.#run(job, decision)
      .catch((error) => {
        const about = { job: String(job.id), err: error };
        if (!this.#closing.signal.aborted)
          this.#dependencies.logger.error(about, 'an import rests until the next start');
      })
      .finally(() => this.#tasks.delete(job.id));
    this.#tasks.set(job.id, { decision, ended });
  }

  /**
   * Makes the rows of an import visible that waits to be told so. Once it is told, it may be told again.
   * @throws MilvusError 2100 when there is no such import, or it does not wait
   */
  async commit(id: bigint): Promise<void> {
    const { imports } = this.#dependencies;
    const job = await this.#find(id);
    if (!isCommittedWhenAsked(job.options))
      throw importFailed(`job ${id} commits by itself: it was created without auto_commit=false`);
    if (job.state === 'committing' || job.state === 'completed') return;
    const decision = this.#tasks.get(id)?.decision;
    if (job.state !== 'uncommitted' || decision === undefined || !decision.commit())
      throw importFailed(`job ${id} is not waiting to be committed, its state is ${job.state}`);
    await imports.changeImport(id, { state: 'committing' });
    decision.letGo();
  }

  /**
   * Gives an import up whose rows are not visible yet, and removes what there is of them. May be told again.
   * @throws MilvusError 2100 when there is no such import, or it has ended otherwise
   */
  async giveUp(id: bigint): Promise<void> {
    const job = await this.#find(id);
    const task = this.#tasks.get(id);
    if (task?.decision.giveUp() === true) await task.ended;
    const { state, reason } = await this.#find(id);
    if (state !== 'failed' || reason !== GIVEN_UP.message)
      throw importFailed(`job ${id} cannot be aborted any more, its state is ${job.state}`);
  }

  /** @throws MilvusError 2100 */
  async #find(id: bigint): Promise<ImportJob> {
    const job = await this.#dependencies.imports.findImport(id);
    if (job === undefined) throw importFailed(`cannot find import job with jobID ${id}`);
    return job;
  }

  /** `job` as it is by now. */
  statusOf(job: ImportJob): ImportStatus {
    const progress = this.#runs.get(job.id)?.progress;
    const units = progress === undefined || job.state === 'committing' ? job.units : progress.units;
    const percent = percentOf(job, progress, this.#indexing.get(job.id));
    return { job: { ...job, units }, percent };
  }

  /** Stops what runs; the next start goes on with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const reason = new Error('the server stops');
    this.#closing.abort(reason);
    const tasks = [...this.#tasks.values()];
    for (const { decision } of tasks) decision.stop(reason);
    await Promise.all(tasks.map(({ ended }) => ended));
  }

  async #run(job: ImportJob, decision: ImportDecision): Promise<void> {
    try {
      const { signal } = decision;
      const isRead = job.state === 'uncommitted';
      const brought = isRead ? null : await this.#running.run(() => this.#bring(job, decision), { signal });
      const { writtenAt, mistakes } = brought ?? (await this.#bringWhenAsked(job, decision));
      // As in Milvus: whoever waits for an import finds its rows by their indexes. Others may begin meanwhile.
      if (writtenAt !== null) await this.#awaitIndexes(job, writtenAt);
      await this.#end(job, mistakes.length === 0 ? 'completed' : 'failed', mistakes.join('; '));
    } catch (error) {
      if (this.#closing.signal.aborted) throw error;
      await this.#fail(job, error);
    }
  }

  /**
   * Reads the files and makes their rows visible; of a rehearsal only what is wrong with them. `null`: the rows wait for a
   * word.
   */
  async #bring(job: ImportJob, decision: ImportDecision): Promise<Brought | null> {
    const { imports } = this.#dependencies;
    const read = job.state === 'committing' ? job : await this.#read(job, decision.signal);
    if (read.kind === 'rehearsal') {
      const mistakes = read.units.flatMap((unit) =>
        unit.mistakes.map((one) => `${unit.paths.join(', ')}: ${one}`),
      );
      return { writtenAt: null, mistakes };
    }
    if (job.state !== 'committing' && isCommittedWhenAsked(job.options)) {
      await imports.changeImport(job.id, { state: 'uncommitted' });
      return null;
    }
    if (!decision.commit()) throw GIVEN_UP;
    const writtenAt = await this.#commit(await imports.changeImport(job.id, { state: 'committing' }));
    return { writtenAt, mistakes: [] };
  }

  /** Waits for the word, which has made the state `committing`. Nobody else waits for it: others read meanwhile. */
  async #bringWhenAsked(job: ImportJob, decision: ImportDecision): Promise<Brought> {
    this.#dependencies.logger.info({ job: String(job.id) }, 'an import waits to be committed');
    await decision.committed;
    return { writtenAt: await this.#commit(job), mistakes: [] };
  }

  async #read(job: ImportJob, signal: AbortSignal): Promise<ImportJob> {
    const { imports, clock, logger } = this.#dependencies;
    const about = { job: String(job.id), collection: job.collectionName };
    logger.info({ ...about, files: job.units.length, kind: job.kind }, 'an import begins');
    let saidMs = clock.monotonicMs();
    const run = new ImportRun(
      await imports.changeImport(job.id, { state: 'importing' }),
      this.#dependencies,
      {
        signal,
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

  /** Makes the rows visible; since when they are. Whoever does not hear of it asks again: files are adopted once. */
  async #commit({ id, collectionId }: ImportJob): Promise<Timestamp> {
    const { root, imports, importing, streaming, clock, logger } = this.#dependencies;
    const { signal } = this.#closing;
    for (;;) {
      const collection = await root.describeCollectionById(collectionId);
      const segments = (await imports.findImport(id))?.segments ?? [];
      try {
        const { timestamp } = await importing.adopt(collection, segments);
        // The files of the rows are known to the catalog from then on, and the log may be cut.
        await streaming.flush(collectionId);
        return timestamp;
      } catch (error) {
        if (error instanceof MilvusError && !error.retriable) throw error;
        logger.warn({ job: String(id), err: error }, 'the rows of an import could not be made visible yet');
        await clock.sleep(RETRY_MS, { signal });
      }
    }
  }

  /** Waits for the indexes of rows that were there at `writtenAt`. The rows are there whatever becomes of them: it never rejects but for a stop. */
  async #awaitIndexes({ id, collectionId }: ImportJob, writtenAt: Timestamp): Promise<void> {
    const { root, index, clock, logger } = this.#dependencies;
    const { signal } = this.#closing;
    let pollMs: number = INDEX_POLL_MS.first;
    try {
      for (;;) {
        const ref = ownRef(await root.describeCollectionById(collectionId));
        const indexes = await index.describeIndexes(ref, '', writtenAt);
        const unfinished = indexes.filter(({ state }) => state === 'in-progress');
        if (unfinished.length === 0) return;
        const shares = indexes.map(
          ({ indexedRows, totalRows }) => Number(indexedRows) / Math.max(1, Number(totalRows)),
        );
        this.#indexing.set(id, Math.min(...shares));
        await clock.sleep(pollMs, { signal });
        pollMs = Math.min(2 * pollMs, INDEX_POLL_MS.most);
      }
    } catch (error) {
      if (signal.aborted) throw error;
      // There is no index, or no collection any more.
      if (!(error instanceof MilvusError))
        logger.error({ job: String(id), err: error }, 'the indexes of an import could not be looked at');
    } finally {
      this.#indexing.delete(id);
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

/** An import under way. */
interface ImportTask {
  readonly decision: ImportDecision;
  /** Resolves when nothing is done for it any more in this process. */
  readonly ended: Promise<void>;
}

/** What has become of an import's files. */
interface Brought {
  /** `null`: nothing was written. */
  readonly writtenAt: Timestamp | null;
  readonly mistakes: readonly string[];
}

/** Milvus' bands: reading goes from 10 to 70, making visible to 80, indexes to 99, where those that waited are already. */
function percentOf(
  job: ImportJob,
  progress: ImportProgress | undefined,
  indexed: number | undefined,
): number {
  const isRead = job.units.every(({ rows, totalRows }) => rows === totalRows);
  switch (job.state) {
    case 'pending':
      return 0;
    case 'importing':
      return 10 + Math.floor(60 * (progress?.share ?? (isRead ? 1 : 0)));
    case 'uncommitted':
      return 99;
    case 'committing':
      if (isCommittedWhenAsked(job.options)) return 99;
      return indexed === undefined ? 75 : 80 + Math.floor(19 * indexed);
    case 'completed':
      return 100;
    case 'failed':
      return 0;
  }
}
