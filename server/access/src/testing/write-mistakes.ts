import { DataType } from '@elanus/model';
import type { Draft, Methods } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { oneShape, sparseColumn } from './prepared-collections.ts';
import { column, int64s, metas, texts, vectors } from './request-drafts.ts';

type RowsDraft = Draft<Methods['Insert']['request']>;
type RowsMistake = readonly [what: string, request: RowsDraft, code: number, reason: string | RegExp];

const ending = ': invalid parameter';
const [ids, positions] = [int64s('id', 1n, 2n), vectors([1, 2], [3, 4])];

/** Two rows of `books`, and more columns. */
const books = (...more: readonly Uint8Array[]): RowsDraft => ({
  collectionName: 'books',
  numRows: 2,
  fieldsData: [ids, positions, ...more],
});

function tags(...rows: readonly (readonly string[])[]): Uint8Array {
  const data = rows.map((row) => ({ stringData: { data: row } }));
  return column({ fieldName: 'tags', scalars: { arrayData: { data, elementType: DataType.VarChar } } });
}

function marks(...rows: readonly (readonly number[])[]): Uint8Array {
  const data = rows.map((row) => ({ doubleData: { data: row } }));
  return column({ fieldName: 'marks', scalars: { arrayData: { data, elementType: DataType.Double } } });
}

function notes(...rows: readonly string[]): Uint8Array {
  const data = rows.map((row) => Buffer.from(row));
  return column({ fieldName: 'notes', scalars: { jsonData: { data } } });
}

const prices = (...data: readonly number[]) =>
  column({ fieldName: 'price', scalars: { floatData: { data } } });
const levels = (...data: readonly number[]) => column({ fieldName: 'level', scalars: { intData: { data } } });

/** StringArray whose second value is no UTF-8. */
const brokenText = Buffer.concat([
  column({ fieldName: 'title' }),
  Buffer.from('1a0832060a01610a01ff', 'hex'),
]);

/** One row of `shapes`, one of its vectors replaced. */
const shape = (replaced: Readonly<Record<string, Uint8Array>>): RowsDraft => ({
  collectionName: 'shapes',
  numRows: 1,
  fieldsData: oneShape(replaced),
});
const sparse = (hex: string) => shape({ sparse: sparseColumn(Buffer.from(hex, 'hex')) });

const TARGETS: readonly RowsMistake[] = [
  ['an unknown partition', { ...books(), partitionName: 'old' }, 200, 'partition not found[partition=old]'],
  [
    'a partition name that is none',
    { ...books(), partitionName: 'a b' },
    1100,
    `Invalid partition name: a b. Partition name can only contain numbers, letters and underscores.${ending}`,
  ],
  [
    'a long partition name',
    { ...books(), partitionName: 'p'.repeat(256) },
    1100,
    `Invalid partition name: ${'p'.repeat(256)}. The length of a partition name must be less than 255 characters.${ending}`,
  ],
  [
    'a partition by name where the partition key decides',
    { ...books(), collectionName: 'shelved', partitionName: '_default_0' },
    1100,
    `not support manually specifying the partition names if partition key mode is used${ending}`,
  ],
  [
    'a stale schema',
    { ...books(), schemaTimestamp: 6n },
    109,
    'collection schema mismatch[collection=books]',
  ],
  [
    'no rows',
    { collectionName: 'books', numRows: 0, fieldsData: [] },
    1100,
    'num_rows should be greater than 0: invalid parameter[expected=invalid num_rows][actual=0]',
  ],
];

