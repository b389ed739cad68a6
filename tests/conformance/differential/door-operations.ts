import { type Answer, encode, type Message } from './milvus-service.ts';
import { indexed } from './upkeep-operations.ts';

type Json = Readonly<Record<string, unknown>>;

/** The same operation by both doors, each in a database of its own; what they tell must be the same. */
export interface Operation {
  readonly path: string;
  readonly body: Json;
  readonly rpc: string;
  readonly request: Message;
  /** What gRPC answers, as REST shows it; left out: that it succeeds is all there is to tell. */
  readonly shown?: (answer: Answer) => unknown;
  /** What of REST's data that is compared with; left out: all of it. */
  readonly told?: (data: Json) => unknown;
}

/** Consistency on the wire. */
export const STRONG = 0;
const TYPE = { bool: 1, int64: 5, float: 10, double: 11, varChar: 21, json: 23, floatVector: 101 } as const;
const DIM = 4;
const ROWS = 20;
const INT64_MAX = 2n ** 63n - 1n;

const c = { collectionName: 'c' };
const key = (row: number) => String(INT64_MAX - BigInt(row));
const single = (row: number) => Math.fround(row / 3);
const vector = (row: number) => Array.from({ length: DIM }, (_, at) => Math.fround(Math.sin(10 * row + at)));

/** Of the collection that the operations are about, `c`. */
export const REST_FIELDS = [
  { fieldName: 'id', dataType: 'Int64', isPrimary: true },
  { fieldName: 'flag', dataType: 'Bool' },
  { fieldName: 'large', dataType: 'Int64', nullable: true },
  { fieldName: 'single', dataType: 'Float' },
  { fieldName: 'precise', dataType: 'Double' },
  { fieldName: 'name', dataType: 'VarChar', elementTypeParams: { max_length: 64 } },
  { fieldName: 'document', dataType: 'JSON' },
  { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: DIM } },
];
const SCHEMA = encode('schema.CollectionSchema', {
  name: 'c',
  enableDynamicField: true,
  fields: [
    { name: 'id', dataType: TYPE.int64, isPrimaryKey: true },
    { name: 'flag', dataType: TYPE.bool },
    { name: 'large', dataType: TYPE.int64, nullable: true },
    { name: 'single', dataType: TYPE.float },
    { name: 'precise', dataType: TYPE.double },
    { name: 'name', dataType: TYPE.varChar, typeParams: [{ key: 'max_length', value: '64' }] },
    { name: 'document', dataType: TYPE.json },
    { name: 'v', dataType: TYPE.floatVector, typeParams: [{ key: 'dim', value: String(DIM) }] },
  ],
});

/** Rows as JSON objects, and the same as columns. */
function rows(from: number, count: number): { data: readonly Json[]; columns: Message } {
  const numbers = Array.from({ length: count }, (_, at) => from + at);
  const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
  const isNull = (row: number) => row % 3 === 0;
  const scalars = (fieldName: string, type: number, list: Json, more: Json = {}) => ({
    type,
    fieldName,
    scalars: list,
    ...more,
  });
  return {
    data: numbers.map((row) => ({
      id: key(row),
      flag: row % 2 === 0,
      large: isNull(row) ? null : key(2 * row),
      single: single(row),
      precise: row / 7,
      name: `row "${row}" – ü`,
      document: { row, list: [1, 2.5, null] },
      v: vector(row),
      colour: row % 2 === 0 ? 'red' : 'blue',
    })),
    columns: {
      numRows: count,
      fieldsData: [
        scalars('id', TYPE.int64, { longData: { data: numbers.map(key) } }),
        scalars('flag', TYPE.bool, { boolData: { data: numbers.map((row) => row % 2 === 0) } }),
        scalars(
          'large',
          TYPE.int64,
          { longData: { data: numbers.filter((row) => !isNull(row)).map((row) => key(2 * row)) } },
          { validData: numbers.map((row) => !isNull(row)) },
        ),
        scalars('single', TYPE.float, { floatData: { data: numbers.map(single) } }),
        scalars('precise', TYPE.double, { doubleData: { data: numbers.map((row) => row / 7) } }),
        scalars('name', TYPE.varChar, { stringData: { data: numbers.map((row) => `row "${row}" – ü`) } }),
        scalars('document', TYPE.json, {
          jsonData: { data: numbers.map((row) => bytes({ row, list: [1, 2.5, null] })) },
        }),
        scalars(
          '$meta',
          TYPE.json,
          { jsonData: { data: numbers.map((row) => bytes({ colour: row % 2 === 0 ? 'red' : 'blue' })) } },
          { isDynamic: true },
        ),
        {
          type: TYPE.floatVector,
          fieldName: 'v',
          vectors: { dim: DIM, floatVector: { data: numbers.flatMap(vector) } },
        },
      ],
    },
  };
}

