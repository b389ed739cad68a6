import { DataType } from '@elanus/model';
import type { Draft, schema_FieldSchema } from '@elanus/proto';
import { type Call, call } from './mistake.ts';
import {
  column,
  createRequest,
  int64s,
  key,
  metas,
  params,
  text,
  texts,
  vector,
  vectors,
} from './request-drafts.ts';

type Field = Draft<schema_FieldSchema>;

/** A vector of two floats: most rows of the tables have one. */
const pair = (name = 'vector') => vector({ name, typeParams: params({ dim: '2' }) });
const title: Field = text({ name: 'title', typeParams: params({ max_length: '4' }), nullable: true });
const arrayOf = (elementType: DataType): Field => ({
  dataType: DataType.Array,
  elementType,
  typeParams: params({ max_capacity: '4', max_length: '4' }),
});

/** One field of every kind, named after it. */
export const EVERY_FIELD: readonly Field[] = [
  key(),
  vector({ name: 'float' }),
  vector({ name: 'half', dataType: DataType.Float16Vector }),
  vector({ name: 'bytes', dataType: DataType.Int8Vector }),
  vector({ name: 'bits', dataType: DataType.BinaryVector, typeParams: params({ dim: '8' }) }),
  { name: 'sparse', dataType: DataType.SparseFloatVector },
  { name: 'flag', dataType: DataType.Bool },
  { name: 'n', dataType: DataType.Int64 },
  { name: 'x', dataType: DataType.Double },
  { name: 'text', dataType: DataType.VarChar, typeParams: params({ max_length: '9' }) },
  { name: 'json', dataType: DataType.JSON },
  { name: 'numbers', ...arrayOf(DataType.Int32) },
  { name: 'doubles', ...arrayOf(DataType.Double) },
  { name: 'instant', dataType: DataType.Timestamptz },
  { name: 'shape', dataType: DataType.Geometry },
];

const bookFields: readonly Field[] = [
  key(),
  pair(),
  title,
  { name: 'price', dataType: DataType.Float, nullable: true },
  {
    name: 'tags',
    dataType: DataType.Array,
    elementType: DataType.VarChar,
    typeParams: params({ max_length: '3', max_capacity: '2' }),
    nullable: true,
  },
  { name: 'notes', dataType: DataType.JSON, nullable: true },
  { name: 'level', dataType: DataType.Int8, nullable: true },
  { name: 'marks', ...arrayOf(DataType.Double), nullable: true },
];

const shapeFields: readonly Field[] = [
  key(),
  vector({ name: 'half', dataType: DataType.Float16Vector, typeParams: params({ dim: '2' }) }),
  vector({ name: 'brain', dataType: DataType.BFloat16Vector, typeParams: params({ dim: '2' }) }),
  vector({ name: 'bytes', dataType: DataType.Int8Vector, typeParams: params({ dim: '2' }) }),
  vector({ name: 'bits', dataType: DataType.BinaryVector, typeParams: params({ dim: '8' }) }),
  { name: 'sparse', dataType: DataType.SparseFloatVector },
];

const placeFields: readonly Field[] = [
  key(),
  pair(),
  { name: 'at', dataType: DataType.Timestamptz, nullable: true },
  { name: 'area', dataType: DataType.Geometry, nullable: true },
];
const capacity = { max_capacity: '2' };
const parts = {
  name: 'parts',
  fields: [
    { name: 'size', dataType: DataType.Array, elementType: DataType.Int32, typeParams: params(capacity) },
    {
      name: 'spot',
      dataType: DataType.ArrayOfVector,
      elementType: DataType.FloatVector,
      typeParams: params({ ...capacity, dim: '2' }),
    },
  ],
};

const analysed = (name: string, pairs: Readonly<Record<string, string>>): Field =>
  text({ name, typeParams: params({ max_length: '64', enable_analyzer: 'true', ...pairs }) });
