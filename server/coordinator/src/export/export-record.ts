import type { CollectionId, Timestamp } from '@elanus/model';
import type { ExportFormat, ExportJob, ExportState } from '@elanus/rpc';
import { decodeRecord, encodeRecord, RecordDamage } from '../catalog/record.ts';

const STATES: readonly ExportState[] = ['pending', 'exporting', 'completed', 'failed'];
const FORMATS: readonly ExportFormat[] = ['parquet', 'json lines', 'numpy'];

export function encodeExport(job: ExportJob): Uint8Array {
  return encodeRecord({
    ...job,
    id: String(job.id),
    collectionId: String(job.collectionId),
    timestamp: job.timestamp === null ? null : String(job.timestamp),
  });
}

/** @throws RecordDamage, RecordTooNew */
export function decodeExport(bytes: Uint8Array): ExportJob {
  const record = decodeRecord(bytes);
  const state = STATES.find((each) => each === record.text('state'));
  if (state === undefined) throw new RecordDamage(`record.state is ${record.text('state')}`);
  const format = FORMATS.find((each) => each === record.text('format'));
  if (format === undefined) throw new RecordDamage(`record.format is ${record.text('format')}`);
  return {
    id: record.int64('id'),
    collectionId: record.int64('collectionId') as CollectionId,
    collectionName: record.text('collectionName'),
    databaseName: record.text('databaseName'),
    partitionNames: record.texts('partitionNames'),
    filter: record.text('filter'),
    fieldNames: record.texts('fieldNames'),
    format,
    path: record.text('path'),
    state,
    reason: record.text('reason'),
    createdMs: record.integer('createdMs'),
    endedMs: record.has('endedMs') ? record.integer('endedMs') : null,
    rows: record.integer('rows'),
    totalRows: record.has('totalRows') ? record.integer('totalRows') : null,
    timestamp: record.has('timestamp') ? (record.int64('timestamp') as Timestamp) : null,
    files: record.texts('files'),
  };
}
