import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger } from '@elanus/runtime';
import { readConfiguration } from './config/read-configuration.ts';
import { launch } from './launch.ts';
import { ask } from './testing/rest-calls.ts';

const root = mkdtempSync(join(tmpdir(), 'elanus-int64-'));
after(() => rmSync(root, { recursive: true }));

test('who asks for no form of int64 gets the configured one, who asks gets that', async () => {
  const environment = { PROXY_HTTP_ACCEPTTYPEALLOWINT64: 'false' };
  const configuration = await readConfiguration({ data: root, port: '0', adminPort: '0' }, environment, '/');
  await using server = await launch({ configuration, logger: silentLogger });
  await ask(server, 'collections/create', { collectionName: 'c', dimension: 2 });
  const data = (id: number) => JSON.stringify({ collectionName: 'c', data: { id, vector: [1, 2] } });
  const insertedIds = async (id: number, headers: Record<string, string>) => {
    const url = `http://127.0.0.1:${server.grpcPort}/v2/vectordb/entities/insert`;
    const answer = await fetch(url, { method: 'POST', headers, body: data(id) });
    return ((await answer.json()) as { data: { insertIds: unknown } }).data.insertIds;
  };
  assert.deepEqual(await insertedIds(1, {}), ['1']);
  assert.deepEqual(await insertedIds(2, { 'accept-type-allow-int64': 'neither' }), ['2']);
  assert.deepEqual(await insertedIds(3, { 'accept-type-allow-int64': 'true' }), [3]);
});
