import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../seeded-random.ts';
import { checkRegister } from './check-register.ts';
import type { RegisterOperation, RegisterValue } from './register-history.ts';

const operation =
  (kind: RegisterOperation['kind']) =>
  (client: number, value: RegisterValue, invoked: number, answered: number | null): RegisterOperation => ({
    client,
    kind,
    value,
    invoked,
    answered,
  });
const write = operation('write');
const read = operation('read');

const LINEARIZABLE: readonly (readonly [what: string, history: readonly RegisterOperation[]])[] = [
  ['nothing', []],
  ['a read of nothing', [read(1, 'absent', 0, 1)]],
  ['a read behind a write', [write(1, 5, 0, 1), read(2, 5, 2, 3)]],
  ['a read beside a write that sees it', [write(1, 5, 0, 3), read(2, 5, 1, 2)]],
  ['a read beside a write that does not', [write(1, 5, 0, 3), read(2, 'absent', 1, 2)]],
  ['two writes at once, read in either order', [write(1, 5, 0, 9), write(2, 6, 0, 9), read(3, 6, 10, 11)]],
  [
    'a write that was never answered, seen late',
    [write(1, 5, 0, null), read(2, 'absent', 1, 2), read(2, 5, 3, 4)],
  ],
  ['a write that was never answered, never seen', [write(1, 5, 0, null), read(2, 'absent', 1, 2)]],
  ['a deletion', [write(1, 5, 0, 1), write(1, 'absent', 2, 3), read(2, 'absent', 4, 5)]],
];

const NOT_LINEARIZABLE: readonly (readonly [what: string, history: readonly RegisterOperation[]])[] = [
  ['a write that a later read does not see', [write(1, 5, 0, 1), read(2, 'absent', 2, 3)]],
  ['a value that nobody wrote', [write(1, 5, 0, 1), read(2, 7, 2, 3)]],
  ['a value before it was written', [read(2, 5, 0, 1), write(1, 5, 2, 3)]],
  [
    'a value that is there, gone and there again',
    [write(1, 5, 0, 9), read(2, 5, 1, 2), read(2, 'absent', 3, 4), read(2, 5, 5, 6)],
  ],
  [
    'two clients that see two writes in different orders',
    [write(1, 5, 0, 9), write(2, 6, 0, 9), read(3, 5, 1, 2), read(4, 6, 3, 4), read(3, 5, 5, 6)],
  ],
  [
    'an older value after a newer one',
    [write(1, 5, 0, 1), write(1, 6, 2, 3), read(2, 6, 4, 5), read(3, 5, 6, 7)],
  ],
  ['a deleted row', [write(1, 5, 0, 1), write(1, 'absent', 2, 3), read(2, 5, 4, 5)]],
];

describe('a history of a register', () => {
  for (const [what, history] of LINEARIZABLE)
    test(`may have ${what}`, () => assert.equal(checkRegister(history), null));
  for (const [what, history] of NOT_LINEARIZABLE)
    test(`may not have ${what}`, () => assert.match(checkRegister(history)!, /cannot be/));

  test('is linearizable when it is made by a register, and mostly not when one read is changed', () => {
    let caught = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed);
      const history = honestHistory(random);
      assert.equal(checkRegister(history), null, `seed ${seed}`);
      const reads = history.flatMap(({ kind }, at) => (kind === 'read' ? [at] : []));
      const wrong = reads[Math.floor(random() * reads.length)]!;
      const forged = history.map((one, at) => (at === wrong ? { ...one, value: -1 } : one));
      assert.notEqual(checkRegister(forged), null, `seed ${seed}: a value that nobody wrote`);
      const stale = history.map((one, at) => (at === wrong ? { ...one, value: 0 } : one));
      if (checkRegister(stale) !== null) caught += 1;
    }
    assert.ok(caught > 150, `${caught} of 200 stale reads were seen`);
  });
});

/** What four clients see of a register that does each operation at one moment between its call and its answer. */
function honestHistory(random: () => number): readonly RegisterOperation[] {
  const calls = [1, 2, 3, 4].flatMap((client) => {
    let at = random();
    return Array.from({ length: 25 }, () => {
      const invoked = at + random();
      const happened = invoked + random();
      const answered = happened + random();
      at = answered;
      return { client, invoked, happened, answered };
    });
  });
  let value: RegisterValue = 'absent';
  let written = 0;
  return calls
    .sort((a, b) => a.happened - b.happened)
    .map(({ client, invoked, answered }) => {
      if (random() < 0.5) return read(client, value, invoked, answered);
      value = random() < 0.2 ? 'absent' : written++;
      return write(client, value, invoked, answered);
    });
}
