import type { Operation } from './door-operations.ts';
import { encode } from './milvus-service.ts';

type Json = Readonly<Record<string, unknown>>;
type Pairs = readonly { readonly key: string; readonly value: string }[];

const c = { collectionName: 'c' };
/** Comes and goes, where `c` stays. */
const e = { collectionName: 'e' };
/** An index of these four parameters. */
export interface AskedIndex {
  readonly fieldName: string;
  readonly indexName: string;
  readonly indexType: string;
  readonly metricType: string;
}

/** Properties as messages have them. */
export const pairs = (properties: Readonly<Record<string, string>>): Pairs =>
  Object.entries(properties).map(([key, value]) => ({ key, value }));
const TTL = 'collection.ttl.seconds';
const INT64 = 5;
const ARRAY_OF_STRUCT_FIELD = {
  name: 's',
  nullable: true,
  typeParams: pairs({ max_capacity: '3' }),
  fields: [{ name: 'n', dataType: 22, elementType: INT64 }],
};

/** An operation that tells nothing but that it succeeds, with the same request by both doors if none is given. */
export const plain = (path: string, rpc: string, body: Json, request: Json = body): Operation => ({
  path,
  body,
  rpc,
  request,
});

/** An index is made, with what REST leaves to it and a message has to say. */
export const indexed = (collection: Json, index: AskedIndex): Operation => {
  const { fieldName, indexName, indexType, metricType } = index;
  const extraParams = pairs({ index_type: indexType, metric_type: metricType, params: '{}' });
  return plain(
    'indexes/create',
    'CreateIndex',
    { ...collection, indexParams: [index] },
    { ...collection, fieldName, indexName, extraParams },
  );
};

const partition = (partitionName: string) => ({ ...e, partitionName });
const partitions = (...partitionNames: readonly string[]) => ({ ...e, partitionNames });
const alias = (body: Json): readonly [Json, Json] => [
  { ...body, aliasName: 'f' },
  { ...body, alias: 'f' },
];
const database = (body: Json = {}) => ({
  body: { ...body, dbName: 'made_by_rest' },
  request: { dbName: 'made_by_grpc' },
});

const DATABASES: readonly Operation[] = [
  {
    ...database({ properties: { note: 'x' } }),
    path: 'databases/create',
    rpc: 'CreateDatabase',
    request: { dbName: 'made_by_grpc', properties: pairs({ note: 'x' }) },
  },
  {
    path: 'databases/list',
    body: {},
    rpc: 'ListDatabases',
    request: {},
    shown: ({ dbNames }) => dbNames,
  },
  {
    ...database({ properties: { note: 'y' } }),
    path: 'databases/alter',
    rpc: 'AlterDatabase',
    request: { dbName: 'made_by_grpc', properties: pairs({ note: 'y' }) },
  },
  {
    ...database({ properties: { other: 'z' } }),
    path: 'databases/alter_properties',
    rpc: 'AlterDatabase',
    request: { dbName: 'made_by_grpc', properties: pairs({ other: 'z' }) },
  },
  {
    ...database({ propertyKeys: ['note'] }),
    path: 'databases/drop_properties',
    rpc: 'AlterDatabase',
    request: { dbName: 'made_by_grpc', deleteKeys: ['note'] },
  },
  {
    ...database(),
    path: 'databases/describe',
    rpc: 'DescribeDatabase',
    told: ({ properties }) => properties,
    shown: ({ properties }) => properties,
  },
  { ...database(), path: 'databases/drop', rpc: 'DropDatabase' },
];

