import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock, seededRandom } from '@elanus/runtime';
import { ClockTimestamps } from '../testing/clock-timestamps.ts';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { openWorkers } from '../testing/open-workers.ts';
import { TestFiles } from '../testing/test-files.ts';
import { keyRange, VERSIONED_COLLECTION, VersionedTable } from '../testing/versioned-table.ts';
import type { SealLimits } from './seal-policy.ts';

const LIMITS: SealLimits = {
  bytesMax: 200_000,
  logBytesMax: 1_000_000,
  lifeMsMax: 60_000,
  idleMsMax: 10_000,
  idleBytesMin: 100_000,
  intervalMs: 1_000,
};

async function watched(): Promise<{
  readonly table: VersionedTable;
  readonly files: TestFiles;
  /** Lets so many seconds pass, and whoever wakes finish. */
  readonly wait: (seconds: number) => Promise<void>;
}> {
  const clock = new ManualClock();
  const files = new TestFiles();
  const timestamps = new ClockTimestamps(clock);
  const options = { files, clock, timestamps, sealLimits: LIMITS };
  const table = new VersionedTable(openWorkers(new FakeMessageLog(), seededRandom(1), options));
  await table.workers.streaming.openCollection(VERSIONED_COLLECTION);
  table.workers.streaming.watchFiles();
  const wait = async (seconds: number): Promise<void> => {
    for (; seconds > 0; seconds--) {
      clock.advance(1_000);
      for (let turns = 0; turns < 40; turns++) await turn();
    }
  };
  return { table, files, wait };
}

test('rows go to files when there are many, without being asked to', async () => {
  const { table, files, wait } = await watched();
  await table.put(keyRange(0, 100));
  await wait(3);
  assert.equal(files.catalog.segments.size, 0, 'a few rows stay');
  await table.put(keyRange(100, 10_000));
  await wait(2);
  assert.ok(files.catalog.segments.size > 0);
  await table.check('after a flush that nobody asked for');
  await table.workers.streaming.close();
});

test('rows go to files when they are old, and only once', async () => {
  const { table, files, wait } = await watched();
  await table.put(keyRange(0, 100));
  await wait(58);
  assert.equal(files.catalog.segments.size, 0);
  await wait(4);
  const { size } = files.catalog.segments;
  assert.ok(size > 0);
  await wait(130);
  assert.equal(files.catalog.segments.size, size);
  await table.workers.streaming.close();
});
