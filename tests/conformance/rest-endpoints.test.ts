import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ElanusProcess } from '@elanus/tests-harness';
import { conformanceSuite } from './harness/suite.ts';

type Json = Readonly<Record<string, unknown>>;

const BASE = '/v2/vectordb/';
/** `code` of a call that is not served. */
const UNSERVED = 10;
const WRONG_TYPE = 1801;
const MISSING = 1802;

const c = { collectionName: 'c' };
const VECTOR_INDEX = { fieldName: 'v', indexName: 'v', indexType: 'FLAT', metricType: 'L2' };
const FIELDS = [
  { fieldName: 'id', dataType: 'Int64', isPrimary: true },
  {
    fieldName: 'text',
    dataType: 'VarChar',
    elementTypeParams: { max_length: 99, enable_analyzer: true, enable_match: true },
  },
  { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: 2 } },
];
const ROWS = [1, 2, 3].map((id) => ({ id, text: `bird ${id}`, v: [id, 0] }));
const COUNT = { ...c, outputFields: ['count(*)'], consistencyLevel: 'Strong' };
const HIT = { id: 1, distance: 0 };
const SEARCH = { data: [[1, 0]], annsField: 'v', limit: 1 };
const northern = { ...c, partitionName: 'north' };
const GENERATED = 'made by the server';
/** Of an import whose rows wait for a word. */
const WAITING = { auto_commit: 'false' };

const WORDS = { name: 'words', type: 'BM25', inputFieldNames: ['text'], outputFieldNames: ['sparse'] };
const SPARSE = { fieldName: 'sparse', dataType: 'SparseFloatVector' };

/** A call of every path that is served, in an order in which all succeed; with what its data must be or have. */
const CALLS: readonly (readonly [path: string, body: Json, data?: unknown])[] = [
  ['databases/create', { dbName: 'd', properties: { 'database.max.collections': 3 } }],
  ['databases/list', {}, ['default', 'd']],
  ['databases/alter', { dbName: 'd', properties: { 'database.max.collections': 4 } }],
  ['databases/alter_properties', { dbName: 'd', properties: { note: 'x' } }],
  ['databases/drop_properties', { dbName: 'd', propertyKeys: ['note'] }],
  ['databases/describe', { dbName: 'd' }, { dbName: 'd' }],
  ['databases/drop', { dbName: 'd' }],
  ['collections/create', { ...c, schema: { fields: FIELDS } }],
  ['collections/list', {}, ['c']],
  ['collections/has', c, { has: true }],
  ['indexes/create', { ...c, indexParams: [VECTOR_INDEX] }],
  ['indexes/list', c, ['v']],
  ['indexes/describe', { ...c, indexName: 'v' }],
  ['collections/load', c],
  ['collections/refresh_load', c],
  ['collections/get_load_state', c, { loadState: 'LoadStateLoaded' }],
  ['entities/insert', { ...c, data: ROWS }, { insertCount: 3, insertIds: [1, 2, 3] }],
  ['entities/upsert', { ...c, data: { ...ROWS[2], text: 'owl' } }, { upsertCount: 1 }],
  [
    'entities/query',
    { ...c, filter: 'id == 3', outputFields: ['text'], consistencyLevel: 'Strong' },
    [{ text: 'owl' }],
  ],
  ['entities/get', { ...c, id: [1], outputFields: ['text'] }, [{ text: 'bird 1' }]],
  ['entities/search', { ...c, ...SEARCH, consistencyLevel: 'Strong' }, [HIT]],
  ['entities/hybrid_search', { ...c, search: [SEARCH], rerank: { strategy: 'rrf' }, limit: 1 }, [{ id: 1 }]],
  [
    'entities/advanced_search',
    { ...c, search: [SEARCH], rerank: { strategy: 'rrf' }, limit: 1 },
    [{ id: 1 }],
  ],
  ['entities/delete', { ...c, filter: 'id == 3' }, { deleteCount: 1 }],
  ['entities/query', COUNT, [{ 'count(*)': 2 }]],
  [
    'common/run_analyzer',
    { text: ['two words'] },
    { results: [{ tokens: [{ token: 'two' }, { token: 'words' }] }] },
  ],
  ['aliases/create', { ...c, aliasName: 'a' }],
  ['aliases/alter', { ...c, aliasName: 'a' }],
  ['aliases/list', c, ['a']],
  ['aliases/describe', { aliasName: 'a' }, { collectionName: 'c', aliasName: 'a' }],
  ['aliases/drop', { aliasName: 'a' }],
  ['partitions/create', northern],
  ['partitions/list', c, ['_default', 'north']],
  ['partitions/has', northern, { has: true }],
  ['partitions/load', { ...c, partitionNames: ['north'] }],
  ['partitions/get_stats', northern, { rowCount: 0 }],
  ['partitions/release', { ...c, partitionNames: ['north'] }],
  ['partitions/drop', northern],
  ['collections/flush', c],
  ['collections/get_stats', c, { rowCount: 2 }],
  ['collections/compact', c],
  ['collections/get_compaction_state', { jobID: 1 }, { state: 'Completed' }],
  ['collections/alter_properties', { ...c, properties: { 'collection.ttl.seconds': 3600 } }],
  ['collections/drop_properties', { ...c, propertyKeys: ['collection.ttl.seconds'] }],
  ['collections/fields/alter_properties', { ...c, fieldName: 'text', fieldParams: { max_length: 200 } }],
  ['collections/fields/add', { ...c, schema: { fieldName: 'more', dataType: 'Int64', nullable: true } }],
  ['collections/fields/drop', { ...c, fieldName: 'more' }],
  [
    'collections/struct_fields/add',
    {
      ...c,
      schema: {
        fieldName: 's',
        nullable: true,
        typeParams: { max_capacity: 3 },
        fields: [{ fieldName: 'n', dataType: 'Array', elementDataType: 'Int64' }],
      },
    },
  ],
  ['collections/add_function_field', { ...c, function: WORDS, outputField: SPARSE }],
  ['collections/drop_function_field', { ...c, functionName: 'words' }],
  ['collections/describe', c, { collectionName: 'c', load: 'LoadStateLoaded' }],
  ['jobs/export/create', { ...c, path: 'words', format: 'jsonl' }, { jobId: GENERATED }],
  ['jobs/export/describe', { jobId: '<job>' }],
  ['jobs/export/list', {}],
  ['file_resources/add', { name: 'r', path: 'words/0.jsonl' }],
  ['file_resources/list', {}, [{ name: 'r', path: 'words/0.jsonl' }]],
  ['file_resources/remove', { name: 'r' }],
  ['jobs/import/create', { ...c, files: [['<directory>/rows.json']] }, { jobId: GENERATED }],
  ['jobs/import/describe', { jobId: '<job>' }],
  ['jobs/import/get_progress', { jobId: '<job>' }],
  ['jobs/import/list', c],
  [
    'jobs/import/create',
    { ...c, files: [['<directory>/rows.json']], options: WAITING },
    { jobId: GENERATED },
  ],
  ['jobs/import/commit', { jobId: '<job>' }],
  [
    'jobs/import/create',
    { ...c, files: [['<directory>/rows.json']], options: WAITING },
    { jobId: GENERATED },
  ],
  ['jobs/import/abort', { jobId: '<job>' }],
  ['collections/truncate', c],
  ['entities/query', COUNT, [{ 'count(*)': 0 }]],
  ['collections/get_load_state', c, { loadState: 'LoadStateLoaded' }],
  ['collections/release', c],
  ['indexes/alter_properties', { ...c, indexName: 'v', properties: { 'mmap.enabled': 'true' } }],
  ['indexes/drop_properties', { ...c, indexName: 'v', propertyKeys: ['mmap.enabled'] }],
  ['indexes/drop', { ...c, indexName: 'v' }],
  ['collections/rename', { ...c, newCollectionName: 'e' }],
  ['collections/drop', { collectionName: 'e' }],
];

