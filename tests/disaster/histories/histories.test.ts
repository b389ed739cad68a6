import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ElanusProcess } from '@elanus/tests-harness';
import { WireConnection } from '../mistakes/wire-connection.ts';
import { recordHistories } from './record-histories.ts';
import { LEVELS, type Level, Registers } from './registers.ts';

/** `ELANUS_HISTORY_SEED` repeats a run; the long form is `npm run histories -w @elanus/tests-disaster`. */
const seed = Number(process.env.ELANUS_HISTORY_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Later than anything that the server has written. */
const AHEAD = 2n ** 62n;

describe('what two clients see', () => {
  let server: ElanusProcess;
  let wires: readonly WireConnection[];
  let one: Registers;
  let other: Registers;
  before(async () => {
    server = await ElanusProcess.start();
    wires = [await WireConnection.open(server.address), await WireConnection.open(server.address)];
    [one, other] = wires.map((wire) => new Registers(wire, 'two_clients')) as [Registers, Registers];
    await one.create();
  });
  after(async () => {
    for (const wire of wires ?? []) await wire[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  for (const level of Object.keys(LEVELS) as Level[])
    test(`${level}: a write is seen by the next read of its client and of the other, and so is a deletion`, async () => {
      for (let value = 1; value <= 20; value++) {
        const written = await one.write([1], value);
        assert.deepEqual([...(await one.query([1], LEVELS[level](written)))], [[1, value]]);
        assert.deepEqual([...(await other.query([1], LEVELS[level](written)))], [[1, value]]);
        assert.deepEqual([...(await other.search([1], LEVELS[level](written)))], [[1, value]]);
      }
      const removed = await other.remove([1]);
      assert.deepEqual([...(await one.query([1], LEVELS[level](removed)))], []);
    });

  test('Session: the other client sees what it has been told the time of', async () => {
    const own = await other.write([5], 1);
    const written = await one.write([5], 2);
    assert.ok(written > own, 'times grow from client to client');
    assert.deepEqual([...(await other.query([5], LEVELS.Session(written)))], [[5, 2]]);
    assert.deepEqual(
      [...(await other.query([5], LEVELS.Session(own)))],
      [[5, 2]],
      'and more than it asks for',
    );
  });

  test('Customized: a time that lies ahead means now', async () => {
    await one.write([6], 7);
    assert.deepEqual([...(await other.query([6], LEVELS.Customized(AHEAD)))], [[6, 7]]);
  });

  test('the pages of an iterator see the time that they name, and nothing later', async () => {
    const first = await one.write([7, 8], 1);
    await other.write([7], 2);
    await other.remove([8]);
    const page = { queryParams: [{ key: 'iterator', value: 'true' }] };
    const then = await one.query([7, 8], LEVELS.Customized(first), page);
    assert.deepEqual(
      [...then],
      [
        [7, 1],
        [8, 1],
      ],
    );
    const now = await one.query([7, 8], LEVELS.Strong());
    assert.deepEqual([...now], [[7, 2]]);
  });

  test(`their histories and those of more are linearizable at every level (seed ${seed})`, async (context) => {
    for (const [run, clients] of [2, 4, 6].entries()) {
      const options = { address: server.address, clients, seed: seed + run, operations: 600 };
      const { operations, complaints } = await recordHistories(options);
      assert.deepEqual(complaints, []);
      assert.ok(operations >= 600, `${operations} operations`);
      context.diagnostic(`${clients} clients: ${operations} operations on rows`);
    }
  });
});
