import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { RunningServer } from './launch.ts';
import { ask, keysOf, launched, queryKeys } from './testing/rest-calls.ts';

const data = mkdtempSync(join(tmpdir(), 'elanus-truncation-'));
after(() => rmSync(data, { recursive: true }));

async function withServer(work: (server: RunningServer) => Promise<void>): Promise<void> {
  await using server = await launched(data);
  await work(server);
}

const keys = async (server: RunningServer) => keysOf(await queryKeys(server, 'c'));
const rows = (...ids: readonly number[]) => ids.map((id) => ({ id, vector: [id, 0] }));
const insert = (server: RunningServer, partitionName: string, ...ids: readonly number[]) =>
  ask(server, 'entities/insert', { collectionName: 'c', partitionName, data: rows(...ids) });

test('an emptied collection takes rows again, and what was in its log and its files stays away', async () => {
  await withServer(async (server) => {
    await ask(server, 'collections/create', { collectionName: 'c', dimension: 2 });
    await ask(server, 'partitions/create', { collectionName: 'c', partitionName: 'north' });
    await insert(server, '', 1, 2, 3);
    await insert(server, 'north', 4, 5);
    await ask(server, 'collections/flush', { collectionName: 'c' });
    await insert(server, 'north', 6, 2);
    await ask(server, 'collections/truncate', { collectionName: 'c' });
    assert.deepEqual(await keys(server), []);
    await insert(server, 'north', 2, 7);
    assert.deepEqual(await keys(server), [2, 7]);
  });
  await withServer(async (server) => {
    assert.deepEqual(await keys(server), [2, 7]);
    await ask(server, 'collections/flush', { collectionName: 'c' });
    await ask(server, 'collections/truncate', { collectionName: 'c' });
  });
  await withServer(async (server) => assert.deepEqual(await keys(server), []));
});
