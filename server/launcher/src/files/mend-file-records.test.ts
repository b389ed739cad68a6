import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openMetaStore } from '@elanus/meta-store';
import { NodeDisk, silentLogger } from '@elanus/runtime';
import { readConfiguration } from '../config/read-configuration.ts';
import type { RunningServer } from '../launch.ts';
import { ask, filesIn, keysOf, launched, queryKeys, send } from '../testing/rest-calls.ts';
import { acceptLoss } from './accept-loss.ts';

const collectionName = 'kept';
/** What is left of 40 rows. */
const KEYS = Array.from({ length: 40 }, (_, id) => id).filter((id) => id !== 7 && id !== 31);
/** Those among them that are in files. */
const FILED_KEYS = KEYS.filter((id) => id < 36);
const DATA_INTEGRITY = 1009;

const directory = mkdtempSync(join(tmpdir(), 'elanus-mend-'));
/** A data directory with two flushed segments, deletions in files and in the log, and no server. */
const sound = join(directory, 'sound');
const data = join(directory, 'data');

before(async () => {
  await using server = await launched(sound);
  await ask(server, 'collections/create', { collectionName, dimension: 4 });
  await insert(server, 0, 20);
  await ask(server, 'collections/flush', { collectionName });
  await insert(server, 20, 36);
  await ask(server, 'entities/delete', { collectionName, filter: 'id == 7' });
  await ask(server, 'collections/flush', { collectionName });
  await insert(server, 36, 40);
  await ask(server, 'entities/delete', { collectionName, filter: 'id == 31' });
});

after(() => rmSync(directory, { recursive: true, force: true }));

test('a record about a file that is damaged is made anew from the file', async () => {
  const keys = await recordKeys();
  const kinds = new Set(keys.map((key) => key.split('/')[1]));
  assert.deepEqual([...kinds].sort(), ['checkpoint', 'delete-file', 'segment']);
  for (const key of keys) {
    prepare();
    await overwrite(key, Buffer.from('nonsense'));
    await using server = await launched(data);
    assert.deepEqual(await keysIn(server), KEYS, key);
    await insert(server, 36, 40);
    await ask(server, 'collections/flush', { collectionName });
    assert.deepEqual(await keysIn(server), KEYS, `${key}, after a flush`);
  }
});

test('so is one whose segment has another file than it began with', async () => {
  prepare();
  {
    await using server = await launched(data);
    const text = { max_length: '99', enable_analyzer: 'true' };
    const titled = { fieldName: 'title', dataType: 'VarChar', elementTypeParams: text };
    const defaultValue = 'a red kite';
    await ask(server, 'collections/fields/add', {
      collectionName,
      schema: { ...titled, nullable: true, defaultValue },
    });
    await ask(server, 'collections/add_function_field', {
      collectionName,
      function: { name: 'bm25', type: 'BM25', inputFieldNames: ['title'], outputFieldNames: ['words'] },
      outputField: { fieldName: 'words', dataType: 'SparseFloatVector' },
    });
    await filled(server);
  }
  assert.equal(filesIn(data).filter((path) => /log-snapshot\/\d+-\d+\.arrow$/.test(path)).length, 2);
  for (const path of filesIn(data)) if (/log-snapshot\/\d+\.arrow$/.test(path)) rmSync(path);
  for (const key of (await recordKeys()).filter((each) => each.startsWith('catalog/segment/')))
    await overwrite(key, Buffer.from('nonsense'));
  await using server = await launched(data);
  await filled(server);
  const { data: found } = await ask(server, 'entities/search', {
    collectionName,
    data: ['kite'],
    annsField: 'words',
    limit: 100,
    outputFields: ['id'],
  });
  const ids = (found as { readonly id: number }[]).map(({ id }) => Number(id));
  assert.deepEqual(
    ids.sort((a, b) => a - b),
    KEYS,
  );
});

test('a checkpoint that is missing is made anew from the files', async () => {
  prepare();
  const key = (await recordKeys()).find((each) => each.startsWith('catalog/checkpoint/'))!;
  await overwrite(key, null);
  for (let start = 0; start < 2; start++) {
    await using server = await launched(data);
    assert.deepEqual(await keysIn(server), KEYS);
  }
});

test('a record whose file is damaged as well stays so, and its collection says it', async () => {
  for (const kind of ['segment', 'delete-file']) {
    prepare();
    const key = (await recordKeys()).find((each) => each.startsWith(`catalog/${kind}/`))!;
    await overwrite(key, Buffer.from('nonsense'));
    flip(filesIn(data).find((path) => path.endsWith(`${key.split('/')[3]}.arrow`))!);
    await using server = await launched(data);
    assert.equal((await query(server)).code, DATA_INTEGRITY);
  }
});

