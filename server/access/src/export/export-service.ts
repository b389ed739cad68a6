import { posix } from 'node:path';
import {
  type CollectionInfo,
  DataType,
  type FieldId,
  type FieldSchema,
  functionOfOutput,
  importFailed,
} from '@elanus/model';
import type { ExportCoordinator, ExportFiles, ExportJob, NewExport } from '@elanus/rpc';
import { ConcurrencyLimit, type Counter } from '@elanus/runtime';
import type { AccessDependencies } from '../handler.ts';
import { planServedFilter } from '../read/served-filter.ts';
import type { FileSpec } from './export-messages.ts';
import { ExportedRows } from './exported-rows.ts';
import { FileThread } from './file-thread.ts';

export interface ExportDependencies
  extends Pick<AccessDependencies, 'root' | 'reader' | 'share' | 'clock' | 'logger' | 'metrics'> {
  readonly exports: ExportCoordinator;
  readonly files: ExportFiles;
}

/** Rows of a file: whoever reads it need not have much memory. */
const FILE_ROWS_MAX = 1_000_000;
const BATCH_ROWS_MAX = 2_048;
/** Bytes of texts of fixed width that are made at a time. */
const TEXT_BYTES_MAX = 8 * 1024 * 1024;
const ENDING = { parquet: 'parquet', 'json lines': 'jsonl', numpy: 'npy' } as const;

/**
 * Runs the exports that the coordinator knows, one after the other. One that a stop has interrupted goes on behind the files
 * that are complete, with the rows of the same moment.
 */
export class ExportService implements AsyncDisposable {
  readonly #dependencies: ExportDependencies;
  readonly #running = new ConcurrencyLimit(1);
  readonly #closing = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  /** Rows that are written, more often than the records say. */
  readonly #written = new Map<bigint, number>();
  readonly #rows: Counter;

  private constructor(dependencies: ExportDependencies) {
    this.#dependencies = dependencies;
    this.#rows = dependencies.metrics.counter(
      'elanus_export_rows_total',
      'Rows that exports have written',
      [],
    );
  }

  /** Goes on with what an earlier process has begun. */
  static async open(dependencies: ExportDependencies): Promise<ExportService> {
    const service = new ExportService(dependencies);
    for (const job of await dependencies.exports.unfinishedExports()) service.#start(job);
    return service;
  }

  /** Begins an export. @throws MilvusError for what can come to nothing */
  async create(collection: CollectionInfo, request: NewExport): Promise<ExportJob> {
    fieldsOf(collection, request);
    partitionsOf(collection, request);
    await planServedFilter(this.#dependencies, collection.schema, request.filter, new Map(), 'UTC');
    const ref = { database: collection.databaseName, collection: collection.name };
    const job = await this.#dependencies.exports.createExport(ref, request);
    this.#start(job);
    return job;
  }

  async find(id: bigint): Promise<ExportJob | undefined> {
    const job = await this.#dependencies.exports.findExport(id);
    return job && this.#asOfNow(job);
  }

  /** Newest first, of one database. */
  async list(database: string): Promise<readonly ExportJob[]> {
    const jobs = await this.#dependencies.exports.listExports(database);
    return jobs.map((job) => this.#asOfNow(job));
  }

  /** Stops what runs; the next start goes on with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the server stops'));
    await Promise.all(this.#tasks);
  }

  #asOfNow(job: ExportJob): ExportJob {
    return { ...job, rows: Math.max(job.rows, this.#written.get(job.id) ?? 0) };
  }

  #start(job: ExportJob): void {
    const task: Promise<void> = this.#running
      .run(() => this.#run(job))
      .catch((error) => {
        const about = { job: String(job.id), err: error };
        if (!this.#closing.signal.aborted)
          this.#dependencies.logger.error(about, 'an export rests until the next start');
      })
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
  }

  async #run(job: ExportJob): Promise<void> {
    const { clock, exports, logger } = this.#dependencies;
    const { signal } = this.#closing;
    signal.throwIfAborted();
    const about = { job: String(job.id), collection: job.collectionName, format: job.format };
    logger.info(about, 'an export begins');
    try {
      await this.#write(job);
      const { rows } = await exports.changeExport(job.id, { state: 'completed', endedMs: clock.nowMs() });
      logger.info({ ...about, rows }, 'an export has ended');
    } catch (error) {
      if (signal.aborted) throw error;
      logger.error({ ...about, err: error }, 'an export failed');
      const reason = error instanceof Error ? error.message : String(error);
      await exports.changeExport(job.id, { state: 'failed', reason, endedMs: clock.nowMs() });
    } finally {
      this.#written.delete(job.id);
    }
  }

  async #write(job: ExportJob): Promise<void> {
    const { root, exports } = this.#dependencies;
    const collection = await root.describeCollectionById(job.collectionId);
    const partitionIds = partitionsOf(collection, job);
    const rows = new ExportedRows(
      { collection, partitionIds, filter: job.filter, asOf: job.timestamp },
      this.#dependencies,
      this.#closing.signal,
    );
    const totalRows = await rows.count();
    // Rows with equal keys have no order of which a file could be the first part.
    const isOrdered = collection.duplicateKey !== 'keep';
    const begun = await exports.changeExport(job.id, {
      state: 'exporting',
      totalRows,
      timestamp: rows.timestamp,
      ...(isOrdered || job.format === 'numpy' ? {} : { rows: 0, files: [] }),
    });
    await using thread = new FileThread();
    if (begun.format === 'numpy') await this.#writeFields(begun, collection, rows, thread);
    else await this.#writeRows(begun, begun.format, collection, rows, thread);
  }

  /** Files with all fields, and so many rows each. */
  async #writeRows(
    job: ExportJob,
    format: 'parquet' | 'json lines',
    collection: CollectionInfo,
    rows: ExportedRows,
    thread: FileThread,
  ): Promise<void> {
    const fields = fieldsOf(collection, job).map(({ id }) => id);
    const file: FileSpec = { format, schema: collection.schema, fields };
    const batches = rows.batches(fields, BATCH_ROWS_MAX, job.rows);
    let next = await batches.next();
    let written = job.rows;
    for (let number = job.files.length; number === 0 || !next.done; number++) {
      const path = posix.join(job.path, `${number}.${ENDING[format]}`);
      const bytes = async function* (this: ExportService) {
        yield await thread.bytes({ kind: 'begin', file });
        for (let inFile = 0; !next.done && inFile < FILE_ROWS_MAX; inFile += BATCH_ROWS_MAX) {
          yield await thread.bytes({ kind: 'rows', ...next.value });
          written += next.value.rows;
          this.#noteRows(job.id, next.value.rows, written);
          next = await batches.next();
        }
        yield await thread.bytes({ kind: 'end' });
      };
      await this.#writeFile(job.id, path, bytes.call(this), () => written);
    }
  }

  /** A file for each field, one after the other. */
  async #writeFields(
    job: ExportJob,
    collection: CollectionInfo,
    rows: ExportedRows,
    thread: FileThread,
  ): Promise<void> {
    const { schema } = collection;
    const fields = fieldsOf(collection, job);
    const totalRows = job.totalRows!;
    for (const [at, field] of fields.entries()) {
      if (at < job.files.length) continue;
      const isLast = at === fields.length - 1;
      const width = isOfTexts(field) ? await widestText(field, rows, thread) : 1;
      const file: FileSpec = { format: 'numpy', schema, field: field.id, rows: totalRows, width };
      const batchRows = Math.max(1, Math.min(BATCH_ROWS_MAX, Math.floor(TEXT_BYTES_MAX / (4 * width))));
      let written = 0;
      const bytes = async function* (this: ExportService) {
        yield await thread.bytes({ kind: 'begin', file });
        for await (const batch of rows.batches([field.id], batchRows)) {
          yield await thread.bytes({ kind: 'rows', ...batch });
          if (!isLast) continue;
          written += batch.rows;
          this.#noteRows(job.id, batch.rows, written);
        }
      };
      await this.#writeFile(
        job.id,
        posix.join(job.path, `${field.name}.npy`),
        bytes.call(this),
        () => written,
      );
    }
  }

  /** `rows` says, once the file is written, how many rows are complete with it. */
  async #writeFile(
    id: bigint,
    path: string,
    bytes: AsyncIterable<Uint8Array>,
    rows: () => number,
  ): Promise<void> {
    const { exports, files } = this.#dependencies;
    await files.write(path, bytes);
    const known = (await exports.findExport(id))!.files;
    await exports.changeExport(id, { files: [...known, path], rows: rows() });
  }

  #noteRows(id: bigint, rows: number, written: number): void {
    this.#rows.inc({}, rows);
    this.#written.set(id, written);
  }
}