const COLUMNS: readonly RowsMistake[] = [
  [
    'a missing column',
    { ...books(), fieldsData: [ids] },
    1100,
    `fieldSchema(vector) has no corresponding fieldData pass in${ending}`,
  ],
  [
    'a missing key',
    { ...books(), fieldsData: [positions] },
    1100,
    `fieldSchema(id) has no corresponding fieldData pass in${ending}`,
  ],
  ['a column twice', books(ids), 1100, `duplicated field id found${ending}`],
  [
    'a column of no field',
    books(int64s('size', 1n, 2n)),
    1100,
    `fieldName size not exist in collection schema, fieldType Int64, fieldId 0${ending}`,
  ],
  [
    'more columns than fields',
    books(...Array.from({ length: 9 }, () => ids)),
    1100,
    'more fieldData has pass in: invalid parameter[expected=9][actual=11]',
  ],
  [
    'ragged columns',
    books(texts('title', 'a')),
    1100,
    `the num_rows (1) of field (title) is not equal to passed num_rows (2)${ending}`,
  ],
  [
    'fewer vectors than rows',
    { ...books(), fieldsData: [ids, vectors([1, 2])] },
    1100,
    `the num_rows (1) of field (vector) is not equal to passed num_rows (2)${ending}`,
  ],
  [
    'four billion rows, of which two are there',
    { ...books(), numRows: 4_294_967_295 },
    1100,
    `the num_rows (2) of field (id) is not equal to passed num_rows (4294967295)${ending}`,
  ],
  [
    'text where numbers belong',
    books(texts('price', '1', '2')),
    1100,
    "field 'price' is illegal, array type mismatch: invalid parameter[expected=need float array][actual=got string array]",
  ],
  [
    'numbers where vectors belong',
    { ...books(), fieldsData: [ids, int64s('vector', 1n, 2n)] },
    1100,
    "field 'vector' is illegal, array type mismatch: invalid parameter[expected=need float vector][actual=got long array]",
  ],
  [
    'a column without values',
    books(column({ fieldName: 'title' })),
    1100,
    "field 'title' is illegal, array type mismatch: invalid parameter[expected=need string array][actual=got nil]",
  ],
  [
    'vectors of another dimension',
    { ...books(), fieldsData: [ids, vectors([1, 2, 3], [4, 5, 6])] },
    1100,
    `the dim (3) of field data(vector) is not equal to schema dim (2)${ending}`,
  ],
  [
    'half a vector too much',
    {
      ...books(),
      fieldsData: [
        ids,
        column({ fieldName: 'vector', vectors: { dim: 2n, floatVector: { data: [1, 2, 3, 4, 5] } } }),
      ],
    },
    1100,
    /^cannot read the data of field vector: .*: invalid parameter$/,
  ],
  [
    'dynamic values for a collection that has none',
    { collectionName: 'auto', numRows: 2, fieldsData: [positions, metas('{}', '{}')] },
    1100,
    `without dynamic schema enabled, the field name cannot be set to $meta${ending}`,
  ],
  [
    'null keys',
    {
      ...books(),
      fieldsData: [
        column({ fieldName: 'id', scalars: { longData: { data: [1n] } }, validData: [true, false] }),
        positions,
      ],
    },
    1100,
    `primary field not support null${ending}`,
  ],
  [
    'nulls in a field that takes none',
    {
      collectionName: 'plain',
      numRows: 2,
      fieldsData: [
        ids,
        positions,
        column({ fieldName: 'isbn', scalars: { longData: { data: [1n] } }, validData: [true, false] }),
      ],
    },
    1100,
    `field isbn is not nullable, its valid_data should be empty${ending}`,
  ],
  [
    'validity of other rows than there are',
    books(column({ fieldName: 'price', scalars: { floatData: { data: [1] } }, validData: [true] })),
    1100,
    `the length (1) of valid_data of field (price) is not equal to passed num_rows (2)${ending}`,
  ],
  [
    'more values than valid rows',
    books(
      column({ fieldName: 'price', scalars: { floatData: { data: [1, 2, 3] } }, validData: [true, false] }),
    ),
    1100,
    `the length of field (price) is wrong: 3 values for 1 valid rows of 2${ending}`,
  ],
  [
    'damaged columns',
    { ...books(), fieldsData: [ids, positions.subarray(0, -3)] },
    1100,
    `cannot read field data: a member is cut off${ending}`,
  ],
  [
    'text that is no text',
    books(brokenText),
    1100,
    /^cannot read the data of field title: text that is not valid UTF-8, row number: 1: invalid parameter$/,
  ],
];

const notFinite = (field: string, row = 0) =>
  `value of field ${field} is not a number or infinity, row number: ${row}${ending}`;

