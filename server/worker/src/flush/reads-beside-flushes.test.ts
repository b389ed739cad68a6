import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { seededRandom } from '@elanus/runtime';
import { SteppingTimestamps } from '../testing/collection-fixture.ts';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { openWorkers } from '../testing/open-workers.ts';
import { readAndWriteBeside } from '../testing/reads-beside.ts';
import { TestFiles } from '../testing/test-files.ts';
import { VERSIONED_COLLECTION, VersionedTable } from '../testing/versioned-table.ts';

/** `ELANUS_FLUSHES=1000 npm test reads-beside-flushes` is the long form. */
const FLUSHES = Number(process.env.ELANUS_FLUSHES ?? 60);
const KEYS = 200;

test(`no read beside ${FLUSHES} flushes misses a row, finds one twice, or finds an older one than before`, async () => {
  const random = seededRandom(11);
  const lasting = { timestamps: new SteppingTimestamps(), files: new TestFiles() };
  const log = new FakeMessageLog();
  const workers = openWorkers(log, random, lasting);
  const { streaming } = workers;
  const { id } = VERSIONED_COLLECTION;
  const table = new VersionedTable(workers);
  await streaming.openCollection(VERSIONED_COLLECTION);
  const reads = await readAndWriteBeside(table, { keys: KEYS, random }, async (beside) => {
    for (let flushes = 0, checkpoint = 0n; flushes < FLUSHES; ) {
      const { timestamp } = await streaming.flush(id);
      while (!(await streaming.isFlushed(id, timestamp, []))) await Promise.race([...beside, turn()]);
      await Promise.race([...beside, turn()]);
      const reached = lasting.files.catalog.checkpoints.get(id)!.timestamp;
      if (reached > checkpoint) flushes += 1;
      checkpoint = reached;
    }
  });
  await table.check('after all flushes');
  assert.ok(reads >= FLUSHES / 4, `${reads} reads`);
  const { deleteFiles } = lasting.files.catalog;
  assert.ok(deleteFiles.size <= 2 * 17, `${deleteFiles.size} files of deletions`);
  for (const { file } of deleteFiles.values()) assert.ok(lasting.files.store.objects.has(file.key));
  table.workers = openWorkers(log, random, lasting);
  await table.workers.streaming.recover([VERSIONED_COLLECTION]);
  await table.check('after a restart');
});
