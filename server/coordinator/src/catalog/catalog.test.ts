import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type ChannelName,
  type CollectionSchema,
  ConsistencyLevel,
  DataType,
  fieldByName,
} from '@elanus/model';
import { openDeployment } from '../testing/deployment.ts';
import { field, schemaOf } from '../testing/schema-fixture.ts';
import { Catalog } from './catalog.ts';
import { aliasKey, collectionKey, databaseKey, indexKey, loadKey } from './catalog-keys.ts';
import { RECORD_VERSION } from './record.ts';

const ref = (collection: string) => ({ database: 'default', collection });

const everyField = schemaOf(
  'every_kind',
  [
    field('kind', DataType.VarChar, {
      maxLength: 64,
      isPartitionKey: true,
      typeParams: [{ key: 'max_length', value: '64' }],
    }),
    field('count', DataType.Int64, { defaultValue: -9_007_199_254_740_993n }),
    field('rate', DataType.Double, { nullable: true, defaultValue: 0.1 }),
    field('flag', DataType.Bool, { defaultValue: false }),
    field('label', DataType.VarChar, { maxLength: 8, defaultValue: '12' }),
    field('tags', DataType.Array, { elementType: DataType.VarChar, maxLength: 9, maxCapacity: 5 }),
    field('vector', DataType.FloatVector, { dim: 4 }),
    field('words', DataType.SparseFloatVector),
  ],
  { dynamic: true },
);
const everyKind: CollectionSchema = {
  ...everyField,
  functions: [
    {
      id: 100,
      name: 'count_words',
      description: 'of each text',
      type: 'BM25',
      input: fieldByName(everyField, 'label')!.id,
      output: fieldByName(everyField, 'words')!.id,
      params: [{ key: 'note', value: 'none' }],
    },
  ],
};

async function filledDeployment() {
  const deployment = await openDeployment();
  for (const schema of [everyKind, { ...everyKind, name: 'other' }]) {
    await deployment.root.createCollection({
      database: 'default',
      schema,
      shardsNum: 2,
      partitionsNum: 3,
      consistencyLevel: ConsistencyLevel.Bounded,
      properties: [{ key: 'elanus.duplicate_key', value: 'reject' }],
    });
    for (const fieldName of ['vector', 'words']) {
      await deployment.index.createIndex(ref(schema.name), { fieldName, indexName: '', params: [] });
    }
    await deployment.query.load(ref(schema.name), {
      partitions: null,
      fields: ['id', 'kind', 'vector'],
      skipDynamicField: true,
      replicaNumber: 2,
      refresh: false,
    });
  }
  await deployment.root.createDatabase('birds', [{ key: 'database.max.collections', value: '3' }]);
  await deployment.root.createAlias(ref('other'), 'second');
  return deployment;
}

function everything(catalog: Catalog) {
  return {
    databases: catalog.databases(),
    aliases: catalog.aliases(),
    collections: catalog.collections(),
    indexes: catalog.collections().map(({ id }) => catalog.indexesOf(id)),
    loads: catalog.collections().map(({ id }) => catalog.loadOf(id)),
  };
}

test('a restart finds every definition as it was', async () => {
  const before = await filledDeployment();
  const after = await openDeployment({ store: before.store.restart() });
  assert.deepEqual(everything(after.catalog), everything(before.catalog));
  assert.deepEqual(after.catalog.damage(), []);
  await after.oracle.close();
});

test('a damaged record is set aside and the rest is served', async () => {
  const { store, catalog } = await filledDeployment();
  const [damaged, healthy] = catalog.collections();
  const firstIndex = catalog.indexesOf(healthy!.id)[0]!;
  const keys = [collectionKey(damaged!.id), indexKey(healthy!.id, firstIndex.id), loadKey(healthy!.id)];
  for (const key of keys) store.overwrite(key, Buffer.from('v1 00000000\n{"id":"1"}'));

  const after = await openDeployment({ store: store.restart() });
  assert.deepEqual(
    after.catalog
      .damage()
      .map(({ key }) => key)
      .sort(),
    keys.toSorted(),
  );
  const ofNobody = `elanus-dml_0_${healthy!.id + 1_000n}v0` as ChannelName;
  const channels = [damaged!.channels[1]!, healthy!.channels[0]!, ofNobody];
  assert.deepEqual(
    channels.map((channel) => after.catalog.ownsChannel(channel)),
    [true, true, false],
    'the rows of a damaged collection are kept',
  );
  assert.deepEqual(
    after.catalog.collections().map(({ name }) => name),
    ['other'],
  );
  assert.equal(after.catalog.indexesOf(healthy!.id).length, 1);
  assert.equal(after.catalog.loadOf(healthy!.id), undefined);

  await after.root.dropAlias('default', 'second');
  await after.root.dropCollection(ref('other'));
  const left = after.store.keys().filter((key) => key.includes(String(healthy!.id)));
  assert.deepEqual(left, [], 'dropping takes damaged indexes along');
  await after.oracle.close();
});

