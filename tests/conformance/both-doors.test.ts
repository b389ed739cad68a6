import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MISTAKES } from './differential/door-mistakes.ts';
import { OPERATIONS, REST_FIELDS, ROWS_LEFT, STRONG } from './differential/door-operations.ts';
import { type Answer, type Message, MilvusService } from './differential/milvus-service.ts';
import { UPKEEP_OPERATIONS } from './differential/upkeep-operations.ts';
import { repositoryRoot } from './harness/cache.ts';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite } from './harness/suite.ts';

type Json = Readonly<Record<string, unknown>>;

const SUCCESS = 0;
/** `code` of a call that is not served. */
const REFUSED_BY_NAME = 10;
const BASE = '/v2/vectordb/';
const IMPORTS = ['create', 'describe', 'get_progress', 'list'].map((name) => `jobs/import/${name}`);
/** Of one door alone: exports are ours, the others are calls between Milvus' own parts. */
const WITHOUT_TWIN = [
  'jobs/export/create',
  'jobs/export/describe',
  'jobs/export/list',
  'jobs/import/commit',
  'jobs/import/abort',
  'jobs/snapshot/export/describe',
  'segments/describe',
  'quotacenter/describe',
];
/** Members of rows whose values are bigints here. */
const INT64_NAMES = new Set(['id', 'large']);
const c = { collectionName: 'c' };
/** Each door has a database of its own. */
const DATABASES = { rest: 'by_rest', grpc: 'by_grpc' } as const;

