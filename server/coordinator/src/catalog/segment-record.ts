import type {
  ChannelName,
  Checkpoint,
  CollectionId,
  DeleteFileInfo,
  FieldId,
  IndexFileInfo,
  IndexId,
  PartitionId,
  SegmentId,
  SegmentInfo,
  StoredFile,
  Timestamp,
} from '@elanus/model';
import { decodeRecord, encodeRecord, type StoredObject } from './record.ts';

/**
 * Of what was measured of an index. It grows whenever searches of the same index find other rows with the same effort:
 * figures of another version are as good as none.
 */
const RECALLS_VERSION = 5;

export function encodeSegment(segment: SegmentInfo): Uint8Array {
  return encodeRecord({
    id: String(segment.id),
    collectionId: String(segment.collectionId),
    partitionId: String(segment.partitionId),
    channel: segment.channel,
    rows: segment.rows,
    firstTimestamp: String(segment.firstTimestamp),
    lastTimestamp: String(segment.lastTimestamp),
    file: segment.file,
  });
}

/** @throws RecordDamage, RecordTooNew, as all of them */
export function decodeSegment(bytes: Uint8Array): SegmentInfo {
  const record = decodeRecord(bytes);
  return {
    id: record.int64('id') as SegmentId,
    collectionId: record.int64('collectionId') as CollectionId,
    partitionId: record.int64('partitionId') as PartitionId,
    channel: record.text('channel') as ChannelName,
    rows: record.integer('rows'),
    firstTimestamp: record.int64('firstTimestamp') as Timestamp,
    lastTimestamp: record.int64('lastTimestamp') as Timestamp,
    file: storedFile(record),
  };
}

export function encodeDeleteFile(deletes: DeleteFileInfo): Uint8Array {
  return encodeRecord({
    id: String(deletes.id),
    collectionId: String(deletes.collectionId),
    channel: deletes.channel,
    rows: deletes.rows,
    file: deletes.file,
  });
}

export function decodeDeleteFile(bytes: Uint8Array): DeleteFileInfo {
  const record = decodeRecord(bytes);
  return {
    id: record.int64('id') as SegmentId,
    collectionId: record.int64('collectionId') as CollectionId,
    channel: record.text('channel') as ChannelName,
    rows: record.integer('rows'),
    file: storedFile(record),
  };
}

export function encodeIndexFile(index: IndexFileInfo): Uint8Array {
  return encodeRecord({
    id: String(index.id),
    collectionId: String(index.collectionId),
    indexId: String(index.indexId),
    fieldId: index.fieldId,
    rows: index.rows,
    runs: index.runs.map(({ segmentId, from, to }) => ({ segmentId: String(segmentId), from, to })),
    file: index.file,
    ...(index.recalls === undefined
      ? {}
      : { recalls: { version: RECALLS_VERSION, measured: index.recalls } }),
  });
}

export function decodeIndexFile(bytes: Uint8Array): IndexFileInfo {
  const record = decodeRecord(bytes);
  return {
    id: record.int64('id') as SegmentId,
    collectionId: record.int64('collectionId') as CollectionId,
    indexId: record.int64('indexId') as IndexId,
    fieldId: record.integer('fieldId') as FieldId,
    rows: record.integer('rows'),
    runs: record.objects('runs', (run) => ({
      segmentId: run.int64('segmentId') as SegmentId,
      from: run.integer('from'),
      to: run.integer('to'),
    })),
    file: storedFile(record),
    ...measuredRecalls(record),
  };
}

function measuredRecalls(record: StoredObject): Pick<IndexFileInfo, 'recalls'> {
  if (!record.has('recalls')) return {};
  const recalls = record.object('recalls');
  if (recalls.integer('version') !== RECALLS_VERSION) return {};
  return {
    recalls: recalls.objects('measured', (curve) => ({
      hits: curve.integer('hits'),
      halvings: curve.integer('halvings'),
      margin: curve.number('margin'),
      points: curve.objects('points', (point) => ({
        ef: point.integer('ef'),
        recall: point.number('recall'),
        standardError: point.number('standardError'),
        isScanned: point.flag('isScanned'),
      })),
    })),
  };
}

export function encodeCheckpoint({ collectionId, timestamp, historyStart }: Checkpoint): Uint8Array {
  return encodeRecord({
    collectionId: String(collectionId),
    timestamp: String(timestamp),
    historyStart: String(historyStart),
  });
}

export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const record = decodeRecord(bytes);
  return {
    collectionId: record.int64('collectionId') as CollectionId,
    timestamp: record.int64('timestamp') as Timestamp,
    historyStart: record.int64('historyStart') as Timestamp,
  };
}

function storedFile(record: StoredObject): StoredFile {
  const file = record.object('file');
  return { key: file.text('key'), bytes: file.integer('bytes'), crc32: file.integer('crc32') };
}