const first = rows(0, ROWS);
const again = rows(ROWS - 5, 10);
/** A search by gRPC of the vector of row 3. */
export const search = (limit: number, more: readonly Json[] = []): Message => ({
  ...c,
  dslType: 1,
  nq: 1,
  consistencyLevel: STRONG,
  outputFields: ['name'],
  placeholderGroup: encode('common.PlaceholderGroup', {
    placeholders: [
      { tag: '$0', type: TYPE.floatVector, values: [Buffer.from(Float32Array.from(vector(3)).buffer)] },
    ],
  }),
  searchParams: [
    { key: 'anns_field', value: 'v' },
    { key: 'topk', value: String(limit) },
    { key: 'metric_type', value: 'L2' },
    { key: 'params', value: '{}' },
    ...more,
  ],
});
/** The same by REST. */
export const SEARCH = { data: [vector(3)], annsField: 'v', limit: 5, metricType: 'L2' };

/** Rows that are left when all operations are done. */
export const ROWS_LEFT = [...first.data.slice(0, -5), ...again.data].filter(({ id }) => id !== key(1));

/** Each succeeds after those before it. */
export const OPERATIONS: readonly Operation[] = [
  {
    path: 'collections/create',
    body: { ...c, schema: { enableDynamicField: true, fields: REST_FIELDS } },
    rpc: 'CreateCollection',
    request: { ...c, schema: SCHEMA, shardsNum: 1, consistencyLevel: 2 },
  },
  {
    path: 'collections/has',
    body: c,
    rpc: 'HasCollection',
    request: c,
    shown: ({ value }) => ({ has: value }),
  },
  indexed(c, { fieldName: 'v', indexName: 'v', indexType: 'FLAT', metricType: 'L2' }),
  { path: 'collections/load', body: c, rpc: 'LoadCollection', request: { ...c, replicaNumber: 1 } },
  {
    path: 'entities/insert',
    body: { ...c, data: first.data },
    rpc: 'Insert',
    request: { ...c, ...first.columns },
    shown: ({ insertCnt, IDs }) => ({ insertCount: Number(insertCnt), insertIds: longs(IDs) }),
  },
  {
    path: 'entities/upsert',
    body: { ...c, data: again.data },
    rpc: 'Upsert',
    request: { ...c, ...again.columns },
    shown: ({ upsertCnt, IDs }) => ({ upsertCount: Number(upsertCnt), upsertIds: longs(IDs) }),
  },
  {
    path: 'entities/delete',
    body: { ...c, filter: `id in [${INT64_MAX - 1n}]` },
    rpc: 'Delete',
    request: { ...c, expr: `id in [${INT64_MAX - 1n}]` },
    shown: ({ deleteCnt }) => ({ deleteCount: Number(deleteCnt) }),
  },
  {
    path: 'entities/query',
    body: { ...c, outputFields: ['count(*)'], consistencyLevel: 'Strong' },
    rpc: 'Query',
    request: { ...c, outputFields: ['count(*)'], consistencyLevel: STRONG },
    shown: ({ fieldsData }) => [{ 'count(*)': longs((fieldsData as never)[0], 'scalars', 'longData')[0] }],
  },
  {
    path: 'entities/search',
    body: { ...c, ...SEARCH, outputFields: ['name'], consistencyLevel: 'Strong' },
    rpc: 'Search',
    request: search(5),
    shown: hits,
  },
  {
    path: 'entities/get',
    body: { ...c, id: [key(3)], outputFields: ['name'], consistencyLevel: 'Strong' },
    rpc: 'Query',
    request: { ...c, expr: `id in [${key(3)}]`, outputFields: ['name'], consistencyLevel: STRONG },
    shown: ({ fieldsData }) => rowsShown(fieldsData as never),
  },
  ...['entities/hybrid_search', 'entities/advanced_search'].map((path) => ({
    path,
    body: {
      ...c,
      search: [SEARCH, { ...SEARCH, filter: 'flag == true' }],
      rerank: { strategy: 'rrf', params: { k: 60 } },
      limit: 4,
      outputFields: ['name'],
      consistencyLevel: 'Strong',
    },
    rpc: 'HybridSearch',
    request: {
      ...c,
      requests: [search(5), { ...search(5), dsl: 'flag == true' }],
      rankParams: [
        { key: 'strategy', value: 'rrf' },
        { key: 'params', value: '{"k":60}' },
        { key: 'limit', value: '4' },
        { key: 'round_decimal', value: '-1' },
      ],
      outputFields: ['name'],
      consistencyLevel: STRONG,
    },
    shown: hits,
  })),
  {
    path: 'partitions/create',
    body: { ...c, partitionName: 'north' },
    rpc: 'CreatePartition',
    request: { ...c, partitionName: 'north' },
  },
  {
    path: 'partitions/list',
    body: c,
    rpc: 'ShowPartitions',
    request: c,
    shown: ({ partitionNames }) => partitionNames,
  },
  {
    path: 'aliases/create',
    body: { ...c, aliasName: 'other' },
    rpc: 'CreateAlias',
    request: { ...c, alias: 'other' },
  },
  { path: 'aliases/list', body: c, rpc: 'ListAliases', request: c, shown: ({ aliases }) => aliases },
  {
    path: 'collections/alter_properties',
    body: { ...c, properties: { 'collection.ttl.seconds': 3_600 } },
    rpc: 'AlterCollection',
    request: { ...c, properties: [{ key: 'collection.ttl.seconds', value: '3600' }] },
  },
  {
    path: 'indexes/list',
    body: c,
    rpc: 'DescribeIndex',
    request: c,
    shown: ({ indexDescriptions }) =>
      (indexDescriptions as readonly { indexName: string }[]).map(({ indexName }) => indexName),
  },
  {
    path: 'collections/get_stats',
    body: c,
    rpc: 'GetCollectionStatistics',
    request: c,
    shown: ({ stats }) => ({ rowCount: Number((stats as readonly { value: string }[])[0]!.value) }),
  },
];