const VALUES: readonly RowsMistake[] = [
  [
    'NaN in a vector',
    { ...books(), fieldsData: [ids, vectors([1, 2], [3, Number.NaN])] },
    1100,
    notFinite('vector', 1),
  ],
  [
    'infinity in a vector',
    { ...books(), fieldsData: [ids, vectors([Number.POSITIVE_INFINITY, 2], [3, 4])] },
    1100,
    notFinite('vector'),
  ],
  ['infinity in a scalar', books(prices(1, Number.NEGATIVE_INFINITY)), 1100, notFinite('price', 1)],
  ['NaN in an array', books(marks([1], [2, Number.NaN])), 1100, notFinite('marks', 1)],
  ['a number that its type cannot hold', books(levels(127, 128)), 1100, /level.*128.*: invalid parameter/],
  [
    'a text that is too long in bytes',
    books(texts('title', 'abcd', 'äöü')),
    1100,
    `length of varchar field title exceeds max length, row number: 1, length: 6, max length: 4${ending}`,
  ],
  [
    'a key that is too long',
    { collectionName: 'words', numRows: 2, fieldsData: [texts('id', 'one', 'three'), positions] },
    1100,
    `length of varchar field id exceeds max length, row number: 1, length: 5, max length: 4${ending}`,
  ],
  [
    'an array with too many elements',
    books(tags(['a'], ['a', 'b', 'c'])),
    1100,
    `length of array field tags exceeds max capacity, row number: 1, length: 3, max capacity: 2${ending}`,
  ],
  [
    'an array with an element that is too long',
    books(tags([], ['a', 'long'])),
    1100,
    `length of array field tags exceeds max length, row number: 1, length: 4, max length: 3${ending}`,
  ],
  [
    'JSON that is none',
    books(notes('{}', '{"a":')),
    1100,
    /^field notes is not valid JSON, row number: 1, error: .*: invalid parameter$/,
  ],
  [
    'JSON that is too long',
    books(notes('1', `"${'x'.repeat(65_536)}"`)),
    1100,
    `length of json field notes exceeds max length, row number: 1, length: 65538, max length: 65536${ending}`,
  ],
  [
    'a dynamic value that is no object',
    books(metas('{}', '[1]')),
    1100,
    `dynamic field $meta is not a JSON object, row number: 1${ending}`,
  ],
  [
    'a dynamic key that is a field',
    books(metas('{}', '{"title": 1}')),
    1100,
    `dynamic field name cannot include the static field name: title${ending}`,
  ],
  [
    'a dynamic key named $meta',
    books(metas('{"$meta": 1}', '{}')),
    1100,
    `cannot set json key to: $meta${ending}`,
  ],
];

const SHAPES: readonly RowsMistake[] = [
  [
    'NaN in a float16 vector',
    shape({
      half: column({
        fieldName: 'half',
        vectors: { dim: 2n, float16Vector: Buffer.from('003c007e', 'hex') },
      }),
    }),
    1100,
    notFinite('half'),
  ],
  [
    'infinity in a bfloat16 vector',
    shape({
      brain: column({
        fieldName: 'brain',
        vectors: { dim: 2n, bfloat16Vector: Buffer.from('803f807f', 'hex') },
      }),
    }),
    1100,
    notFinite('brain'),
  ],
  [
    'bits of another number',
    shape({
      bits: column({ fieldName: 'bits', vectors: { dim: 16n, binaryVector: Buffer.from('0f0f', 'hex') } }),
    }),
    1100,
    `the dim (16) of field data(bits) is not equal to schema dim (8)${ending}`,
  ],
  [
    'float vectors in an int8 vector field',
    shape({ bytes: column({ fieldName: 'bytes', vectors: { dim: 2n, floatVector: { data: [1, 2] } } }) }),
    1100,
    "field 'bytes' is illegal, array type mismatch: invalid parameter[expected=need int8 vector][actual=got float vector]",
  ],
  [
    'half a sparse element',
    sparse('01000000'),
    1100,
    /^invalid data length in sparse float vector of .*: 4: invalid parameter$/,
  ],
  [
    'sparse indices that fall',
    sparse('020000000000803f010000000000803f'),
    1100,
    /^unsorted or same indices in sparse float vector of .*: invalid parameter$/,
  ],
  [
    'NaN in a sparse vector',
    sparse('010000000000c07f'),
    1100,
    /^value 'NaN' is not a number or infinity in .*: invalid parameter$/,
  ],
  [
    'a sparse index that is too large',
    sparse('ffffffff0000803f'),
    1100,
    /^sparse vector index must be a uint32 less than 2\^32-1, got 4294967295 in .*: invalid parameter$/,
  ],
];

const ROWS = [...TARGETS, ...COLUMNS, ...VALUES, ...SHAPES];
const twoTitles = { collectionName: 'auto', numRows: 2, fieldsData: [ids, positions] };

/** Rows that do not fit. */
export const INSERT_MISTAKES: readonly Mistake[] = [
  ...mistakesOf('Insert', ROWS),
  ...mistakesOf('Insert', [
    [
      'a key where the server makes them',
      twoTitles,
      1100,
      `can not assign primary field data when auto id enabled id${ending}`,
    ],
  ]),
];

/** Rows that do not fit, and what only an upsert can get wrong. */
export const UPSERT_MISTAKES: readonly Mistake[] = [
  ...mistakesOf(
    'Upsert',
    ROWS.filter(([, { collectionName }]) => collectionName !== 'auto'),
  ),
  ...mistakesOf('Upsert', [
    [
      'no key where the server has made them',
      { ...twoTitles, fieldsData: [positions] },
      1100,
      `upsert can not assign primary field data when auto id enabled id${ending}`,
    ],
  ]),
];