test('a damaged record of the default database costs nothing but its creation time', async () => {
  const { store, catalog } = await filledDeployment();
  const collections = catalog.collections();
  store.overwrite(databaseKey(1n), Buffer.from('nonsense'));
  const after = await openDeployment({ store: store.restart() });
  assert.deepEqual(after.catalog.collections(), collections);
  assert.equal((await after.root.describeDatabase('default')).id, 1n);
  await after.oracle.close();
});

test('an alias whose collection is damaged leads nowhere until it is moved', async () => {
  const { store, catalog } = await filledDeployment();
  const [healthy, damaged] = catalog.collections();
  store.overwrite(collectionKey(damaged!.id), Buffer.from('nonsense'));
  const { root, oracle } = await openDeployment({ store: store.restart() });
  await assert.rejects(root.describeCollection(ref('second')), /collection not found/);
  await assert.rejects(root.describeAlias('default', 'second'), {
    code: 1603,
    message: `collection id of alias not found[collectionID=${damaged!.id}]`,
  });
  await assert.rejects(root.createAlias(ref('every_kind'), 'second'), { code: 1602 });
  await root.alterAlias(ref('every_kind'), 'second');
  assert.equal((await root.describeCollection(ref('second'))).id, healthy!.id);
  await oracle.close();
});

test('a damaged alias is set aside, and can be made anew', async () => {
  const { store } = await filledDeployment();
  store.overwrite(aliasKey(1n, 'second'), Buffer.from('nonsense'));
  const { root, catalog, oracle } = await openDeployment({ store: store.restart() });
  assert.deepEqual(
    catalog.damage().map(({ key }) => key),
    [aliasKey(1n, 'second')],
  );
  await assert.rejects(root.describeCollection(ref('second')), /collection not found/);
  await root.createAlias(ref('other'), 'second');
  const after = await openDeployment({ store: store.restart() });
  assert.deepEqual(await after.root.listAliases('default'), ['second']);
  assert.deepEqual(after.catalog.damage(), []);
  await oracle.close();
});

test('a dropped database leaves no record behind, damaged aliases included', async () => {
  const { store, catalog } = await filledDeployment();
  const { id } = catalog.database('birds');
  store.overwrite(aliasKey(id, 'lost'), Buffer.from('nonsense'));
  const after = await openDeployment({ store: store.restart() });
  await after.root.dropDatabase('birds');
  assert.deepEqual(
    store.keys().filter((key) => key.includes(`/${id}`)),
    [],
  );
  await after.oracle.close();
});

test('what a database of damaged record holds is set aside with it, and nobody gets into its place', async () => {
  const { root, store, catalog } = await filledDeployment();
  const { id } = catalog.database('birds');
  await root.renameCollection(ref('every_kind'), { database: 'birds', collection: 'every_kind' });
  await root.createAlias({ database: 'birds', collection: 'every_kind' }, 'second');
  store.overwrite(databaseKey(id), Buffer.from('nonsense'));
  const after = await openDeployment({ store: store.restart() });
  assert.equal(after.catalog.damage().length, 3);
  assert.deepEqual(
    after.catalog.collections().map(({ name }) => name),
    ['other'],
  );
  const again = await after.root.createDatabase('birds', []);
  assert.notEqual(again.id, id);
  assert.deepEqual(await after.root.listCollections('birds'), []);
  await after.oracle.close();
});

test('a record of a newer build stops the start and is named', async () => {
  const { store, catalog } = await filledDeployment();
  const key = collectionKey(catalog.collections()[0]!.id);
  const { newest } = RECORD_VERSION;
  store.overwrite(key, Buffer.from(`v${newest + 1} 00000000\n{}`));
  const complaint = new RegExp(`${key}.*version ${newest + 1} is newer than ${newest}`);
  await assert.rejects(Catalog.open(store.restart()), complaint);
});

test('what the store refuses is seen by nobody', async () => {
  const { root, store, catalog, oracle } = await openDeployment();
  store.failNext('refused', 'catalog/collection/');
  const request = {
    database: 'default',
    schema: everyKind,
    shardsNum: 1,
    partitionsNum: 1,
    consistencyLevel: ConsistencyLevel.Strong,
    properties: [],
  };
  await assert.rejects(root.createCollection(request));
  assert.deepEqual(catalog.collections(), []);
  await root.createCollection(request);
  assert.equal(catalog.collections().length, 1);
  await oracle.close();
});