/** Calls that the service behind refuses, over gRPC as well: it makes no function of an existing collection from these. */
const REFUSED: readonly (readonly [path: string, body: Json, code: number])[] = [
  ['collections/add_function', { ...c, function: WORDS }, 1100],
  ['collections/alter_function', { ...c, functionName: 'words', function: WORDS }, 1100],
  ['collections/drop_function', { ...c, functionName: 'words' }, 1100],
  ['collections/drop_function_field', { ...c, functionName: 'words' }, 1100],
];

await conformanceSuite('node', 'every endpoint of REST', [], () => {
  let directory: string;
  let server: ElanusProcess;
  let described: Readonly<Record<string, BodySchema>>;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'elanus-endpoints-'));
    await writeFile(join(directory, 'rows.json'), JSON.stringify([{ id: 9, text: 'wren', v: [9, 9] }]));
    server = await ElanusProcess.start({ ELANUS_IMPORT_DIRECTORY: directory });
    const answer = await fetch(`http://${server.address}/v2/openapi.json`);
    described = bodiesOf((await answer.json()) as Json);
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  async function post(path: string, body: unknown): Promise<Json> {
    const url = `http://${server.address}${BASE}${path}`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    assert.equal(answer.status, 200, path);
    return (await answer.json()) as Json;
  }

  async function ended(path: string, jobId: string): Promise<void> {
    for (;;) {
      const { state, reason } = (await post(path, { jobId })).data as { state: string; reason?: string };
      assert.notEqual(state, 'Failed', reason ?? '');
      if (state === 'Completed' || state === 'Uncommitted') return;
      await sleep(10);
    }
  }

  test('succeeds with what it asks for', async () => {
    let job = '';
    for (const [path, body, data] of CALLS) {
      const text = JSON.stringify(body).replaceAll('<directory>', directory).replaceAll('<job>', job);
      const answer = await post(path, JSON.parse(text));
      assert.equal(answer.code, 0, `${path}: ${JSON.stringify(answer)}`);
      if (data !== undefined) assertHas(answer.data, data, `${path}: ${JSON.stringify(answer)}`);
      if (/^jobs.*create$/.test(path)) {
        job = (answer.data as { jobId: string }).jobId;
        await ended(path.replace('create', 'describe'), job);
      }
    }
  });

  test('that is not served is refused as its call is', async () => {
    assert.equal((await post('collections/create', { ...c, schema: { fields: FIELDS } })).code, 0);
    for (const [path, body, refusal] of REFUSED) {
      const answer = await post(path, body);
      assert.equal(answer.code, refusal, `${path}: ${JSON.stringify(answer)}`);
    }
    assert.equal((await post('collections/drop', c)).code, 0);
    const known = new Set([...CALLS, ...REFUSED].map(([path]) => path));
    for (const path of Object.keys(described)) {
      if (known.has(path)) continue;
      const { code } = await post(path, minimal(described[path]!));
      assert.equal(code, UNSERVED, `${path} is served, but not called here`);
    }
  });

  test('refuses what it does not understand, and does nothing', async () => {
    const state = async () => [
      (await post('collections/list', {})).data,
      (await post('databases/list', {})).data,
    ];
    const before = await state();
    for (const [path, schema] of Object.entries(described)) {
      assert.equal((await post(path, [])).code, WRONG_TYPE, path);
      const good = minimal(schema);
      for (const name of schema.required ?? []) {
        const { [name]: _, ...rest } = good;
        assert.equal((await post(path, rest)).code, MISSING, `${path} without ${name}`);
      }
      for (const [name, member] of Object.entries(schema.properties)) {
        const wrong = wrongFor(member);
        if (wrong === undefined) continue;
        const { code } = await post(path, { ...good, [name]: wrong });
        assert.equal(code, WRONG_TYPE, `${path} with ${name} ${JSON.stringify(wrong)}`);
      }
    }
    assert.deepEqual(await state(), before);
  });

  test('refuses collections and databases that are not there', async () => {
    /** Those that only look, and what makes something. */
    const forgiving = ['collections/has', 'collections/drop', 'collections/create', 'collections/release'];
    for (const [path, schema] of Object.entries(described)) {
      if (forgiving.includes(path) || !('collectionName' in schema.properties)) continue;
      const isOptional = !(schema.required ?? []).includes('collectionName');
      const answer = await post(path, { ...minimal(schema), collectionName: 'nowhere' });
      if (isOptional && answer.code === 0) continue;
      assert.notEqual(answer.code, 0, `${path}: ${JSON.stringify(answer)}`);
      assert.equal(typeof answer.message, 'string', path);
      assert.equal(answer.data, undefined, path);
    }
  });
});

