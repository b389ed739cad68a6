import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import {
  type Logger,
  NodeDisk,
  type Random,
  SimulatedDisk,
  seededRandom,
  silentLogger,
} from '@elanus/runtime';
import { open as openLmdb } from 'lmdb';
import type { MetaChange, MetaStore } from './meta-store.ts';
import { openMetaStore } from './mirrored-meta-store.ts';

const DIRECTORY = '/data/catalog';
const FILES = [`${DIRECTORY}/catalog.1`, `${DIRECTORY}/catalog.2`] as const;

const put = (key: string, value: string): MetaChange => ({ key, value: Buffer.from(value) });
const open = (disk: SimulatedDisk, logger: Logger = silentLogger): Promise<MetaStore> =>
  openMetaStore({ disk: disk.mount(), directory: DIRECTORY, logger, journalBytesMin: 2_000 });

async function contentOf(store: MetaStore): Promise<Record<string, string>> {
  const pairs = await store.scan('');
  return Object.fromEntries(pairs.map(([key, value]) => [key, Buffer.from(value).toString()]));
}

/** A store with commits behind its snapshots, closed. */
async function filled(seed = 1): Promise<{ readonly disk: SimulatedDisk; readonly content: object }> {
  const disk = new SimulatedDisk({ random: seededRandom(seed) });
  const store = await open(disk);
  for (let commit = 0; commit < 20; commit++)
    await store.commit([put(`a/${commit}`, 'x'.repeat(commit)), put('b', String(commit))]);
  await store.commit([{ key: 'a/3', value: null }]);
  const content = await contentOf(store);
  await store.close();
  return { disk, content };
}

async function removed(disk: SimulatedDisk, path: string): Promise<void> {
  const mount = disk.mount();
  await mount.remove(path);
  await mount.syncDirectory(DIRECTORY);
}

async function truncated(disk: SimulatedDisk, path: string, length: number): Promise<void> {
  await using file = await disk.mount().open(path, 'write');
  await file.truncate(length);
  await file.sync();
}

for (const [what, damage] of [
  ['missing', removed],
  ['empty', (disk, path) => truncated(disk, path, 0)],
  ['cut in half', (disk, path) => truncated(disk, path, disk.sizeOf(path) >> 1)],
  ['cut by a byte', (disk, path) => truncated(disk, path, disk.sizeOf(path) - 1)],
] as readonly (readonly [string, (disk: SimulatedDisk, path: string) => Promise<void>])[]) {
  test(`either file may be ${what}: it is made anew from the other, which may go then`, async () => {
    for (const [first, second] of [FILES, FILES.toReversed()]) {
      const { disk, content } = await filled();
      await damage(disk, first!);
      const messages: string[] = [];
      const note = (about: object, message: string): void => {
        assert.deepEqual(about, { file: first });
        messages.push(message);
      };
      const store = await open(disk, { ...silentLogger, error: note, warn: note });
      assert.deepEqual(await contentOf(store), content);
      assert.equal(messages.length, 1, 'it is said');
      await store.close();
      await removed(disk, second!);
      assert.deepEqual(await contentOf(await open(disk)), content);
    }
  });
}

test('any bit of either file may be flipped', async () => {
  const { disk, content } = await filled();
  const random = seededRandom(7);
  for (const path of FILES) {
    for (let round = 0; round < 300; round++) {
      disk.flipBit(path, random.below(disk.sizeOf(path) * 8));
      const store = await open(disk);
      assert.deepEqual(await contentOf(store), content, `round ${round}`);
      assert.equal(store.isIncomplete, false);
      await store.close();
    }
  }
});

test('commits that neither file has are said to be lost, and the later ones are kept', async () => {
  const { disk } = await filled();
  const single = await open(disk);
  for (const key of ['one', 'two', 'three']) await single.commit([put(key, key)]);
  await single.close();
  // The last three frames are 32 + 8 + key + value bytes long.
  const end = disk.sizeOf(FILES[0]);
  for (const path of FILES) disk.flipBit(path, (end - 50 - 40) * 8);
  const store = await open(disk);
  assert.equal(store.isIncomplete, true);
  const content = await contentOf(store);
  assert.deepEqual([content.one, content.two, content.three], ['one', undefined, 'three']);
});

test('a file of a newer build is refused', async () => {
  const { disk } = await filled();
  const header = Buffer.alloc(16);
  header.write('ELANUSCT', 'latin1');
  header.writeUInt32LE(2, 8);
  header.writeUInt32LE(crc32(header.subarray(0, 12)), 12);
  for (const path of FILES) {
    await using file = await disk.mount().open(path, 'write');
    await file.writeDurably([header], 0);
  }
  await assert.rejects(open(disk), /format 2/);
});

