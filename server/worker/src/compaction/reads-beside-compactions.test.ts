import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { seededRandom } from '@elanus/runtime';
import { FaultyDeployment } from '../testing/faulty-deployment.ts';
import { keyRange, VERSIONED_COLLECTION } from '../testing/versioned-table.ts';

/** `ELANUS_COMPACTIONS=1000 npm test reads-beside-compactions` is the long form. */
const COMPACTIONS = Number(process.env.ELANUS_COMPACTIONS ?? 25);
const KEYS = 200;

test(`no read beside ${COMPACTIONS} compactions misses a row, finds one twice, or finds an older one than before`, async () => {
  const random = seededRandom(12);
  const deployment = new FaultyDeployment();
  const { table } = deployment;
  await table.workers.streaming.openCollection(VERSIONED_COLLECTION);
  await table.put(keyRange(0, KEYS));

  let isDone = false;
  let reads = 0;
  const reading = (async () => {
    while (!isDone) {
      const acknowledged = new Map(table.expected);
      const found = await table.read();
      assert.equal(found.size, KEYS, 'every key has its row');
      for (const [key, version] of acknowledged)
        assert.ok(found.get(key)! >= version, `key ${key} is not older than what was acknowledged`);
      reads += 1;
      await turn();
    }
  })();
  const writing = (async () => {
    while (!isDone) {
      const from = random.below(KEYS);
      await table.put(keyRange(from, Math.min(KEYS, from + 1 + random.below(20))));
      await turn();
    }
  })();
  let merged = 0;
  try {
    for (let round = 0; round < COMPACTIONS; round++) {
      await Promise.race([reading, writing, deployment.flush()]);
      const report = await Promise.race([reading, writing, deployment.compact()]);
      assert.equal(report?.failed, 0);
      merged += report?.completed ?? 0;
    }
  } finally {
    isDone = true;
  }
  await Promise.all([reading, writing]);
  assert.ok(merged >= COMPACTIONS, `${merged} groups were put together`);
  assert.ok(reads >= COMPACTIONS / 2, `${reads} reads`);
  await table.check('after all compactions');
  const rows = [...deployment.files.catalog.segments.values()].reduce((sum, info) => sum + info.rows, 0);
  assert.ok(rows <= 3 * KEYS, `${rows} rows in files: what was replaced has gone`);
  await deployment.restart();
  await table.check('after a restart');
});
