import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type Logger, seededRandom, silentLogger } from '@elanus/runtime';
import type { RunningServer } from '../launch.ts';
import { ask, filesIn, keysOf, launched, queryKeys, send } from '../testing/rest-calls.ts';

const DATA_INTEGRITY = 1009;
const directory = mkdtempSync(join(tmpdir(), 'elanus-any-file-'));
/** What a server has left that was closed. */
const sound = join(directory, 'sound');
const data = join(directory, 'data');

const SPARSE = {
  schema: {
    fields: [
      { fieldName: 'id', dataType: 'Int64', isPrimary: true },
      { fieldName: 'vector', dataType: 'SparseFloatVector' },
    ],
  },
  indexParams: [{ fieldName: 'vector', metricType: 'IP', indexType: 'SPARSE_INVERTED_INDEX' }],
};

/** A deletion that is lost brings them back. */
const DELETED_KEYS = [7];
/** Collections, how they are asked for, and which keys they have. */
const collections = new Map<string, { readonly id: string; readonly keys: readonly number[] }>();

before(async () => {
  await using server = await launched(sound);
  // Flushed twice, with deletions in files and in the log, and a part that is in the log only.
  await make(server, 'flushed');
  await upsert(server, 'flushed', 0, 20);
  await flush(server, 'flushed');
  await upsert(server, 'flushed', 20, 36);
  await ask(server, 'entities/delete', { collectionName: 'flushed', filter: 'id == 7' });
  await flush(server, 'flushed');
  await upsert(server, 'flushed', 36, 40);
  // Nothing in files, several shards, an alias.
  await make(server, 'unflushed', { params: { shardsNum: 3 } });
  await upsert(server, 'unflushed', 0, 50);
  await ask(server, 'aliases/create', { collectionName: 'unflushed', aliasName: 'nickname' });
  // Everything in files, and an index over them: of sparse vectors few are enough for one.
  await make(server, 'indexed', SPARSE);
  await upsert(server, 'indexed', 0, 2_000, {}, (id) => ({ [id % 7]: 1, [7 + (id % 11)]: 0.5 }));
  await flush(server, 'indexed');
  while (!filesIn(sound).some((path) => path.includes('/index/'))) await setTimeout(20);
  // Partitions, some in files; another database.
  await make(server, 'parted');
  for (const partitionName of ['red', 'blue'])
    await ask(server, 'partitions/create', { collectionName: 'parted', partitionName });
  await upsert(server, 'parted', 0, 5, { partitionName: 'red' });
  await flush(server, 'parted');
  await upsert(server, 'parted', 5, 9, { partitionName: 'blue' });
  await ask(server, 'databases/create', { dbName: 'other' });
  await make(server, 'far', { dbName: 'other' });
  await upsert(server, 'far', 0, 4, { dbName: 'other' });
  await make(server, 'empty');
  for (const name of ['flushed', 'unflushed', 'indexed', 'parted', 'far', 'empty'])
    collections.set(name, {
      id: await idOf(server, name),
      keys: keysOf(await queryKeys(server, name, databaseOf(name))),
    });
  await ask(server, 'collections/release', { collectionName: 'empty' });
});

after(() => rmSync(directory, { recursive: true, force: true }));

test('each file of a data directory may be missing, cut in half or have a flipped bit', async () => {
  assert.equal(collections.get('flushed')!.keys.length, 39);
  const random = seededRandom(11);
  const files = filesIn(sound).map((path) => relative(sound, path));
  for (const kind of [
    /^log\/.*\.log$/,
    /\.next-/,
    /log-snapshot/,
    /delta/,
    /index/,
    /^catalog\//,
    /^VERSION$/,
  ])
    assert.ok(
      files.some((file) => kind.test(file)),
      `there is a file like ${kind}`,
    );
  for (const file of files.toSorted()) {
    const bytes = readFileSync(join(sound, file));
    await check(file, 'missing', (path) => rmSync(path));
    if (bytes.length === 0) continue;
    await check(file, 'cut', (path) => writeFileSync(path, bytes.subarray(0, bytes.length >> 1)));
    const flipped = Buffer.from(bytes);
    const bit = random.below(8 * flipped.length);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    await check(file, `bit ${bit} flipped`, (path) => writeFileSync(path, flipped));
  }
});

async function check(file: string, what: string, damage: (path: string) => void): Promise<void> {
  const about = `${file} ${what}`;
  rmSync(data, { recursive: true, force: true });
  cpSync(sound, data, { recursive: true });
  damage(join(data, file));
  const said: string[] = [];
  for (let start = 0; start < 2; start++) {
    await using server = await launched(data, listening(said));
    if (file.startsWith('objects/')) await verified(server);
    for (const [name, { id, keys }] of collections) {
      if (name === 'empty') continue;
      const answer = await queryKeys(server, name, databaseOf(name));
      if (answer.code === DATA_INTEGRITY) {
        // Only who needs the file, and it is named.
        assert.ok(file.includes(id), `${about}: ${name} says ${answer.message}`);
        assert.ok(answer.message!.includes(basename(file)), `${about}: ${name} says ${answer.message}`);
        assert.match(file, /^log\/.*\.log$|log-snapshot|delta/, about);
        continue;
      }
      const lost = await lostWritesOf(server, name);
      if (lost !== null) {
        // Served without what was damaged, which is named.
        assert.ok(file.includes(id) && /^log\/.*\.log$/.test(file), `${about}: ${name} has lost ${lost}`);
        assert.ok(lost.includes(basename(file)), `${about}: ${name} has lost ${lost}`);
        assert.match(what, /flipped/, about);
        const known = new Set([...keys, ...DELETED_KEYS]);
        assert.ok(new Set(keysOf(answer)).isSubsetOf(known), `${about}: ${name}`);
        continue;
      }
      assert.deepEqual(keysOf(answer), keys, `${about}: ${name}`);
      if (!file.includes(id)) await checkSearch(server, name, about);
    }
    await checkDefinitions(server, file, about);
  }
  // Nothing is there to be said of what holds nothing: room that a log has ahead, the lock.
  const isSaid =
    what === 'missing' ? /^(VERSION|OWNER|catalog\/|log\/.*\.log$)/ : /^(VERSION|OWNER|catalog\/)/;
  if (isSaid.test(file)) assert.ok(said.length > 0, `${about}: said`);
}