await conformanceSuite('node', 'REST and gRPC', [], () => {
  let files: string;
  let server: RunningServer;
  let service: MilvusService;
  before(async () => {
    files = await mkdtemp(join(tmpdir(), 'elanus-doors-'));
    server = await serverUnderTest({ ELANUS_IMPORT_DIRECTORY: files });
    service = new MilvusService(server.address);
    for (const dbName of Object.values(DATABASES)) await service.call('CreateDatabase', { dbName });
  });
  after(async () => {
    service?.[Symbol.dispose]();
    await server?.[Symbol.asyncDispose]();
    await rm(files, { recursive: true });
  });

  async function byRest(path: string, body: Json): Promise<Json> {
    const answer = await fetch(`http://${server.address}${BASE}${path}`, {
      method: 'POST',
      body: JSON.stringify({ dbName: DATABASES.rest, ...body }),
    });
    return parsed(await answer.text()) as Json;
  }
  const byGrpc = async (rpc: string, request: Message): Promise<Answer> =>
    await service.call(rpc, { dbName: DATABASES.grpc, ...request });

  test('do the same and tell the same', async () => {
    for (const { path, body, rpc, request, shown, told } of [...OPERATIONS, ...UPKEEP_OPERATIONS]) {
      const { code, message, data } = await byRest(path, body);
      const answer = await byGrpc(rpc, request);
      const status = statusOf(answer);
      assert.deepEqual([code, message ?? ''], [SUCCESS, ''], path);
      assert.deepEqual([status.code, status.reason], [SUCCESS, ''], rpc);
      if (shown !== undefined)
        assert.deepEqual(told === undefined ? data : told(data as Json), shown(answer), path);
    }
  });

  test('have written the same rows, bit for bit', async () => {
    const request = { ...c, expr: 'id > 0', outputFields: ['*', '$meta'], consistencyLevel: STRONG };
    const [rest, grpc] = await Promise.all(
      Object.values(DATABASES).map(async (dbName) => await service.call('Query', { dbName, ...request })),
    );
    assert.equal(statusOf(rest!).code, SUCCESS, statusOf(rest!).reason);
    const columns = (answer: Answer) => byName(answer.fieldsData as never);
    assert.equal(columns(rest!).length, REST_FIELDS.length + 1);
    assert.deepEqual(columns(rest!), columns(grpc!));
  });

  test('show the same rows, to the last digit', async () => {
    const { data } = await byRest('entities/query', {
      ...c,
      filter: 'id > 0',
      outputFields: ['*'],
      consistencyLevel: 'Strong',
    });
    const sorted = (found: readonly Json[]) =>
      [...found].sort((left, right) => (BigInt(left.id as bigint) < BigInt(right.id as bigint) ? -1 : 1));
    const comparable = sorted(data as readonly Json[]).map((row) => ({
      ...row,
      id: String(row.id),
      large: row.large === null ? null : String(row.large),
      single: Math.fround(row.single as number),
      v: (row.v as number[]).map(Math.fround),
      document: JSON.parse(row.document as string) as unknown,
    }));
    assert.deepEqual(comparable, sorted(ROWS_LEFT));
  });

  test('refuse the same, in the same words', async () => {
    for (const { path, body, rpc, request } of MISTAKES) {
      const { code, message, data } = await byRest(path, body);
      const status = statusOf(await byGrpc(rpc, request));
      assert.notEqual(code, SUCCESS, path);
      assert.equal(data, undefined, path);
      const words = String(message).replaceAll(DATABASES.rest, DATABASES.grpc);
      assert.deepEqual([code, words], [status.code, status.reason], `${path} and ${rpc}`);
    }
  });

  test('import the same, and tell the same of both imports', async () => {
    const row = { id: 5, flag: true, single: 1, precise: 2, name: 'five', document: {}, v: [1, 2, 3, 4] };
    await writeFile(join(files, 'rows.json'), JSON.stringify([row]));
    const path = join(files, 'rows.json');
    const { data } = await byRest('jobs/import/create', { ...c, files: [[path]] });
    const { tasks } = await byGrpc('Import', { ...c, files: [path] });
    const jobs = [(data as { jobId: string }).jobId, (tasks as readonly string[])[0]!];
    for (const [at, dbName] of Object.values(DATABASES).entries()) {
      const jobId = jobs[at]!;
      let described = await byRest('jobs/import/describe', { dbName, jobId });
      while ((described.data as Json).state !== 'Completed') {
        assert.notEqual((described.data as Json).state, 'Failed', JSON.stringify(described));
        await sleep(10);
        described = await byRest('jobs/import/get_progress', { dbName, jobId });
      }
      const { state, rowCount, infos } = await byGrpc('GetImportState', { dbName, task: jobId });
      const infoOf = (name: string) =>
        (infos as unknown as readonly { key: string; value: string }[]).find(({ key }) => key === name)
          ?.value;
      const { state: shown, importedRows, progress, collectionName } = described.data as Json;
      assert.deepEqual(
        [`Import${shown}`, importedRows, progress, collectionName],
        [state, Number(rowCount), Number(infoOf('progress_percent')), infoOf('collection')],
      );
      const list = (await byRest('jobs/import/list', { dbName, ...c })).data as { records: readonly Json[] };
      const listed = (await byGrpc('ListImportTasks', { dbName, ...c })).tasks as unknown as readonly Json[];
      assert.deepEqual(
        list.records.map((record) => record.jobId),
        listed.map(({ id }) => id),
      );
    }
  });

  test('have a case for every path, or both refuse it by the name of its call', async () => {
    const described = (await (await fetch(`http://${server.address}/v2/openapi.json`)).json()) as {
      readonly paths: Json;
    };
    const operations = [...OPERATIONS, ...UPKEEP_OPERATIONS, ...MISTAKES].map(({ path }) => path);
    const known = new Set([...operations, ...IMPORTS, ...WITHOUT_TWIN]);
    for (const path of Object.keys(described.paths).map((each) => each.slice(BASE.length))) {
      if (known.has(path)) continue;
      const { code, message } = await byRest(path, {});
      assert.equal(code, REFUSED_BY_NAME, `${path} is served, but not compared`);
      const [rpc] = /^\w+(?=: service unimplemented$)/.exec(String(message))!;
      assert.deepEqual(statusOf(await byGrpc(rpc, {})).reason, message, path);
    }
  });

  test('what one door alone has is said', async () => {
    const document = await readFile(join(repositoryRoot, 'docs/compatibility.md'), 'utf8');
    const [, section] = document.split('## Paths of REST without a call of gRPC');
    const named = [...section!.split('\n## ')[0]!.matchAll(/`([a-z_]+\/[a-z_/]+)`/g)].map(
      ([, path]) => path!,
    );
    assert.deepEqual(named.filter((path) => path !== 'v2/vectordb/').sort(), [...WITHOUT_TWIN].sort());
  });
});

function statusOf(answer: Answer): { readonly code: number; readonly reason: string } {
  return (answer.status ?? answer.alterStatus ?? answer) as never;
}

function byName(columns: readonly { readonly fieldName: string }[]): readonly unknown[] {
  return [...columns].sort((left, right) => (left.fieldName < right.fieldName ? -1 : 1));
}

/** Ids and counts of 64 bits are bigints. */
function parsed(text: string): unknown {
  return JSON.parse(text, (name, value, context?: { readonly source?: string }) =>
    typeof value === 'number' &&
    (INT64_NAMES.has(name) || /^\d+$/.test(name)) &&
    /^-?\d{15,}$/.test(context?.source ?? '')
      ? BigInt(context!.source!)
      : name === 'count(*)'
        ? BigInt(value as number)
        : value,
  );
}
