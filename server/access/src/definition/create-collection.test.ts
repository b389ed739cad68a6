import assert from 'node:assert/strict';
import test from 'node:test';
import { DataType } from '@elanus/model';
import type { Draft, schema_CollectionSchema, schema_FieldSchema } from '@elanus/proto';
import { createRequest, DefinitionFixture, key, params, text, vector } from './definition-fixture.ts';

type Field = Draft<schema_FieldSchema>;
type Case = readonly [what: string, request: ReturnType<typeof createRequest>, code: number, reason: string];

const withFields = (...fields: Field[]) => createRequest('c', { fields });
const withVector = (options: Field) => withFields(key(), vector(options));
const withText = (options: Field) => withFields(key(), vector(), text(options));
const withSchema = (schema: Draft<schema_CollectionSchema>) => createRequest('c', schema);
const withProperties = (pairs: Record<string, string>, fields: Field[] = [key(), vector()]) =>
  createRequest('c', { fields }, { properties: params(pairs) });
const named = (name: string) => createRequest(name);
const many = (count: number, make: (at: number) => Field) =>
  Array.from({ length: count }, (_, at) => make(at));
const ending = ': invalid parameter';

const refused: readonly Case[] = [
  [
    'too many shards',
    createRequest('c', {}, { shardsNum: 17 }),
    1100,
    `maximum shards's number should be limited to 16${ending}`,
  ],
  [
    'too many fields',
    withFields(key(), vector(), ...many(63, (at) => text({ name: `f${at}` }))),
    1100,
    `maximum field's number should be limited to 64${ending}`,
  ],
  [
    'too many vectors',
    withFields(key(), ...many(11, (at) => vector({ name: `v${at}` }))),
    1100,
    `maximum vector field's number should be limited to 10${ending}`,
  ],
  ['no vector', withFields(key()), 1100, `schema does not contain vector field${ending}`],
  [
    'a broken schema',
    { ...createRequest('c'), schema: Buffer.from([0x0a, 0xff]) },
    1100,
    `the schema of the collection is not a CollectionSchema message${ending}`,
  ],
  ['an empty name', named(''), 1100, `collection name should not be empty${ending}`],
  [
    'a long name',
    named('n'.repeat(256)),
    1100,
    `Invalid collection name: ${'n'.repeat(256)}. the length of a collection name must be less than 255 characters${ending}`,
  ],
  [
    'a digit first',
    named('1c'),
    1100,
    `Invalid collection name: 1c. the first character of a collection name must be an underscore or letter${ending}`,
  ],
  [
    'a blank inside',
    named('a b'),
    1100,
    `Invalid collection name: a b. collection name can only contain numbers, letters and underscores${ending}`,
  ],
  [
    'a name with a line break',
    named('a\n'),
    1100,
    `Invalid collection name: a\n. collection name can only contain numbers, letters and underscores${ending}`,
  ],
  [
    'a huge description',
    withSchema({ description: 'd'.repeat(65_536) }),
    1100,
    `the length of a collection description must not exceed 65535 bytes${ending}`,
  ],
  ...['RowID', 'Timestamp', '$meta', '$namespace_id', '__virtual_pk__'].map(
    (name): Case => [
      `the system field ${name}`,
      withText({ name }),
      1701,
      `schema contains system field ${name}: field name invalid[field=${name}]`,
    ],
  ),
  [
    'a nameless field',
    withText({ name: '' }),
    1701,
    'field name should not be empty: field name invalid[field=]',
  ],
  [
    'a field with a digit first',
    withText({ name: '1t' }),
    1701,
    'Invalid field name: 1t. The first character of a field name must be an underscore or letter.: field name invalid[field=1t]',
  ],
  [
    'a field with a dash',
    withText({ name: 'a-b' }),
    1701,
    'Invalid field name: a-b. Field name can only contain numbers, letters, and underscores.: field name invalid[field=a-b]',
  ],
  [
    'a keyword',
    withText({ name: 'like' }),
    1701,
    'Invalid field name: like. like is keyword in milvus.: field name invalid[field=like]',
  ],
  [
    'a keyword in capitals',
    withText({ name: 'AND' }),
    1701,
    'Invalid field name: AND. AND is keyword in milvus.: field name invalid[field=AND]',
  ],
  [
    'the same field twice',
    withFields(key(), vector(), vector()),
    1100,
    `duplicated field name vector found${ending}`,
  ],
  [
    'two primary keys',
    withFields(key(), key({ name: 'other' }), vector()),
    1100,
    `there are more than one primary key, field name = id, other${ending}`,
  ],
  [
    'no primary key',
    withFields(vector()),
    1101,
    'primary key is not specified: missing parameter[missing_param=primary_key]',
  ],
  [
    'a float as primary key',
    withFields(key({ dataType: DataType.Float }), vector()),
    1100,
    `the data type of primary key should be Int64 or VarChar${ending}`,
  ],
  [
    'a nullable primary key',
    withFields(key({ nullable: true }), vector()),
    1100,
    `primary field not support null, field name = id${ending}`,
  ],
  [
    'automatic ids elsewhere',
    withText({ autoID: true }),
    1100,
    `only primary field can speficy AutoID with true, field name = text${ending}`,
  ],
  [
    'an explicit dynamic field',
    withText({ isDynamic: true }),
    1100,
    `cannot explicitly set a field as a dynamic field${ending}`,
  ],
  [
    'the type String',
    withText({ dataType: 20 }),
    1100,
    `string data type not supported yet, please use VarChar type instead${ending}`,
  ],
  [
    'no type',
    withText({ dataType: 0 }),
    1100,
    `string data type not supported yet, please use VarChar type instead${ending}`,
  ],
  ...(
    [
      ['Geometry', 24],
      ['Text', 25],
      ['Timestamptz', 26],
      ['DataType(99)', 99],
    ] as const
  ).map(
    ([name, dataType]): Case => [
      `the type ${name}`,
      withText({ dataType }),
      1100,
      `data type ${name} of field text is not supported yet${ending}`,
    ],
  ),
  [
    'two partition keys',
    withFields(key(), vector(), text({ isPartitionKey: true }), text({ name: 'u', isPartitionKey: true })),
    1100,
    `there are more than one partition key, field name = text, u${ending}`,
  ],
  [
    'the primary key as partition key',
    withFields(key({ isPartitionKey: true }), vector()),
    1100,
    `the partition key field must not be primary field${ending}`,
  ],
  [
    'a nullable partition key',
    withText({ isPartitionKey: true, nullable: true }),
    1100,
    `partition key field not support nullable, field name = text${ending}`,
  ],
  [
    'a double as partition key',
    withText({ isPartitionKey: true, dataType: DataType.Double }),
    1100,
    `the data type of partition key should be Int64 or VarChar${ending}`,
  ],
  [
    'too many partitions',
    createRequest(
      'c',
      { fields: [key(), vector(), text({ isPartitionKey: true })] },
      { numPartitions: 1_025n },
    ),
    1100,
    `partition number (1025) exceeds max configuration (1024)${ending}`,
  ],
  [
    'a negative number of partitions',
    createRequest('c', { fields: [key(), vector(), text({ isPartitionKey: true })] }, { numPartitions: -1n }),
    1100,
    `the specified partitions should be greater than 0 if partition key is used${ending}`,
  ],
  [
    'partitions without a key',
    createRequest('c', {}, { numPartitions: 4n }),
    1100,
    `num_partitions should only be specified with partition key field enabled${ending}`,
  ],
  [
    'isolation without a key',
    withProperties({ 'partitionkey.isolation': 'True' }),
    105,
    'partition key isolation mode is enabled but no partition key field is set. Please set the partition key first: illegal collection schema',
  ],
  [
    'two clustering keys',
    withFields(key({ isClusteringKey: true }), vector(), text({ isClusteringKey: true })),
    105,
    'there are more than one clustering key, field name = id, text: illegal collection schema',
  ],
  [
    'a vector as clustering key',
    withVector({ isClusteringKey: true }),
    107,
    'vector clustering key not allowed[field=vector]',
  ],
  [
    'a nullable vector',
    withVector({ nullable: true }),
    1100,
    `vector type not support null, field name = vector${ending}`,
  ],
  [
    'no dim',
    withVector({ typeParams: [] }),
    1100,
    `dimension is not defined in field type params of field vector, check type param \`dim\` for vector field${ending}`,
  ],
  ...['0', '1', '-4', 'many', '', '4.5'].map(
    (dim): Case => [
      `dim ${dim}`,
      withVector({ typeParams: params({ dim }) }),
      1100,
      `invalid dimension: ${dim}. should be in range 2 ~ 32768${ending}`,
    ],
  ),
  [
    'dim 32769',
    withVector({ typeParams: params({ dim: '32769' }) }),
    1100,
    `invalid dimension: 32769 of field vector. float vector dimension should be in range 2 ~ 32768${ending}`,
  ],
  [
    '12 bits',
    withVector({ dataType: DataType.BinaryVector, typeParams: params({ dim: '12' }) }),
    1100,
    `invalid dimension: 12 of field vector. binary vector dimension should be multiple of 8.${ending}`,
  ],
  [
    '262152 bits',
    withVector({ dataType: DataType.BinaryVector, typeParams: params({ dim: '262152' }) }),
    1100,
    `invalid dimension: 262152 of field vector. binary vector dimension should be in range 2 ~ 262144${ending}`,
  ],
  [
    'a sparse dim',
    withVector({ dataType: DataType.SparseFloatVector }),
    1100,
    `dim should not be specified for sparse vector field vector${ending}`,
  ],
  [
    'no max_length',
    withText({ typeParams: [] }),
    1101,
    'type param(max_length) should be specified for the field(text) of collection c: missing parameter[missing_param=max_length]',
  ],
  ...['0', '65536', '-1', 'long'].map(
    (length): Case => [
      `max_length ${length}`,
      withText({ typeParams: params({ max_length: length }) }),
      1100,
      `the maximum length specified for the field(text) should be in (0, 65535], but got ${length} instead${ending}`,
    ],
  ),
  [
    'no max_capacity',
    withText({ dataType: DataType.Array, elementType: DataType.Int64, typeParams: [] }),
    1101,
    'type param(max_capacity) should be specified for the field(text) of collection c: missing parameter[missing_param=max_capacity]',
  ],
  [
    'max_capacity 4097',
    withText({
      dataType: DataType.Array,
      elementType: DataType.Int64,
      typeParams: params({ max_capacity: '4097' }),
    }),
    1100,
    `the maximum capacity specified for the field(text) should be in (0, 4096], but got 4097 instead${ending}`,
  ],
  [
    'an array of JSON',
    withText({
      dataType: DataType.Array,
      elementType: DataType.JSON,
      typeParams: params({ max_capacity: '4' }),
    }),
    1100,
    `element type of array field text should be a scalar other than JSON and Array${ending}`,
  ],
  [
    'an array of text without max_length',
    withText({
      dataType: DataType.Array,
      elementType: DataType.VarChar,
      typeParams: params({ max_capacity: '4' }),
    }),
    1101,
    'type param(max_length) should be specified for the field(text) of collection c: missing parameter[missing_param=max_length]',
  ],
  [
    'a default of another type',
    withText({ defaultValue: { longData: 1n } }),
    1100,
    `type (VarChar) of field (text) is not equal to the type of its default_value${ending}`,
  ],
  [
    'a long default',
    withText({ defaultValue: { stringData: 'x'.repeat(65) } }),
    1100,
    'the length (65) of string exceeds max length (64): invalid parameter[expected=valid length string][actual=string length exceeds max length]',
  ],
  [
    'a default out of range',
    withText({ dataType: DataType.Int8, defaultValue: { intData: 128 } }),
    1100,
    `default value 128 of field text out of range -128 <= value <= 127${ending}`,
  ],
  [
    'a default that is no number',
    withText({ dataType: DataType.Double, defaultValue: { doubleData: Number.NaN } }),
    1100,
    `default value of field text is not a number or infinite${ending}`,
  ],
  [
    'a default of JSON',
    withText({ dataType: DataType.JSON, defaultValue: { bytesData: Buffer.from('{}') } }),
    1100,
    `type not support default_value, type:JSON, name:text${ending}`,
  ],
  [
    'a default of the primary key',
    withFields(key({ defaultValue: { longData: 1n } }), vector()),
    1100,
    `primary field not support default_value, field name = id${ending}`,
  ],
  [
    'a struct array',
    withSchema({ structArrayFields: [{ name: 's', fields: [] }] }),
    1100,
    `struct array fields are not supported yet${ending}`,
  ],
  [
    'a function',
    withSchema({ functions: [{ name: 'bm25' }] }),
    1100,
    `functions are not supported yet${ending}`,
  ],
  ['a namespace', withSchema({ enableNamespace: true }), 1100, `namespaces are not supported yet${ending}`],
  [
    'an external collection',
    withSchema({ externalSource: 's3://bucket' }),
    1100,
    `external collections are not supported yet${ending}`,
  ],
  ...['-2', '3155760001', 'soon'].map(
    (ttl): Case => [
      `a TTL of ${ttl}`,
      withProperties({ 'collection.ttl.seconds': ttl }),
      1100,
      `collection TTL is out of range, expect [-1, 3155760000], got ${ttl}${ending}`,
    ],
  ),
  [
    'an unknown time zone',
    withProperties({ timezone: 'Mars/Olympus' }),
    1100,
    `unknown or invalid IANA Time Zone ID: Mars/Olympus${ending}`,
  ],
  [
    'an unknown duplicate policy',
    withProperties({ 'elanus.duplicate_key': 'ignore' }),
    1100,
    'invalid value of the collection property elanus.duplicate_key: invalid parameter[expected=replace, reject, keep][actual=ignore]',
  ],
  [
    'another name in the schema',
    { ...createRequest('c'), collectionName: 'd' },
    1100,
    "collection name = d, schema.Name=c: invalid parameter[expected=collection name matches schema name][actual=don't match]",
  ],
  [
    'an unknown consistency level',
    createRequest('c', {}, { consistencyLevel: 9 }),
    1100,
    `invalid consistency level: 9${ending}`,
  ],
];

for (const [what, request, code, reason] of refused) {
  test(`a collection with ${what} is refused and nothing changes`, async () => {
    const fixture = await DefinitionFixture.open();
    const before = fixture.catalogBytes();
    const refusal = await fixture.refusal('CreateCollection', request);
    assert.equal(refusal.reason, reason);
    assert.equal(refusal.code, code);
    assert.equal(refusal.legacyCode, code === 1100 ? 5 : 1);
    assert.equal(fixture.catalogBytes(), before);
    assert.equal(fixture.deployment.streaming.collections.size, 0);
  });
}

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