/** Files are compared with their checksums behind the first answers. */
async function verified(server: RunningServer): Promise<void> {
  for (const name of collections.keys())
    if (name !== 'empty') await queryKeys(server, name, databaseOf(name));
  for (;;) {
    const metrics = await fetch(`http://127.0.0.1:${server.adminPort}/metrics`);
    if (/^elanus_files_to_verify 0$/m.test(await metrics.text())) return;
    await setTimeout(5);
  }
}

async function checkSearch(server: RunningServer, collectionName: string, about: string): Promise<void> {
  const found = await send(server, 'entities/search', {
    collectionName,
    ...databaseOf(collectionName),
    data: [collectionName === 'indexed' ? { 3: 1 } : vectorOf(3)],
    annsField: 'vector',
    limit: 1,
    outputFields: ['id'],
  });
  if (collectionName === 'flushed' || collectionName === 'unflushed')
    assert.deepEqual(keysOf(found), [3], `${about}: ${collectionName}`);
  else assert.equal(found.code, 0, `${about}: ${collectionName}: ${found.message}`);
}

async function checkDefinitions(server: RunningServer, file: string, about: string): Promise<void> {
  const { data: databases } = await ask(server, 'databases/list', {});
  assert.deepEqual([...(databases as string[])].sort(), ['default', 'other'], about);
  const { data: names } = await ask(server, 'collections/list', {});
  assert.deepEqual(
    [...(names as string[])].sort(),
    ['empty', 'flushed', 'indexed', 'parted', 'unflushed'],
    about,
  );
  const { data: partitions } = await ask(server, 'partitions/list', { collectionName: 'parted' });
  assert.deepEqual([...(partitions as string[])].sort(), ['_default', 'blue', 'red'], about);
  const { data: alias } = await ask(server, 'aliases/describe', { aliasName: 'nickname' });
  assert.equal((alias as { collectionName: string }).collectionName, 'unflushed', about);
  for (const [collectionName, state] of [
    ['empty', 'LoadStateNotLoad'],
    ['flushed', 'LoadStateLoaded'],
  ]) {
    const { data: load } = await ask(server, 'collections/get_load_state', { collectionName });
    assert.equal((load as { loadState: string }).loadState, state, about);
  }
  // It counts rows, too.
  if (file.includes(collections.get('indexed')!.id)) return;
  const { data: indexes } = await ask(server, 'indexes/list', { collectionName: 'indexed' });
  assert.equal((indexes as string[]).length, 1, about);
}

function listening(said: string[]): Logger {
  const note = (_: object, message: string): void => void said.push(message);
  const logger: Logger = { ...silentLogger, error: note, warn: note, child: () => logger };
  return logger;
}

const databaseOf = (name: string): object => (name === 'far' ? { dbName: 'other' } : {});
/** No two have the same direction: quick collections compare by cosine. */
const vectorOf = (id: number): readonly number[] => [1, id / 10, (id * id) / 100, 1];

async function make(server: RunningServer, collectionName: string, more: object = {}): Promise<void> {
  const quick = 'schema' in more ? {} : { dimension: 4 };
  await ask(server, 'collections/create', { collectionName, ...quick, ...more });
}

async function upsert(
  server: RunningServer,
  collectionName: string,
  first: number,
  end: number,
  more: object = {},
  vector: (id: number) => unknown = vectorOf,
): Promise<void> {
  const rows = Array.from({ length: end - first }, (_, at) => ({
    id: first + at,
    vector: vector(first + at),
  }));
  await ask(server, 'entities/upsert', { collectionName, data: rows, ...more });
}

async function flush(server: RunningServer, collectionName: string): Promise<void> {
  await ask(server, 'collections/flush', { collectionName });
}

/** What the description of a collection says to be lost. */
async function lostWritesOf(server: RunningServer, collectionName: string): Promise<string | null> {
  const { data: described } = await ask(server, 'collections/describe', {
    collectionName,
    ...databaseOf(collectionName),
  });
  const { properties } = described as { properties: readonly { key: string; value: string }[] };
  return properties.find(({ key }) => key === 'elanus.lost_writes')?.value ?? null;
}

async function idOf(server: RunningServer, collectionName: string): Promise<string> {
  const { data: described } = await ask(server, 'collections/describe', {
    collectionName,
    ...databaseOf(collectionName),
  });
  return String((described as { collectionID: number | string }).collectionID);
}
