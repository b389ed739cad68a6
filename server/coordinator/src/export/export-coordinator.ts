import { importFailed } from '@elanus/model';
import type { CollectionRef, ExportChange, ExportCoordinator, ExportJob, NewExport } from '@elanus/rpc';
import type { Clock } from '@elanus/runtime';
import type { Catalog } from '../catalog/catalog.ts';
import { isForgotten, newestFirst, requireFewUnfinished, unfinishedOf } from '../import/job-limits.ts';
import type { IdAllocator } from '../root/id-allocator.ts';

/** Exports as records of the catalog. */
export class CatalogExportCoordinator implements ExportCoordinator {
  readonly #catalog: Catalog;
  readonly #ids: IdAllocator;
  readonly #clock: Clock;

  constructor(options: { readonly catalog: Catalog; readonly ids: IdAllocator; readonly clock: Clock }) {
    this.#catalog = options.catalog;
    this.#ids = options.ids;
    this.#clock = options.clock;
  }

  async createExport(ref: CollectionRef, request: NewExport): Promise<ExportJob> {
    const collection = this.#catalog.collection(ref);
    const nowMs = this.#clock.nowMs();
    const jobs = this.#catalog.files.exports();
    requireFewUnfinished(jobs);
    const { partitionNames, filter, fieldNames, format, path } = request;
    const job: ExportJob = {
      id: await this.#ids.allocate(1),
      collectionId: collection.id,
      collectionName: collection.name,
      databaseName: collection.databaseName,
      partitionNames,
      filter,
      fieldNames,
      format,
      path,
      state: 'pending',
      reason: '',
      createdMs: nowMs,
      endedMs: null,
      rows: 0,
      totalRows: null,
      timestamp: null,
      files: [],
    };
    const forgotten = jobs.filter((each) => isForgotten(each, nowMs));
    await this.#catalog.commit([
      ...forgotten.map(({ id }) => ({ kind: 'remove-export', id }) as const),
      { kind: 'put-export', job },
    ]);
    return job;
  }

  async findExport(id: bigint): Promise<ExportJob | undefined> {
    const job = this.#catalog.files.findExport(id);
    return job === undefined || isForgotten(job, this.#clock.nowMs()) ? undefined : job;
  }

  async listExports(database: string): Promise<readonly ExportJob[]> {
    const { name } = this.#catalog.database(database);
    const nowMs = this.#clock.nowMs();
    return this.#catalog.files
      .exports()
      .filter((job) => job.databaseName === name && !isForgotten(job, nowMs))
      .sort(newestFirst);
  }

  async unfinishedExports(): Promise<readonly ExportJob[]> {
    return unfinishedOf(this.#catalog.files.exports());
  }

  async changeExport(id: bigint, change: ExportChange): Promise<ExportJob> {
    const known = this.#catalog.files.findExport(id);
    if (known === undefined) throw importFailed(`job ${id} is not known`);
    const job: ExportJob = { ...known, ...change };
    await this.#catalog.commit([{ kind: 'put-export', job }]);
    return job;
  }
}
