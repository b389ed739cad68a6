import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Disk, NodeDisk, SimulatedDisk, seededRandom, systemClock } from '@elanus/runtime';
import fc from 'fast-check';
import { listAll } from '../object-store.ts';
import { describeObjectStore, isKind, patternedBytes } from '../testing/object-store-contract.ts';
import { fileName, nameOfFile } from './file-name.ts';
import { openLocalStore } from './local-store.ts';

const random = seededRandom(1);
const open = (directory: string, disk: Disk = new NodeDisk()) => openLocalStore({ directory, disk, random });

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-objects-'));
  await work(directory).finally(() => rm(directory, { recursive: true }));
}

describeObjectStore({
  name: 'a directory',
  withStore: (work) => inDirectory(async (directory) => work(await open(directory))),
  largeBytes: 20_000_000,
});

describeObjectStore({
  name: 'a directory of a simulated disk',
  withStore: async (work) => {
    const disk = new SimulatedDisk({ random: seededRandom(2), clock: systemClock });
    await work(await open('/objects', disk.mount()));
  },
  largeBytes: 300_000,
});

test('objects are files under the names of their keys', () =>
  inDirectory(async (directory) => {
    const store = await open(directory);
    await store.put('17/log-snapshot/4.arrow', patternedBytes(10));
    assert.deepEqual(
      new Uint8Array(await readFile(join(directory, '17/log-snapshot/4.arrow'))),
      patternedBytes(10),
    );
  }));

test('what an earlier process left unfinished is removed, and was never listed', () =>
  inDirectory(async (directory) => {
    const store = await open(directory);
    await store.put('a', patternedBytes(10));
    await writeFile(join(directory, '.unfinished/deadbeef-0'), 'half');
    const keys = (await Array.fromAsync(listAll(store, ''))).map(({ key }) => key);
    assert.deepEqual(keys, ['a']);
    await open(directory);
    assert.deepEqual(await readdir(join(directory, '.unfinished')), []);
  }));

test('a failed or refused put leaves no file behind', () =>
  inDirectory(async (directory) => {
    const store = await open(directory);
    await store.put('a/b', patternedBytes(10));
    await assert.rejects(store.put('a', patternedBytes(10)), isKind('invalid'));
    await assert.rejects(store.put('a/b', patternedBytes(10), { condition: 'absent' }), isKind('exists'));
    assert.deepEqual(await readdir(join(directory, '.unfinished')), []);
    assert.deepEqual(await store.get('a/b'), patternedBytes(10));
  }));

test('a full disk is said to be full, and the store goes on when there is room', async () => {
  const disk = new SimulatedDisk({ random: seededRandom(3), capacityBytes: 1_000 });
  const store = await open('/objects', disk.mount());
  await store.put('a', patternedBytes(600));
  await assert.rejects(store.put('b', patternedBytes(600)), isKind('full'));
  assert.deepEqual(await store.get('a'), patternedBytes(600));
  await assert.rejects(store.head('b'), isKind('missing'));
  await store.delete('a');
  await store.put('b', patternedBytes(600));
  assert.deepEqual(await store.get('b'), patternedBytes(600));
});

test('after any crash each object is whole: what was put before it, or what was being put', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = seededRandom(seed);
    const disk = new SimulatedDisk({ random });
    const store = await openLocalStore({ directory: '/objects', disk: disk.mount(), random });
    /** Bodies that a reader may find, by key; `null`: none. The first is the last one acknowledged. */
    const allowed = new Map<string, (Uint8Array | null)[]>();
    const work = async (writer: number) => {
      for (let round = 0; round < 6; round++) {
        const key = `folder-${writer % 2}/${random.below(3)}-${writer}`;
        const body = random.chance(0.25) ? null : patternedBytes(random.below(3_000), random.below(256));
        allowed.set(key, [...(allowed.get(key) ?? [null]), body]);
        await (body === null ? store.delete(key) : store.put(key, body));
        allowed.set(key, [body]);
      }
    };
    void Promise.all([work(1), work(2), work(3)]);
    for (let turns = random.below(3_000); turns > 0; turns--) await null;
    disk.crash(random.chance(0.5) ? 'power' : 'kill');
    const after = await openLocalStore({ directory: '/objects', disk: disk.mount(), random });
    for (const [key, bodies] of allowed) {
      const found = await after.get(key).catch((error: unknown) => {
        assert.ok(isKind('missing')(error), `seed ${seed}: ${error}`);
        return null;
      });
      const isAllowed = bodies.some((body) =>
        body === null || found === null ? body === found : Buffer.from(found).equals(body),
      );
      assert.ok(isAllowed, `seed ${seed}: ${key} is neither what was there nor what was put`);
    }
  }
});

test('a name of a key and its file can be told from each other, both ways', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
      const file = fileName(name);
      assert.match(file, /^(?![.-])[\w.%=+,@-]+$/);
      assert.equal(nameOfFile(file), name);
    }),
  );
  for (const foreign of ['.unfinished', 'lost+found~', '%2e', '%zz', 'a b', '%41']) {
    assert.equal(nameOfFile(foreign), null, foreign);
  }
});
