import assert from 'node:assert/strict';
import test from 'node:test';
import { DataType } from '@elanus/model';
import type { Draft, schema_CollectionSchema, schema_FieldSchema } from '@elanus/proto';
import { createRequest, key, params, text, vector } from '../testing/request-drafts.ts';
import { DefinitionFixture } from './definition-fixture.ts';

type Field = Draft<schema_FieldSchema>;

const withVector = (options: Field) => withSchema({ fields: [key(), vector(options)] });
const withSchema = (schema: Draft<schema_CollectionSchema>) => createRequest('c', schema);
const withProperties = (pairs: Record<string, string>) =>
  createRequest('c', {}, { properties: params(pairs) });

test('a collection of every type is created and described as it was asked for', async () => {
  const fixture = await DefinitionFixture.open();
  const fields: Field[] = [
    key({
      name: 'pk',
      dataType: DataType.VarChar,
      typeParams: params({ max_length: '65535' }),
      description: 'the key',
    }),
    text({ isPartitionKey: true }),
    { name: 'flag', dataType: DataType.Bool, nullable: true, defaultValue: { boolData: false } },
    { name: 'small', dataType: DataType.Int8, defaultValue: { intData: -128 } },
    { name: 'medium', dataType: DataType.Int16 },
    { name: 'large', dataType: DataType.Int32, isClusteringKey: true },
    { name: 'huge', dataType: DataType.Int64, defaultValue: { longData: -9_223_372_036_854_775_808n } },
    { name: 'float', dataType: DataType.Float, defaultValue: { floatData: 0.5 } },
    { name: 'double', dataType: DataType.Double, defaultValue: { doubleData: 0.1 } },
    { name: 'json', dataType: DataType.JSON, nullable: true },
    {
      name: 'tags',
      dataType: DataType.Array,
      elementType: DataType.VarChar,
      typeParams: params({ max_capacity: '4096', max_length: '9' }),
    },
    vector({ typeParams: params({ dim: '32768', 'mmap.enabled': 'true' }) }),
    vector({ name: 'bits', dataType: DataType.BinaryVector, typeParams: params({ dim: '262144' }) }),
    vector({ name: 'half', dataType: DataType.Float16Vector }),
    vector({ name: 'brain', dataType: DataType.BFloat16Vector }),
    vector({ name: 'bytes', dataType: DataType.Int8Vector }),
    { name: 'sparse', dataType: DataType.SparseFloatVector },
  ];
  const request = createRequest(
    'every_type',
    { fields, description: 'all of them', enableDynamicField: true },
    {
      shardsNum: 3,
      consistencyLevel: 2,
      properties: params({ 'collection.ttl.seconds': '60', mine: 'yes' }),
    },
  );
  await fixture.call('CreateCollection', request);
  await fixture.call('CreateCollection', request);

  const described = await fixture.call('DescribeCollection', { collectionName: 'every_type' });
  assert.deepEqual(
    described.schema!.fields.map(({ fieldID }) => Number(fieldID)),
    fields.map((_, at) => 100 + at),
  );
  for (const [at, field] of fields.entries()) {
    const served = described.schema!.fields[at]!;
    for (const [member, value] of Object.entries(field)) {
      if (member !== 'defaultValue')
        assert.deepEqual(served[member as keyof Field], value, `${field.name}.${member}`);
    }
    assert.deepEqual(
      Object.entries(served.defaultValue ?? {}).filter(([, value]) => value !== undefined),
      Object.entries(field.defaultValue ?? {}),
    );
  }
  assert.equal(described.schema!.enableDynamicField, true);
  assert.equal(described.schema!.autoID, false);
  assert.equal(described.schema!.description, 'all of them');
  assert.equal(described.shardsNum, 3);
  assert.equal(described.consistencyLevel, 2);
  assert.equal(described.numPartitions, 64n);
  assert.equal(described.dbName, 'default');
  assert.equal(described.dbId, 1n);
  assert.equal(described.collectionName, 'every_type');
  assert.equal(described.updateTimestampStr, String(described.updateTimestamp));
  assert.equal(described.createdUtcTimestamp, described.createdTimestamp >> 18n);
  assert.deepEqual(
    described.properties.map(({ key: name, value }) => [name, value]),
    [
      ['collection.ttl.seconds', '60'],
      ['mine', 'yes'],
      ['timezone', 'UTC'],
    ],
  );
  assert.deepEqual(
    described.virtualChannelNames,
    [0, 1, 2].map((shard) => `elanus-dml_${shard}_${described.collectionID}v${shard}`),
  );
  assert.deepEqual(described.physicalChannelNames, ['elanus-dml_0', 'elanus-dml_1', 'elanus-dml_2']);
  const meta = fixture.deployment.catalog.collections()[0]!.schema.dynamicField!;
  assert.equal(meta.id, 100 + fields.length);

  const byId = await fixture.call('DescribeCollection', { collectionID: described.collectionID });
  assert.equal(byId.collectionName, 'every_type');
});

const changes: readonly [what: string, request: ReturnType<typeof createRequest>][] = [
  ['dimension', withVector({ typeParams: params({ dim: '8' }) })],
  ['description', withSchema({ description: 'other' })],
  ['dynamic field', withSchema({ enableDynamicField: true })],
  ['shards', createRequest('c', {}, { shardsNum: 2 })],
  ['consistency level', createRequest('c', {}, { consistencyLevel: 3 })],
  ['properties', withProperties({ 'elanus.duplicate_key': 'keep' })],
];
for (const [what, request] of changes) {
  test(`a collection is not created again with another ${what}`, async () => {
    const fixture = await DefinitionFixture.open();
    await fixture.createCollection('c');
    assert.deepEqual(await fixture.refusal('CreateCollection', request), {
      code: 65535,
      legacyCode: 1,
      reason: 'create duplicate collection with different parameters, collection: c',
    });
  });
}

test('the number of collections and the capacity are limited', async () => {
  const fixture = await DefinitionFixture.open({ limits: { collectionsMax: 2, capacityMax: 3 } });
  await fixture.createCollection('a', {}, { shardsNum: 2 });
  const { code } = await fixture.refusal('CreateCollection', createRequest('b', {}, { shardsNum: 2 }));
  assert.equal(code, 250);
  await fixture.createCollection('b');
  assert.deepEqual(await fixture.refusal('CreateCollection', createRequest('c')), {
    code: 102,
    legacyCode: 1,
    reason: 'exceeded the limit number of collections[dbName=default][limit=2]',
  });
});

test('num_partitions decides how many hidden partitions there are', async () => {
  const fixture = await DefinitionFixture.open();
  const fields = [key(), vector(), text({ isPartitionKey: true })];
  await fixture.createCollection('three', { fields }, { numPartitions: 3n });
  const { partitionNames } = await fixture.call('ShowPartitions', { collectionName: 'three' });
  assert.deepEqual(partitionNames, ['_default_0', '_default_1', '_default_2']);
});
