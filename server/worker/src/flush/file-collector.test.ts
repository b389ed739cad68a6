import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock, seededRandom, silentLogger } from '@elanus/runtime';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { openWorkers } from '../testing/open-workers.ts';
import { TestFiles } from '../testing/test-files.ts';
import { keyRange, VERSIONED_COLLECTION, VersionedTable } from '../testing/versioned-table.ts';
import { FileCollector } from './file-collector.ts';

const { id } = VERSIONED_COLLECTION;
const GRACE_MS = 60_000;
const never = new AbortController().signal;

test('a file goes when nothing refers to it and it is older than the grace time', async () => {
  const files = new TestFiles();
  const clock = new ManualClock();
  files.store.nowMs = clock.nowMs();
  const table = new VersionedTable(openWorkers(new FakeMessageLog(), seededRandom(1), { files }));
  const { streaming } = table.workers;
  await streaming.openCollection(VERSIONED_COLLECTION);
  await table.put(keyRange(0, 40));
  await table.remove(keyRange(0, 3));
  const { timestamp } = await streaming.flush(id);
  while (!(await streaming.isFlushed(id, timestamp, []))) await turn();
  const referenced = [...files.store.objects.keys()];
  const orphan = `collection-${id}/log-snapshot/99999.arrow`;
  const foreign = 'somebody/else.txt';
  await files.store.put(orphan, Buffer.from('left by a crash'));
  await files.store.put(foreign, Buffer.from('not ours'));
  const { store, catalog } = files;
  const collector = new FileCollector({ store, catalog, clock, logger: silentLogger, graceMs: GRACE_MS });

  clock.advance(GRACE_MS - 1);
  assert.equal(await collector.collect(never), 0, 'a young file may be on its way into the catalog');
  clock.advance(1);
  assert.equal(await collector.collect(never), 1);
  assert.deepEqual([...files.store.objects.keys()].sort(), [...referenced, foreign].sort());
  await table.check('after the collection');
});

test('a dropped collection takes its files along', async () => {
  const files = new TestFiles();
  const table = new VersionedTable(openWorkers(new FakeMessageLog(), seededRandom(1), { files }));
  const { streaming } = table.workers;
  await streaming.openCollection(VERSIONED_COLLECTION);
  await table.put(keyRange(0, 40));
  const { timestamp } = await streaming.flush(id);
  while (!(await streaming.isFlushed(id, timestamp, []))) await turn();
  await table.put(keyRange(0, 10));
  await streaming.flush(id);
  await streaming.dropCollection(id);
  while (files.store.objects.size > 0) await turn();
  await streaming.close();
  assert.equal(files.store.objects.size, 0);
});

test('a dropped partition takes its files along, and nothing else', async () => {
  const files = new TestFiles();
  const table = new VersionedTable(openWorkers(new FakeMessageLog(), seededRandom(1), { files }));
  const { streaming } = table.workers;
  await streaming.openCollection(VERSIONED_COLLECTION);
  await table.put(keyRange(0, 40));
  const { timestamp } = await streaming.flush(id);
  while (!(await streaming.isFlushed(id, timestamp, []))) await turn();
  const [dropped, kept] = VERSIONED_COLLECTION.partitions;
  await streaming.dropPartitions(id, [dropped!.id]);
  const segments = [...files.catalog.segments.values()];
  for (const { partitionId, file } of segments)
    assert.equal(files.store.objects.has(file.key), partitionId === kept!.id);
});
