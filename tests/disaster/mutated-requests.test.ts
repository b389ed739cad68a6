import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sendMutatedRequests } from './mutated-requests.ts';

/** `ELANUS_MUTATED_REQUESTS=100000 npm test mutated` is the long form, `ELANUS_MUTATION_SEED` repeats a run. */
const count = Number(process.env.ELANUS_MUTATED_REQUESTS ?? 10_000);
const seed = Number(process.env.ELANUS_MUTATION_SEED ?? Math.floor(Math.random() * 2 ** 32));

test(`answers each of ${count} damaged requests and lives on (seed ${seed})`, async () => {
  assert.deepEqual(await sendMutatedRequests({ count, seed, growthMiBMax: 400 }), []);
});