const poemFields: readonly Field[] = [
  key(),
  analysed('text', { analyzer_params: '{"type": "english"}', enable_match: 'true' }),
  text({ name: 'lang' }),
  analysed('verse', {
    multi_analyzer_params: '{"by_field": "lang", "analyzers": {"default": {}, "en": {"type": "english"}}}',
  }),
  { name: 'sparse', dataType: DataType.SparseFloatVector },
];
const wordsOfText = { name: 'words', type: 1, inputFieldNames: ['text'], outputFieldNames: ['sparse'] };

const create = (...request: Parameters<typeof createRequest>) =>
  call('CreateCollection', createRequest(...request));
const index = (collectionName: string, fieldName: string, pairs: Readonly<Record<string, string>> = {}) =>
  call('CreateIndex', { collectionName, fieldName, extraParams: params(pairs) });
const load = (collectionName: string) => call('LoadCollection', { collectionName });
const L2 = { index_type: 'FLAT', metric_type: 'L2' };

/**
 * Makes the collections that the tables of mistakes speak of, one for each state that a mistake needs: `books`
 * (dynamic, a partition `new`, two indexes), `plain` (only `_default`, `id` and `vector` are loaded), `shelved`
 * (a partition key), `auto` (automatic keys), `words` (keys are text), `double` (two vectors), `shapes` (the other
 * kinds of vectors), `places` (an instant, a shape, structs), `graphs` (two vectors whose indexes are graphs), `poems` (a BM25 function), all loaded; `asleep` (indexed), `halved` (one
 * of two vectors is indexed), `bare` (no index) and `every` (one field of each kind), which are not. `second` and `library` are
 * aliases of `books`. The database `archive` may hold one collection and holds it: `scrolls`, with the alias
 * `second`; `no_writing`, `no_reading` and `no_ddl` forbid what their names say.
 */
export const PREPARED_COLLECTIONS: readonly Call[] = [
  create('books', { fields: bookFields, enableDynamicField: true }, { shardsNum: 2 }),
  call('CreatePartition', { collectionName: 'books', partitionName: 'new' }),
  index('books', 'vector', L2),
  index('books', 'title', { index_type: 'INVERTED' }),
  load('books'),

  create('places', { fields: placeFields, structArrayFields: [parts] }),
  index('places', 'vector', L2),
  load('places'),

  create('plain', { fields: [key(), pair(), { name: 'isbn', dataType: DataType.Int64 }] }),
  call('CreatePartition', { collectionName: 'plain', partitionName: 'other' }),
  index('plain', 'vector', L2),
  call('LoadPartitions', {
    collectionName: 'plain',
    partitionNames: ['_default'],
    loadFields: ['id', 'vector'],
  }),

  create(
    'shelved',
    { fields: [key(), pair(), text({ name: 'shelf', isPartitionKey: true })] },
    { numPartitions: 2n },
  ),
  index('shelved', 'vector', L2),
  load('shelved'),

  create('auto', { fields: [key({ autoID: true }), pair(), title] }),
  index('auto', 'vector', L2),
  load('auto'),

  create('words', {
    fields: [key({ dataType: DataType.VarChar, typeParams: params({ max_length: '4' }) }), pair()],
  }),
  index('words', 'vector', L2),
  load('words'),

  create('double', { fields: [key(), pair(), pair('other')] }),
  index('double', 'vector', L2),
  index('double', 'other', L2),
  load('double'),

  create('shapes', { fields: shapeFields }),
  ...['half', 'brain', 'bytes', 'bits', 'sparse'].map((field) => index('shapes', field)),
  load('shapes'),

  create('graphs', { fields: [key(), pair(), pair('codes')] }),
  index('graphs', 'vector', { index_type: 'HNSW', metric_type: 'L2' }),
  index('graphs', 'codes', { index_type: 'HNSW_SQ', metric_type: 'L2', refine: 'true' }),
  load('graphs'),

  create('poems', { fields: poemFields, functions: [wordsOfText] }),
  index('poems', 'sparse', { index_type: 'SPARSE_INVERTED_INDEX', metric_type: 'BM25' }),
  load('poems'),

  create('asleep', { fields: [key(), pair(), { name: 'pages', dataType: DataType.Int64 }] }),
  index('asleep', 'vector', L2),

  create('halved', { fields: [key(), pair(), pair('other')] }),
  index('halved', 'vector', L2),

  create('bare', { fields: [key(), pair()] }),
  create('every', { fields: EVERY_FIELD }),

  call('CreateAlias', { collectionName: 'books', alias: 'second' }),
  call('CreateAlias', { collectionName: 'books', alias: 'library' }),
  call('CreateDatabase', {
    dbName: 'archive',
    properties: params({ 'database.max.collections': '1', note: 'old' }),
  }),
  create('scrolls', { fields: [key(), pair()] }, { dbName: 'archive' }),
  call('CreateAlias', { dbName: 'archive', collectionName: 'scrolls', alias: 'second' }),
  ...['writing', 'reading', 'ddl'].map((group) =>
    call('CreateDatabase', {
      dbName: `no_${group}`,
      properties: params({ [`database.force.deny.${group}`]: 'True' }),
    }),
  ),
];

