import type { CollectionId, FieldId, IndexId, IndexInfo, MetricType, Timestamp } from '@elanus/model';
import { METRIC_TYPES } from '@elanus/model';
import { keyValueFromJson, keyValueToJson } from './collection-record.ts';
import { decodeRecord, encodeRecord, RecordDamage } from './record.ts';

export function encodeIndex(index: IndexInfo): Uint8Array {
  return encodeRecord({
    id: String(index.id),
    collectionId: String(index.collectionId),
    fieldId: index.fieldId,
    name: index.name,
    indexType: index.indexType,
    metricType: index.metricType,
    params: index.params.map(keyValueToJson),
    createdTimestamp: String(index.createdTimestamp),
  });
}

/** @throws RecordDamage, RecordTooNew */
export function decodeIndex(bytes: Uint8Array): IndexInfo {
  const record = decodeRecord(bytes);
  return {
    id: record.int64('id') as IndexId,
    collectionId: record.int64('collectionId') as CollectionId,
    fieldId: record.integer('fieldId') as FieldId,
    name: record.text('name'),
    indexType: record.text('indexType'),
    metricType: record.has('metricType') ? metricFromText(record.text('metricType')) : null,
    params: record.objects('params', keyValueFromJson),
    createdTimestamp: record.int64('createdTimestamp') as Timestamp,
  };
}

function metricFromText(text: string): MetricType {
  const metric = METRIC_TYPES.find((known) => known === text);
  if (metric === undefined) throw new RecordDamage(`the metric ${text} is unknown`);
  return metric;
}
