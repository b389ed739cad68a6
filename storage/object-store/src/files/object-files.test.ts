import assert from 'node:assert/strict';
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
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

test('copies are never more than allowed, but for those that are in use', () =>
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
      assert.equal(files.usedBytes, openBytes, `step ${step}`);
      assert.ok(files.cachedBytes <= Math.max(300, openBytes), `step ${step}: ${files.cachedBytes} bytes`);
      for (const path of open) assert.ok(existsSync(path), `step ${step}: ${path}`);
    }
  }));

const KEPT = [{ offset: 10, bytes: 20 }];

/** What a map of the file would show: of the same file, whatever becomes of its name. */
function bytesOf(fd: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  assert.equal(readSync(fd, bytes, 0, length, 0), length);
  return bytes;
}

test('what is held and not used gives its room back, but for what is kept, and comes back to the same file', () =>
  inDirectory(async (directory) => {
    const store = await remoteStore();
    const large = patternedBytes(20_000_000);
    const object = await put(store, 'a/large', large);
    const other = await put(store, 'b', patternedBytes(15_000_000));
    const options = { store, disk, cacheDirectory: directory, cacheBytesMax: 25_000_000 };
    const files = await openObjectFiles(options);
    const held = await files.hold(object);
    held.keep(KEPT);
    const fd = openSync(held.path, 'r');
    held.leave();
    assert.deepEqual([files.cachedBytes, files.usedBytes, held.isThere], [20_000_000, 0, true]);
    assert.equal(held.use(), null, 'there was room for it');
    held.leave();

    const heldOther = await files.hold(other);
    assert.deepEqual([files.cachedBytes, held.isThere], [15_000_020, false]);
    assert.ok(fstatSync(fd).blocks * 512 < 100_000, 'its room is the disk’s');
    const gaps = bytesOf(fd, 100);
    assert.deepEqual(gaps.subarray(10, 30), large.subarray(10, 30));
    assert.ok(gaps.every((byte, at) => byte === 0 || (at >= 10 && at < 30)));
    // Whoever starts now does not take it for a copy.
    assert.deepEqual(await readdir(`${directory}/copies`), ['b']);

    const coming = held.use();
    assert.notEqual(coming, null);
    const again = held.use();
    await Promise.all([coming, again]);
    assert.deepEqual(bytesOf(fd, large.length), large);
    assert.equal(files.cachedBytes, 35_000_000, 'both are in use');
    heldOther.leave();
    assert.deepEqual([files.cachedBytes, heldOther.isThere], [20_000_000, false]);
    heldOther.release();
    held.leave();
    held.leave();
    assert.deepEqual(await readFile(held.path), Buffer.from(large));
    held.release();
    closeSync(fd);
    const next = await openObjectFiles(options);
    assert.equal(next.cachedBytes, 20_000_000);
    assert.deepEqual(await readdir(`${directory}/hollow`), []);
  }));

test('what can’t be brought back is asked for again by the next who wants it, and what is kept stays', () =>
  inDirectory(async (directory) => {
    const bucket = new MemoryBucket({ partBytes: 1_000_000 });
    const store = await openRemoteStore({ bucket, clock: systemClock, random });
    const large = patternedBytes(9_000_000);
    const object = await put(store, 'a', large);
    const files = await openObjectFiles({ store, disk, cacheDirectory: directory, cacheBytesMax: 0 });
    const held = await files.hold(object);
    held.keep(KEPT);
    const fd = openSync(held.path, 'r');
    held.leave();
    assert.equal(held.isThere, false);
    await store.delete('a');
    await assert.rejects(async () => await held.use(), isKind('missing'));
    await store.put('a', patternedBytes(9_000_000, 3));
    await assert.rejects(async () => await held.use(), isKind('damaged'));
    assert.deepEqual([files.usedBytes, files.cachedBytes, held.isThere], [0, 20, false]);
    assert.deepEqual(bytesOf(fd, 30).subarray(10), large.subarray(10, 30));
    await store.put('a', large);
    await held.use();
    assert.deepEqual(bytesOf(fd, large.length), large);
    held.leave();
    held.release();
    assert.equal(files.cachedBytes, 0);
    closeSync(fd);
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
