import type { CollectionInfo, FieldId, IndexId, IndexInfo, Timestamp } from '@elanus/model';

/** An HNSW by L2 over field 101. */
export function indexFixture(collection: CollectionInfo, id = 900n): IndexInfo {
  return {
    id: id as IndexId,
    collectionId: collection.id,
    fieldId: 101 as FieldId,
    name: 'vector',
    indexType: 'HNSW',
    metricType: 'L2',
    params: [],
    createdTimestamp: 1n as Timestamp,
  };
}