interface MemberSchema {
  readonly type?: string;
  readonly items?: { readonly type?: string };
  readonly oneOf?: unknown;
}

interface BodySchema {
  readonly required?: readonly string[];
  readonly properties: Readonly<Record<string, MemberSchema>>;
}

/** What the body of each path holds, by the OpenAPI description. */
function bodiesOf(openApi: Json): Readonly<Record<string, BodySchema>> {
  const paths = openApi.paths as Record<
    string,
    { post: { requestBody: { content: Record<string, { schema: BodySchema }> } } }
  >;
  return Object.fromEntries(
    Object.entries(paths).map(([path, { post }]) => [
      path.slice(BASE.length),
      post.requestBody.content['application/json']!.schema,
    ]),
  );
}

/** The members that must be there, with values of their types. */
function minimal({ required = [], properties }: BodySchema): Json {
  return Object.fromEntries(required.map((name) => [name, valueFor(properties[name]!)]));
}

function valueFor({ type, items }: MemberSchema): unknown {
  switch (type) {
    case 'string':
      return 'x';
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'object':
      return {};
    case 'array':
      return items?.type === 'string' ? ['x'] : [];
    default:
      return 1;
  }
}

/** A value of another type; `undefined`: the member takes anything. */
function wrongFor({ type, oneOf }: MemberSchema): unknown {
  if (oneOf !== undefined) return 'x';
  switch (type) {
    case undefined:
      return undefined;
    case 'string':
      return 7;
    default:
      return 'x';
  }
}

/** Demands that `found` has what `wanted` has: members of objects, elements of arrays. */
function assertHas(found: unknown, wanted: unknown, message: string): void {
  if (wanted === GENERATED) assert.match(String(found), /^\d+$/, message);
  else if (Array.isArray(wanted)) {
    assert.equal((found as unknown[]).length, wanted.length, message);
    for (const [at, one] of wanted.entries()) assertHas((found as unknown[])[at], one, message);
  } else if (typeof wanted === 'object' && wanted !== null)
    for (const [name, one] of Object.entries(wanted)) assertHas((found as Json)[name], one, message);
  else assert.deepEqual(found, wanted, message);
}
