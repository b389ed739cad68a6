import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ChannelName,
  type CollectionId,
  type CollectionInfo,
  ConsistencyLevel,
  DataType,
  deleteFileKey,
  indexFileKey,
  isVector,
  type PartitionId,
  type SegmentId,
  type SegmentInfo,
  segmentFileKey,
  type Timestamp,
} from '@elanus/model';
import { ManualClock } from '@elanus/runtime';
import { type Deployment, openDeployment } from '../testing/deployment.ts';
import { field, schemaOf } from '../testing/schema-fixture.ts';

const at = (time: number) => BigInt(time) as Timestamp;

async function withCollection(): Promise<Deployment & { readonly collection: CollectionInfo }> {
  const deployment = await openDeployment();
  const collection = await deployment.root.createCollection({
    database: 'default',
    schema: schemaOf('c', [field('vector', DataType.FloatVector, { dim: 8 })]),
    shardsNum: 2,
    partitionsNum: 0,
    consistencyLevel: ConsistencyLevel.Bounded,
    properties: [],
  });
  return { ...deployment, collection };
}

function segment(collection: CollectionInfo, id: SegmentId, partitionId?: PartitionId): SegmentInfo {
  return {
    id,
    collectionId: collection.id,
    partitionId: partitionId ?? collection.partitions[0]!.id,
    channel: collection.channels[0]!,
    rows: 3,
    firstTimestamp: at(1),
    lastTimestamp: at(2),
    file: { key: segmentFileKey(collection.id, id), bytes: 1_000, crc32: 0xffff_ffff },
  };
}

test('what flushes publish is there after a start, the checkpoint too, and what they remove is not', async () => {
  const { oracle, collection, segments, store } = await withCollection();
  const [first, second, third] = await segments.allocateIds(3);
  const checkpoint = { collectionId: collection.id, timestamp: at(9), historyStart: at(0) };
  const deletes = {
    id: third!,
    collectionId: collection.id,
    channel: collection.channels[1]!,
    rows: 7,
    file: { key: deleteFileKey(collection.id, third!), bytes: 10, crc32: 0 },
  };
  await segments.publishFlush({
    segments: [segment(collection, first!)],
    deleteFiles: [deletes],
    deadSegments: [],
    replacedDeleteFiles: [],
    checkpoint,
  });
  await segments.publishFlush({
    segments: [segment(collection, second!)],
    deleteFiles: [],
    deadSegments: [first!],
    replacedDeleteFiles: [third!],
    checkpoint: { ...checkpoint, timestamp: at(12), historyStart: at(4) },
  });
  await oracle.close();
  const again = await openDeployment({ store });
  assert.deepEqual(again.segments.filesOf(collection.id), {
    checkpoint: { collectionId: collection.id, timestamp: at(12), historyStart: at(4) },
    segments: [segment(collection, second!)],
    deleteFiles: [],
    indexFiles: [],
  });
  assert.equal(again.segments.standingOf(segmentFileKey(collection.id, second!)), 'referenced');
  assert.equal(again.segments.standingOf(deletes.file.key), 'unreferenced');
  assert.equal(again.segments.standingOf('somebody/else’s file'), 'uncertain');
  await again.oracle.close();
});

test('rows of a partition that was dropped meanwhile are left out', async () => {
  const { oracle, root, collection, segments } = await withCollection();
  const ref = { database: 'default', collection: 'c' };
  const dropped = await root.createPartition(ref, 'p');
  const [kept, gone] = await segments.allocateIds(2);
  await root.dropPartition(ref, 'p');
  const partitions = await segments.publishFlush({
    segments: [segment(collection, kept!), segment(collection, gone!, dropped.id)],
    deleteFiles: [],
    deadSegments: [],
    replacedDeleteFiles: [],
    checkpoint: { collectionId: collection.id, timestamp: at(9), historyStart: at(0) },
  });
  assert.deepEqual([...partitions], [collection.partitions[0]!.id]);
  assert.deepEqual(
    segments.filesOf(collection.id).segments.map(({ id }) => id),
    [kept],
  );
  await oracle.close();
});

test('a partition takes its segments along, a collection everything', async () => {
  const { oracle, root, collection, segments, store } = await withCollection();
  const ref = { database: 'default', collection: 'c' };
  const dropped = await root.createPartition(ref, 'p');
  const [kept, gone] = await segments.allocateIds(2);
  const checkpoint = { collectionId: collection.id, timestamp: at(9), historyStart: at(0) };
  const flush = { deleteFiles: [], deadSegments: [], replacedDeleteFiles: [], checkpoint };
  await segments.publishFlush({
    segments: [segment(collection, kept!), segment(collection, gone!, dropped.id)],
    ...flush,
  });
  await root.dropPartition(ref, 'p');
  assert.deepEqual(
    segments.filesOf(collection.id).segments.map(({ id }) => id),
    [kept],
  );
  assert.equal(segments.standingOf(segmentFileKey(collection.id, gone!)), 'unreferenced');
  await root.dropCollection(ref);
  assert.deepEqual(await store.scan('catalog/segment/'), []);
  assert.deepEqual(await store.scan('catalog/checkpoint/'), []);
  await assert.rejects(() => segments.publishFlush({ segments: [], ...flush }), { code: 100 });
  await oracle.close();
});