test('a log that has lost writes fails its collection, until somebody accepts the loss', async () => {
  prepare();
  const log = filesIn(data).find((path) => /\/log\/.*\.log$/.test(path))!;
  rmSync(log);
  for (let start = 0; start < 2; start++) {
    await using server = await launched(data);
    const other = 'other';
    if (start === 0) await ask(server, 'collections/create', { collectionName: other, dimension: 4 });
    await ask(server, 'entities/upsert', { collectionName: other, data: [{ id: 1, vector: [1, 2, 3, 4] }] });
    const row = { id: 50, vector: [1, 2, 3, 4] };
    for (const [path, body] of [
      ['entities/query', { filter: 'id >= 0', outputFields: ['count(*)'] }],
      ['entities/search', { data: [[1, 2, 3, 4]], annsField: 'vector' }],
      ['entities/insert', { data: [row] }],
      ['entities/upsert', { data: [row] }],
      ['entities/delete', { filter: 'id == 1' }],
      ['collections/get_stats', {}],
    ] as const) {
      const answer = await send(server, path, { collectionName, ...body });
      assert.equal(answer.code, DATA_INTEGRITY, path);
      assert.match(answer.message!, new RegExp(`${basename(log)}: the file is missing`), path);
    }
  }
  const configuration = await readConfiguration({ data }, {}, '/');
  assert.deepEqual(
    (await acceptLoss(configuration, collectionName)).map(({ file }) => file),
    [log],
  );
  assert.deepEqual(await acceptLoss(configuration, collectionName), []);
  await assert.rejects(acceptLoss(configuration, 'none'), /there is no collection none/);
  for (let start = 0; start < 2; start++) {
    await using server = await launched(data);
    assert.ok(new Set(await keysIn(server)).isSupersetOf(new Set(FILED_KEYS)));
    await insert(server, 36, 40);
    await ask(server, 'collections/flush', { collectionName });
  }
});

/** Resolves when all rows have their words. */
async function filled(server: RunningServer): Promise<void> {
  for (;;) {
    const body = { collectionName, indexName: 'words' };
    const { data: found } = await ask(server, 'indexes/describe', body);
    if ((found as { readonly indexState: string }[])[0]!.indexState === 'Finished') return;
    await delay(20);
  }
}

/** What the description of the collection says to be lost. */
async function lostWrites(server: RunningServer): Promise<string | undefined> {
  const { data: described } = await ask(server, 'collections/describe', { collectionName });
  const { properties } = described as { properties: readonly { key: string; value: string }[] };
  return properties.find(({ key }) => key === 'elanus.lost_writes')?.value;
}

test('a log with a damaged record is served without it, and says so until somebody accepts the loss', async () => {
  prepare();
  const log = filesIn(data).find((path) => /\/log\/.*\.log$/.test(path) && readFileSync(path).length > 200)!;
  const bytes = readFileSync(log);
  // The payload of the first record, by which rows 36 to 39 came.
  bytes[64 + 48 + 100]! ^= 1;
  writeFileSync(log, bytes);
  const configuration = await readConfiguration({ data }, {}, '/');
  for (const step of ['at once', 'at the next start', 'after a flush'] as const) {
    await using server = await launched(data);
    assert.deepEqual(await keysIn(server), FILED_KEYS, step);
    assert.match((await lostWrites(server))!, new RegExp(`${basename(log)} at byte 64: `), step);
    const metrics = await fetch(`http://127.0.0.1:${server.adminPort}/metrics`);
    assert.match(await metrics.text(), /lost_stretches\{database="default",collection="kept"\} 1/, step);
    if (step === 'at the next start') await ask(server, 'collections/flush', { collectionName });
  }
  assert.equal(filesIn(data).filter((path) => path.includes('/quarantine/')).length, 1);
  assert.equal((await acceptLoss(configuration, collectionName)).length, 1);
  assert.deepEqual(await acceptLoss(configuration, collectionName), []);
  await using server = await launched(data);
  assert.deepEqual(await keysIn(server), FILED_KEYS);
  assert.equal(await lostWrites(server), undefined);
});

function prepare(): void {
  rmSync(data, { recursive: true, force: true });
  cpSync(sound, data, { recursive: true });
}

/** Of all records about files. */
async function recordKeys(): Promise<readonly string[]> {
  const store = await openMetaStore({
    disk: new NodeDisk(),
    directory: join(sound, 'catalog'),
    logger: silentLogger,
  });
  const all = await store.scan('catalog/');
  await store.close();
  const isOfFile = (key: string) => /^catalog\/(segment|delete-file|index-file|checkpoint)\//.test(key);
  return all.map(([key]) => key).filter(isOfFile);
}

async function overwrite(key: string, value: Uint8Array | null): Promise<void> {
  const store = await openMetaStore({
    disk: new NodeDisk(),
    directory: join(data, 'catalog'),
    logger: silentLogger,
  });
  await store.commit([{ key, value }]);
  await store.close();
}

/** Changes 16 bytes in the middle. */
function flip(path: string): void {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  for (let at = middle; at < Math.min(middle + 16, bytes.length); at++) bytes[at]! ^= 0xff;
  writeFileSync(path, bytes);
}

/** Rows of these keys; those that are there are replaced. */
async function insert(server: RunningServer, first: number, end: number): Promise<void> {
  const rows = Array.from({ length: end - first }, (_, at) => ({
    id: first + at,
    vector: [first + at, 1, 1, 1],
  }));
  await ask(server, 'entities/upsert', { collectionName, data: rows });
}

const query = (server: RunningServer) => queryKeys(server, collectionName);

async function keysIn(server: RunningServer): Promise<readonly number[]> {
  return keysOf(await query(server));
}
