import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpClient } from '@zilliz/milvus2-sdk-node';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite } from './harness/suite.ts';

type Json = Readonly<Record<string, unknown>>;
type Answer = { readonly code: number; readonly message?: string; readonly data: never };
type Method = (this: HttpClient, request: Json) => Promise<Answer>;

const UNSERVED = 10;
const LOADED_ALREADY = 104;

const c = { collectionName: 'c' };
const alias = { aliasName: 'a' };
const partition = { ...c, partitionName: 'p' };
const index = { ...c, indexName: 'vector' };
const mmap = { properties: { 'mmap.enabled': true } };
const noMmap = { propertyKeys: ['mmap.enabled'] };
const ROWS = Array.from({ length: 10 }, (_, at) => ({ id: at + 1, vector: [at, 1, 2, 3], a: at }));
const NEAR = [1, 1, 2, 3];
const HNSW = {
  fieldName: 'vector',
  indexName: 'vector',
  metricType: 'L2',
  indexType: 'HNSW',
  params: { M: 8, efConstruction: 32 },
};
const ids = (...own: number[]) => own.map((id) => ({ id: String(id) }));

/** A call of every method in an order in which all succeed, with what their data is, as far as that is told here. */
const CALLS: readonly (readonly [method: string, request: Json, data?: unknown])[] = [
  ['createDatabase', { dbName: 'd' }],
  ['listDatabases', {}, ['default', 'd']],
  ['alterDatabaseProperties', { dbName: 'd', properties: { 'database.replica.number': 1 } }],
  ['dropDatabaseProperties', { dbName: 'd', propertyKeys: ['database.replica.number'] }],
  ['describeDatabase', { dbName: 'd' }],
  ['dropDatabase', { dbName: 'd' }],
  ['createCollection', { ...c, dimension: 4, metricType: 'L2' }],
  ['listCollections', {}, ['c']],
  ['hasCollection', c, { has: true }],
  ['describeCollection', c],
  ['getCollectionStatistics', c, { rowCount: 0 }],
  ['listIndexes', c, ['vector']],
  ['describeIndex', index],
  [
    'insert',
    { ...c, data: ROWS },
    { insertCount: 10, insertIds: ids(1, 2, 3, 4, 5, 6, 7, 8, 9, 10).map(({ id }) => id) },
  ],
  ['upsert', { ...c, data: [{ id: 1, vector: [9, 9, 9, 9] }] }, { upsertCount: 1, upsertIds: ['1'] }],
  ['flushCollection', c],
  ['query', { ...c, filter: 'id < 3', outputFields: ['id'], consistencyLevel: 'Strong' }, ids(1, 2)],
  ['get', { ...c, id: ['2'], outputFields: ['a'] }, [{ a: 1, id: '2' }]],
  [
    'search',
    { ...c, data: [NEAR], limit: 2, consistencyLevel: 'Strong' },
    [
      { id: '2', distance: 0 },
      { id: '3', distance: 1 },
    ],
  ],
  // Neither a limit of all, nor a field, nor a metric: one vector field says it.
  [
    'hybridSearch',
    {
      ...c,
      search: [{ data: [NEAR], limit: 5 }],
      rerank: { strategy: 'rrf', params: { k: 1 } },
      outputFields: ['a'],
    },
    [
      { a: 1, id: '2', distance: 0.5 },
      { a: 2, id: '3', distance: 0.33333334 },
      { a: 3, id: '4', distance: 0.25 },
      { a: 4, id: '5', distance: 0.2 },
      { a: 5, id: '6', distance: 0.16666667 },
    ],
  ],
  ['delete', { ...c, filter: 'id in [1]' }, { deleteCount: 1 }],
  ['createAlias', { ...c, ...alias }],
  ['listAliases', {}, ['a']],
  ['alterAlias', { ...c, ...alias }],
  ['describeAlias', alias, { dbName: 'default', collectionName: 'c', aliasName: 'a' }],
  ['dropAlias', alias],
  ['createPartition', partition],
  ['listPartitions', c, ['_default', 'p']],
  ['hasPartition', partition, { has: true }],
  ['getPartitionStatistics', partition, { rowCount: 0 }],
  ['loadPartitions', { ...c, partitionNames: ['p'] }],
  ['releasePartitions', { ...c, partitionNames: ['p'] }],
  ['dropPartition', partition],
  ['compactCollection', c],
  ['getCompactionState', { compactionID: 1 }],
  ['addCollectionField', { ...c, schema: { fieldName: 'more', dataType: 'Int64', nullable: true } }],
  ['refreshLoad', c],
  ['releaseCollection', c],
  ['getCollectionLoadState', c, { loadState: 'LoadStateNotLoad' }],
  ['alterCollectionProperties', { ...c, ...mmap }],
  ['dropCollectionProperties', { ...c, ...noMmap }],
  ['alterCollectionFieldProperties', { ...c, fieldName: 'vector', fieldParams: { 'mmap.enabled': true } }],
  ['alterIndexProperties', { ...index, ...mmap }],
  ['dropIndexProperties', { ...index, ...noMmap }],
  ['dropIndex', index],
  ['createIndex', { ...c, indexParams: [HNSW] }],
  ['loadCollection', c],
  ['renameCollection', { ...c, newCollectionName: 'e' }],
  ['dropCollection', { collectionName: 'e' }],
];
const USERS = { userName: 'u', password: 'Secret1!', newPassword: 'Secret2!', roleName: 'r' };
const IMPORTS = ['createImportJobs', 'getImportJobProgress', 'listImportJobs'];
/** No calls: the client itself. */
const OWN = ['constructor', '_handleResponse', 'POST', 'GET'];