async function widestText(field: FieldSchema, rows: ExportedRows, thread: FileThread): Promise<number> {
  let width = 1;
  for await (const { columns } of rows.batches([field.id], BATCH_ROWS_MAX))
    width = Math.max(width, await thread.width({ kind: 'measure', column: columns.get(field.id)! }));
  return width;
}

function isOfTexts({ dataType }: FieldSchema): boolean {
  const texts: readonly DataType[] = [
    DataType.VarChar,
    DataType.Text,
    DataType.JSON,
    DataType.Geometry,
    DataType.Timestamptz,
  ];
  return texts.includes(dataType);
}

/** The fields that are exported: what functions make is made again by an import. @throws MilvusError 2100 */
function fieldsOf(
  { schema }: CollectionInfo,
  { fieldNames, format }: Pick<NewExport, 'fieldNames' | 'format'>,
): readonly FieldSchema[] {
  const all = [...schema.fields, ...(schema.dynamicField === null ? [] : [schema.dynamicField])];
  const own = all.filter(({ id }) => functionOfOutput(schema, id) === undefined);
  const structOf = (id: FieldId) => schema.structArrays.find(({ fieldIds }) => fieldIds.includes(id))?.name;
  const nameOf = (field: FieldSchema) => structOf(field.id) ?? field.name;
  const unknown = fieldNames.find((name) => !own.some((field) => nameOf(field) === name));
  if (unknown !== undefined)
    throw importFailed(`the collection has no field ${unknown} that can be exported`);
  const wanted = fieldNames.length === 0 ? own : own.filter((field) => fieldNames.includes(nameOf(field)));
  if (format === 'numpy') {
    const nested: readonly DataType[] = [DataType.Array, DataType.ArrayOfVector, DataType.SparseFloatVector];
    const unfit = wanted.find(
      ({ dataType, nullable, isDynamic }) => nested.includes(dataType) || (nullable && !isDynamic),
    );
    if (unfit !== undefined)
      throw importFailed(`the field ${unfit.name} has no form in NumPy: leave it out, or export Parquet`);
  }
  return wanted;
}

function partitionsOf({ partitions }: CollectionInfo, { partitionNames }: Pick<NewExport, 'partitionNames'>) {
  if (partitionNames.length === 0) return null;
  return partitionNames.map((name) => {
    const partition = partitions.find((each) => each.name === name);
    if (partition === undefined) throw importFailed(`partition ${name} not found`);
    return partition.id;
  });
}
