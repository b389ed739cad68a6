import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { mapFile } from '@elanus/kernel';
import type { KeyValue } from '@elanus/model';
import { LoopShare, ManualClock, noMetrics, silentLogger, systemClock } from '@elanus/runtime';
import type { ServedCollection } from '../served-collection.ts';
import { ServedCollections } from '../served-collections.ts';
import { MemoryKeeper, type ProcessMemory } from './memory-keeper.ts';

const directory = mkdtempSync(join(tmpdir(), 'elanus-memory-'));
after(() => rmSync(directory, { recursive: true }));
const MIB = 1024 * 1024;
const FILE_BYTES = 4 * MIB;

/** A mapped file as a shard has it. */
class FakeFile {
  lastUse = 0;
  readonly mapped: Uint8Array;
  readonly #path: string;

  constructor(name: string) {
    this.#path = join(directory, name);
    writeFileSync(this.#path, new Uint8Array(FILE_BYTES).fill(7));
    const fd = openSync(this.#path, 'r');
    this.mapped = mapFile(fd, FILE_BYTES);
    closeSync(fd);
  }

  read(use: number): void {
    this.lastUse = use;
    for (let at = 0; at < FILE_BYTES; at += 4096) assert.equal(this.mapped[at], 7);
  }

  readonly isLasting = false;
  uses = 0;

  use(): null {
    this.uses += 1;
    return null;
  }

  leave(): void {
    this.uses -= 1;
  }

  /** Of two fields, a half each. */
  mappedColumn(id: number): Uint8Array {
    const half = FILE_BYTES / 2;
    return this.mapped.subarray((id - 100) * half, (id - 99) * half);
  }

  /** Of the process, not of the system's cache. */
  get residentKiB(): number {
    const maps = readFileSync('/proc/self/smaps', 'utf8');
    const own = maps.slice(maps.indexOf(this.#path));
    return Number(/^Rss:\s+(\d+) kB$/m.exec(own)![1]);
  }
}

function served(
  id: bigint,
  files: readonly FakeFile[],
  properties: readonly KeyValue[] = [],
  byteLength = 0,
): ServedCollection {
  const fields = [
    { id: 100, typeParams: [] },
    { id: 101, typeParams: [{ key: 'mmap.enabled', value: 'true' }] },
  ];
  const info = { id, properties, schema: { fields, dynamicField: null } };
  return { info, shards: [{ files, byteLength }] } as unknown as ServedCollection;
}

test('gives back the memory of released collections, and beyond the limit that of the coldest files', async () => {
  const [cold, warm, released] = [new FakeFile('cold'), new FakeFile('warm'), new FakeFile('released')];
  const collections = new ServedCollections();
  collections.add(served(1n, [warm, cold]));
  collections.add(served(2n, [released]));
  const memory: { now: ProcessMemory } = { now: { ownBytes: 50 * MIB, mappedBytes: 10 * MIB } };
  await using keeper = new MemoryKeeper({
    collections,
    isLoaded: (id) => id === 1n,
    bytesMax: 100 * MIB,
    clock: new ManualClock(),
    share: new LoopShare(systemClock),
    logger: silentLogger,
    metrics: noMetrics,
    measure: async () => memory.now,
  });
  cold.read(1);
  released.read(2);
  warm.read(3);
  await keeper.look();
  assert.deepEqual(
    [cold, warm, released].map((file) => file.residentKiB > 0),
    [true, true, false],
  );
  memory.now = { ownBytes: 95 * MIB, mappedBytes: 8 * MIB };
  await keeper.look();
  assert.deepEqual(
    [cold, warm].map((file) => file.residentKiB > 0),
    [false, true],
  );
  cold.read(4);
  await keeper.look();
  assert.deepEqual(
    [cold, warm].map((file) => file.residentKiB > 0),
    [true, false],
  );
});

test('gives back indexes as it does the files of rows', async () => {
  const file = new FakeFile('beside');
  const collections = new ServedCollections();
  collections.add(served(1n, [file]));
  collections.add(served(2n, []));
  const given: string[] = [];
  const index = (name: string, lastUse: number) => ({
    ...{ piece: pieces[name] as never, lastUse, bytes: 8 * MIB },
    giveBack: async () => void given.push(name),
  });
  const pieces: Record<string, object> = { cold: {}, warm: {}, released: {} };
  const uses = { cold: 1, warm: 5, released: 2 };
  await using keeper = new MemoryKeeper({
    collections,
    isLoaded: (id) => id === 1n,
    indexesOf: (id) =>
      id === 1n ? [index('warm', uses.warm), index('cold', uses.cold)] : [index('released', uses.released)],
    bytesMax: 90 * MIB,
    clock: new ManualClock(),
    share: new LoopShare(systemClock),
    logger: silentLogger,
    metrics: noMetrics,
    measure: async () => ({ ownBytes: 60 * MIB, mappedBytes: 40 * MIB }),
    trim: async () => {},
  });
  file.read(3);
  await keeper.look();
  assert.deepEqual(given, ['released', 'cold']);
  assert.equal(file.residentKiB, 0, '8 MiB of the index were not enough');
  await keeper.look();
  assert.deepEqual(given, ['released', 'cold', 'warm'], 'the cold one has nothing more to give');
  uses.released = 6;
  await keeper.look();
  assert.deepEqual(given, ['released', 'cold', 'warm', 'released']);
});

test('keeps columns in memory whose mmap.enabled is false, from the load to the release', async () => {
  const file = new FakeFile('kept');
  const collections = new ServedCollections();
  collections.add(served(1n, [file], [{ key: 'mmap.enabled', value: 'false' }]));
  let isLoaded = true;
  await using keeper = new MemoryKeeper({
    collections,
    isLoaded: () => isLoaded,
    bytesMax: MIB,
    clock: new ManualClock(),
    share: new LoopShare(systemClock),
    logger: silentLogger,
    metrics: noMetrics,
    measure: async () => ({ ownBytes: 2 * MIB, mappedBytes: 0 }),
  });
  const halfKiB = FILE_BYTES / 2 / 1024;
  await keeper.look();
  assert.equal(file.residentKiB, halfKiB, 'the field that is mapped by its own wish is not read');
  file.read(1);
  await keeper.look();
  assert.equal(file.residentKiB, halfKiB, 'memory is above its limit');
  assert.equal(file.uses, 1, 'a copy of a bucket’s file would stay as well');
  isLoaded = false;
  file.read(2);
  await keeper.look();
  assert.deepEqual([file.residentKiB, file.uses], [0, 0]);
});

test('gives freed memory back to the system each time the process has grown by 32 MiB', async () => {
  let ownBytes = 30 * MIB;
  const trimmed: number[] = [];
  await using keeper = new MemoryKeeper({
    collections: new ServedCollections(),
    isLoaded: () => true,
    bytesMax: 1000 * MIB,
    clock: new ManualClock(),
    share: new LoopShare(systemClock),
    logger: silentLogger,
    metrics: noMetrics,
    measure: async () => ({ ownBytes, mappedBytes: 0 }),
    trim: async () => {
      trimmed.push(ownBytes / MIB);
      ownBytes -= 20 * MIB;
    },
  });
  for (const mib of [30, 40, 50, 170, 180, 100, 125, 140]) {
    ownBytes = mib * MIB;
    await keeper.look();
  }
  // From 20 MiB after 40, from 150 after 170, and from the 100 that were in between.
  assert.deepEqual(trimmed, [40, 170, 140]);
});

test('has garbage collected when rows have left memory', async () => {
  let collections = 0;
  const rows = (mib: number) => served(1n, [], [], mib * MIB);
  const all = [rows(100)];
  await using keeper = new MemoryKeeper({
    collections: { all: () => all } as unknown as ServedCollections,
    isLoaded: () => true,
    bytesMax: 1000 * MIB,
    clock: new ManualClock(),
    share: new LoopShare(systemClock),
    logger: silentLogger,
    metrics: noMetrics,
    measure: async () => ({ ownBytes: 0, mappedBytes: 0 }),
    bufferBytes: () => 0,
    collect: () => {
      collections += 1;
    },
  });
  for (const [mib, wanted] of [
    [100, 0],
    [200, 0],
    [190, 0],
    [180, 1],
    [170, 1],
    [160, 2],
  ] as const) {
    all[0] = rows(mib);
    await keeper.look();
    assert.equal(collections, wanted, `${mib} MiB`);
  }
});

test('has garbage collected when large requests have ceased, and gives back what was freed a second later', async () => {
  const clock = new ManualClock();
  let buffers = 10;
  const done: string[] = [];
  await using _keeper = new MemoryKeeper({
    collections: new ServedCollections(),
    isLoaded: () => true,
    bytesMax: 1000 * MIB,
    clock,
    share: new LoopShare(systemClock),
    logger: silentLogger,
    metrics: noMetrics,
    measure: async () => ({ ownBytes: 0, mappedBytes: 0 }),
    bufferBytes: () => buffers * MIB,
    collect: () => void done.push('collected'),
    trim: async () => void done.push('trimmed'),
  });
  for (const [mib, wanted] of [
    [10, []],
    [40, []],
    [40, ['collected']],
    [15, ['collected', 'trimmed']],
  ] as const) {
    buffers = mib;
    clock.advance(1_000);
    for (let turns = 0; turns < 10; turns++) await setImmediate();
    assert.deepEqual(done, wanted, `${mib} MiB`);
  }
});
