import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { openLmdbMetaStore } from '@elanus/meta-store';
import { silentLogger } from '@elanus/runtime';
import { readConfiguration } from '../config/read-configuration.ts';
import { launch, type RunningServer } from '../launch.ts';

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
    flip(filesOf(data).find((path) => path.endsWith(`${key.split('/')[3]}.arrow`))!);
    await using server = await launched(data);
    assert.equal((await query(server)).code, DATA_INTEGRITY);
  }
});

test('whatever file but the catalog is damaged or missing: the server starts, and answers right, without what only a lost log had, or says what is broken', async () => {
  const files = filesOf(sound).map((path) => relative(sound, path));
  // The version decides whether the directory is ours; the catalog has its own tests, record by record.
  const isTried = (file: string) => !/^(VERSION|catalog\/)/.test(file);
  for (const file of files.filter(isTried)) {
    for (const [what, damage] of [
      ['missing', (path: string) => rmSync(path)],
      ['flipped', flip],
      ['cut', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, statSync(path).size / 2))],
    ] as const) {
      prepare();
      damage(join(data, file));
      await using server = await launched(data);
      const answer = await query(server);
      if (answer.code === DATA_INTEGRITY) continue;
      const keys = keysOf(answer);
      if (!file.startsWith('log/')) assert.deepEqual(keys, KEYS, `${file} ${what}`);
      else assert.ok(new Set(keys).isSupersetOf(new Set(FILED_KEYS)), `${file} ${what}: ${keys}`);
    }
  }
});

function prepare(): void {
  rmSync(data, { recursive: true, force: true });
  cpSync(sound, data, { recursive: true });
}

/** Of all records about files. */
async function recordKeys(): Promise<readonly string[]> {
  const store = await openLmdbMetaStore({ directory: join(sound, 'catalog'), logger: silentLogger });
  const all = await store.scan('catalog/');
  await store.close();
  const isOfFile = (key: string) => /^catalog\/(segment|delete-file|index-file|checkpoint)\//.test(key);
  return all.map(([key]) => key).filter(isOfFile);
}

async function overwrite(key: string, value: Uint8Array | null): Promise<void> {
  const store = await openLmdbMetaStore({ directory: join(data, 'catalog'), logger: silentLogger });
  await store.commit([{ key, value }]);
  await store.close();
}

function filesOf(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** Changes 16 bytes in the middle. */
function flip(path: string): void {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  for (let at = middle; at < Math.min(middle + 16, bytes.length); at++) bytes[at]! ^= 0xff;
  writeFileSync(path, bytes);
}

async function launched(path: string): Promise<RunningServer> {
  const configuration = await readConfiguration({ data: path, port: '0', adminPort: '0' }, {}, '/');
  return await launch({ configuration, logger: silentLogger });
}

interface Answer {
  readonly code: number;
  readonly message?: string;
  readonly data?: readonly { readonly id: number | string }[];
}

async function send({ grpcPort }: RunningServer, path: string, body: object): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${grpcPort}/v2/vectordb/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Answer;
}

async function ask(server: RunningServer, path: string, body: object): Promise<Answer> {
  const answer = await send(server, path, body);
  assert.equal(answer.code, 0, `${path}: ${answer.message}`);
  return answer;
}

/** Rows of these keys; those that are there are replaced. */
async function insert(server: RunningServer, first: number, end: number): Promise<void> {
  const rows = Array.from({ length: end - first }, (_, at) => ({
    id: first + at,
    vector: [first + at, 1, 1, 1],
  }));
  await ask(server, 'entities/upsert', { collectionName, data: rows });
}

async function query(server: RunningServer): Promise<Answer> {
  return await send(server, 'entities/query', {
    collectionName,
    filter: 'id >= 0',
    outputFields: ['id'],
    limit: 100,
    consistencyLevel: 'Strong',
  });
}

function keysOf({ code, message, data: rows }: Answer): readonly number[] {
  assert.equal(code, 0, message ?? 'no message');
  return (rows ?? []).map(({ id }) => Number(id)).sort((left, right) => left - right);
}

async function keysIn(server: RunningServer): Promise<readonly number[]> {
  return keysOf(await query(server));
}
