import { type CollectionInfo, importFailed } from '@elanus/model';
import type { Draft, milvus_GetImportStateResponse } from '@elanus/proto';
import type { ImportCoordinator, ImportState } from '@elanus/rpc';
import { collectionRef } from '../definition/collection-ref.ts';
import type { AccessDependencies, Handlers } from '../handler.ts';
import { namedPartition } from '../write/write-target.ts';
import { isCommittedWhenAsked, readImportOptions } from './import-options.ts';
import type { ImportService, ImportStatus } from './import-service.ts';
import { unitsOf } from './import-units.ts';

/** `ImportState` of the wire. */
const STATE_NUMBER: Readonly<Record<ImportState, number>> = {
  pending: 0,
  failed: 1,
  importing: 2,
  uncommitted: 2,
  committing: 2,
  completed: 6,
};

/** What REST shows of an import, under a key that gRPC's clients pass over. */
export const DETAILS_KEY = 'details';

export interface ImportHandlerDependencies {
  readonly imports: ImportCoordinator;
  readonly service: ImportService;
}

/** Imports of files: they are begun here, run in the background, and are asked after. */
export function importHandlers(
  { root, limits }: AccessDependencies,
  { imports, service }: ImportHandlerDependencies,
): Handlers {
  return {
    async Import(request, context) {
      const ref = collectionRef(context.database, request.collectionName, limits);
      const collection = await root.describeCollection(ref);
      requirePartition(collection, request.partitionName, limits);
      const units = unitsOf(request.files).map((paths) => ({
        paths,
        bytes: 0,
        rows: 0,
        totalRows: null,
        mistakes: [],
      }));
      const { options, partitionName } = request;
      const { kind } = readImportOptions(options);
      const job = await imports.createImport(ref, { partitionName, units, options, kind });
      service.start(job);
      return { tasks: [job.id] };
    },

    async GetImportState(request) {
      const job = await imports.findImport(request.task);
      if (job === undefined) throw importFailed(`cannot find import job with jobID ${request.task}`);
      return shown(service.statusOf(job));
    },

    async ListImportTasks(request, context) {
      const { collectionName, limit } = request;
      const wanted = collectionName === '' ? null : collectionName;
      const jobs = await imports.listImports(context.database, wanted);
      const shownJobs = limit > 0n ? jobs.slice(0, Number(limit)) : jobs;
      return { tasks: shownJobs.map((job) => shown(service.statusOf(job))) };
    },
  };
}

function requirePartition(
  collection: CollectionInfo,
  partitionName: string,
  limits: AccessDependencies['limits'],
): void {
  if (partitionName !== '' && collection.schema.partitionKey !== null)
    throw importFailed('not allow to set partition name for collection with partition key');
  namedPartition(collection, partitionName, limits);
}

function shown({ job, percent }: ImportStatus): Draft<milvus_GetImportStateResponse> {
  const rows = job.units.reduce((sum, unit) => sum + unit.rows, 0);
  const infos: Record<string, string> = {
    progress_percent: String(percent),
    collection: job.collectionName,
    partition: job.partitionName,
    files: job.units.flatMap(({ paths }) => paths).join(','),
    ...(job.reason === '' ? {} : { failed_reason: job.reason }),
    [DETAILS_KEY]: JSON.stringify({
      state: job.state,
      isCommittedWhenAsked: isCommittedWhenAsked(job.options),
      createdMs: job.createdMs,
      endedMs: job.endedMs,
      units: job.units,
    }),
  };
  return {
    id: job.id,
    state: STATE_NUMBER[job.state],
    rowCount: BigInt(job.state === 'failed' && job.kind === 'import' ? 0 : rows),
    collectionId: job.collectionId,
    createTs: BigInt(Math.floor(job.createdMs / 1_000)),
    infos: Object.entries(infos).map(([key, value]) => ({ key, value })),
  };
}
