import assert from 'node:assert/strict';
import test from 'node:test';
import { DataType, type PartitionId } from '@elanus/model';
import { key, params, text, vector } from '../testing/request-drafts.ts';
import { DefinitionFixture } from './definition-fixture.ts';

const IN_MEMORY = 1;
const LOAD_STATE = { notExist: 0, notLoad: 1, loading: 2, loaded: 3 };
const c = { collectionName: 'c' };

/** `c` with two partitions and an indexed vector; `k` with a partition key. */
async function filledFixture(): Promise<DefinitionFixture> {
  const fixture = await DefinitionFixture.open();
  await fixture.createCollection('c', { fields: [key(), vector(), text()], enableDynamicField: true });
  await fixture.call('CreatePartition', { ...c, partitionName: 'north' });
  await fixture.call('CreateIndex', {
    ...c,
    fieldName: 'vector',
    extraParams: params({ metric_type: 'L2' }),
  });
  const fields = [key(), vector(), text({ isPartitionKey: true })];
  await fixture.createCollection('k', { fields }, { numPartitions: 2n });
  await fixture.call('CreateIndex', { collectionName: 'k', fieldName: 'vector' });
  return fixture;
}

test('connecting gives an identifier and the version, in a database that exists', async () => {
  const fixture = await DefinitionFixture.open();
  const { identifier, serverInfo } = await fixture.call('Connect', {});
  assert.ok(identifier > 0n);
  assert.equal(serverInfo!.buildTags, '2.6.0-test');
  assert.ok((await fixture.call('AllocTimestamp', {})).timestamp > identifier);
  assert.equal((await fixture.call('GetVersion', {})).version, '2.6.0-test');
  assert.equal((await fixture.call('CheckHealth', {})).isHealthy, true);
  assert.deepEqual(await fixture.refusal('Connect', {}, 'nowhere'), {
    code: 800,
    legacyCode: 1,
    reason: 'database not found[database=nowhere]',
  });
});

test('there is one database, called default', async () => {
  const fixture = await DefinitionFixture.open();
  const { dbNames, dbIds, createdTimestamp } = await fixture.call('ListDatabases', {});
  assert.deepEqual([dbNames, dbIds, createdTimestamp.length], [['default'], [1n], 1]);
  const described = await fixture.call('DescribeDatabase', { dbName: 'default' });
  assert.deepEqual([described.dbName, described.dbID, described.properties], ['default', 1n, []]);
  assert.equal((await fixture.refusal('DescribeDatabase', { dbName: 'other' }, 'other')).code, 800);
});

test('a missing collection is no error for those who ask whether it is there', async () => {
  const fixture = await filledFixture();
  const missing = { collectionName: 'x' };
  assert.equal((await fixture.call('HasCollection', missing)).value, false);
  assert.equal((await fixture.call('GetLoadState', missing)).state, LOAD_STATE.notExist);
});

test('collections are shown, renamed and dropped', async () => {
  const fixture = await filledFixture();
  const before = await fixture.call('DescribeCollection', c);
  await fixture.call('RenameCollection', { oldName: 'c', newName: 'd' });
  const after = await fixture.call('DescribeCollection', { collectionName: 'd' });
  assert.equal(after.collectionID, before.collectionID);
  assert.equal(after.schema!.name, 'd');
  assert.ok(after.updateTimestamp > before.updateTimestamp);
  assert.equal((await fixture.call('DescribeIndex', { collectionName: 'd' })).indexDescriptions.length, 1);
  assert.equal(
    (await fixture.refusal('RenameCollection', { oldName: 'd', newName: 'k' })).reason,
    'duplicated new collection name default:k with other collection name or alias',
  );
  assert.equal((await fixture.refusal('RenameCollection', { oldName: 'c', newName: 'e' })).code, 100);
  assert.equal((await fixture.refusal('RenameCollection', { oldName: 'd', newName: '1' })).code, 1100);
  assert.equal(
    (await fixture.refusal('RenameCollection', { oldName: 'd', newName: 'e', newDBName: 'x' })).code,
    800,
  );

  const shown = await fixture.call('ShowCollections', {});
  assert.deepEqual(shown.collectionNames.toSorted(), ['d', 'k']);
  assert.equal(shown.collectionIds.length, 2);
  assert.deepEqual(shown.shardsNum, [1, 1]);
  await fixture.call('DropCollection', { collectionName: 'd' });
  assert.equal((await fixture.call('HasCollection', { collectionName: 'd' })).value, false);
  assert.equal(fixture.deployment.streaming.collections.size, 1);
});