const COLLECTIONS: readonly Operation[] = [
  {
    path: 'collections/create',
    body: {
      ...e,
      schema: {
        fields: [
          { fieldName: 'id', dataType: 'Int64', isPrimary: true },
          { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: 2 } },
        ],
      },
    },
    rpc: 'CreateCollection',
    request: {
      ...e,
      schema: encode('schema.CollectionSchema', {
        name: 'e',
        fields: [
          { name: 'id', dataType: INT64, isPrimaryKey: true },
          { name: 'v', dataType: 101, typeParams: pairs({ dim: '2' }) },
        ],
      }),
      shardsNum: 1,
      consistencyLevel: 2,
    },
  },
  {
    path: 'collections/list',
    body: {},
    rpc: 'ShowCollections',
    request: {},
    told: (names) => [...(names as unknown as readonly string[])].sort(),
    shown: ({ collectionNames }) => [...(collectionNames as readonly string[])].sort(),
  },
  plain('collections/flush', 'Flush', e, { collectionNames: ['e'] }),
  {
    ...plain('collections/compact', 'ManualCompaction', e),
    told: ({ compactionID }) => typeof compactionID,
    shown: ({ compactionID }) => typeof Number(compactionID),
  },
  {
    path: 'collections/get_compaction_state',
    body: { jobID: 7 },
    rpc: 'GetCompactionState',
    request: { compactionID: 7 },
    shown: ({ state, executingPlanNo, timeoutPlanNo, completedPlanNo }) => ({
      compactionID: 7,
      state,
      executingPlanNumber: Number(executingPlanNo),
      timeoutPlanNumber: Number(timeoutPlanNo),
      completedPlanNumber: Number(completedPlanNo),
    }),
  },
  plain(
    'collections/alter_properties',
    'AlterCollection',
    { ...e, properties: { [TTL]: 60 } },
    {
      ...e,
      properties: pairs({ [TTL]: '60' }),
    },
  ),
  plain(
    'collections/drop_properties',
    'AlterCollection',
    { ...e, propertyKeys: [TTL] },
    {
      ...e,
      deleteKeys: [TTL],
    },
  ),
  plain(
    'collections/fields/add',
    'AddCollectionField',
    {
      ...e,
      schema: {
        fieldName: 'text',
        dataType: 'VarChar',
        nullable: true,
        elementTypeParams: { max_length: 9 },
      },
    },
    {
      ...e,
      schema: encode('schema.FieldSchema', {
        name: 'text',
        dataType: 21,
        nullable: true,
        typeParams: pairs({ max_length: '9' }),
      }),
    },
  ),
  plain(
    'collections/fields/alter_properties',
    'AlterCollectionField',
    { ...e, fieldName: 'text', fieldParams: { max_length: 99 } },
    { ...e, fieldName: 'text', properties: pairs({ max_length: '99' }) },
  ),
  plain(
    'collections/struct_fields/add',
    'AddCollectionStructField',
    {
      ...e,
      schema: {
        fieldName: 's',
        nullable: true,
        typeParams: { max_capacity: 3 },
        fields: [{ fieldName: 'n', dataType: 'Array', elementDataType: 'Int64' }],
      },
    },
    { ...e, structArrayFieldSchema: ARRAY_OF_STRUCT_FIELD },
  ),
  {
    ...plain('collections/describe', 'DescribeCollection', e),
    told: ({ collectionName, aliases, shardsNum, fields, properties }) => ({
      collectionName,
      aliases,
      shardsNum,
      properties,
      fields: (fields as readonly Json[]).map(({ name, type, primaryKey, nullable, params = [] }) => [
        name,
        type,
        primaryKey,
        nullable,
        params,
      ]),
    }),
    shown: ({ collectionName, aliases, shardsNum, schema, properties }) => ({
      collectionName,
      aliases,
      shardsNum,
      properties,
      fields: (schema as { fields: readonly Json[] }).fields.map(
        ({ name, dataType, isPrimaryKey, nullable, typeParams }) => [
          name,
          dataType,
          isPrimaryKey,
          nullable,
          typeParams,
        ],
      ),
    }),
  },
  plain(
    'collections/fields/drop',
    'AlterCollectionSchema',
    { ...e, fieldName: 'text' },
    {
      ...e,
      action: { dropRequest: { fieldName: 'text' } },
    },
  ),
];