/** `count` keys from 1 on, and as many vectors. */
function someRows(count: number): Uint8Array[] {
  const numbers = Array.from({ length: count }, (_, at) => at + 1);
  return [int64s('id', ...numbers.map(BigInt)), vectors(...numbers.map((n) => [n, n]))];
}

const insert = (
  collectionName: string,
  numRows: number,
  fieldsData: readonly Uint8Array[],
  partitionName = '',
) => call('Insert', { collectionName, numRows, fieldsData, partitionName });

/** Rows for the prepared collections, so that there is something to lose. */
export const PREPARED_ROWS: readonly Call[] = [
  insert('books', 3, [
    ...someRows(3),
    texts('title', 'a', 'b', 'c'),
    metas('{"size": 1}', '{}', '{"size": 3}'),
  ]),
  insert('books', 1, [int64s('id', 9n), vectors([9, 9])], 'new'),
  insert('plain', 2, [...someRows(2), int64s('isbn', 10n, 20n)]),
  insert('shelved', 3, [...someRows(3), texts('shelf', 'a', 'b', 'a')]),
  insert('auto', 2, [vectors([1, 1], [2, 2])]),
  insert('words', 2, [texts('id', 'one', 'two'), vectors([1, 1], [2, 2])]),
  insert('double', 1, [
    ...someRows(1),
    column({ fieldName: 'other', vectors: { dim: 2n, floatVector: { data: [1, 1] } } }),
  ]),
  insert('shapes', 1, oneShape()),
  insert('poems', 2, [
    int64s('id', 1n, 2n),
    texts('text', 'a rose is a rose', 'roses are red'),
    texts('lang', 'en', ''),
    texts('verse', 'a rose', 'roses'),
  ]),
  insert('asleep', 2, [...someRows(2), int64s('pages', 100n, 200n)]),
];

/** A row of `shapes`, with `replaced` instead of the column of the same field. */
export function oneShape(replaced: Readonly<Record<string, Uint8Array>> = {}): Uint8Array[] {
  const vectorsOf = (fieldName: string, draft: Parameters<typeof column>[0]['vectors']) =>
    column({ fieldName, vectors: draft! });
  const columns = {
    id: int64s('id', 1n),
    half: vectorsOf('half', { dim: 2n, float16Vector: Buffer.from('003c003c', 'hex') }),
    brain: vectorsOf('brain', { dim: 2n, bfloat16Vector: Buffer.from('803f803f', 'hex') }),
    bytes: vectorsOf('bytes', { dim: 2n, int8Vector: Buffer.from('0102', 'hex') }),
    bits: vectorsOf('bits', { dim: 8n, binaryVector: Buffer.from('0f', 'hex') }),
    sparse: sparseColumn(Buffer.from('010000000000803f', 'hex')),
    ...replaced,
  };
  return Object.values(columns);
}

/** The column `sparse` of `shapes`. */
export function sparseColumn(...contents: readonly Uint8Array[]): Uint8Array {
  return column({ fieldName: 'sparse', vectors: { dim: 8n, sparseFloatVector: { dim: 8n, contents } } });
}
