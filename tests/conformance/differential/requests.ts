import { formSteps } from './form-requests.ts';
import { type Answer, encode, type Message } from './milvus-service.ts';
import { shelfFilters, wrongShelfFilters } from './shelf-filters.ts';

/** One request of the program, told by what it does. */
export interface Step {
  readonly does: string;
  readonly rpc: string;
  readonly request: Message;
  /** Asks again until this holds (loading and flushing go on in the background). */
  readonly until?: (answer: Answer) => boolean;
}

const shelf = { collectionName: 'shelf' };
const tenants = { collectionName: 'tenants' };
const nowhere = { collectionName: 'nowhere' };
const dim = 4;

const int64 = 5;
const double = 11;
const bool = 1;
const varChar = 21;
const json = 23;
const floatVector = 101;

function field(name: string, dataType: number, options: Message = {}): Message {
  return { name, dataType, ...options };
}

function param(key: string, value: string): Message {
  return { key, value };
}

const key = field('id', int64, { isPrimaryKey: true });
const place = field('v', floatVector, { typeParams: [param('dim', String(dim))] });
const title = field('title', varChar, { typeParams: [param('max_length', '20')] });

function schema(name: string, fields: readonly Message[], enableDynamicField = false): Uint8Array {
  return encode('schema.CollectionSchema', { name, fields, enableDynamicField });
}

const shelfSchema = schema(
  'shelf',
  [key, title, field('tons', double), field('new', bool), field('info', json), place],
  true,
);

function create(name: string, fields: readonly Message[], options: Message = {}): Message {
  return { collectionName: name, schema: schema(name, fields), shardsNum: 2, ...options };
}