test('partitions and indexes do not make a schema stale', async () => {
  const fixture = await filledFixture();
  const { updateTimestamp } = await fixture.call('DescribeCollection', c);
  await fixture.call('CreatePartition', { ...c, partitionName: 'south' });
  await fixture.call('DropPartition', { ...c, partitionName: 'south' });
  await fixture.call('LoadCollection', c);
  assert.equal((await fixture.call('DescribeCollection', c)).updateTimestamp, updateTimestamp);
});

test('partitions are created once, found, counted and dropped', async () => {
  const fixture = await filledFixture();
  await fixture.call('CreatePartition', { ...c, partitionName: 'north' });
  await fixture.call('CreatePartition', { ...c, partitionName: '2024-01' });
  const { partitionNames, partitionIDs } = await fixture.call('ShowPartitions', c);
  assert.deepEqual(partitionNames, ['_default', 'north', '2024-01']);
  fixture.deployment.streaming.rows.set(partitionIDs[1] as PartitionId, 3n);
  const { stats } = await fixture.call('GetPartitionStatistics', { ...c, partitionName: 'north' });
  assert.deepEqual(stats, params({ row_count: '3' }));
  assert.deepEqual((await fixture.call('GetCollectionStatistics', c)).stats, params({ row_count: '3' }));
  assert.equal((await fixture.call('HasPartition', { ...c, partitionName: 'north' })).value, true);
  assert.equal((await fixture.call('HasPartition', { ...c, partitionName: 'east' })).value, false);
  await fixture.call('DropPartition', { ...c, partitionName: 'north' });
  await fixture.call('DropPartition', { ...c, partitionName: 'north' });
  assert.deepEqual(await fixture.refusal('GetPartitionStatistics', { ...c, partitionName: 'north' }), {
    code: 200,
    legacyCode: 15,
    reason: 'partition not found[partition=north]',
  });
  assert.deepEqual(await fixture.refusal('DropPartition', { ...c, partitionName: '_default' }), {
    code: 65535,
    legacyCode: 1,
    reason: 'default partition cannot be deleted',
  });
  for (const partitionName of ['', 'a b', '-a', 'p'.repeat(256), 'größe']) {
    const { code, reason } = await fixture.refusal('CreatePartition', { ...c, partitionName });
    assert.equal(code, 1100, partitionName);
    assert.ok(reason.startsWith(`Invalid partition name: ${partitionName}. `), reason);
  }
});

test('a collection has at most 1,024 partitions', async () => {
  const fixture = await DefinitionFixture.open({ limits: { partitionsMax: 2 } });
  await fixture.createCollection('c');
  await fixture.call('CreatePartition', { ...c, partitionName: 'a' });
  assert.deepEqual(await fixture.refusal('CreatePartition', { ...c, partitionName: 'b' }), {
    code: 65535,
    legacyCode: 1,
    reason: 'partition number (2) exceeds max configuration (2), collection: c',
  });
});

test('load states of a collection and its partitions', async () => {
  const fixture = await filledFixture();
  const stateOf = async (...partitionNames: string[]) =>
    (await fixture.call('GetLoadState', { ...c, partitionNames })).state;
  assert.equal(await stateOf(), LOAD_STATE.notLoad);
  assert.deepEqual(await fixture.refusal('GetLoadingProgress', c), {
    code: 101,
    legacyCode: 1,
    reason: 'collection not loaded[collection=c]',
  });
  assert.equal((await fixture.refusal('GetLoadingProgress', { ...c, partitionNames: ['north'] })).code, 201);
  assert.equal((await fixture.refusal('GetLoadState', { ...c, partitionNames: ['east'] })).code, 200);
  assert.deepEqual((await fixture.call('ShowPartitions', { ...c, type: IN_MEMORY })).partitionNames, []);

  await fixture.call('LoadPartitions', { ...c, partitionNames: ['north'] });
  assert.deepEqual([await stateOf(), await stateOf('north'), await stateOf('_default')], [3, 3, 1]);
  assert.equal(await stateOf('north', '_default'), LOAD_STATE.notLoad);
  const inMemory = await fixture.call('ShowPartitions', { ...c, type: IN_MEMORY });
  assert.deepEqual([inMemory.partitionNames, inMemory.inMemoryPercentages], [['north'], [100n]]);
  await fixture.call('CreatePartition', { ...c, partitionName: 'later' });
  assert.equal(await stateOf('later'), LOAD_STATE.notLoad);
  assert.equal(
    (await fixture.refusal('DropPartition', { ...c, partitionName: 'north' })).reason,
    'partition cannot be dropped, partition is loaded, please release it first',
  );

  await fixture.call('LoadCollection', c);
  assert.equal(await stateOf('later'), LOAD_STATE.loaded);
  await fixture.call('CreatePartition', { ...c, partitionName: 'latest' });
  assert.equal(await stateOf('latest'), LOAD_STATE.loaded);
  assert.equal((await fixture.call('GetLoadingProgress', c)).progress, 100n);
  await fixture.call('ReleasePartitions', { ...c, partitionNames: ['north', 'later', 'latest'] });
  assert.deepEqual([await stateOf(), await stateOf('north')], [3, 1]);
  const replicas = (await fixture.call('GetReplicas', c)).replicas;
  assert.equal(replicas[0]!.partitionIds.length, 1);
  await fixture.call('ReleasePartitions', { ...c, partitionNames: ['_default'] });
  assert.equal(await stateOf(), LOAD_STATE.notLoad);
  await fixture.call('ReleaseCollection', c);
});

