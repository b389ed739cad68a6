import type { ChannelName, CollectionId, PartitionId, SegmentId } from '@elanus/model';
import type { ImportJob, ImportState } from '@elanus/rpc';
import { decodeRecord, encodeRecord, RecordDamage } from '../catalog/record.ts';

const STATES: readonly ImportState[] = [
  'pending',
  'importing',
  'uncommitted',
  'committing',
  'completed',
  'failed',
];

export function encodeImport(job: ImportJob): Uint8Array {
  return encodeRecord({
    ...job,
    id: String(job.id),
    collectionId: String(job.collectionId),
    segments: job.segments.map((segment) => ({
      ...segment,
      id: String(segment.id),
      partitionId: String(segment.partitionId),
    })),
  });
}

/** @throws RecordDamage, RecordTooNew */
export function decodeImport(bytes: Uint8Array): ImportJob {
  const record = decodeRecord(bytes);
  const state = STATES.find((each) => each === record.text('state'));
  if (state === undefined) throw new RecordDamage(`record.state is ${record.text('state')}`);
  return {
    id: record.int64('id'),
    collectionId: record.int64('collectionId') as CollectionId,
    collectionName: record.text('collectionName'),
    databaseName: record.text('databaseName'),
    partitionName: record.text('partitionName'),
    units: record.objects('units', (unit) => ({
      paths: unit.texts('paths'),
      bytes: unit.integer('bytes'),
      rows: unit.integer('rows'),
      totalRows: unit.has('totalRows') ? unit.integer('totalRows') : null,
      mistakes: unit.texts('mistakes'),
    })),
    options: record.objects('options', (option) => ({
      key: option.text('key'),
      value: option.text('value'),
    })),
    kind: record.text('kind') === 'rehearsal' ? 'rehearsal' : 'import',
    state,
    reason: record.text('reason'),
    createdMs: record.integer('createdMs'),
    endedMs: record.has('endedMs') ? record.integer('endedMs') : null,
    segments: record.objects('segments', (segment) => ({
      id: segment.int64('id') as SegmentId,
      channel: segment.text('channel') as ChannelName,
      partitionId: segment.int64('partitionId') as PartitionId,
      rows: segment.integer('rows'),
      bytes: segment.integer('bytes'),
      crc32: segment.integer('crc32'),
    })),
  };
}
