import { DataType } from '@elanus/model';
import type {
  Draft,
  Methods,
  schema_FieldData,
  schema_FieldSchema,
  schema_StructArrayFieldSchema,
} from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { column, createRequest, int64s, params, texts, vectors } from './request-drafts.ts';

const ending = ': invalid parameter';

type Field = Draft<schema_FieldSchema>;
type Struct = Draft<schema_StructArrayFieldSchema>;
type Sub = Draft<schema_FieldData>;
type RowsDraft = Draft<Methods['Insert']['request']>;

const sub = (options: Field = {}): Field => ({
  name: 'size',
  dataType: DataType.Array,
  elementType: DataType.Int32,
  typeParams: params({ max_capacity: '2' }),
  ...options,
});
const spot = (options: Field = {}): Field => ({
  name: 'spot',
  dataType: DataType.ArrayOfVector,
  elementType: DataType.FloatVector,
  typeParams: params({ max_capacity: '2', dim: '2' }),
  ...options,
});
const withStruct = (...structArrayFields: Struct[]) => createRequest('c', { structArrayFields });
const withSubs = (...fields: Field[]) => withStruct({ name: 'parts', fields });
const ofSub = 'sub-field size of struct array field parts';

type CreateMistake = readonly [
  what: string,
  request: RowsDraft | ReturnType<typeof createRequest>,
  code: number,
  reason: string,
];

const CREATE: readonly CreateMistake[] = [
  ['a struct of nothing', withSubs(), 1100, `struct array field parts has no sub-fields${ending}`],
  [
    'a struct that is called as a field is',
    withStruct({ name: 'vector', fields: [sub()] }),
    1100,
    `duplicated field name vector found${ending}`,
  ],
  [
    'a sub-field that is no array',
    withSubs(sub({ dataType: DataType.Int32 })),
    1100,
    `${ofSub} can only be array or array of vector, but is Int32${ending}`,
  ],
  ['two sub-fields of one name', withSubs(sub(), sub()), 1100, `duplicated field name size found${ending}`],
  [
    'a sub-field as a key',
    withSubs(sub({ isPartitionKey: true })),
    1100,
    `${ofSub} can not be a key${ending}`,
  ],
  [
    'a nullable sub-field of a struct that is not',
    withSubs(sub({ nullable: true })),
    1100,
    `${ofSub} can be nullable with its struct only${ending}`,
  ],
  [
    'sub-fields of different capacity',
    withSubs(sub(), spot({ typeParams: params({ max_capacity: '3', dim: '2' }) })),
    1100,
    `max_capacity of the sub-fields of struct parts should be the same, but parts[size] has 2 and parts[spot] has 3${ending}`,
  ],
  [
    'vectors of no dimension in a struct',
    withSubs(spot({ typeParams: params({ max_capacity: '2' }) })),
    1100,
    `dimension is not defined in field type params of field spot, check type param \`dim\` for vector field${ending}`,
  ],
  [
    'sparse vectors in a struct',
    withSubs(spot({ elementType: DataType.SparseFloatVector })),
    1100,
    `dim should not be specified for sparse vector field spot${ending}`,
  ],
  [
    'JSON in a struct',
    withSubs(sub({ elementType: DataType.JSON })),
    1100,
    `element type of array field size should be a scalar other than JSON and Array${ending}`,
  ],
];

const sizes = (...rows: readonly (readonly number[])[]): Sub => ({
  type: DataType.Array,
  fieldName: 'size',
  scalars: {
    arrayData: { data: rows.map((data) => ({ intData: { data } })), elementType: DataType.Int32 },
  },
});
const spots = (...rows: readonly (readonly number[])[]): Sub => ({
  type: DataType.ArrayOfVector,
  fieldName: 'spot',
  vectors: {
    dim: 2n,
    vectorArray: {
      dim: 2n,
      elementType: DataType.FloatVector,
      data: rows.map((data) => ({ dim: 2n, floatVector: { data } })),
    },
  },
});
const parts = (...fields: readonly Sub[]): Uint8Array =>
  column({ type: DataType.ArrayOfStruct, fieldName: 'parts', structArrays: { fields } });

/** Two rows of `places`. */
const places = (...more: readonly Uint8Array[]): RowsDraft => ({
  collectionName: 'places',
  numRows: 2,
  fieldsData: [int64s('id', 1n, 2n), vectors([1, 2], [3, 4]), ...more],
});
const good = parts(sizes([1], [2, 3]), spots([1, 2], [1, 2, 3, 4]));
const wkt = (...data: readonly string[]) =>
  column({ type: DataType.Geometry, fieldName: 'area', scalars: { geometryWktData: { data } } });
const micros = (...data: readonly bigint[]) =>
  column({ type: DataType.Timestamptz, fieldName: 'at', scalars: { timestamptzData: { data } } });

type InsertMistake = readonly [what: string, request: RowsDraft, code: number, reason: string | RegExp];