function bytesOf(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

interface Book {
  readonly id: string;
  readonly title: string;
  readonly x: number;
}

function books(...numbers: readonly number[]): readonly Book[] {
  return numbers.map((n) => ({ id: String(n), title: `book ${n}`, x: n }));
}

/** The columns of some books; number n stands at (n, 0, 0, 0). */
function columns(rows: readonly Book[]): Message {
  const info = rows.map(({ x }) => bytesOf({ row: x, name: `n${x}` }));
  const dynamic = rows.map(({ x }) => bytesOf({ color: x % 2 === 0 ? 'red' : 'blue', size: x }));
  return {
    numRows: rows.length,
    fieldsData: [
      { type: int64, fieldName: 'id', scalars: { longData: { data: rows.map(({ id }) => id) } } },
      { type: varChar, fieldName: 'title', scalars: { stringData: { data: rows.map((row) => row.title) } } },
      { type: double, fieldName: 'tons', scalars: { doubleData: { data: rows.map(({ x }) => x / 4) } } },
      { type: bool, fieldName: 'new', scalars: { boolData: { data: rows.map(({ x }) => x > 5) } } },
      { type: json, fieldName: 'info', scalars: { jsonData: { data: info } } },
      { type: json, fieldName: '$meta', isDynamic: true, scalars: { jsonData: { data: dynamic } } },
      vectors(rows.map(({ x }) => [x, 0, 0, 0])),
    ],
  };
}

function vectors(rows: readonly (readonly number[])[], name = 'v'): Message {
  return {
    type: floatVector,
    fieldName: name,
    vectors: { dim: rows[0]?.length ?? 0, floatVector: { data: rows.flat() } },
  };
}

/** A read that sees every write before it. */
const strong = { guaranteeTimestamp: '0', consistencyLevel: 0 };

function query(expr: string, outputFields: readonly string[], options: Message = {}): Message {
  return { ...shelf, expr, outputFields, ...strong, ...options };
}

function search(
  vector: readonly number[],
  params: Readonly<Record<string, string>>,
  options: Message = {},
): Message {
  const values = [Buffer.from(new Float32Array(vector).buffer).toString('base64')];
  const searchParams = {
    anns_field: 'v',
    topk: '3',
    metric_type: 'L2',
    params: '{}',
    round_decimal: '-1',
    ...params,
  };
  return {
    ...shelf,
    dslType: 1,
    nq: 1,
    placeholderGroup: encode('common.PlaceholderGroup', { placeholders: [{ tag: '$0', type: 101, values }] }),
    searchParams: Object.entries(searchParams).map(([name, value]) => param(name, value)),
    ...strong,
    ...options,
  };
}

const loaded = (answer: Answer): boolean => answer.progress === '100';
const flushed = (answer: Answer): boolean => answer.flushed === true;

const wrongSchemas: Readonly<Record<string, readonly Message[]>> = {
  'no primary key': [title, place],
  'two primary keys': [key, field('id2', int64, { isPrimaryKey: true }), place],
  'a double as primary key': [field('id', double, { isPrimaryKey: true }), place],
  'two fields of one name': [key, title, title, place],
  'no dimension': [key, field('v', floatVector)],
  'a dimension of 40000': [key, field('v', floatVector, { typeParams: [param('dim', '40000')] })],
  'a text without max_length': [key, field('t', varChar), place],
  'a field name with a space': [key, field('a b', int64), place],
  'no vector': [key, title],
};

/** The program: what both servers are asked, in this order. */
export const steps: readonly Step[] = [
  {
    does: 'create a collection',
    rpc: 'CreateCollection',
    request: { ...shelf, schema: shelfSchema, shardsNum: 2 },
  },
  {
    does: 'create it again',
    rpc: 'CreateCollection',
    request: { ...shelf, schema: shelfSchema, shardsNum: 2 },
  },
  { does: 'create another of its name', rpc: 'CreateCollection', request: create('shelf', [key, place]) },
  ...Object.entries(wrongSchemas).map(([what, fields]) => ({
    does: `create one with ${what}`,
    rpc: 'CreateCollection',
    request: create('wrong', fields),
  })),
  { does: 'create one with a bad name', rpc: 'CreateCollection', request: create('a-b', [key, place]) },
  { does: 'ask for a collection', rpc: 'HasCollection', request: shelf },
  { does: 'ask for an unknown collection', rpc: 'HasCollection', request: nowhere },
  { does: 'describe a collection', rpc: 'DescribeCollection', request: shelf },
  { does: 'describe an unknown collection', rpc: 'DescribeCollection', request: nowhere },
  { does: 'list the collections', rpc: 'ShowCollections', request: {} },
  { does: 'count the rows of an unknown collection', rpc: 'GetCollectionStatistics', request: nowhere },

  { does: 'create a partition', rpc: 'CreatePartition', request: { ...shelf, partitionName: 'new' } },
  { does: 'create a partition again', rpc: 'CreatePartition', request: { ...shelf, partitionName: 'new' } },
  {
    does: 'create a partition with a bad name',
    rpc: 'CreatePartition',
    request: { ...shelf, partitionName: 'a b' },
  },
  { does: 'ask for a partition', rpc: 'HasPartition', request: { ...shelf, partitionName: 'new' } },
  { does: 'ask for an unknown partition', rpc: 'HasPartition', request: { ...shelf, partitionName: 'old' } },
  { does: 'list the partitions', rpc: 'ShowPartitions', request: shelf },
  {
    does: 'drop the default partition',
    rpc: 'DropPartition',
    request: { ...shelf, partitionName: '_default' },
  },
  { does: 'drop an unknown partition', rpc: 'DropPartition', request: { ...shelf, partitionName: 'old' } },
  {
    does: 'count the rows of an unknown partition',
    rpc: 'GetPartitionStatistics',
    request: { ...shelf, partitionName: 'old' },
  },

  { does: 'load without an index', rpc: 'LoadCollection', request: shelf },
  { does: 'describe the indexes when there are none', rpc: 'DescribeIndex', request: shelf },
  {
    does: 'create an index',
    rpc: 'CreateIndex',
    request: {
      ...shelf,
      fieldName: 'v',
      extraParams: [param('index_type', 'FLAT'), param('metric_type', 'L2')],
    },
  },
  {
    does: 'create the index again',
    rpc: 'CreateIndex',
    request: {
      ...shelf,
      fieldName: 'v',
      extraParams: [param('index_type', 'FLAT'), param('metric_type', 'L2')],
    },
  },
  {
    does: 'create another index on the field',
    rpc: 'CreateIndex',
    request: {
      ...shelf,
      fieldName: 'v',
      extraParams: [param('index_type', 'FLAT'), param('metric_type', 'IP')],
    },
  },
  {
    does: 'create an index on an unknown field',
    rpc: 'CreateIndex',
    request: {
      ...shelf,
      fieldName: 'w',
      extraParams: [param('index_type', 'FLAT'), param('metric_type', 'L2')],
    },
  },
  {
    does: 'create an index with an unknown metric',
    rpc: 'CreateIndex',
    request: {
      ...shelf,
      fieldName: 'v',
      extraParams: [param('index_type', 'FLAT'), param('metric_type', 'FAR')],
    },
  },
  { does: 'describe the indexes', rpc: 'DescribeIndex', request: shelf },
  { does: 'describe an unknown index', rpc: 'DescribeIndex', request: { ...shelf, indexName: 'old' } },
  { does: 'drop an unknown index', rpc: 'DropIndex', request: { ...shelf, indexName: 'old' } },

  { does: 'insert rows', rpc: 'Insert', request: { ...shelf, ...columns(books(0, 1, 2, 3, 4, 5, 6, 7)) } },
  {
    does: 'insert rows into a partition',
    rpc: 'Insert',
    request: { ...shelf, partitionName: 'new', ...columns(books(8, 9)) },
  },
  {
    does: 'insert into an unknown partition',
    rpc: 'Insert',
    request: { ...shelf, partitionName: 'old', ...columns(books(10)) },
  },
  {
    does: 'insert into an unknown collection',
    rpc: 'Insert',
    request: { ...nowhere, ...columns(books(10)) },
  },
  {
    does: 'insert a text that is too long',
    rpc: 'Insert',
    request: { ...shelf, ...columns([{ id: '10', title: 'x'.repeat(21), x: 10 }]) },
  },
  { does: 'insert no rows', rpc: 'Insert', request: { ...shelf, numRows: 0, fieldsData: [] } },
  {
    does: 'insert without a column',
    rpc: 'Insert',
    request: { ...shelf, numRows: 1, fieldsData: [vectors([[1, 2, 3, 4]])] },
  },
  {
    does: 'insert vectors of another dimension',
    rpc: 'Insert',
    request: { ...shelf, ...columns(books(10)), fieldsData: withVectors(columns(books(10)), [[1, 2]]) },
  },
  { does: 'query a released collection', rpc: 'Query', request: query('id > 0', ['id']) },
  { does: 'search a released collection', rpc: 'Search', request: search([0, 0, 0, 0], {}) },
  { does: 'ask for the progress of a released collection', rpc: 'GetLoadingProgress', request: shelf },
  { does: 'ask for the load state of a released collection', rpc: 'GetLoadState', request: shelf },
  { does: 'ask for the load state of an unknown collection', rpc: 'GetLoadState', request: nowhere },

  { does: 'load the collection', rpc: 'LoadCollection', request: shelf },
  { does: 'wait until it is loaded', rpc: 'GetLoadingProgress', request: shelf, until: loaded },
  { does: 'load it again', rpc: 'LoadCollection', request: shelf },
  { does: 'ask for the load state', rpc: 'GetLoadState', request: shelf },
  {
    does: 'ask for the load state of a partition',
    rpc: 'GetLoadState',
    request: { ...shelf, partitionNames: ['new'] },
  },
  { does: 'drop a loaded partition', rpc: 'DropPartition', request: { ...shelf, partitionName: 'new' } },

  ...shelfFilters.map((filter) => ({
    does: `query ${filter}`,
    rpc: 'Query',
    request: query(filter, ['id']),
  })),
  ...wrongShelfFilters.map((filter) => ({
    does: `query the wrong ${filter}`,
    rpc: 'Query',
    request: query(filter, ['id']),
  })),
  { does: 'query all fields', rpc: 'Query', request: query('id == 3', ['*']) },
  { does: 'query one dynamic field', rpc: 'Query', request: query('id == 3', ['color']) },
  { does: 'query no field', rpc: 'Query', request: query('id == 3', []) },
  { does: 'query nothing', rpc: 'Query', request: query('id == 99', ['title', 'v']) },
  { does: 'query a page', rpc: 'Query', request: query('id >= 0', ['id'], page(3, 4)) },
  { does: 'query without filter and limit', rpc: 'Query', request: query('', ['id']) },
  { does: 'query without filter', rpc: 'Query', request: query('', ['id'], page(4)) },
  { does: 'query a limit that is too large', rpc: 'Query', request: query('id >= 0', ['id'], page(16_385)) },
  { does: 'count all', rpc: 'Query', request: query('', ['count(*)']) },
  { does: 'count some', rpc: 'Query', request: query('id > 5', ['count(*)']) },
  { does: 'count with a limit', rpc: 'Query', request: query('', ['count(*)'], page(4)) },
  { does: 'query a partition', rpc: 'Query', request: query('id >= 0', ['id'], { partitionNames: ['new'] }) },
  {
    does: 'query an unknown partition',
    rpc: 'Query',
    request: query('id >= 0', ['id'], { partitionNames: ['old'] }),
  },
  { does: 'query an unknown collection', rpc: 'Query', request: query('id >= 0', ['id'], nowhere) },

  { does: 'search', rpc: 'Search', request: search([0.1, 0, 0, 0], {}) },
  {
    does: 'search for all fields',
    rpc: 'Search',
    request: search([0.1, 0, 0, 0], { topk: '1' }, { outputFields: ['*'] }),
  },
  {
    does: 'search for the key and a dynamic field',
    rpc: 'Search',
    request: search([0.1, 0, 0, 0], { topk: '1' }, { outputFields: ['id', 'size'] }),
  },
  {
    does: 'search with a filter',
    rpc: 'Search',
    request: search([0.1, 0, 0, 0], {}, { dsl: 'id > 4 and new == true' }),
  },
  { does: 'search with an offset', rpc: 'Search', request: search([0.1, 0, 0, 0], { offset: '2' }) },
  { does: 'search with rounding', rpc: 'Search', request: search([0.123, 0, 0, 0], { round_decimal: '1' }) },
  {
    does: 'search in a range',
    rpc: 'Search',
    request: search([0, 0, 0, 0], { topk: '9', params: '{"radius": 30, "range_filter": 4}' }),
  },
  ...formSteps({ search, query }),
  {
    does: 'search in a partition',
    rpc: 'Search',
    request: search([0, 0, 0, 0], {}, { partitionNames: ['new'] }),
  },
  {
    does: 'search nothing',
    rpc: 'Search',
    request: search([0, 0, 0, 0], {}, { dsl: 'id > 99', outputFields: ['title'] }),
  },
  { does: 'search for 0 rows', rpc: 'Search', request: search([0, 0, 0, 0], { topk: '0' }) },
  { does: 'search for too many rows', rpc: 'Search', request: search([0, 0, 0, 0], { topk: '16385' }) },
  { does: 'search beyond the window', rpc: 'Search', request: search([0, 0, 0, 0], { offset: '16384' }) },
  { does: 'search with another metric', rpc: 'Search', request: search([0, 0, 0, 0], { metric_type: 'IP' }) },
  { does: 'search an unknown field', rpc: 'Search', request: search([0, 0, 0, 0], { anns_field: 'w' }) },
  {
    does: 'search an unknown partition',
    rpc: 'Search',
    request: search([0, 0, 0, 0], {}, { partitionNames: ['old'] }),
  },

  {
    does: 'insert a key that exists',
    rpc: 'Insert',
    request: { ...shelf, ...columns([{ id: '3', title: 'again', x: 3 }]) },
  },
  { does: 'count a key that was inserted twice', rpc: 'Query', request: query('id == 3', ['count(*)']) },
  {
    does: 'upsert',
    rpc: 'Upsert',
    request: { ...shelf, ...columns([{ id: '4', title: 'new 4', x: 4 }, ...books(20)]) },
  },
  { does: 'query what was upserted', rpc: 'Query', request: query('id in [4, 20]', ['title']) },
  { does: 'delete by keys', rpc: 'Delete', request: { ...shelf, expr: 'id in [1, 2, 99]' } },
  { does: 'delete by filter', rpc: 'Delete', request: { ...shelf, expr: 'tons > 1.6 and id < 10' } },
  { does: 'delete by a wrong filter', rpc: 'Delete', request: { ...shelf, expr: 'id >' } },
  { does: 'delete without a filter', rpc: 'Delete', request: { ...shelf, expr: '' } },
  { does: 'query what is left', rpc: 'Query', request: query('id >= 0', ['title']) },

  { does: 'flush', rpc: 'Flush', request: { collectionNames: ['shelf'] } },
  { does: 'wait for the flush', rpc: 'GetFlushState', request: { collectionName: 'shelf' }, until: flushed },
  { does: 'flush an unknown collection', rpc: 'Flush', request: { collectionNames: ['nowhere'] } },
  { does: 'flush nothing', rpc: 'Flush', request: { collectionNames: [] } },

  { does: 'release the collection', rpc: 'ReleaseCollection', request: shelf },
  { does: 'release it again', rpc: 'ReleaseCollection', request: shelf },
  { does: 'load a partition', rpc: 'LoadPartitions', request: { ...shelf, partitionNames: ['new'] } },
  {
    does: 'wait until it is loaded too',
    rpc: 'GetLoadingProgress',
    request: { ...shelf, partitionNames: ['new'] },
    until: loaded,
  },
  {
    does: 'ask for the load state of the other partition',
    rpc: 'GetLoadState',
    request: { ...shelf, partitionNames: ['_default'] },
  },
  {
    does: 'ask for the load state of an unknown partition',
    rpc: 'GetLoadState',
    request: { ...shelf, partitionNames: ['old'] },
  },
  {
    does: 'load an unknown partition',
    rpc: 'LoadPartitions',
    request: { ...shelf, partitionNames: ['old'] },
  },
  { does: 'load no partition', rpc: 'LoadPartitions', request: { ...shelf, partitionNames: [] } },
  {
    does: 'query a released partition',
    rpc: 'Query',
    request: query('id >= 0', ['id'], { partitionNames: ['_default'] }),
  },
  { does: 'release the partition', rpc: 'ReleasePartitions', request: { ...shelf, partitionNames: ['new'] } },
  { does: 'ask for the load state after that', rpc: 'GetLoadState', request: shelf },
  { does: 'release an unknown collection', rpc: 'ReleaseCollection', request: nowhere },
  { does: 'drop the partition', rpc: 'DropPartition', request: { ...shelf, partitionName: 'new' } },

  {
    does: 'create a collection with a partition key',
    rpc: 'CreateCollection',
    request: create('tenants', [key, { ...title, isPartitionKey: true }, place]),
  },
  { does: 'list the partitions of the partition key', rpc: 'ShowPartitions', request: tenants },
  {
    does: 'create a partition beside the key',
    rpc: 'CreatePartition',
    request: { ...tenants, partitionName: 'new' },
  },
  {
    does: 'drop a partition of the key',
    rpc: 'DropPartition',
    request: { ...tenants, partitionName: '_default_0' },
  },
  {
    does: 'load a partition of the key',
    rpc: 'LoadPartitions',
    request: { ...tenants, partitionNames: ['_default_0'] },
  },
  {
    does: 'release a partition of the key',
    rpc: 'ReleasePartitions',
    request: { ...tenants, partitionNames: ['_default_0'] },
  },

  { does: 'rename', rpc: 'RenameCollection', request: { oldName: 'tenants', newName: 'renters' } },
  {
    does: 'rename to a name that exists',
    rpc: 'RenameCollection',
    request: { oldName: 'renters', newName: 'shelf' },
  },
  {
    does: 'rename an unknown collection',
    rpc: 'RenameCollection',
    request: { oldName: 'nowhere', newName: 'there' },
  },
  { does: 'drop the index', rpc: 'DropIndex', request: { ...shelf, indexName: 'v' } },
  { does: 'drop a collection', rpc: 'DropCollection', request: shelf },
  { does: 'drop it again', rpc: 'DropCollection', request: shelf },
  { does: 'list the databases', rpc: 'ListDatabases', request: {} },
];

function page(limit: number, offset?: number): Message {
  const params = [param('limit', String(limit))];
  if (offset !== undefined) params.push(param('offset', String(offset)));
  return { queryParams: params };
}

function withVectors(message: Message, rows: readonly (readonly number[])[]): readonly Message[] {
  const columns = message.fieldsData as readonly Message[];
  return [...columns.filter((column) => column.fieldName !== 'v'), vectors(rows)];
}
