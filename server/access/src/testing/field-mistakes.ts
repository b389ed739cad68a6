import { DataType } from '@elanus/model';
import type { Draft, schema_FieldSchema } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { createRequest, key, params, text, vector } from './request-drafts.ts';

type Field = Draft<schema_FieldSchema>;
type Case = readonly [what: string, request: ReturnType<typeof createRequest>, code: number, reason: string];

const withFields = (...fields: Field[]) => createRequest('c', { fields });
const withVector = (options: Field) => withFields(key(), vector(options));
const withText = (options: Field) => withFields(key(), vector(), text(options));
const ending = ': invalid parameter';

const refused: readonly Case[] = [
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
    'a long field name',
    withText({ name: 'f'.repeat(256) }),
    1701,
    `Invalid field name: ${'f'.repeat(256)}. The length of a field name must be less than 255 characters.: field name invalid[field=${'f'.repeat(256)}]`,
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
    'two fields of automatic ids',
    withFields(key({ autoID: true }), vector(), text({ autoID: true })),
    1100,
    `only one field can speficy AutoID with true, field name = id, text${ending}`,
  ],
  [
    'a text key without max_length',
    withFields(key({ dataType: DataType.VarChar }), vector()),
    1101,
    'type param(max_length) should be specified for the field(id) of collection c: missing parameter[missing_param=max_length]',
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
      ['ArrayOfVector', 106],
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
    'more partitions than a number can hold exactly',
    createRequest(
      'c',
      { fields: [key(), vector(), text({ isPartitionKey: true })] },
      { numPartitions: 2n ** 62n },
    ),
    1100,
    `partition number (${2n ** 62n}) exceeds max configuration (1024)${ending}`,
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
    'two clustering keys',
    withFields(key({ isClusteringKey: true }), vector(), text({ isClusteringKey: true })),
    105,
    'there are more than one clustering key, field name = id, text: illegal collection schema',
  ],
  [
    'JSON as clustering key',
    withText({ isClusteringKey: true, dataType: DataType.JSON }),
    105,
    'the clustering key should be a scalar field, field name = text: illegal collection schema',
  ],
  [
    'a vector as clustering key',
    withVector({ isClusteringKey: true }),
    107,
    'vector clustering key not allowed[field=vector]',
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
    'an int8 vector of 32769',
    withVector({ dataType: DataType.Int8Vector, typeParams: params({ dim: '32769' }) }),
    1100,
    `invalid dimension: 32769 of field vector. int vector dimension should be in range 2 ~ 32768${ending}`,
  ],
  [
    'a dim of twenty digits',
    withVector({ typeParams: params({ dim: '99999999999999999999' }) }),
    1100,
    `invalid dimension: 99999999999999999999. should be in range 2 ~ 32768${ending}`,
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
    'an infinite default',
    withText({ dataType: DataType.Float, defaultValue: { floatData: Number.POSITIVE_INFINITY } }),
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
];

/** Definitions of fields that break a rule. */
export const FIELD_MISTAKES: readonly Mistake[] = mistakesOf('CreateCollection', refused);