await conformanceSuite('node', 'HttpClient of the Node SDK', [], () => {
  let directory: string;
  let server: RunningServer;
  let client: HttpClient;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'elanus-http-client-'));
    server = await serverUnderTest({ ELANUS_IMPORT_DIRECTORY: directory });
    client = new HttpClient({ endpoint: `http://${server.address}`, token: '' });
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const call = async (method: string, request: Json): Promise<Answer> =>
    await (client as unknown as Record<string, Method>)[method]!.call(client, request);
  const done = async (method: string, request: Json): Promise<Answer> => {
    const answer = await call(method, request);
    assert.equal(answer.code, 0, `${method}: ${answer.message}`);
    return answer;
  };

  test('does what every method asks for', async () => {
    for (const [method, request, data] of CALLS) {
      const answer = await done(method, request);
      if (data !== undefined) assert.deepEqual(answer.data, data, method);
    }
  });

  test('shows hits of several queries each for itself', async () => {
    await done('createCollection', { ...c, dimension: 4, metricType: 'L2' });
    await done('insert', { ...c, data: ROWS });
    const search = { ...c, data: [NEAR, [2, 1, 2, 3]], limit: 1, consistencyLevel: 'Strong' };
    assert.deepEqual((await done('search', search)).data, [
      [{ id: '2', distance: 0 }],
      [{ id: '3', distance: 0 }],
    ]);
    for (const method of ['alterCollectionProperties', 'alterIndexProperties'])
      assert.equal((await call(method, { ...index, ...mmap })).code, LOADED_ALREADY, method);
  });

  test('imports, and is told of it by the id that it was given', async () => {
    const path = join(directory, 'rows.json');
    await writeFile(path, JSON.stringify([{ id: 77, vector: [1, 2, 3, 4] }]));
    const { jobId } = (await done('createImportJobs', { ...c, files: [[path]] })).data as { jobId: string };
    for (let state = ''; state !== 'Completed'; await sleep(10)) {
      const told = (await done('getImportJobProgress', { jobId })).data as { jobId: string; state: string };
      assert.equal(told.jobId, jobId);
      assert.notEqual(told.state, 'Failed');
      state = told.state;
    }
    const { records } = (await done('listImportJobs', c)).data as { records: { jobId: string }[] };
    assert.deepEqual(
      records.map((record) => record.jobId),
      [jobId],
    );
  });

  test('has no other method but those of users and roles, which are refused', async () => {
    const methods = new Set<string>();
    for (let type = HttpClient.prototype; type !== Object.prototype; type = Object.getPrototypeOf(type))
      for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(type)))
        if (typeof value === 'function') methods.add(name);
    const known = [...CALLS.map(([method]) => method), ...IMPORTS, ...OWN];
    for (const method of known) assert.ok(methods.delete(method) || OWN.includes(method), method);
    assert.ok(methods.size > 0);
    for (const method of methods) assert.equal((await call(method, USERS)).code, UNSERVED, method);
  });
});
