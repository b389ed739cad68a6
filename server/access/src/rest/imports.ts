import { importFailed } from '@elanus/model';
import type { milvus_GetImportStateResponse } from '@elanus/proto';
import type { ImportState } from '@elanus/rpc';
import { DETAILS_KEY } from '../import/import-handlers.ts';
import { kindOf } from '../import/import-units.ts';
import { type Body, optional, required } from './body.ts';
import { COLLECTION } from './collection-shape.ts';
import { DONE, type Endpoint, type Endpoints, endpoint } from './endpoint.ts';
import type { Json } from './json-reader.ts';
import type { JsonOut } from './json-text.ts';
import { keyValues } from './key-values.ts';
import { incorrectJson } from './rest-errors.ts';
import { timeText } from './time-text.ts';

const JOB = { dbName: optional('string'), jobId: required('string') };

const describe: Endpoint = endpoint(JOB, async (body, caller) => ({
  data: described(await caller.ask('GetImportState', { task: jobOf(body) })),
}));

/** Imports of files. */
export const imports: Endpoints = {
  'jobs/import/create': endpoint(
    {
      ...COLLECTION,
      partitionName: optional('string'),
      files: required('array'),
      options: optional('object'),
    },
    async (body, caller) => {
      const { tasks } = await caller.ask('Import', {
        collectionName: body.text('collectionName'),
        partitionName: body.text('partitionName'),
        files: filesOf(body),
        options: keyValues(body.object('options')),
      });
      return { data: { jobId: String(tasks[0]) } };
    },
  ),
  'jobs/import/list': endpoint(
    { dbName: optional('string'), collectionName: optional('string') },
    async (body, caller) => {
      const { tasks } = await caller.ask('ListImportTasks', { collectionName: body.text('collectionName') });
      const records = tasks.map((task) => {
        const { jobId, collectionName, state, progress, reason } = described(task);
        return { jobId, collectionName, state, progress, reason };
      });
      return { data: { records } };
    },
  ),
  'jobs/import/describe': describe,
  'jobs/import/get_progress': describe,
  'jobs/import/commit': endpoint(JOB, async (body, caller) => {
    await caller.importing.commit(jobOf(body));
    return DONE;
  }),
  'jobs/import/abort': endpoint(JOB, async (body, caller) => {
    await caller.importing.giveUp(jobOf(body));
    return DONE;
  }),
};

/** @throws MilvusError 2100 */
function jobOf(body: Body): bigint {
  const jobId = body.text('jobId');
  if (!/^\d{1,19}$/.test(jobId)) throw importFailed(`parse job id failed: ${JSON.stringify(jobId)}`);
  return BigInt(jobId);
}

/** A list for each set of files that hold rows together: one file, or NumPy's with a field each. */
function filesOf(body: Body): string[] {
  return body.list('files').flatMap((set) => {
    if (!isTexts(set)) throw incorrectJson('the member files is not a list of lists of paths');
    if (set.length === 0) throw importFailed('import request is empty');
    if (set.length > 1 && set.some((path) => kindOf(path) !== 'numpy'))
      throw importFailed(`for other formats than NumPy, each list takes one file: ${set.join(', ')}`);
    return set;
  });
}

function isTexts(value: Json): value is string[] {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}

interface Details {
  readonly state: ImportState;
  readonly isCommittedWhenAsked: boolean;
  readonly createdMs: number;
  readonly endedMs: number | null;
  readonly units: readonly {
    readonly paths: readonly string[];
    readonly bytes: number;
    readonly rows: number;
    readonly totalRows: number | null;
    readonly mistakes: readonly string[];
  }[];
}

const STATES: Readonly<Record<ImportState, string>> = {
  pending: 'Pending',
  importing: 'Importing',
  uncommitted: 'Uncommitted',
  committing: 'Importing',
  completed: 'Completed',
  failed: 'Failed',
};

function described({ id, infos }: milvus_GetImportStateResponse) {
  const values = new Map(infos.map(({ key, value }) => [key, value]));
  const details = JSON.parse(values.get(DETAILS_KEY)!) as Details;
  const isAsked = details.state === 'committing' && details.isCommittedWhenAsked;
  const state = isAsked ? 'Committing' : STATES[details.state];
  const progress = Number(values.get('progress_percent'));
  const completeTime = timeText(details.endedMs);
  const reason = values.get('failed_reason');
  const sum = (numberOf: (unit: Details['units'][number]) => number) =>
    details.units.reduce((total, unit) => total + numberOf(unit), 0);
  return {
    jobId: String(id),
    collectionName: values.get('collection')!,
    createTime: timeText(details.createdMs),
    completeTime,
    state,
    progress,
    importedRows: sum(({ rows }) => rows),
    totalRows: sum(({ rows, totalRows }) => totalRows ?? rows),
    fileSize: sum(({ bytes }) => bytes),
    reason,
    details: details.units.map(({ paths, bytes, rows, totalRows, mistakes }): JsonOut => {
      const isRead = totalRows === rows;
      return {
        fileName: paths.join(','),
        fileSize: bytes,
        progress: isRead ? 100 : totalRows === null ? 0 : Math.floor((100 * rows) / totalRows),
        completeTime: isRead ? completeTime : '',
        state: mistakes.length > 0 ? 'Failed' : state,
        importedRows: rows,
        totalRows: totalRows ?? rows,
        reason: mistakes.length > 0 ? mistakes.join('; ') : undefined,
      };
    }),
  };
}