/** int64 values, which both show with all of their digits. */
function longs(...[from, ...path]: readonly [from: unknown, ...path: string[]]): bigint[] {
  const names = path.length === 0 ? ['intId'] : path;
  const list = names.reduce((value, name) => (value as Record<string, unknown>)[name], from);
  return (list as { data: string[] }).data.map(BigInt);
}

/** Names and keys of rows as REST shows them. */
function rowsShown(columns: readonly { fieldName: string; scalars: Record<string, { data: string[] }> }[]) {
  const valuesOf = (name: string) =>
    Object.values(columns.find(({ fieldName }) => fieldName === name)!.scalars).find(
      (list) => list?.data !== undefined,
    )!.data;
  return valuesOf('id').map((id, at) => ({ name: valuesOf('name')[at], id: BigInt(id) }));
}

/** Hits of one query as REST shows them. */
function hits({ results }: Answer): unknown {
  const { ids, scores, fieldsData } = results as unknown as {
    ids: unknown;
    scores: number[];
    fieldsData: readonly [{ scalars: { stringData: { data: string[] } } }];
  };
  return longs(ids).map((id, at) => ({
    name: fieldsData[0].scalars.stringData.data[at],
    id,
    distance: shortest(scores[at]!),
  }));
}

/** The fewest digits that say a float32. */
function shortest(float: number): number {
  for (let digits = 1; ; digits++) {
    const text = Number(float.toPrecision(digits));
    if (Math.fround(text) === Math.fround(float)) return text;
  }
}
