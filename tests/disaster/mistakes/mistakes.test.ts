import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import {
  isInputError,
  legacyCodeOf,
  MISTAKES,
  type Mistake,
  PREPARED_COLLECTIONS,
  PREPARED_ROWS,
} from '@elanus/access/testing';
import { type decode, type MethodName, methods } from '@elanus/proto';
import { ElanusProcess } from '@elanus/tests-harness';
import { BROKEN_CALLS, BROKEN_MESSAGES } from './broken-calls.ts';
import { type VisibleState, visibleState } from './visible-state.ts';
import { encoded, GrpcError, methodNamed, type RawAnswer, WireConnection } from './wire-connection.ts';

/** What compressed and oversized messages may cost at their worst, in MiB. */
const PEAK_GROWTH_MIB_MAX = 400;
const UNIMPLEMENTED = 12;
/** A member that no message has: its number, length-delimited, three bytes. */
const UNKNOWN_MEMBER = Buffer.from('c2a9070378797a', 'hex');
/** Methods that nobody can ask in a wrong way: their messages have no member that matters, or a name that nothing has will do. */
const FOOLPROOF: readonly MethodName[] = [
  'GetVersion',
  'CheckHealth',
  'ListDatabases',
  'AllocTimestamp',
  'ListFileResources',
  'RemoveFileResource',
];

let server: ElanusProcess;
let wire: WireConnection;
let prepared: VisibleState;
/** The state after the table before: each table answers for its own changes. */
let seen: VisibleState;

before(async () => {
  server = await ElanusProcess.start();
  wire = await WireConnection.open(server.address);
  for (const call of [...PREPARED_COLLECTIONS, ...PREPARED_ROWS]) {
    const { code, reason } = statusIn(call.method, await wire.ask(call.method, encoded(call)));
    assert.equal(code, 0, `${call.method}: ${reason}`);
  }
  prepared = await visibleState(wire);
  seen = prepared;
});

after(async () => {
  await server[Symbol.asyncDispose]();
  await wire[Symbol.asyncDispose]();
});

test('there are rows to lose, loaded and not', () => {
  const { books, asleep } = prepared.rowCounts;
  assert.deepEqual({ books, asleep }, { books: '4', asleep: '2' });
});

for (const [method, mistakes] of MISTAKES) {
  suite(`bad requests of ${method}`, () => {
    for (const mistake of mistakes) {
      test(mistake.what, async () => {
        const message = encoded(mistake);
        await assertTold(mistake, message);
        await assertTold(mistake, Buffer.concat([message, UNKNOWN_MEMBER]));
        if (message.length > 0) await assertUnreadable(method, message.subarray(0, -1));
      });
    }
    test('none of them changed anything', assertNothingChanged);
  });
}

suite('bytes that are no message', () => {
  for (const method of [...MISTAKES.keys(), ...FOOLPROOF]) {
    for (const [what, hex, says] of BROKEN_MESSAGES) {
      test(`${method} with ${what}`, async () => {
        await assertUnreadable(method, Buffer.from(hex, 'hex'), says);
      });
    }
  }
  for (const mistake of [...MISTAKES.values()].flat()) {
    const message = Buffer.from(encoded(mistake));
    const at = message.indexOf('nowhere');
    if (at < 0) continue;
    test(`${mistake.method} with ${mistake.what}, whose name is not UTF-8`, async () => {
      message[at + 1] = 0xff;
      await assertUnreadable(mistake.method, message, '.*utf-8');
    });
  }
  test('none of them changed anything', assertNothingChanged);
});

suite('calls that are no calls', () => {
  for (const { what, call, told } of BROKEN_CALLS) {
    test(what, async () => {
      const before = peakMiB(server.processId);
      // One of its own: a connection may have to be given up with its call.
      await using connection = await WireConnection.open(server.address);
      const answer = await connection.send(call);
      for (const [member, value] of Object.entries(told)) {
        assert.equal(answer[member as keyof RawAnswer], value, member);
      }
      const grown = peakMiB(server.processId) - before;
      assert.ok(grown < PEAK_GROWTH_MIB_MAX, `the server's memory grew by ${Math.round(grown)} MiB`);
    });
  }
  test('none of them changed anything', assertNothingChanged);
});

test('every method that is served has a table of mistakes, or can make none', async () => {
  const answers = methods.map(async ({ name, status, streaming }) => {
    if (status === null || streaming === 'both') return [];
    try {
      const { reason } = statusIn(name, await wire.ask(name, new Uint8Array()));
      return reason === `${name}: service unimplemented` ? [] : [name];
    } catch (error) {
      if (error instanceof GrpcError && error.grpcStatus === UNIMPLEMENTED) return [];
      throw error;
    }
  });
  const served = (await Promise.all(answers)).flat();
  assert.deepEqual(served.toSorted(), [...MISTAKES.keys(), ...FOOLPROOF].toSorted());
});

test('a killed server comes back with what was there before all the mistakes', async () => {
  await server.kill();
  await server.startAgain();
  await using connection = await WireConnection.open(server.address);
  assert.deepEqual(await visibleState(connection), prepared);
});

type Status = ReturnType<typeof decode<'common.Status'>>;

function statusIn(method: MethodName, answer: object): Status {
  const { status } = methodNamed(method);
  return status === 'self' ? (answer as Status) : (answer as Record<string, Status>)[status!]!;
}

/** Asks, and compares every member of the status with what the table says. */
async function assertTold(mistake: Mistake, message: Uint8Array): Promise<void> {
  const { method, database, told } = mistake;
  const { reason, detail, ...codes } = statusIn(method, await wire.ask(method, message, database));
  if (typeof told.reason === 'string') assert.equal(reason, told.reason);
  else assert.match(reason, told.reason);
  assert.equal(detail, reason);
  assert.deepEqual(codes, {
    code: told.code,
    errorCode: legacyCodeOf(mistake),
    retriable: false,
    extraInfo: new Map(isInputError(mistake) ? [['is_input_error', 'true']] : []),
  });
}

/** Bytes that are no message are the caller's mistake: an answer of its type, not an error of gRPC. */
async function assertUnreadable(method: MethodName, bytes: Uint8Array, says = '.*'): Promise<void> {
  const { code, errorCode, reason } = statusIn(method, await wire.ask(method, bytes));
  const { request } = methodNamed(method);
  assert.match(reason, new RegExp(`^cannot read ${RegExp.escape(request)}: (${says}): invalid parameter$`));
  assert.deepEqual([code, errorCode], [1100, 5]);
}

async function assertNothingChanged(): Promise<void> {
  const before = seen;
  seen = await visibleState(wire);
  assert.deepEqual(seen, before);
}

/** The most memory that the process has had so far. */
function peakMiB(processId: number): number {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
