import { importFailed } from '@elanus/model';
import type { ExportFormat, ExportJob } from '@elanus/rpc';
import { collectionRef } from '../definition/collection-ref.ts';
import { optional, required } from './body.ts';
import { COLLECTION } from './collection-shape.ts';
import { type Endpoints, endpoint } from './endpoint.ts';
import type { JsonOut } from './json-text.ts';
import { timeText } from './time-text.ts';

const FORMATS: Readonly<Record<string, ExportFormat>> = {
  parquet: 'parquet',
  jsonl: 'json lines',
  numpy: 'numpy',
};
const STATES: Readonly<Record<ExportJob['state'], string>> = {
  pending: 'Pending',
  exporting: 'Exporting',
  completed: 'Completed',
  failed: 'Failed',
};

/** Exports of rows to files, which Milvus has no call for. */
export const exports: Endpoints = {
  'jobs/export/create': endpoint(
    {
      ...COLLECTION,
      partitionNames: optional('strings'),
      filter: optional('string'),
      outputFields: optional('strings'),
      format: optional('string'),
      path: required('string'),
    },
    async (body, caller) => {
      const { root, limits, service } = caller.exporting;
      const ref = collectionRef(caller.context.database, body.text('collectionName'), limits);
      const format = FORMATS[body.text('format', 'parquet').toLowerCase()];
      if (format === undefined) throw importFailed(`the format is one of ${Object.keys(FORMATS).join(', ')}`);
      const { id } = await service.create(await root.describeCollection(ref), {
        partitionNames: body.texts('partitionNames'),
        filter: body.text('filter'),
        fieldNames: body.texts('outputFields'),
        format,
        path: body.text('path'),
      });
      return { data: { jobId: String(id) } };
    },
  ),
  'jobs/export/describe': endpoint(
    { dbName: optional('string'), jobId: required('string') },
    async (body, caller) => {
      const jobId = body.text('jobId');
      const job = /^\d{1,19}$/.test(jobId) ? await caller.exporting.service.find(BigInt(jobId)) : undefined;
      if (job === undefined) throw importFailed(`cannot find export job with jobID ${jobId}`);
      return { data: shown(job) };
    },
  ),
  'jobs/export/list': endpoint({ dbName: optional('string') }, async (_, caller) => {
    const jobs = await caller.exporting.service.list(caller.context.database);
    return { data: { records: jobs.map(shown) } };
  }),
};

function shown(job: ExportJob): JsonOut {
  const { id, collectionName, state, reason, createdMs, endedMs, rows, totalRows, timestamp, files } = job;
  const isOver = state === 'completed';
  return {
    jobId: String(id),
    collectionName,
    createTime: timeText(createdMs),
    completeTime: timeText(endedMs),
    state: STATES[state],
    progress: isOver ? 100 : Math.floor((99 * rows) / Math.max(1, totalRows ?? 1)),
    exportedRows: rows,
    totalRows: totalRows ?? 0,
    timestamp: String(timestamp ?? 0n),
    files,
    reason: reason === '' ? undefined : reason,
  };
}