test('a compaction takes the place of segments, their indexes and deletions, at once and durably', async () => {
  const { oracle, index, collection, segments, catalog, store } = await withCollection();
  const ref = { database: 'default', collection: 'c' };
  const vector = collection.schema.fields.find(({ dataType }) => isVector(dataType))!;
  const params = [
    { key: 'index_type', value: 'HNSW' },
    { key: 'metric_type', value: 'L2' },
    { key: 'M', value: '8' },
    { key: 'efConstruction', value: '40' },
  ];
  await index.createIndex(ref, { fieldName: vector.name, indexName: 'i', params });
  const [first, second, other, deletions, indexId, made, kept] = await segments.allocateIds(7);
  const deletesOf = (id: SegmentId) => ({
    id,
    collectionId: collection.id,
    channel: collection.channels[0]!,
    rows: 2,
    file: { key: deleteFileKey(collection.id, id), bytes: 10, crc32: 0 },
  });
  const checkpoint = { collectionId: collection.id, timestamp: at(9), historyStart: at(2) };
  await segments.publishFlush({
    segments: [first!, second!, other!].map((id) => segment(collection, id)),
    deleteFiles: [deletesOf(deletions!)],
    deadSegments: [],
    replacedDeleteFiles: [],
    checkpoint,
  });
  const indexFile = {
    id: indexId!,
    collectionId: collection.id,
    indexId: catalog.indexesOf(collection.id)[0]!.id,
    fieldId: vector.id,
    rows: 6,
    runs: [first!, other!].map((segmentId) => ({ segmentId, from: 0, to: 3 })),
    file: { key: indexFileKey(collection.id, indexId!), bytes: 5, crc32: 1 },
  };
  await segments.publishIndexFile(indexFile, []);
  const compaction = {
    collectionId: collection.id,
    replaced: [first!, second!],
    segment: segment(collection, made!),
    deleteFile: deletesOf(kept!),
    replacedDeleteFiles: [deletions!],
    historyStart: at(5),
  };
  assert.equal(await segments.publishCompaction(compaction), true);
  const expected = {
    checkpoint: { ...checkpoint, historyStart: at(5) },
    segments: [segment(collection, other!), segment(collection, made!)],
    deleteFiles: [deletesOf(kept!)],
    indexFiles: [],
  };
  assert.deepEqual(segments.filesOf(collection.id), expected);
  assert.equal(await segments.publishCompaction(compaction), false, 'what it replaces is no more');
  // A flush that was begun before knows of an earlier history.
  const flush = { segments: [], deleteFiles: [], deadSegments: [], replacedDeleteFiles: [] };
  await segments.publishFlush({ ...flush, checkpoint });
  assert.deepEqual(segments.filesOf(collection.id), expected);
  await oracle.close();
  const again = await openDeployment({ store });
  assert.deepEqual(again.segments.filesOf(collection.id), expected);
  await again.oracle.close();
});

test('a segment has another file at once and durably, and the one before counts no more', async () => {
  const { oracle, collection, segments, store } = await withCollection();
  const [id, file, late] = await segments.allocateIds(3);
  const before = segment(collection, id!);
  const checkpoint = { collectionId: collection.id, timestamp: at(9), historyStart: at(0) };
  const nothing = { deleteFiles: [], deadSegments: [], replacedDeleteFiles: [] };
  await segments.publishFlush({ segments: [before], ...nothing, checkpoint });
  const fileNamed = (name: SegmentId) => ({ ...before.file, key: segmentFileKey(collection.id, id!, name) });
  const after = { ...before, file: fileNamed(file!) };
  assert.equal(segments.standingOf(after.file.key), 'unreferenced');
  assert.equal(await segments.publishRefill(after, before.file), true);
  assert.equal(await segments.publishRefill({ ...before, file: fileNamed(late!) }, before.file), false);
  await oracle.close();
  const again = await openDeployment({ store });
  assert.deepEqual(again.segments.filesOf(collection.id).segments, [after]);
  assert.equal(again.segments.standingOf(after.file.key), 'referenced');
  assert.equal(again.segments.standingOf(before.file.key), 'unreferenced');
  assert.equal(again.segments.standingOf(fileNamed(late!).key), 'unreferenced');
  await again.root.dropCollection({ database: 'default', collection: 'c' });
  assert.equal(await again.segments.publishRefill(before, after.file), false);
  await again.oracle.close();
});

test('a compaction of a partition that was dropped meanwhile changes nothing', async () => {
  const { oracle, root, collection, segments } = await withCollection();
  const ref = { database: 'default', collection: 'c' };
  const dropped = await root.createPartition(ref, 'p');
  const [before, made] = await segments.allocateIds(2);
  await segments.publishFlush({
    segments: [segment(collection, before!, dropped.id)],
    deleteFiles: [],
    deadSegments: [],
    replacedDeleteFiles: [],
    checkpoint: { collectionId: collection.id, timestamp: at(9), historyStart: at(0) },
  });
  await root.dropPartition(ref, 'p');
  const isPublished = await segments.publishCompaction({
    collectionId: collection.id,
    replaced: [before!],
    segment: segment(collection, made!, dropped.id),
    deleteFile: null,
    replacedDeleteFiles: [],
    historyStart: at(5),
  });
  assert.equal(isPublished, false);
  assert.deepEqual(segments.filesOf(collection.id).segments, []);
  await oracle.close();
});

