import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type CollectionInfo,
  ConsistencyLevel,
  DataType,
  indexFileKey,
  type KeyValue,
  segmentFileKey,
  type Timestamp,
} from '@elanus/model';
import type { LoadRequest } from '@elanus/rpc';
import { type Deployment, openDeployment } from '../testing/deployment.ts';
import { field, schemaOf } from '../testing/schema-fixture.ts';

const MIB = 1024 * 1024;
const WHOLE: LoadRequest = {
  partitions: null,
  fields: [],
  skipDynamicField: false,
  replicaNumber: 1,
  refresh: false,
};
const ref = (collection: string) => ({ database: 'default', collection });

/** A collection with an index and with 6 MiB in a file of each of its two partitions. */
async function fill(
  { root, index: indexes, segments, catalog }: Deployment,
  name: string,
  properties: readonly KeyValue[] = [],
  index: { readonly type: string; readonly bytes: number } | null = null,
): Promise<CollectionInfo> {
  await root.createCollection({
    database: 'default',
    schema: schemaOf(name, [field('vector', DataType.FloatVector, { dim: 8 })]),
    shardsNum: 1,
    partitionsNum: 0,
    consistencyLevel: ConsistencyLevel.Bounded,
    properties,
  });
  await root.createPartition(ref(name), 'other');
  const params = [
    { key: 'index_type', value: index?.type ?? 'AUTOINDEX' },
    { key: 'metric_type', value: 'L2' },
  ];
  await indexes.createIndex(ref(name), { fieldName: 'vector', indexName: '', params });
  const collection = await root.describeCollection(ref(name));
  const ids = await segments.allocateIds(3);
  await segments.publishFlush({
    segments: collection.partitions.map(({ id: partitionId }, at) => ({
      id: ids[at]!,
      collectionId: collection.id,
      partitionId,
      channel: collection.channels[0]!,
      rows: 3,
      firstTimestamp: 1n as Timestamp,
      lastTimestamp: 2n as Timestamp,
      file: { key: segmentFileKey(collection.id, ids[at]!), bytes: 6 * MIB, crc32: 0 },
    })),
    deleteFiles: [],
    deadSegments: [],
    replacedDeleteFiles: [],
    checkpoint: { collectionId: collection.id, timestamp: 9n as Timestamp, historyStart: 0n as Timestamp },
  });
  if (index !== null) {
    const { id, fieldId } = catalog.indexesOf(collection.id)[0]!;
    const file = { key: indexFileKey(collection.id, ids[2]!), bytes: index.bytes, crc32: 0 };
    const runs = [{ segmentId: ids[0]!, from: 0, to: 3 }];
    await segments.publishIndexFile(
      { id: ids[2]!, collectionId: collection.id, indexId: id, fieldId, rows: 3, runs, file },
      [],
    );
  }
  return collection;
}

const OTHERS_TAKE_12 = {
  code: 3,
  legacyCode: 52,
  message:
    'collection second takes 12.00 MB, 12.00 MB are loaded already, release some or set mmap.enabled to true: ' +
    'memory limit exceeded[predict(MB)=24.00][limit(MB)=20.00]',
};

test('a load that does not fit is refused with the numbers, and changes nothing', async () => {
  const deployment = await openDeployment({ memoryBytesMax: 20 * MIB });
  const { query, oracle } = deployment;
  await fill(deployment, 'first');
  await fill(deployment, 'second');
  await query.load(ref('first'), WHOLE);
  await assert.rejects(query.load(ref('second'), WHOLE), OTHERS_TAKE_12);
  assert.equal(await query.loadState(ref('second'), []), 'not-load');
  await query.load(ref('first'), { ...WHOLE, refresh: true });

  await query.load(ref('second'), { ...WHOLE, partitions: ['other'] });
  await assert.rejects(query.load(ref('second'), WHOLE), OTHERS_TAKE_12);
  await query.release(ref('first'), null);
  await query.load(ref('second'), WHOLE);
  assert.equal(await query.loadState(ref('second'), []), 'loaded');
  await oracle.close();
});

test('what is mapped by its own wish takes no memory', async () => {
  const deployment = await openDeployment({ memoryBytesMax: MIB });
  const { query, oracle } = deployment;
  await fill(deployment, 'mapped', [{ key: 'mmap.enabled', value: 'true' }]);
  await fill(deployment, 'kept', [{ key: 'mmap.enabled', value: 'false' }]);
  await query.load(ref('mapped'), WHOLE);
  await assert.rejects(query.load(ref('kept'), WHOLE), { code: 3 });
  await oracle.close();
});

test('an index that stays on disk, or fits what memory there is, takes none', async () => {
  const deployment = await openDeployment({ memoryBytesMax: 20 * MIB });
  const { query, root, oracle } = deployment;
  for (const type of ['HNSW', 'DISKANN', 'AISAQ', 'AUTOINDEX']) {
    await fill(deployment, type, [], { type, bytes: 30 * MIB });
    const loading = query.load(ref(type), WHOLE);
    if (type === 'HNSW') await assert.rejects(loading, { code: 3 });
    else await loading;
    await root.dropCollection(ref(type));
  }
  await oracle.close();
});

test('of a bucket, a partition whose files are more than all local copies may be is not loaded', async () => {
  const deployment = await openDeployment({ cacheBytesMax: 10 * MIB });
  const { query, oracle } = deployment;
  await fill(deployment, 'first', [], { type: 'HNSW', bytes: 5 * MIB });
  await assert.rejects(query.load(ref('first'), WHOLE), {
    code: 7,
    message:
      "partition _default of collection first takes 11.00 MB of the local copies of the bucket's files: " +
      'disk limit exceeded[predict(MB)=11.00][limit(MB)=10.00]',
  });
  assert.equal(await query.loadState(ref('first'), []), 'not-load');
  await query.load(ref('first'), { ...WHOLE, partitions: ['other'] });
  // Together they are more than fits: searches of both take it for as long as they last.
  await fill(deployment, 'second', [], { type: 'HNSW', bytes: 4 * MIB });
  await query.load(ref('second'), WHOLE);
  await oracle.close();
});
