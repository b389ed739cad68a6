import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { NodeDisk, seededRandom, systemClock } from '@elanus/runtime';
import { openLocalStore } from '../local/local-store.ts';
import type { ObjectStore } from '../object-store.ts';
import { openRemoteStore } from '../remote/remote-store.ts';
import { MemoryBucket } from '../testing/memory-bucket.ts';
import { isKind, patternedBytes } from '../testing/object-store-contract.ts';
import { type HeldFile, openObjectFiles, type WantedObject } from './object-files.ts';

const disk = new NodeDisk();
const random = seededRandom(1);

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-files-'));
  await work(directory).finally(() => rm(directory, { recursive: true }));
}

async function remoteStore(): Promise<ObjectStore> {
  return await openRemoteStore({
    bucket: new MemoryBucket({ partBytes: 1_000_000 }),
    clock: systemClock,
    random,
  });
}

function pathOf(directory: string, at: number): string {
  return `${directory}/copies/${at}`;
}

async function put(store: ObjectStore, key: string, bytes: Uint8Array): Promise<WantedObject> {
  await store.put(key, bytes);
  return { key, bytes: bytes.length, crc32: crc32(bytes) };
}

test('objects of a directory are held where they lie, and drafts become objects without a copy', () =>
  inDirectory(async (directory) => {
    const store = await openLocalStore({ directory: `${directory}/store`, disk, random });
    const files = await openObjectFiles({
      store,
      disk,
      cacheDirectory: `${directory}/cache`,
      cacheBytesMax: 1,
    });
    const held = await files.hold(await put(store, 'a/b', patternedBytes(100)));
    assert.deepEqual(new Uint8Array(await readFile(held.path)), patternedBytes(100));
    const draft = files.newDraft();
    await writeFile(draft, patternedBytes(50));
    assert.equal((await files.publish('c/d', draft)).sizeBytes, 50);
    assert.deepEqual(await store.get('c/d'), patternedBytes(50));
    assert.equal(existsSync(draft), false);
    assert.equal(existsSync(`${directory}/cache`), false);
    assert.equal(files.cachedBytes, 0);
  }));

test('objects of a bucket are copied once, and found again by the next process', () =>
  inDirectory(async (directory) => {
    const store = await remoteStore();
    const options = { store, disk, cacheDirectory: directory, cacheBytesMax: 1e9 };
    const object = await put(store, 'a/large', patternedBytes(20_000_000));
    const files = await openObjectFiles(options);
    const both = await Promise.all([files.hold(object), files.hold(object)]);
    assert.equal(both[0].path, both[1].path);
    assert.deepEqual(new Uint8Array(await readFile(both[0].path)), patternedBytes(20_000_000));
    assert.equal(files.cachedBytes, 20_000_000);
    const draft = files.newDraft();
    await writeFile(draft, patternedBytes(70));
    await files.publish('a/made', draft);
    assert.deepEqual(await store.get('a/made'), patternedBytes(70));
    await store.deleteMany(['a/large', 'a/made']);
    const next = await openObjectFiles(options);
    assert.equal(next.cachedBytes, 20_000_070);
    const made = { key: 'a/made', bytes: 70, crc32: crc32(patternedBytes(70)) };
    assert.deepEqual(new Uint8Array(await readFile((await next.hold(made)).path)), patternedBytes(70));
    await next.hold(object);
  }));

test('copies that nobody holds give way, those first that nobody has wanted for longest', () =>
  inDirectory(async (directory) => {
    const store = await remoteStore();
    const files = await openObjectFiles({ store, disk, cacheDirectory: directory, cacheBytesMax: 250 });
    const objects = await Promise.all(
      ['a', 'b', 'c', 'd'].map((key, salt) => put(store, key, patternedBytes(100, salt))),
    );
    const [a, b, c, d] = objects as [WantedObject, WantedObject, WantedObject, WantedObject];
    const heldA = await files.hold(a);
    (await files.hold(b)).release();
    (await files.hold(c)).release();
    assert.equal(files.cachedBytes, 200);
    const heldC = await files.hold(c);
    await files.hold(d);
    // All that is left is held: it is more than allowed.
    assert.equal(files.cachedBytes, 300);
    heldC.release();
    heldC.release();
    assert.equal(files.cachedBytes, 200);
    const again = await files.hold(b);
    assert.deepEqual(new Uint8Array(await readFile(again.path)), patternedBytes(100, 1));
    assert.deepEqual(new Uint8Array(await readFile(heldA.path)), patternedBytes(100, 0));
    assert.deepEqual((await readdir(`${directory}/copies`)).sort(), ['a', 'b', 'd']);
  }));

test('copies are never more than allowed, but for those that are held', () =>
  inDirectory(async (directory) => {
    const store = await remoteStore();
    const sizes = Array.from({ length: 12 }, (_, at) => 40 + 15 * at);
    const objects = await Promise.all(sizes.map((size, at) => put(store, `${at}`, patternedBytes(size, at))));
    const files = await openObjectFiles({ store, disk, cacheDirectory: directory, cacheBytesMax: 300 });
    const held: HeldFile[] = [];
    const released: HeldFile[] = [];
    const chance = seededRandom(5);
    const pick = (count: number): number => chance.below(count);
    for (let step = 0; step < 300; step += 1) {
      if (pick(2) === 0 || held.length === 0) held.push(await files.hold(objects[pick(objects.length)]!));
      else released.push(...held.splice(pick(held.length), 1));
      released.at(-1)?.release();
      const open = new Set(held.map(({ path }) => path));
      const openBytes = sizes.reduce(
        (sum, size, at) => (open.has(pathOf(directory, at)) ? sum + size : sum),
        0,
      );
      assert.equal(files.heldBytes, openBytes, `step ${step}`);
      assert.ok(files.cachedBytes <= Math.max(300, openBytes), `step ${step}: ${files.cachedBytes} bytes`);
      for (const path of open) assert.ok(existsSync(path), `step ${step}: ${path}`);
    }
  }));

test('a copy that is not what was written is refused, and nothing is left of it', () =>
  inDirectory(async (directory) => {
    const store = await remoteStore();
    const files = await openObjectFiles({ store, disk, cacheDirectory: directory, cacheBytesMax: 1e9 });
    const object = await put(store, 'a', patternedBytes(100));
    await assert.rejects(files.hold({ ...object, crc32: 7 }), isKind('damaged'));
    await assert.rejects(files.hold({ ...object, key: 'missing' }), isKind('missing'));
    assert.deepEqual(await readdir(`${directory}/copies`), []);
    assert.deepEqual(await readdir(`${directory}/drafts`), []);
    await files.hold(object);
  }));
