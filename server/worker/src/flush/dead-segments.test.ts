import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { composeTimestamp, type Timestamp } from '@elanus/model';
import { seededRandom, type TimestampSource } from '@elanus/runtime';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { openWorkers } from '../testing/open-workers.ts';
import { TestFiles } from '../testing/test-files.ts';
import { keyRange, VERSIONED_COLLECTION, VersionedTable } from '../testing/versioned-table.ts';

const { id } = VERSIONED_COLLECTION;
const MINUTE_MS = 60_000;

class Timestamps implements TimestampSource {
  nowMs = 1_700_000_000_000;

  next(): Timestamp {
    this.nowMs += 1;
    return composeTimestamp(this.nowMs);
  }
}

for (const [name, isRestarted] of [
  ['in one life', false],
  ['before a restart', true],
] as const) {
  test(`segments whose rows were all deleted long ago (${name}) go, with their files`, () =>
    deadGo(isRestarted));
}

async function deadGo(isRestarted: boolean): Promise<void> {
  const timestamps = new Timestamps();
  const files = new TestFiles();
  const log = new FakeMessageLog();
  const open = () => openWorkers(log, seededRandom(1), { timestamps, files });
  const table = new VersionedTable(open());
  const flush = async (): Promise<void> => {
    const { streaming } = table.workers;
    const { timestamp } = await streaming.flush(id);
    while (!(await streaming.isFlushed(id, timestamp, []))) await turn();
  };
  await table.workers.streaming.openCollection(VERSIONED_COLLECTION);
  await table.put(keyRange(0, 40));
  await flush();
  const dead = [...files.catalog.segments.values()];
  await table.put(keyRange(0, 40));
  await flush();
  const alive = [...files.catalog.segments.values()].filter((segment) => !dead.includes(segment));
  assert.equal(files.catalog.segments.size, dead.length + alive.length, 'the past can still be read');

  if (isRestarted) {
    table.workers = open();
    await table.workers.streaming.recover([VERSIONED_COLLECTION]);
  }
  timestamps.nowMs += 20 * MINUTE_MS;
  await table.put([100n]);
  await table.put([101n]);
  await flush();
  for (const segment of dead) {
    assert.ok(!files.catalog.segments.has(segment.id), 'a dead segment is no more');
    assert.ok(!files.store.objects.has(segment.file.key), 'nor is its file');
  }
  for (const segment of alive) assert.ok(files.catalog.segments.has(segment.id));
  await table.check('after dead segments have gone');
  await table.put(keyRange(5, 10));
  await table.check('after rows of living segments were replaced');

  table.workers = open();
  await table.workers.streaming.recover([VERSIONED_COLLECTION]);
  await table.check('after a restart');
}
