import { type Operation, SEARCH, search } from './door-operations.ts';
import type { Message } from './milvus-service.ts';
import { indexed, pairs, plain } from './upkeep-operations.ts';

type Json = Readonly<Record<string, unknown>>;

const c = { collectionName: 'c' };
const WORDS = { name: 'words', type: 'BM25', inputFieldNames: ['name'], outputFieldNames: ['sparse'] };
const SPARSE = { fieldName: 'sparse', dataType: 'SparseFloatVector' };
const wireWords = { ...WORDS, type: 1 };

const UPKEEP_MISTAKES: readonly Operation[] = [
  plain(
    'collections/add_function',
    'AddCollectionFunction',
    { ...c, function: WORDS },
    { ...c, functionSchema: wireWords },
  ),
  plain(
    'collections/alter_function',
    'AlterCollectionFunction',
    { ...c, functionName: 'words', function: WORDS },
    { ...c, functionName: 'words', functionSchema: wireWords },
  ),
  plain('collections/drop_function', 'DropCollectionFunction', { ...c, functionName: 'words' }),
  plain(
    'collections/add_function_field',
    'AlterCollectionSchema',
    { ...c, function: WORDS, outputField: SPARSE },
    {
      ...c,
      action: {
        addRequest: {
          fieldInfos: [{ fieldSchema: { name: 'sparse', dataType: 104 } }],
          funcSchema: [wireWords],
        },
      },
    },
  ),
  plain(
    'collections/drop_function_field',
    'AlterCollectionSchema',
    { ...c, functionName: 'words' },
    { ...c, action: { dropRequest: { functionName: 'words', dropFunctionOutputFields: true } } },
  ),
  plain('collections/truncate', 'TruncateCollection', { collectionName: 'nowhere' }),
  plain(
    'indexes/drop_properties',
    'AlterIndex',
    { ...c, indexName: 'v', propertyKeys: ['warmup'] },
    {
      ...c,
      indexName: 'v',
      deleteKeys: ['warmup'],
    },
  ),
  plain(
    'indexes/alter_properties',
    'AlterIndex',
    { ...c, indexName: 'v', properties: { metric_type: 'IP' } },
    { ...c, indexName: 'v', extraParams: pairs({ metric_type: 'IP' }) },
  ),
  plain('file_resources/add', 'AddFileResource', { name: 'r', path: 'nowhere.txt' }),
  plain(
    'jobs/import/create',
    'Import',
    { ...c, files: [['rows.xlsx']] },
    {
      ...c,
      files: ['rows.xlsx'],
    },
  ),
  plain('jobs/import/describe', 'GetImportState', { jobId: '7' }, { task: 7 }),
];

/** Each is refused by both, with the same code and the same words. */
export const MISTAKES: readonly Operation[] = [
  ...UPKEEP_MISTAKES,
  ...[
    'HasPartition:partitions/has',
    'CreatePartition:partitions/create',
    'LoadPartitions:partitions/load',
  ].map((pair) => {
    const [rpc, path] = pair.split(':') as [string, string];
    const names = { partitionName: 'p', partitionNames: ['p'] };
    const target = { collectionName: 'nowhere', ...names };
    return { path, body: target, rpc, request: pick(rpc, target) };
  }),
  ...(
    [
      ['collections/describe', 'DescribeCollection'],
      ['collections/load', 'LoadCollection'],
      ['collections/release', 'ReleaseCollection'],
      ['collections/get_stats', 'GetCollectionStatistics'],
      ['partitions/list', 'ShowPartitions'],
      ['indexes/list', 'DescribeIndex'],
    ] as const
  ).map(([path, rpc]) => ({
    path,
    body: { collectionName: 'nowhere' },
    rpc,
    request: { collectionName: 'nowhere' },
  })),
  {
    path: 'entities/query',
    body: { ...c, filter: 'no such field', limit: 10 },
    rpc: 'Query',
    request: {
      ...c,
      expr: 'no such field',
      queryParams: [{ key: 'limit', value: '10' }],
      outputFields: ['*'],
    },
  },
  {
    path: 'entities/query',
    body: { ...c, filter: 'id > 0', limit: 100_000 },
    rpc: 'Query',
    request: { ...c, expr: 'id > 0', queryParams: [{ key: 'limit', value: '100000' }], outputFields: ['*'] },
  },
  {
    path: 'entities/delete',
    body: { ...c, filter: 'id >' },
    rpc: 'Delete',
    request: { ...c, expr: 'id >' },
  },
  {
    path: 'entities/search',
    body: { ...c, ...SEARCH, limit: 100_000 },
    rpc: 'Search',
    request: search(100_000),
  },
  {
    path: 'aliases/create',
    body: { collectionName: 'nowhere', aliasName: 'x' },
    rpc: 'CreateAlias',
    request: { collectionName: 'nowhere', alias: 'x' },
  },
  {
    path: 'aliases/describe',
    body: { aliasName: 'nobody' },
    rpc: 'DescribeAlias',
    request: { alias: 'nobody' },
  },
  {
    path: 'partitions/drop',
    body: { ...c, partitionName: '_default' },
    rpc: 'DropPartition',
    request: { ...c, partitionName: '_default' },
  },
  {
    path: 'collections/rename',
    body: { ...c, newCollectionName: '1c' },
    rpc: 'RenameCollection',
    request: { oldName: 'c', newName: '1c' },
  },
  indexed(c, { fieldName: 'v', indexName: 'w', indexType: 'HNSW', metricType: 'L3' }),
];

/** Of the members only those that the request of the call has. */
function pick(rpc: string, { partitionName, partitionNames, ...rest }: Json): Message {
  return rpc.endsWith('s') ? { ...rest, partitionNames } : { ...rest, partitionName };
}
