import { posix } from 'node:path';
import {
  type CollectionInfo,
  DataType,
  type FieldId,
  type FieldSchema,
  functionOfOutput,
  importFailed,
  MilvusError,
} from '@elanus/model';
import type { ExportFiles } from '@elanus/rpc';
import { ConcurrencyLimit, type Counter } from '@elanus/runtime';
import type { AccessDependencies } from '../handler.ts';
import { planServedFilter } from '../read/served-filter.ts';
import type { ExportFormat, FileSpec } from './export-messages.ts';
import { ExportedRows } from './exported-rows.ts';
import { FileThread } from './file-thread.ts';

export interface ExportRequest {
  readonly collection: CollectionInfo;
  /** Empty: all. */
  readonly partitionNames: readonly string[];
  readonly filter: string;
  /** Empty: all that an import takes. */
  readonly fieldNames: readonly string[];
  readonly format: ExportFormat;
  /** The folder that the files are put into. */
  readonly path: string;
}

export interface ExportJob extends ExportRequest {
  readonly id: bigint;
  readonly state: 'pending' | 'exporting' | 'completed' | 'failed';
  readonly reason: string;
  readonly createdMs: number;
  readonly endedMs: number | null;
  readonly rows: number;
  /** `null` until they are counted. */
  readonly totalRows: number | null;
  /** As of when; 0 until the first rows were found. */
  readonly timestamp: bigint;
  /** Those that are complete. */
  readonly files: readonly string[];
}

export type ExportDependencies = Pick<
  AccessDependencies,
  'root' | 'reader' | 'share' | 'clock' | 'logger' | 'metrics'
> & { readonly files: ExportFiles };

const RETENTION_MS = 10_800_000;
/** Rows of a file: whoever reads it need not have much memory. */
const FILE_ROWS_MAX = 1_000_000;
const BATCH_ROWS_MAX = 2_048;
/** Bytes of texts of fixed width that are made at a time. */
const TEXT_BYTES_MAX = 8 * 1024 * 1024;
const ENDING = { parquet: 'parquet', 'json lines': 'jsonl', numpy: 'npy' } as const;

/** Exports of rows to files, one after the other. They are known until three hours after their end, or until a stop. */
export class ExportService implements AsyncDisposable {
  readonly #dependencies: ExportDependencies;
  readonly #jobs = new Map<bigint, ExportJob>();
  readonly #running = new ConcurrencyLimit(1);
  readonly #closing = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #rows: Counter;

