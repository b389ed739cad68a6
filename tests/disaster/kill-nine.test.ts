import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killNine } from './kill-nine.ts';

/** `ELANUS_KILL_ROUNDS=200 npm test kill-nine` is the long form, `ELANUS_KILL_SEED` repeats a run. */
const rounds = Number(process.env.ELANUS_KILL_ROUNDS ?? 20);
const seed = Number(process.env.ELANUS_KILL_SEED ?? Math.floor(Math.random() * 2 ** 32));

test(`keeps every acknowledged write through ${rounds} kills (seed ${seed})`, async (context) => {
  const complaints = await killNine({ rounds, seed, say: (line) => context.diagnostic(line) });
  assert.deepEqual(complaints, []);
});
