import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@elanus/runtime';
import { FaultyDeployment } from '../testing/faulty-deployment.ts';
import { readAndWriteBeside } from '../testing/reads-beside.ts';
import { VERSIONED_COLLECTION } from '../testing/versioned-table.ts';

/** `ELANUS_COMPACTIONS=1000 npm test reads-beside-compactions` is the long form. */
const COMPACTIONS = Number(process.env.ELANUS_COMPACTIONS ?? 25);
const KEYS = 200;

test(`no read beside ${COMPACTIONS} compactions misses a row, finds one twice, or finds an older one than before`, async () => {
  const random = seededRandom(12);
  const deployment = new FaultyDeployment();
  const { table } = deployment;
  await table.workers.streaming.openCollection(VERSIONED_COLLECTION);
  let merged = 0;
  const reads = await readAndWriteBeside(table, { keys: KEYS, random }, async (beside) => {
    for (let round = 0; round < COMPACTIONS; round++) {
      await Promise.race([...beside, deployment.flush()]);
      const report = await Promise.race([...beside, deployment.compact()]);
      assert.equal(report?.failed, 0);
      merged += report?.completed ?? 0;
    }
  });
  assert.ok(merged >= COMPACTIONS, `${merged} groups were put together`);
  assert.ok(reads >= COMPACTIONS / 2, `${reads} reads`);
  await table.check('after all compactions');
  const rows = [...deployment.files.catalog.segments.values()].reduce((sum, info) => sum + info.rows, 0);
  assert.ok(rows <= 3 * KEYS, `${rows} rows in files: what was replaced has gone`);
  await deployment.restart();
  await table.check('after a restart');
});
