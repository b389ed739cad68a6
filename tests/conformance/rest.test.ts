import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ConsistencyLevelEnum, HttpClient, MilvusClient } from '@zilliz/milvus2-sdk-node';
import { repositoryRoot } from './harness/cache.ts';
import { mustRun } from './harness/command.ts';
import { blocksIn, examplesOf } from './harness/document.ts';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite } from './harness/suite.ts';

type Json = Record<string, unknown>;

const DIM = 8;
const FIELDS = [
  { fieldName: 'key', dataType: 'Int64', isPrimary: true },
  { fieldName: 'flag', dataType: 'Bool' },
  { fieldName: 'small', dataType: 'Int8' },
  { fieldName: 'large', dataType: 'Int64', nullable: true },
  { fieldName: 'single', dataType: 'Float' },
  { fieldName: 'precise', dataType: 'Double' },
  { fieldName: 'name', dataType: 'VarChar', elementTypeParams: { max_length: 64 } },
  { fieldName: 'document', dataType: 'JSON' },
  {
    fieldName: 'numbers',
    dataType: 'Array',
    elementDataType: 'Int64',
    elementTypeParams: { max_capacity: 8 },
  },
  { fieldName: 'dense', dataType: 'FloatVector', elementTypeParams: { dim: DIM } },
  { fieldName: 'sparse', dataType: 'SparseFloatVector' },
];
const INDEXES = [
  {
    fieldName: 'dense',
    indexName: 'dense',
    metricType: 'L2',
    indexType: 'HNSW',
    params: { M: 8, efConstruction: 64 },
  },
  { fieldName: 'sparse', metricType: 'IP', indexType: 'SPARSE_INVERTED_INDEX' },
];

function row(key: number): Json {
  return {
    key,
    flag: key % 2 === 0,
    small: key % 100,
    large: key % 3 === 0 ? null : String(9_007_199_254_740_993n + BigInt(key)),
    single: key / 3,
    precise: key / 7,
    name: `row "${key}" – ü`,
    document: { key, list: [1, 2.5, 'three'] },
    numbers: [key, '-9223372036854775808'],
    dense: Array.from({ length: DIM }, (_, at) => Math.sin(key * 10 + at)),
    sparse: { [String(key + 1)]: 0.5, 1000: 1.25 },
    colour: key % 2 === 0 ? 'red' : 'blue',
  };
}