test('a restart finds collections loaded as they were', async () => {
  const fixture = await filledFixture();
  await fixture.call('LoadPartitions', { ...c, partitionNames: ['north'] });
  const store = fixture.deployment.store.restart();
  const restarted = await DefinitionFixture.open({ store });
  const inMemory = await restarted.call('ShowCollections', { type: IN_MEMORY });
  assert.deepEqual([inMemory.collectionNames, inMemory.inMemoryPercentages], [['c'], [100n]]);
  assert.equal((await restarted.call('GetLoadState', { ...c, partitionNames: ['_default'] })).state, 1);
  const { code } = await restarted.refusal('ShowCollections', { type: IN_MEMORY, collectionNames: ['k'] });
  assert.equal(code, 101);
});

test('a load needs an index on every vector that it loads', async () => {
  const fixture = await DefinitionFixture.open();
  await fixture.createCollection('c', { fields: [key(), vector(), vector({ name: 'other' })] });
  assert.deepEqual(await fixture.refusal('LoadCollection', c), {
    code: 700,
    legacyCode: 25,
    reason: 'index not found[collection=c]',
  });
  await fixture.call('CreateIndex', { ...c, fieldName: 'vector' });
  assert.deepEqual(await fixture.refusal('LoadCollection', c), {
    code: 1100,
    legacyCode: 5,
    reason: 'there is no vector index on field: [other], please create index firstly: invalid parameter',
  });
  await fixture.call('LoadCollection', { ...c, loadFields: ['id', 'vector'] });
});

test('the fields of a load are checked and stay as they are', async () => {
  const fixture = await filledFixture();
  const reasonOf = async (loadFields: string[]) =>
    (await fixture.refusal('LoadCollection', { ...c, loadFields })).reason;
  assert.equal(
    await reasonOf(['vector']),
    'load field list [vector] does not contain primary key field id: invalid parameter',
  );
  assert.equal(
    await reasonOf(['id', 'text']),
    'load field list [id text] does not contain vector field: invalid parameter',
  );
  assert.match(await reasonOf(['id', 'vector', 'nothing']), /fieldName\(nothing\) not found/);
  await fixture.call('LoadPartitions', {
    ...c,
    partitionNames: ['north'],
    loadFields: ['id', 'vector'],
    skipLoadDynamicField: true,
  });
  await fixture.call('LoadPartitions', {
    ...c,
    partitionNames: ['_default'],
    loadFields: ['vector', 'id'],
    skipLoadDynamicField: true,
  });
  assert.deepEqual(await fixture.refusal('LoadCollection', c), {
    code: 1100,
    legacyCode: 5,
    reason:
      "can't change the load field list for loaded collection: invalid parameter[expected=[100 101]][actual=[100 101 102 103]]",
  });
  assert.match(
    (await fixture.refusal('LoadPartitions', { ...c, partitionNames: ['north'] })).reason,
    /^can't change the load field list for loaded partition/,
  );
  const k = { collectionName: 'k', loadFields: ['id', 'vector'] };
  assert.match(
    (await fixture.refusal('LoadCollection', k)).reason,
    /does not contain partition key field text/,
  );
});

test('flushing succeeds at once and names every collection as it was asked', async () => {
  const fixture = await filledFixture();
  const flushed = await fixture.call('Flush', { collectionNames: ['c', 'k'] });
  assert.deepEqual([...flushed.collSegIDs.keys()], ['c', 'k']);
  assert.ok(flushed.collFlushTs.get('c')! > 0n);
  assert.ok(flushed.collSealTimes.get('k')! > 0n);
  const flushTs = flushed.collFlushTs.get('c')!;
  assert.equal((await fixture.call('GetFlushState', { ...c, segmentIDs: [], flushTs })).flushed, true);
  assert.equal((await fixture.call('GetFlushState', { segmentIDs: [99n] })).flushed, true);
  assert.equal((await fixture.refusal('Flush', {})).code, 1100);
  const { flushAllTs } = await fixture.call('FlushAll', {});
  assert.equal((await fixture.call('GetFlushAllState', { flushAllTs })).flushed, true);
});

