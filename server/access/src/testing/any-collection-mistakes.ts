import type { MethodName } from '@elanus/proto';
import { type Call, call, type Mistake, type Told } from './mistake.ts';
import { createRequest, int64s, key, params, placeholder, vector, vectors } from './request-drafts.ts';

const IN_MEMORY = 1;
const ending = ': invalid parameter';
const SUCCESS: Told = { code: 0, reason: '' };

/** One call of every method that names a collection. */
function callsOn(collectionName: string): readonly Call[] {
  const partitionName = 'p';
  const partitionNames = [partitionName];
  const rows = { collectionName, numRows: 1, fieldsData: [int64s('id', 1n), vectors([1, 2])] };
  const search = { placeholderGroup: placeholder([1, 2]), searchParams: params({ topk: '1' }) };
  return [
    call('HasCollection', { collectionName }),
    call('DescribeCollection', { collectionName }),
    call('GetCollectionStatistics', { collectionName }),
    call('DropCollection', { collectionName }),
    call('TruncateCollection', { collectionName }),
    call('RenameCollection', { oldName: collectionName, newName: 'free' }),
    call('ShowCollections', { type: IN_MEMORY, collectionNames: [collectionName] }),
    call('GetReplicas', { collectionName }),
    call('CreatePartition', { collectionName, partitionName }),
    call('DropPartition', { collectionName, partitionName }),
    call('HasPartition', { collectionName, partitionName }),
    call('ShowPartitions', { collectionName }),
    call('GetPartitionStatistics', { collectionName, partitionName }),
    call('CreateIndex', { collectionName, fieldName: 'vector' }),
    call('DescribeIndex', { collectionName }),
    call('GetIndexStatistics', { collectionName }),
    call('GetIndexState', { collectionName }),
    call('GetIndexBuildProgress', { collectionName }),
    call('AlterIndex', {
      collectionName,
      indexName: 'vector',
      extraParams: params({ 'mmap.enabled': 'true' }),
    }),
    call('DropIndex', { collectionName, indexName: 'vector' }),
    call('LoadCollection', { collectionName }),
    call('LoadPartitions', { collectionName, partitionNames }),
    call('ReleaseCollection', { collectionName }),
    call('ReleasePartitions', { collectionName, partitionNames }),
    call('GetLoadState', { collectionName }),
    call('GetLoadingProgress', { collectionName }),
    call('Flush', { collectionNames: ['books', collectionName] }),
    call('GetFlushState', { collectionName }),
    call('GetPersistentSegmentInfo', { collectionName }),
    call('GetQuerySegmentInfo', { collectionName }),
    call('Insert', rows),
    call('Upsert', rows),
    call('Delete', { collectionName, expr: 'id in [1]' }),
    call('Query', { collectionName, expr: 'id > 0' }),
    call('Search', { collectionName, ...search }),
    call('CreateAlias', { collectionName, alias: 'free' }),
    call('AlterAlias', { collectionName, alias: 'second' }),
    call('ListAliases', { collectionName }),
    call('ManualCompaction', { collectionName }),
    call('Import', { collectionName, files: ['rows.json'] }),
  ];
}

type Exceptions = { readonly [Name in MethodName]?: Told };

function toldOf(calls: readonly Call[], what: string, usual: Told, exceptions: Exceptions = {}): Mistake[] {
  return calls.map((each) => ({ ...each, what, told: exceptions[each.method] ?? usual }));
}

const NOT_FOUND = 'collection not found[database=default][collection=nowhere]';
const CANNOT_FIND = "can't find collection[database=default][collection=nowhere]";

/** A collection that nobody has made: most methods refuse, some say that there is none. */
const MISSING = [
  ...toldOf(
    callsOn('nowhere'),
    'a collection that does not exist',
    { code: 100, reason: NOT_FOUND },
    {
      HasCollection: SUCCESS,
      DropCollection: SUCCESS,
      GetLoadState: SUCCESS,
      DescribeCollection: { code: 100, legacyCode: 1, reason: CANNOT_FIND },
    },
  ),
  ...(['DescribeCollection', 'ShowPartitions', 'GetReplicas'] as const).map(
    (method): Mistake => ({
      ...call(method, { collectionID: 7n }),
      what: 'a collection id that nobody has',
      told: { code: 100, reason: 'collection not found[collection=7]' },
    }),
  ),
];

const NAMES: readonly (readonly [name: string, rule: string])[] = [
  ['', 'collection name should not be empty'],
  ['1st', 'the first character of a collection name must be an underscore or letter'],
  ['a b', 'collection name can only contain numbers, letters and underscores'],
  ['größe', 'collection name can only contain numbers, letters and underscores'],
  ['nul\0', 'collection name can only contain numbers, letters and underscores'],
  ['n'.repeat(256), 'the length of a collection name must be less than 255 characters'],
  ['ö'.repeat(128), 'the length of a collection name must be less than 255 characters'],
];

/** Without a name, GetFlushState asks for the segments alone and ListAliases for the whole database. */
const NAMELESS: ReadonlySet<string> = new Set(['GetFlushState', 'ListAliases']);

/** A search looks for the name as it is, as Milvus' does. */
const takesName = ({ method }: Call, name: string) =>
  method !== 'Search' && !(name === '' && NAMELESS.has(method));

/** Names that no collection can have are refused before anybody looks for them. */
const IMPOSSIBLE_NAMES = NAMES.flatMap(([name, rule]) =>
  toldOf(
    callsOn(name).filter((each) => takesName(each, name)),
    `the collection name ${JSON.stringify(name.slice(0, 10))}`,
    { code: 1100, reason: `${name === '' ? '' : `Invalid collection name: ${name}. `}${rule}${ending}` },
  ),
);

const DATABASE_NOT_FOUND: Told = { code: 800, reason: 'database not found[database=nowhere]' };
/** What names no collection, but happens in a database. */
const CALLS_OF_A_DATABASE: readonly Call[] = [
  call('DescribeDatabase', {}),
  call('AlterDatabase', { deleteKeys: ['note'] }),
  call('ShowCollections', {}),
  call('CreateCollection', createRequest('free', { fields: [key(), vector()] })),
  call('DropAlias', { alias: 'second' }),
  call('DescribeAlias', { alias: 'second' }),
  call('ListAliases', {}),
  call('FlushAll', {}),
  call('GetFlushAllState', {}),
];

/** In the header or in the message; DropCollection of what is not there has nothing to do. */
const UNKNOWN_DATABASE = [
  ...toldOf(
    [call('Connect', {}), ...CALLS_OF_A_DATABASE, ...callsOn('books')].map((each) => ({
      ...each,
      database: 'nowhere',
    })),
    'an unknown database',
    DATABASE_NOT_FOUND,
    { DropCollection: SUCCESS },
  ),
  ...toldOf(
    [...CALLS_OF_A_DATABASE, ...callsOn('books')].map(
      (each) => ({ ...each, request: { ...each.request, dbName: 'nowhere' } }) as Call,
    ),
    'an unknown database in the message',
    DATABASE_NOT_FOUND,
    { DropCollection: SUCCESS },
  ),
];

/** What every method that names a collection can be told of it: that there is none, and that there can't be any. */
export const ANY_COLLECTION_MISTAKES: readonly Mistake[] = [
  ...MISSING,
  ...IMPOSSIBLE_NAMES,
  ...UNKNOWN_DATABASE,
];