const INSERT: readonly InsertMistake[] = [
  ['no structs', places(), 1100, `required struct array field 'parts' is missing in insert data${ending}`],
  [
    'a number for structs',
    places(int64s('parts', 1n, 2n)),
    1100,
    `unexpected field data type in struct array field, fieldName: parts${ending}`,
  ],
  [
    'structs that lack a sub-field',
    places(parts(sizes([1], [2]))),
    1100,
    `sub-field 'spot' of struct 'parts' is missing in insert data${ending}`,
  ],
  [
    'structs with an unknown sub-field',
    places(parts(sizes([1], [2]), { ...sizes([1], [2]), fieldName: 'width' })),
    1100,
    `sub-field 'width' not found in struct schema 'parts'${ending}`,
  ],
  [
    'a sub-field twice',
    places(parts(sizes([1], [2]), sizes([1], [2]))),
    1100,
    `duplicated field parts[size] found${ending}`,
  ],
  [
    'a sub-field on its own',
    places(good, column({ ...sizes([1], [2]), fieldName: 'parts[size]' })),
    1100,
    /^fieldName parts\[size\] not exist in collection schema/,
  ],
  [
    'sub-fields of different lengths',
    places(parts(sizes([1], [2, 3]), spots([1, 2], [1, 2]))),
    1100,
    `inconsistent struct element count in struct 'parts' at row 1: 'size' has 2, 'spot' has 1${ending}`,
  ],
  [
    'more structs than there may be',
    places(parts(sizes([1], [2, 3, 4]), spots([1, 2], [1, 2, 3, 4, 5, 6]))),
    1100,
    `length of array field parts[size] exceeds max capacity, row number: 1, length: 3, max capacity: 2${ending}`,
  ],
  [
    'half a vector in a struct',
    places(parts(sizes([1], [2]), spots([1, 2], [1, 2, 3]))),
    1100,
    /^cannot read the data of field parts\[spot\]: the length\(3\) of float data should divide the dim\(2\)/,
  ],
  [
    'vectors of another dimension in a struct',
    places(
      parts(sizes([1, 2], [3]), {
        ...spots(),
        vectors: { vectorArray: { dim: 4n, data: [{ floatVector: { data: [1, 2, 3, 4] } }, {}] } },
      }),
    ),
    1100,
    /^cannot read the data of field parts\[spot\]: vectors of dim 4 for a field of dim 2/,
  ],
  [
    'a vector of bits in a struct of floats',
    places(
      parts(sizes([1], [2]), {
        ...spots(),
        vectors: { dim: 2n, vectorArray: { data: [{ binaryVector: Buffer.alloc(8) }, {}] } },
      }),
    ),
    1100,
    /^cannot read the data of field parts\[spot\]: row 0 is not an array of FloatVector/,
  ],
  [
    'a vector that is no number in a struct',
    places(parts(sizes([1], [2]), spots([1, 2], [1, Number.NaN]))),
    1100,
    `value of field parts[spot] is not a number or infinity, row number: 1${ending}`,
  ],
  [
    'a text that is no instant',
    places(good, texts('at', '2025-01-01T00:00:00Z', 'noon')),
    1100,
    `got invalid timestamptz string 'noon': invalid timezone name; must be a valid IANA Time Zone ID (e.g., 'Asia/Shanghai' or 'UTC')${ending}`,
  ],
  [
    'an instant after the year 9999',
    places(good, micros(0n, 253_402_300_800_000_000n)),
    1100,
    `value of field at is outside of the years 0 to 9999, row number: 1${ending}`,
  ],
  [
    'an instant for a shape',
    places(good, column({ fieldName: 'area', scalars: { timestamptzData: { data: [1n, 2n] } } })),
    1100,
    /^field 'area' is illegal, array type mismatch/,
  ],
  [
    'a text that is no shape',
    places(good, wkt('POINT (1 2)', 'POINT (1')),
    1100,
    `invalid Geometry data, transform to wkb failed: POINT (1 is no WKT, row 1${ending}`,
  ],
  [
    'a shape that is too long',
    places(good, wkt('POINT (1 2)', `LINESTRING (0 0${', 1 1'.repeat(14_000)})`)),
    1100,
    /^invalid Geometry data, transform to wkb failed: a WKT of 70016 bytes, at most 65536 are taken, row 1/,
  ],
];

const query = (expr: string, queryParams: Readonly<Record<string, string>> = {}) => ({
  collectionName: 'places',
  expr,
  queryParams: params(queryParams),
});
const plan = 'failed to create query plan: cannot parse expression: ';

const QUERY: readonly (readonly [string, ReturnType<typeof query>, number, string | RegExp])[] = [
  [
    'an unknown time zone',
    query('id > 0', { timezone: 'Mars/Olympus' }),
    1100,
    `unknown or invalid IANA Time Zone ID: Mars/Olympus${ending}`,
  ],
  [
    'an unknown part of instants',
    query('id > 0', { time_fields: 'year,era' }),
    1100,
    `unknown time field: era${ending}`,
  ],
  [
    'a comparison of structs',
    query('parts[spot] == 1'),
    1100,
    `${plan}parts[spot] == 1, error: filter on field parts[spot] of type ArrayOfVector is not supported${ending}`,
  ],
  [
    'an unknown sub-field',
    query('match_any(parts, $[width] > 1)'),
    1100,
    `${plan}match_any(parts, $[width] > 1), error: struct field not found: parts[width]${ending}`,
  ],
  [
    'a comparison of shapes',
    query('area == "POINT (1 2)"'),
    1100,
    `${plan}area == "POINT (1 2)", error: filter on field area of type Geometry is not supported${ending}`,
  ],
  [
    'a shape that is none',
    query('st_within(area, "POINT (1")'),
    1100,
    `${plan}st_within(area, "POINT (1"), error: invalid WKT: POINT (1${ending}`,
  ],
];

export const STRUCT_MISTAKES: readonly Mistake[] = [
  ...mistakesOf('CreateCollection', CREATE as never),
  ...mistakesOf('Insert', INSERT),
  ...mistakesOf('Upsert', INSERT),
  ...mistakesOf('Query', QUERY),
];