test('an undeclared key is indexed within the dynamic field and described by its name', async () => {
  const fixture = await filledFixture();
  const extraParams = params({ index_type: 'INVERTED', json_cast_type: 'DOUBLE', json_path: 'color["hue"]' });
  await fixture.call('CreateIndex', { ...c, fieldName: 'color', extraParams });
  await fixture.call('CreateIndex', { ...c, fieldName: 'color', extraParams });
  const { indexDescriptions } = await fixture.call('DescribeIndex', { ...c, indexName: '$meta/color/hue' });
  assert.equal(indexDescriptions[0]!.fieldName, 'color');
  assert.equal(
    (await fixture.refusal('CreateIndex', { ...c, fieldName: 'color' })).reason,
    'cannot create index on non-exist field: color',
  );
});

test('an index is described flat, finished, with the rows that there are', async () => {
  const fixture = await DefinitionFixture.open();
  await fixture.createCollection('c', {
    fields: [key(), vector(), text(), { name: 'n', dataType: DataType.Int64 }],
  });
  const extraParams = [
    ...params({
      index_type: 'HNSW',
      params: '{"M": 16, "efConstruction": "200"}',
      metric_type: 'cosine',
      dim: '4',
    }),
  ];
  await fixture.call('CreateIndex', { ...c, fieldName: 'vector', extraParams });
  await fixture.call('CreateIndex', { ...c, fieldName: 'vector', extraParams });
  await fixture.call('CreateIndex', { ...c, fieldName: 'n', indexName: 'by_n' });
  const [collection] = fixture.deployment.catalog.collections();
  fixture.deployment.streaming.rows.set(collection!.partitions[0]!.id, 5n);

  const { indexDescriptions } = await fixture.call('DescribeIndex', c);
  assert.deepEqual(
    indexDescriptions.map(
      ({ indexName, fieldName, params: described, state, totalRows, indexedRows, pendingIndexRows }) => ({
        indexName,
        fieldName,
        state,
        totalRows,
        indexedRows,
        pendingIndexRows,
        params: Object.fromEntries(described.map(({ key: name, value }) => [name, value])),
      }),
    ),
    [
      {
        indexName: 'vector',
        fieldName: 'vector',
        state: 3,
        totalRows: 5n,
        indexedRows: 5n,
        pendingIndexRows: 0n,
        params: { index_type: 'HNSW', metric_type: 'COSINE', M: '16', efConstruction: '200' },
      },
      {
        indexName: 'by_n',
        fieldName: 'n',
        state: 3,
        totalRows: 5n,
        indexedRows: 5n,
        pendingIndexRows: 0n,
        params: { index_type: 'AUTOINDEX' },
      },
    ],
  );
  assert.equal((await fixture.call('GetIndexState', { ...c, indexName: 'by_n' })).state, 3);
  assert.equal((await fixture.call('GetIndexBuildProgress', { ...c, indexName: 'by_n' })).totalRows, 5n);
  assert.equal((await fixture.call('GetIndexStatistics', c)).indexDescriptions.length, 2);
  for (const name of ['GetIndexState', 'GetIndexBuildProgress', 'DropIndex'] as const) {
    assert.deepEqual(
      await fixture.refusal(name, c),
      { code: 702, legacyCode: 1, reason: 'index duplicates[indexName=]' },
      name,
    );
  }
});

test('indexes are dropped, but no vector index of a loaded collection', async () => {
  const fixture = await filledFixture();
  await fixture.call('CreateIndex', { ...c, fieldName: 'text' });
  await fixture.call('LoadCollection', c);
  assert.deepEqual(await fixture.refusal('DropIndex', { ...c, indexName: 'vector' }), {
    code: 65535,
    legacyCode: 1,
    reason: 'vector index cannot be dropped on loaded collection: c, please release it first',
  });
  await fixture.call('DropIndex', { ...c, indexName: 'text' });
  await fixture.call('ReleaseCollection', c);
  await fixture.call('DropIndex', { ...c, indexName: 'nothing' });
  await fixture.call('DropIndex', c);
  assert.deepEqual(await fixture.refusal('DescribeIndex', c), {
    code: 700,
    legacyCode: 25,
    reason: 'index not found[collection=c]',
  });
  assert.equal(
    (await fixture.refusal('DescribeIndex', { ...c, indexName: 'i' })).reason,
    'index not found[indexName=i]',
  );
});