  constructor(dependencies: ExportDependencies) {
    this.#dependencies = dependencies;
    this.#rows = dependencies.metrics.counter(
      'elanus_export_rows_total',
      'Rows that exports have written',
      [],
    );
  }

  /** Begins an export. @throws MilvusError for what can come to nothing */
  async create(request: ExportRequest): Promise<ExportJob> {
    const { root, clock } = this.#dependencies;
    this.#forget();
    fieldsOf(request);
    partitionsOf(request);
    await planServedFilter(this.#dependencies, request.collection.schema, request.filter, new Map(), 'UTC');
    const job: ExportJob = {
      ...request,
      id: await root.allocateIds(1),
      state: 'pending',
      reason: '',
      createdMs: clock.nowMs(),
      endedMs: null,
      rows: 0,
      totalRows: null,
      timestamp: 0n,
      files: [],
    };
    this.#jobs.set(job.id, job);
    const task: Promise<void> = this.#running
      .run(() => this.#run(job.id))
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
    return job;
  }

  find(id: bigint): ExportJob | undefined {
    this.#forget();
    return this.#jobs.get(id);
  }

  /** Newest first, of one database. */
  list(database: string): readonly ExportJob[] {
    this.#forget();
    return [...this.#jobs.values()].filter((job) => job.collection.databaseName === database).reverse();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the server stops'));
    await Promise.all(this.#tasks);
  }

  #forget(): void {
    const nowMs = this.#dependencies.clock.nowMs();
    for (const { id, endedMs } of this.#jobs.values())
      if (endedMs !== null && endedMs + RETENTION_MS < nowMs) this.#jobs.delete(id);
  }

  #change(id: bigint, change: Partial<ExportJob>): ExportJob {
    const job = { ...this.#jobs.get(id)!, ...change };
    this.#jobs.set(id, job);
    return job;
  }

  async #run(id: bigint): Promise<void> {
    const { clock, logger } = this.#dependencies;
    const { signal } = this.#closing;
    if (signal.aborted) return;
    const job = this.#change(id, { state: 'exporting' });
    const about = { job: String(id), collection: job.collection.name, format: job.format };
    logger.info(about, 'an export begins');
    try {
      const partitionIds = partitionsOf(job);
      const rows = new ExportedRows({ ...job, partitionIds }, this.#dependencies, signal);
      const totalRows = await rows.count();
      this.#change(id, { totalRows, timestamp: rows.timestamp ?? 0n });
      await using thread = new FileThread();
      if (job.format === 'numpy') await this.#writeFields(job, rows, thread, totalRows);
      else await this.#writeRows(job, job.format, rows, thread);
      const { rows: written } = this.#change(id, { state: 'completed', endedMs: clock.nowMs() });
      logger.info({ ...about, rows: written }, 'an export has ended');
    } catch (error) {
      const isTold = error instanceof MilvusError;
      logger.error({ ...about, err: error }, 'an export failed');
      const reason = isTold || error instanceof Error ? error.message : String(error);
      this.#change(id, { state: 'failed', reason, endedMs: clock.nowMs() });
    }
  }

  /** Files with all fields, and so many rows each. */
  async #writeRows(
    job: ExportJob,
    format: 'parquet' | 'json lines',
    rows: ExportedRows,
    thread: FileThread,
  ): Promise<void> {
    const fields = fieldsOf(job).map(({ id }) => id);
    const file: FileSpec = { format, schema: job.collection.schema, fields };
    const batches = rows.batches(fields, BATCH_ROWS_MAX);
    let next = await batches.next();
    for (let number = 0; number === 0 || !next.done; number++) {
      const path = posix.join(job.path, `${number}.${ENDING[format]}`);
      const bytes = async function* (this: ExportService) {
        yield await thread.bytes({ kind: 'begin', file });
        for (let inFile = 0; !next.done && inFile < FILE_ROWS_MAX; inFile += BATCH_ROWS_MAX) {
          yield await thread.bytes({ kind: 'rows', ...next.value });
          this.#noteRows(job.id, next.value.rows);
          next = await batches.next();
        }
        yield await thread.bytes({ kind: 'end' });
      };
      await this.#write(job.id, path, bytes.call(this));
    }
  }

  /** A file for each field, one after the other. */
  async #writeFields(
    job: ExportJob,
    rows: ExportedRows,
    thread: FileThread,
    totalRows: number,
  ): Promise<void> {
    const { schema } = job.collection;
    const fields = fieldsOf(job);
    for (const [at, field] of fields.entries()) {
      const width = isOfTexts(field) ? await widestText(field, rows, thread) : 1;
      const file: FileSpec = { format: 'numpy', schema, field: field.id, rows: totalRows, width };
      const batchRows = Math.max(1, Math.min(BATCH_ROWS_MAX, Math.floor(TEXT_BYTES_MAX / (4 * width))));
      const bytes = async function* (this: ExportService) {
        yield await thread.bytes({ kind: 'begin', file });
        for await (const batch of rows.batches([field.id], batchRows)) {
          yield await thread.bytes({ kind: 'rows', ...batch });
          if (at === fields.length - 1) this.#noteRows(job.id, batch.rows);
        }
      };
      await this.#write(job.id, posix.join(job.path, `${field.name}.npy`), bytes.call(this));
    }
  }

  async #write(id: bigint, path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#dependencies.files.write(path, bytes);
    this.#change(id, { files: [...this.#jobs.get(id)!.files, path] });
  }

  #noteRows(id: bigint, rows: number): void {
    this.#rows.inc({}, rows);
    this.#change(id, { rows: this.#jobs.get(id)!.rows + rows });
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
function fieldsOf({ collection, fieldNames, format }: ExportRequest): readonly FieldSchema[] {
  const { schema } = collection;
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

function partitionsOf({ collection, partitionNames }: ExportRequest) {
  if (partitionNames.length === 0) return null;
  return partitionNames.map((name) => {
    const partition = collection.partitions.find((each) => each.name === name);
    if (partition === undefined) throw importFailed(`partition ${name} not found`);
    return partition.id;
  });
}