test('a damaged record makes everything of its collection uncertain, and is named', async () => {
  const { oracle, collection, segments, store } = await withCollection();
  const [id] = await segments.allocateIds(1);
  await segments.publishFlush({
    segments: [segment(collection, id!)],
    deleteFiles: [],
    deadSegments: [],
    replacedDeleteFiles: [],
    checkpoint: { collectionId: collection.id, timestamp: at(9), historyStart: at(0) },
  });
  const key = `catalog/segment/${collection.id}/${id}`;
  await store.commit([{ key, value: Buffer.from('v1 00000000\n{}') }]);
  await oracle.close();
  const again = await openDeployment({ store });
  assert.throws(() => again.segments.filesOf(collection.id), { code: 1009, message: new RegExp(key) });
  assert.equal(again.segments.standingOf(segmentFileKey(collection.id, id!)), 'uncertain');
  await again.oracle.close();
});

test('when a catalog is lost, what it knew of is kept, also by later starts', async () => {
  const { oracle, collection, segments } = await withCollection();
  const [id] = await segments.allocateIds(1);
  const { key } = segment(collection, id!).file;
  const [channel] = collection.channels;
  await oracle.close();
  const clock = new ManualClock(1_700_000_060_000);
  const found = await openDeployment({ clock });
  assert.equal(found.catalog.ownsChannel(channel!), true);
  assert.equal(found.segments.standingOf(key), 'uncertain');
  const own = (await found.segments.allocateIds(1))[0] as bigint as CollectionId;
  assert.equal(found.catalog.ownsChannel(`elanus-dml_0_${own}v0` as ChannelName), false, 'left by a crash');
  await found.oracle.close();
  const again = await openDeployment({ store: found.store, clock });
  assert.equal(again.catalog.ownsChannel(channel!), true);
  assert.equal(again.segments.standingOf(key), 'uncertain');
  await again.oracle.close();
});

/** A collection with an index in a file. */
async function withIndexFile() {
  const deployment = await withCollection();
  const { index, collection, segments, catalog } = deployment;
  const ref = { database: 'default', collection: 'c' };
  const vector = collection.schema.fields.find(({ dataType }) => isVector(dataType))!;
  const params = [
    { key: 'index_type', value: 'HNSW' },
    { key: 'metric_type', value: 'L2' },
    { key: 'M', value: '8' },
    { key: 'efConstruction', value: '40' },
  ];
  await index.createIndex(ref, { fieldName: vector.name, indexName: 'i', params });
  const [rows, id] = await segments.allocateIds(2);
  await segments.publishFlush({
    segments: [segment(collection, rows!)],
    deleteFiles: [],
    deadSegments: [],
    replacedDeleteFiles: [],
    checkpoint: { collectionId: collection.id, timestamp: at(9), historyStart: at(0) },
  });
  const file = {
    id: id!,
    collectionId: collection.id,
    indexId: catalog.indexesOf(collection.id)[0]!.id,
    fieldId: vector.id,
    rows: 3,
    runs: [{ segmentId: rows!, from: 0, to: 3 }],
    file: { key: indexFileKey(collection.id, id!), bytes: 5, crc32: 1 },
  };
  await segments.publishIndexFile(file, []);
  return { ...deployment, ref, file };
}

test('an index takes its files along when it is dropped, and gets none afterwards', async () => {
  const { oracle, index, collection, segments, ref, file } = await withIndexFile();
  assert.deepEqual(segments.filesOf(collection.id).indexFiles, [file]);
  await index.dropIndex(ref, 'i');
  assert.deepEqual(segments.filesOf(collection.id).indexFiles, []);
  assert.equal(segments.standingOf(file.file.key), 'unreferenced');
  await assert.rejects(segments.publishIndexFile(file, []), /were dropped/);
  await oracle.close();
});

test('what was measured of an index is kept over a start, as long as there is its file', async () => {
  const { oracle, collection, segments, store, ref, file } = await withIndexFile();
  const points = [{ ef: 20, recall: 0.97, standardError: 0.001, isScanned: false }];
  const recalls = [{ hits: 10, halvings: 3, margin: 0.002, points }];
  await segments.keepRecalls(file, recalls);
  const [other] = await segments.allocateIds(1);
  await segments.keepRecalls({ ...file, id: other! }, recalls);
  await oracle.close();
  const again = await openDeployment({ store });
  assert.deepEqual(again.segments.filesOf(collection.id).indexFiles, [{ ...file, recalls }]);
  await again.index.dropIndex(ref, 'i');
  await again.segments.keepRecalls(file, recalls);
  assert.deepEqual(again.segments.filesOf(collection.id).indexFiles, []);
  await again.oracle.close();
});
