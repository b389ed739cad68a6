import { importFailed } from '@elanus/model';
import type { CollectionRef, ImportChange, ImportCoordinator, ImportJob, NewImport } from '@elanus/rpc';
import type { Clock } from '@elanus/runtime';
import type { Catalog } from '../catalog/catalog.ts';
import type { IdAllocator } from '../root/id-allocator.ts';
import { isForgotten, newestFirst, requireFewUnfinished, unfinishedOf } from './job-limits.ts';

/** Imports as records of the catalog. */
export class CatalogImportCoordinator implements ImportCoordinator {
  readonly #catalog: Catalog;
  readonly #ids: IdAllocator;
  readonly #clock: Clock;

  constructor(options: { readonly catalog: Catalog; readonly ids: IdAllocator; readonly clock: Clock }) {
    this.#catalog = options.catalog;
    this.#ids = options.ids;
    this.#clock = options.clock;
  }

  async createImport(ref: CollectionRef, request: NewImport): Promise<ImportJob> {
    const collection = this.#catalog.collection(ref);
    const nowMs = this.#clock.nowMs();
    const jobs = this.#catalog.files.imports();
    const forgotten = jobs.filter((job) => isForgettable(job, nowMs));
    requireFewUnfinished(jobs);
    const job: ImportJob = {
      ...request,
      id: await this.#ids.allocate(1),
      collectionId: collection.id,
      collectionName: collection.name,
      databaseName: collection.databaseName,
      state: 'pending',
      reason: '',
      createdMs: nowMs,
      endedMs: null,
      segments: [],
    };
    await this.#catalog.commit([
      ...forgotten.map(({ id }) => ({ kind: 'remove-import', id }) as const),
      { kind: 'put-import', job },
    ]);
    return job;
  }

  async findImport(id: bigint): Promise<ImportJob | undefined> {
    const job = this.#catalog.files.findImport(id);
    return job === undefined || isForgettable(job, this.#clock.nowMs()) ? undefined : job;
  }

  async listImports(database: string, collection: string | null): Promise<readonly ImportJob[]> {
    const { name } = this.#catalog.database(database);
    const wanted = collection === null ? null : this.#catalog.collection({ database, collection }).id;
    const nowMs = this.#clock.nowMs();
    return this.#catalog.files
      .imports()
      .filter((job) => job.databaseName === name && (wanted === null || job.collectionId === wanted))
      .filter((job) => !isForgettable(job, nowMs))
      .sort(newestFirst);
  }

  async unfinishedImports(): Promise<readonly ImportJob[]> {
    return unfinishedOf(this.#catalog.files.imports());
  }

  async changeImport(id: bigint, change: ImportChange): Promise<ImportJob> {
    const known = this.#catalog.files.findImport(id);
    if (known === undefined) throw importFailed(`job ${id} is not known`);
    // The publication of a flush, which takes segments out of the record, holds the same lock.
    return await this.#catalog.withCollectionId(known.collectionId, async () => {
      const { staged = [], isGivenUp = false, ...rest } = change;
      const before = this.#catalog.files.findImport(id)!;
      const segments = isGivenUp ? [] : [...before.segments, ...staged];
      const job: ImportJob = { ...before, ...rest, segments };
      await this.#catalog.commit([{ kind: 'put-import', job }]);
      return job;
    });
  }
}

/** An import whose rows no flush has published is kept: its record is what keeps their files. */
function isForgettable(job: ImportJob, nowMs: number): boolean {
  return isForgotten(job, nowMs) && job.segments.length === 0;
}
