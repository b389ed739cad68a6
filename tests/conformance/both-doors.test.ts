import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MISTAKES, OPERATIONS, REST_FIELDS, ROWS_LEFT, STRONG } from './differential/door-operations.ts';
import { type Answer, type Message, MilvusService } from './differential/milvus-service.ts';
import { type RunningServer, serverUnderTest } from './harness/server-under-test.ts';
import { conformanceSuite } from './harness/suite.ts';

type Json = Readonly<Record<string, unknown>>;

const SUCCESS = 0;
/** Members of rows whose values are bigints here. */
const INT64_NAMES = new Set(['id', 'large']);
const c = { collectionName: 'c' };
/** Each door has a database of its own. */
const DATABASES = { rest: 'by_rest', grpc: 'by_grpc' } as const;

await conformanceSuite('node', 'REST and gRPC', [], () => {
  let server: RunningServer;
  let service: MilvusService;
  before(async () => {
    server = await serverUnderTest();
    service = new MilvusService(server.address);
    for (const dbName of Object.values(DATABASES)) await service.call('CreateDatabase', { dbName });
  });
  after(async () => {
    service?.[Symbol.dispose]();
    await server?.[Symbol.asyncDispose]();
  });

  async function byRest(path: string, body: Json): Promise<Json> {
    const answer = await fetch(`http://${server.address}/v2/vectordb/${path}`, {
      method: 'POST',
      body: JSON.stringify({ dbName: DATABASES.rest, ...body }),
    });
    return parsed(await answer.text()) as Json;
  }
  const byGrpc = async (rpc: string, request: Message): Promise<Answer> =>
    await service.call(rpc, { dbName: DATABASES.grpc, ...request });

  test('do the same and tell the same', async () => {
    for (const { path, body, rpc, request, shown } of OPERATIONS) {
      const { code, message, data } = await byRest(path, body);
      const answer = await byGrpc(rpc, request);
      const status = statusOf(answer);
      assert.deepEqual([code, message ?? ''], [SUCCESS, ''], path);
      assert.deepEqual([status.code, status.reason], [SUCCESS, ''], rpc);
      if (shown !== undefined) assert.deepEqual(data, shown(answer), path);
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
});

function statusOf(answer: Answer): { readonly code: number; readonly reason: string } {
  return ('status' in answer && answer.status !== null ? answer.status : answer) as never;
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