await conformanceSuite('node', 'REST', [], () => {
  let server: RunningServer;
  let http: HttpClient;
  let grpc: MilvusClient;
  before(async () => {
    server = await serverUnderTest();
    http = new HttpClient({ endpoint: `http://${server.address}`, token: '' });
    grpc = new MilvusClient({ address: server.address });
    await grpc.connectPromise;
  });
  after(async () => {
    await grpc?.closeConnection();
    await server?.[Symbol.asyncDispose]();
  });

  /** One request as curl sends it. */
  async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Json> {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(`http://${server.address}/v2/vectordb/${path}`, {
      method: 'POST',
      body: text,
      headers,
    });
    assert.equal(answer.status, 200, path);
    return (await answer.json()) as Json;
  }

  async function done(path: string, body: Json, headers?: Record<string, string>): Promise<Json> {
    const answer = await post(path, body, headers);
    assert.equal(answer.code, 0, `${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  test('the HttpClient of the Node SDK takes a collection from its creation to its end', async () => {
    const collectionName = 'by_http_client';
    const created = await http.createCollection({ collectionName, dimension: 4, metricType: 'L2' } as never);
    assert.equal(created.code, 0);
    assert.ok((await http.listCollections()).data.includes(collectionName));
    const vector = [1, 2, 3, 4];
    const inserted = await http.insert({ collectionName, data: [{ id: 1, vector, note: 'first' }] });
    assert.deepEqual(inserted.data, { insertCount: 1, insertIds: ['1'] });
    const found = await http.search({
      collectionName,
      data: [vector],
      limit: 1,
      outputFields: ['*'],
      consistencyLevel: 'Strong',
    } as never);
    assert.deepEqual(found.data, [{ distance: 0, id: '1', note: 'first', vector }]);
    const got = await http.get({ collectionName, id: ['1'], outputFields: ['note'] });
    assert.deepEqual(got.data, [{ id: '1', note: 'first' }]);
    assert.equal((await http.delete({ collectionName, filter: 'id == 1' })).code, 0);
    const counted = await http.query({ collectionName, filter: '', outputFields: ['count(*)'] } as never);
    assert.deepEqual(counted.data, [{ 'count(*)': '0' }]);
    assert.equal((await http.dropCollection({ collectionName })).code, 0);
  });

  test('both doors show the same rows and the same hits', async () => {
    const collectionName = 'by_both_doors';
    const schema = { fields: FIELDS, enableDynamicField: true };
    await done('collections/create', { collectionName, schema, indexParams: INDEXES });
    const data = Array.from({ length: 50 }, (_, key) => row(key));
    const inserted = await done('entities/insert', { collectionName, data });
    assert.equal((inserted.data as Json).insertCount, data.length);

    const strings = { 'accept-type-allow-int64': 'false' };
    const read = { collectionName, filter: 'key >= 0', outputFields: ['*'], consistencyLevel: 'Strong' };
    const byHttp = (await done('entities/query', read, strings)).data as Json[];
    const byGrpc = await grpc.query({
      collection_name: collectionName,
      filter: 'key >= 0',
      output_fields: ['*'],
      limit: 100,
      consistency_level: ConsistencyLevelEnum.Strong,
    });
    assert.deepEqual(byHttp.map(comparable), byGrpc.data.map(comparable));
    assert.deepEqual(
      byHttp.map(({ key, name, colour, large, numbers }) => ({ key, name, colour, large, numbers })),
      data.map(({ key, name, colour, large }) => ({
        key: String(key),
        name,
        colour,
        large,
        numbers: [String(key), '-9223372036854775808'],
      })),
    );

    for (const annsField of ['dense', 'sparse']) {
      const query = row(7)[annsField];
      const hits = await done(
        'entities/search',
        { ...read, data: [query], annsField, limit: 5, outputFields: ['name'] },
        strings,
      );
      const same = await grpc.search({
        collection_name: collectionName,
        data: [query] as never,
        anns_field: annsField,
        filter: 'key >= 0',
        limit: 5,
        output_fields: ['name'],
        consistency_level: ConsistencyLevelEnum.Strong,
      });
      const ofGrpc = (same.results.flat() as Json[]).map((hit) => [hit.name, Math.fround(Number(hit.score))]);
      const ofHttp = (hits.data as Json[]).map((hit) => [hit.name, Math.fround(Number(hit.distance))]);
      assert.deepEqual(ofHttp, ofGrpc, annsField);
      assert.deepEqual(hits.topks, [5]);
    }
    await done('collections/drop', { collectionName });
  });

  test('numbers above 2^53 are exact, as numbers too', async () => {
    const collectionName = 'exact_numbers';
    await done('collections/create', { collectionName, dimension: 2 });
    const body = `{"collectionName":"${collectionName}","data":{"id":9007199254740993,"vector":[0.5,1],"big":9223372036854775807}}`;
    await post('entities/insert', body);
    const answer = await fetch(`http://${server.address}/v2/vectordb/entities/query`, {
      method: 'POST',
      body: JSON.stringify({
        collectionName,
        filter: 'big > 9223372036854775806',
        consistencyLevel: 'Strong',
      }),
    });
    assert.equal(
      await answer.text(),
      '{"code":0,"cost":0,"data":[{"vector":[0.5,1],"big":9223372036854775807,"id":9007199254740993}]}',
    );
    await done('collections/drop', { collectionName });
  });

  test('names, properties, partitions and indexes answer as the reference has it', async () => {
    const collectionName = 'definitions';
    await done('databases/create', { dbName: 'rest_db', properties: { 'database.max.collections': 3 } });
    const inDatabase = { dbName: 'rest_db', collectionName };
    await done('collections/create', { ...inDatabase, dimension: 4, params: { ttlSeconds: 60 } });
    assert.deepEqual((await done('collections/list', { dbName: 'rest_db' })).data, [collectionName]);
    assert.deepEqual((await done('collections/list', {}, { 'db-name': 'rest_db' })).data, [collectionName]);
    assert.deepEqual((await done('collections/has', inDatabase)).data, { has: true });
    const described = (await done('collections/describe', inDatabase)).data as Json;
    assert.equal(described.load, 'LoadStateLoaded');
    assert.deepEqual(described.indexes, [{ indexName: 'vector', fieldName: 'vector', metricType: 'COSINE' }]);
    await done('aliases/create', { ...inDatabase, aliasName: 'other' });
    assert.deepEqual((await done('aliases/list', inDatabase)).data, ['other']);
    await done('aliases/drop', { ...inDatabase, aliasName: 'other' });
    await done('partitions/create', { ...inDatabase, partitionName: 'p' });
    assert.deepEqual((await done('partitions/list', inDatabase)).data, ['_default', 'p']);
    await done('collections/release', inDatabase);
    const released = (await done('collections/get_load_state', inDatabase)).data;
    assert.deepEqual(released, { loadState: 'LoadStateNotLoad' });
    await done('partitions/drop', { ...inDatabase, partitionName: 'p' });
    await done('indexes/drop', { ...inDatabase, indexName: 'vector' });
    assert.deepEqual((await done('indexes/list', inDatabase)).data, []);
    await done('collections/rename', { ...inDatabase, newCollectionName: 'renamed' });
    await done('collections/drop', { ...inDatabase, collectionName: 'renamed' });
    await done('databases/drop', { dbName: 'rest_db' });
  });

  test('the old API answers under its own names, with code 200', async () => {
    const old = async (path: string, body?: Json): Promise<Json> => {
      const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
      return (await (await fetch(`http://${server.address}/v1/vector/${path}`, init)).json()) as Json;
    };
    const collectionName = 'by_v1';
    const c = { collectionName };
    const created = await old('collections/create', { ...c, dimension: 2, primaryField: 'pk' });
    assert.deepEqual(created, { code: 200, data: {} });
    assert.ok(((await old('collections')).data as string[]).includes(collectionName));
    assert.deepEqual((await old(`collections/describe?collectionName=${collectionName}`)).data, {
      collectionName,
      description: '',
      enableDynamicField: true,
      fields: [
        { name: 'pk', type: 'Int64', description: '', primaryKey: true, autoId: true },
        { name: 'vector', type: 'FloatVector(2)', description: '', primaryKey: false, autoId: false },
      ],
      indexes: [{ indexName: 'vector', fieldName: 'vector', metricType: 'COSINE' }],
      load: 'LoadStateLoaded',
      shardsNum: 1,
    });
    // Keys are made, or brought.
    const { data: made } = await old('insert', { ...c, data: { vector: [2, 1], note: 'made' } });
    const { insertCount, insertIds } = made as { insertCount: number; insertIds: readonly unknown[] };
    assert.deepEqual([insertCount, insertIds.length], [1, 1]);
    await old('insert', { ...c, data: [{ pk: 3, vector: [1, 2], note: 'three' }] });
    const found = await old('search', { ...c, vector: [1, 2], outputFields: ['note'], limit: 1 });
    assert.deepEqual(found, { code: 200, data: [{ note: 'three', pk: 3, distance: 1 }] });
    const three = { code: 200, data: [{ note: 'three', pk: 3 }] };
    assert.deepEqual(await old('get', { ...c, id: 3, outputFields: ['note'] }), three);
    assert.deepEqual(await old('query', { ...c, filter: 'pk == 3', outputFields: ['note'] }), three);
    assert.deepEqual(await old('delete', { ...c, id: 3 }), { code: 200, data: {} });
    const refusals: readonly (readonly [path: string, body: Json, code: number])[] = [
      ['query', { collectionName: 'nowhere', filter: 'pk > 0' }, 100],
      ['query', c, 1802],
      ['get', c, 1802],
      ['search', { ...c, data: [[1, 2]] }, 1802],
      ['insert', c, 1802],
      ['delete', c, 1802],
      ['collections/create', { collectionName: 'bad' }, 1802],
      ['collections/drop', { collectionName: 'nowhere' }, 100],
    ];
    for (const [path, body, code] of refusals) assert.equal((await old(path, body)).code, code, path);
    assert.deepEqual(await old('collections/drop', c), { code: 200, data: {} });
  });

  test('the OpenAPI description names every path, with what its body must have', async () => {
    const answer = await fetch(`http://${server.address}/v2/openapi.json`);
    const described = (await answer.json()) as { openapi: string; paths: Record<string, never> };
    assert.equal(described.openapi, '3.1.0');
    assert.ok(Object.keys(described.paths).length > 70);
    const { post: insert } = described.paths['/v2/vectordb/entities/insert']! as { post: Json };
    const body = insert.requestBody as { content: Record<string, { schema: Json }> };
    assert.deepEqual(body.content['application/json']!.schema.required, ['collectionName', 'data']);
  });

  test('the examples of docs/rest.md print what stands behind them', async () => {
    const document = await readFile(join(repositoryRoot, 'docs/rest.md'), 'utf8');
    const examples = examplesOf(document, 'sh', 'json');
    assert.equal(examples.length, blocksIn(document, 'sh'));
    for (const { heading, program, output } of examples) {
      const here = program.replaceAll('localhost:19530', server.address);
      assert.equal((await mustRun('bash', ['-c', here])).trimEnd(), output.trimEnd(), heading);
    }
  });

  const MISTAKES: readonly (readonly [path: string, body: unknown, code: number, says: RegExp])[] = [
    ['collections/list', '', 1801, /\{\}/],
    ['collections/list', '[]', 1801, /not a JSON object/],
    ['collections/list', '{"dbName":1}', 1801, /dbName/],
    ['collections/list', { dbName: 'nowhere' }, 800, /database not found/],
    ['collections/describe', {}, 1802, /collectionName/],
    ['collections/describe', { collectionName: 'nowhere' }, 100, /nowhere/],
    ['collections/create', { collectionName: 'bad' }, 1100, /dimension is required/],
    ['collections/create', { collectionName: 'bad', dimension: 4, idType: 'Float' }, 1100, /idType/],
    [
      'collections/create',
      { collectionName: 'bad', dimension: 4, consistencyLevel: 'Weak' },
      1100,
      /consistencyLevel/,
    ],
    ['entities/insert', { collectionName: 'nowhere', data: [] }, 100, /nowhere/],
    ['entities/search', { collectionName: 'nowhere', data: [[1]] }, 100, /nowhere/],
    ['entities/get', { collectionName: 'nowhere' }, 1802, /id/],
    ['indexes/describe', { collectionName: 'nowhere', indexName: 'x' }, 100, /nowhere/],
    ['users/list', {}, 10, /unimplemented/],
  ];
  for (const [path, body, code, says] of MISTAKES)
    test(`${path} with ${JSON.stringify(body)} is refused`, async () => {
      const answer = await post(path, body);
      assert.equal(answer.code, code, JSON.stringify(answer));
      assert.match(answer.message as string, says);
      assert.equal(answer.data, undefined);
    });

  test('a compaction is asked for, followed and ended', async () => {
    const collectionName = 'compacted';
    await done('collections/create', { collectionName, dimension: 4, metricType: 'L2' });
    for (let first = 0; first < 40; first += 10) {
      const data = Array.from({ length: 10 }, (_, at) => ({ id: first + at, vector: [first + at, 1, 1, 1] }));
      await done('entities/insert', { collectionName, data });
      await done('collections/flush', { collectionName });
    }
    await done('entities/delete', { collectionName, filter: 'id < 15' });
    const asked = await fetch(`http://${server.address}/v2/vectordb/collections/compact`, {
      method: 'POST',
      body: JSON.stringify({ collectionName }),
    });
    // Too long for a double.
    const jobID = /"compactionID":(\d{15,})/.exec(await asked.text())?.[1];
    assert.ok(jobID !== undefined);
    for (let state = ''; state !== 'Completed'; ) {
      const { data } = await done('collections/get_compaction_state', { jobID });
      assert.ok(['Executing', 'Completed'].includes((data as Json).state as string));
      state = (data as Json).state as string;
      if (state === 'Completed') assert.equal((data as Json).completedPlanNumber, 1);
    }
    const { infos } = await grpc.getQuerySegmentInfo({ collectionName });
    assert.deepEqual(
      infos.map(({ num_rows }) => num_rows),
      ['25'],
    );
    const count = { collectionName, outputFields: ['count(*)'], consistencyLevel: 'Strong' };
    assert.deepEqual((await done('entities/query', count)).data, [{ 'count(*)': 25 }]);
    await done('collections/drop', { collectionName });
  });

  test('rows that do not fit are refused, and nothing of the request is kept', async () => {
    const collectionName = 'strict';
    await done('collections/create', {
      collectionName,
      schema: { fields: FIELDS },
      indexParams: INDEXES,
    });
    const { colour: _, ...good } = row(1);
    const misfits: readonly (readonly [change: Json, code: number])[] = [
      [{ colour: 'red' }, 1804],
      [{ dense: [1, 2] }, 1804],
      [{ dense: 'AAAA' }, 1804],
      [{ key: 'one' }, 1804],
      [{ key: 1.5 }, 1804],
      [{ small: 1_000 }, 1100],
      [{ flag: 'yes' }, 1804],
      [{ name: ['x'] }, 1804],
      [{ name: undefined }, 1804],
      [{ numbers: [1, null] }, 1804],
      [{ sparse: { a: 1 } }, 1804],
    ];
    for (const [change, code] of misfits) {
      const answer = await post('entities/insert', { collectionName, data: [good, { ...good, ...change }] });
      assert.equal(answer.code, code, `${JSON.stringify(change)}: ${JSON.stringify(answer)}`);
    }
    const count = { collectionName, outputFields: ['count(*)'], consistencyLevel: 'Strong' };
    assert.deepEqual((await done('entities/query', count)).data, [{ 'count(*)': 0 }]);
    await done('collections/drop', { collectionName });
  });
});

/** Rows of both doors with what only their clients differ in made alike: the digits of float32, `$meta` unpacked. */
function comparable(shown: Json): Json {
  const { $meta, ...members } = shown;
  const alike: Json = { ...members, ...($meta as Json | undefined) };
  if (typeof alike.document === 'string') alike.document = JSON.parse(alike.document);
  alike.single = Math.fround(alike.single as number);
  alike.dense = (alike.dense as number[]).map(Math.fround);
  return Object.fromEntries(Object.entries(alike).sort(([left], [right]) => (left < right ? -1 : 1)));
}
