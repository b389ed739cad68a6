import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MilvusError } from '@elanus/model';
import { ManualClock, systemClock } from '@elanus/runtime';
import { ModelClient } from './model-client.ts';
import { type Said, StandIn } from './testing/stand-in.ts';

const parse = async (bytes: Buffer): Promise<unknown> => JSON.parse(bytes.toString());
/** A clock whose pauses take no time, and which never calls a deadline. */
const noPauses = {
  ...systemClock,
  nowMs: () => 0,
  monotonicMs: () => 0,
  sleep: async (ms: number, options?: { readonly signal?: AbortSignal }) => {
    if (ms < TIMEOUT_MS) return;
    await new Promise<void>((_, reject) =>
      options?.signal?.addEventListener('abort', () => reject(options.signal!.reason as Error)),
    );
  },
};
const TIMEOUT_MS = 30_000;
const client = new ModelClient({ clock: noPauses, parse, timeoutMs: TIMEOUT_MS });
const request = (url: string) => ({
  url,
  headers: { authorization: 'Bearer hush' },
  body: { a: 1 },
  secrets: ['hush'],
});

async function failureOf(work: Promise<unknown>): Promise<MilvusError> {
  const error: unknown = await work.then(
    () => assert.fail('should have failed'),
    (error) => error,
  );
  assert.ok(error instanceof MilvusError, String(error));
  return error;
}

test('an answer comes back, and the question went out with its head', async () => {
  await using service = await StandIn.start(() => ({ body: { b: [1, 2] } }));
  assert.deepEqual(await client.post(request(service.url)), { b: [1, 2] });
  const [asked] = service.asked;
  assert.deepEqual([asked?.body, asked?.headers.authorization], [{ a: 1 }, 'Bearer hush']);
});

test('a service that fails or is overloaded is asked three times', async () => {
  for (const status of [429, 500, 503]) {
    let count = 0;
    await using service = await StandIn.start(() => (++count < 3 ? { status, body: {} } : { body: 7 }));
    assert.equal(await client.post(request(service.url)), 7);
    service.say(() => ({ status, body: 'busy' }));
    const { code, message } = await failureOf(client.post(request(service.url)));
    assert.equal(code, 2400);
    assert.match(
      message,
      new RegExp(`^Call service failed, errs:\\[${status} .*, busy\\]: function failed$`),
    );
    assert.equal(service.asked.length, 6);
  }
});

test('a refusal is told once, and no secret with it', async () => {
  await using service = await StandIn.start(() => ({ status: 401, body: 'the key hush is wrong' }));
  const { message } = await failureOf(client.post(request(service.url)));
  assert.match(message, /401 Unauthorized, the key \*\*\* is wrong/);
  assert.equal(service.asked.length, 1);
});

const rubbish: Readonly<Record<string, Said>> = {
  'no JSON': { body: '<html>' },
  nothing: { body: '' },
  'a way to another host': { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' },
};
for (const [what, said] of Object.entries(rubbish)) {
  test(`${what} is no answer`, async () => {
    await using service = await StandIn.start(() => said);
    assert.equal((await failureOf(client.post(request(service.url)))).code, 2400);
  });
}

test('a service that is not there is named', async () => {
  const service = await StandIn.start(() => ({}));
  const { url } = service;
  await service[Symbol.asyncDispose]();
  assert.match((await failureOf(client.post(request(url)))).message, /ECONNREFUSED/);
});

test('a service that hangs has so long and no longer', async () => {
  const clock = new ManualClock();
  await using service = await StandIn.start(() => ({ hang: true }));
  const patient = new ModelClient({ clock, parse, timeoutMs: 5_000 });
  const failure = failureOf(patient.post(request(service.url)));
  clock.advance(5_000);
  const { code, message } = await failure;
  assert.deepEqual(
    [code, message],
    [2400, 'Call service failed, errs:[no answer within 5000 ms]: function failed'],
  );
});

test('whoever asked can leave', async () => {
  await using service = await StandIn.start(() => ({ hang: true }));
  const controller = new AbortController();
  const answer = client.post(request(service.url), controller.signal);
  controller.abort(new Error('gone'));
  await assert.rejects(answer, /^Error: gone$/);
});