test('a full disk refuses a commit with code 7, whole, and nothing has to be repaired', async () => {
  const disk = new SimulatedDisk({ random: seededRandom(3) });
  const store = await open(disk);
  await store.commit([put('a', '1')]);
  disk.setCapacity(disk.usedBytes() + 300);
  await assert.rejects(store.commit([put('a', 'x'.repeat(400))]), { code: 7 });
  assert.deepEqual(await contentOf(store), { a: '1' });
  disk.setCapacity(Number.POSITIVE_INFINITY);
  await store.commit([put('b', '2')]);
  disk.crash('power');
  assert.deepEqual(await contentOf(await open(disk)), { a: '1', b: '2' });
});

test('refuses commits after it was closed', async () => {
  const { disk } = await filled();
  const store = await open(disk);
  await store.close();
  await assert.rejects(store.commit([put('a', '1')]), /closed/);
});

test('keeps its promises through crashes, full disks and failing syncs, on 60 seeds', async () => {
  for (let seed = 1; seed <= 60; seed++) await simulate(seededRandom(seed), `seed ${seed}`);
});

/** Commits at random, crashes at any moment, and compares with what may be there. */
async function simulate(random: Random, about: string): Promise<void> {
  const disk = new SimulatedDisk({ random });
  let known = new Map<string, string>();
  for (let life = 0; life < 4; life++) {
    const store = await open(disk);
    assert.deepEqual(await contentOf(store), Object.fromEntries([...known].sort()), about);
    /** Of commits under way: each may be there or not, in this order. */
    const open_ = new Map<number, readonly MetaChange[]>();
    const settled: Promise<unknown>[] = [];
    for (let step = 0; step < 30; step++) {
      if (random.chance(0.1)) disk.failSyncs(random.chance(0.5) ? 0 : 0.3);
      if (random.chance(0.1)) disk.setCapacity(disk.usedBytes() + random.below(2_000));
      if (random.chance(0.1)) disk.setCapacity(Number.POSITIVE_INFINITY);
      const changes = Array.from({ length: 1 + random.below(3) }, () =>
        random.chance(0.3)
          ? { key: `k${random.below(5)}`, value: null }
          : put(`k${random.below(5)}`, 'v'.repeat(random.below(200)) + step),
      );
      open_.set(step, changes);
      const commit = store.commit(changes).then(
        () => {
          known = applied(known, changes);
          open_.delete(step);
        },
        (error: Error) => {
          assert.notEqual(error.name, 'AssertionError', `${about}: ${error.stack}`);
          open_.delete(step);
        },
      );
      settled.push(commit);
      if (random.chance(0.7)) await commit;
    }
    await Promise.all(settled);
    disk.failSyncs(0);
    disk.setCapacity(Number.POSITIVE_INFINITY);
    // A store that could not undo a failed commit does so with the next one.
    await store.commit([put('k0', `life ${life}`)]);
    known = applied(known, [put('k0', `life ${life}`)]);
    const last = [put('k1', 'maybe'), put('k2', 'maybe')];
    void store.commit(last);
    for (let turns = random.below(20); turns > 0; turns--) await null;
    disk.crash(random.chance(0.5) ? 'power' : 'kill');
    const after = await open(disk);
    const found = await contentOf(after);
    const withLast = applied(known, last);
    const expected = found.k2 === 'maybe' ? withLast : known;
    assert.deepEqual(found, Object.fromEntries([...expected].sort()), about);
    known = expected;
    await after.close();
  }
}

function applied(pairs: ReadonlyMap<string, string>, changes: readonly MetaChange[]): Map<string, string> {
  const after = new Map(pairs);
  for (const { key, value } of changes) {
    if (value === null) after.delete(key);
    else after.set(key, Buffer.from(value).toString());
  }
  return after;
}

test('takes over the catalog of an earlier build, once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-meta-'));
  try {
    const environment = openLmdb<Buffer, Buffer>({
      path: join(directory, 'catalog.lmdb'),
      noSubdir: true,
      encoding: 'binary',
      keyEncoding: 'binary',
    });
    for (const [key, value] of [
      ['catalog/a', '1'],
      ['catalog/b', '2'],
    ] as const) {
      const stored = Buffer.concat([Buffer.alloc(5, 1), Buffer.from(value)]);
      stored.writeUInt32LE(crc32(value, crc32(key)), 1);
      await environment.put(Buffer.from(key), stored);
    }
    await environment.close();
    const options = { disk: new NodeDisk(), directory, logger: silentLogger };
    for (let start = 0; start < 2; start++) {
      const store = await openMetaStore(options);
      assert.deepEqual(await contentOf(store), { 'catalog/a': '1', 'catalog/b': '2' });
      await store.close();
      assert.deepEqual((await readdir(directory)).sort(), ['catalog.1', 'catalog.2']);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});