const INDEXES: readonly Operation[] = [
  indexed(e, { fieldName: 'v', indexName: 'v', indexType: 'FLAT', metricType: 'IP' }),
  plain(
    'indexes/alter_properties',
    'AlterIndex',
    { ...e, indexName: 'v', properties: { 'mmap.enabled': true, warmup: 'sync' } },
    { ...e, indexName: 'v', extraParams: pairs({ 'mmap.enabled': 'true', warmup: 'sync' }) },
  ),
  plain(
    'indexes/drop_properties',
    'AlterIndex',
    { ...e, indexName: 'v', propertyKeys: ['warmup'] },
    {
      ...e,
      indexName: 'v',
      deleteKeys: ['warmup'],
    },
  ),
  {
    ...plain('indexes/describe', 'DescribeIndex', { ...e, indexName: 'v' }),
    told: (data) =>
      (data as unknown as readonly Json[]).map(
        ({ indexName, fieldName, indexState, totalRows, indexParams }) => [
          indexName,
          fieldName,
          indexState,
          totalRows,
          indexParams,
        ],
      ),
    shown: ({ indexDescriptions }) =>
      (indexDescriptions as unknown as readonly Json[]).map(
        ({ indexName, fieldName, state, totalRows, params }) => [
          indexName,
          fieldName,
          state,
          Number(totalRows),
          params,
        ],
      ),
  },
];

const LOADS: readonly Operation[] = [
  plain('partitions/create', 'CreatePartition', partition('north')),
  plain('partitions/load', 'LoadPartitions', partitions('north')),
  plain('partitions/release', 'ReleasePartitions', partitions('north')),
  {
    ...plain('partitions/has', 'HasPartition', partition('north')),
    shown: ({ value }) => ({ has: value }),
  },
  {
    ...plain('partitions/get_stats', 'GetPartitionStatistics', partition('north')),
    shown: ({ stats }) => ({ rowCount: Number((stats as unknown as Pairs)[0]!.value) }),
  },
  plain('partitions/drop', 'DropPartition', partition('north')),
  plain('collections/load', 'LoadCollection', e),
  plain('collections/refresh_load', 'LoadCollection', e, { ...e, refresh: true }),
  {
    ...plain('collections/get_load_state', 'GetLoadState', e),
    told: ({ loadState }) => loadState,
    shown: ({ state }) => state,
  },
  plain('collections/truncate', 'TruncateCollection', e),
  plain('collections/release', 'ReleaseCollection', e),
];

const NAMES: readonly Operation[] = [
  plain('aliases/create', 'CreateAlias', ...alias(c)),
  plain('aliases/alter', 'AlterAlias', ...alias(e)),
  {
    ...plain('aliases/describe', 'DescribeAlias', ...alias({})),
    told: ({ collectionName, aliasName }) => [collectionName, aliasName],
    shown: ({ collection, alias: aliasName }) => [collection, aliasName],
  },
  plain('aliases/drop', 'DropAlias', ...alias({})),
  plain('indexes/drop', 'DropIndex', { ...e, indexName: 'v' }),
  plain(
    'collections/rename',
    'RenameCollection',
    { ...e, newCollectionName: 'g' },
    { oldName: 'e', newName: 'g' },
  ),
  plain('collections/drop', 'DropCollection', { collectionName: 'g' }),
  {
    path: 'file_resources/list',
    body: {},
    rpc: 'ListFileResources',
    request: {},
    shown: ({ resources }) => resources,
  },
  plain('file_resources/remove', 'RemoveFileResource', { name: 'nobody' }),
  {
    path: 'common/run_analyzer',
    body: { text: ['two words'], withDetail: true, withHash: true },
    rpc: 'RunAnalyzer',
    request: { placeholder: [Buffer.from('two words')], withDetail: true, withHash: true },
    shown: ({ results }) => ({
      results: (results as unknown as readonly { tokens: Json[] }[]).map(shownTokens),
    }),
  },
];

function shownTokens({ tokens }: { readonly tokens: readonly Json[] }): Json {
  return {
    tokens: tokens.map(({ token, startOffset, endOffset, position, positionLength, hash }) => ({
      token,
      startOffset: Number(startOffset),
      endOffset: Number(endOffset),
      position: Number(position),
      positionLength: Number(positionLength),
      hash,
    })),
  };
}

/** What keeps collections, beside what reads and writes them: each succeeds after those before it, when there is `c`. */
export const UPKEEP_OPERATIONS: readonly Operation[] = [
  ...DATABASES,
  ...COLLECTIONS,
  ...INDEXES,
  ...LOADS,
  ...NAMES,
];
