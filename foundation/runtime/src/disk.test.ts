import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Appender, type Disk, DiskError } from './disk.ts';
import { NodeDisk } from './node-disk.ts';
import { seededRandom } from './random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

const kinds: readonly (readonly [
  string,
  (work: (disk: Disk, root: string) => Promise<void>) => Promise<void>,
])[] = [
  ['simulated', (work) => work(new SimulatedDisk({ random: seededRandom(1) }).mount(), '/')],
  [
    'real',
    async (work) => {
      const root = await mkdtemp(join(tmpdir(), 'elanus-disk-'));
      await work(new NodeDisk(), root).finally(() => rm(root, { recursive: true }));
    },
  ],
];

async function contentOf(disk: Disk, path: string): Promise<string> {
  await using file = await disk.open(path, 'read');
  const bytes = Buffer.alloc(await file.size());
  assert.equal(await file.read(bytes, 0), bytes.length);
  return bytes.toString();
}

/** The file holds `expected`, and zeros behind. */
async function holds(disk: Disk, path: string, expected: Buffer): Promise<void> {
  await using file = await disk.open(path, 'read');
  const bytes = Buffer.alloc(await file.size());
  await file.read(bytes, 0);
  assert.ok(bytes.subarray(0, expected.length).equals(expected), `the first ${expected.length} bytes`);
  assert.ok(bytes.subarray(expected.length).every((byte) => byte === 0));
}

/** From 0 to `end`. */
function steps(end: number, step: number): readonly number[] {
  return Array.from({ length: Math.ceil(end / step) }, (_, index) => index * step);
}

for (const [kind, withDisk] of kinds) {
  describe(`a ${kind} disk`, () => {
    test('reads what was written, wherever it was put', () =>
      withDisk(async (disk, root) => {
        await using file = await disk.open(join(root, 'a'), 'create');
        await file.writeDurably([Buffer.from('he'), Buffer.alloc(0), Buffer.from('llo')], 0);
        await file.writeDurably([Buffer.from('LL')], 2);
        const bytes = Buffer.alloc(10);
        assert.equal(await file.read(bytes, 1), 4);
        assert.equal(bytes.toString('utf8', 0, 4), 'eLLo');
      }));

    test('builds a file that is synced at last, or in between', () =>
      withDisk(async (disk, root) => {
        await using file = await disk.open(join(root, 'a'), 'build');
        await file.write([Buffer.from('he'), Buffer.from('llo')], 0);
        await file.sync();
        await file.writeDurably([Buffer.from('!')], 5);
        assert.equal(await contentOf(disk, join(root, 'a')), 'hello!');
      }));

    test('gives room back in the middle of a file, which is zeros until it is written again', () =>
      withDisk(async (disk, root) => {
        const path = join(root, 'a');
        {
          await using file = await disk.open(path, 'build');
          await file.write([Buffer.from('hello')], 0);
        }
        await using file = await disk.open(path, 'rebuild');
        await file.punch(1, 3);
        assert.equal(await contentOf(disk, path), 'h\0\0\0o');
        await file.write([Buffer.from('a')], 2);
        assert.equal(await contentOf(disk, path), 'h\0a\0o');
        await assert.rejects(disk.open(join(root, 'b'), 'rebuild'), DiskError);
      }));

    test('tells what is at a path, its size and when it changed', () =>
      withDisk(async (disk, root) => {
        await using file = await disk.open(join(root, 'a'), 'create');
        await file.writeDurably([Buffer.from('hello')], 0);
        const { kind, sizeBytes, modifiedMs } = await disk.stat(join(root, 'a'));
        assert.equal(kind, 'file');
        assert.equal((await disk.stat(root)).kind, 'directory');
        assert.equal(sizeBytes, 5);
        assert.ok(Number.isInteger(modifiedMs));
        await assert.rejects(
          disk.stat(join(root, 'b')),
          (error) => error instanceof DiskError && error.kind === 'missing',
        );
      }));

    test('writes more buffers than one call of the system takes', () =>
      withDisk(async (disk, root) => {
        await using file = await disk.open(join(root, 'a'), 'create');
        await file.writeDurably(
          Array.from({ length: 2_500 }, (_, index) => Buffer.from(String(index % 10))),
          0,
        );
        assert.equal(await contentOf(disk, join(root, 'a')), '0123456789'.repeat(250));
      }));

    test('adds to the end of a file, wherever that is and however much, with nothing but zeros behind it', () =>
      withDisk(async (disk, root) => {
        const path = join(root, 'a');
        const random = seededRandom(7);
        let expected = Buffer.alloc(0);
        const add = async (appender: Appender, sizes: readonly number[]) => {
          const buffers = sizes.map((size) => Buffer.alloc(size, 1 + random.below(255)));
          await appender.writeDurably(buffers, expected.length);
          expected = Buffer.concat([expected, ...buffers]);
          await holds(disk, path, expected);
        };
        {
          await using appender = await disk.openAppender(path, 'create');
          for (const sizes of [[10], [4086], [1, 0, 5_000], [3_000_000], [4096], [2 ** 20, 7], [2 ** 20]])
            await add(appender, sizes);
          expected = expected.subarray(0, 4_100_123);
          await appender.truncate(expected.length);
          await appender.sync();
          await add(appender, [5]);
        }
        await using again = await disk.openAppender(path, 'write');
        await add(again, [70_000]);
        await add(again, [1]);
      }));

    test('a reader gives what a file holds, in its order or not, and nothing behind its end', () =>
      withDisk(async (disk, root) => {
        const path = join(root, 'a');
        const random = seededRandom(3);
        for (const size of [0, 1, 4096, 2 ** 20, 9 * 2 ** 20 + 4711]) {
          const content = Buffer.alloc(size);
          for (let at = 0; at < size; at += 4000) content.writeUInt8(1 + random.below(255), at);
          {
            await using file = await disk.open(path, 'create');
            await file.writeDurably([content], 0);
          }
          await using reader = await disk.openReader(path);
          const positions = [
            ...steps(size, 700_001),
            ...steps(size, 2_999_999),
            0,
            size >> 1,
            size,
            2 * size,
          ];
          for (const position of positions) {
            const target = Buffer.alloc(1 + random.below(3_000_000));
            const count = await reader.read(target, position);
            const expected = content.subarray(position, position + target.length);
            assert.equal(count, expected.length, `${target.length} bytes from ${position} of ${size}`);
            assert.ok(target.subarray(0, count).equals(expected), `from ${position} of ${size}`);
          }
        }
      }));

    test('a reader that is closed while it reads ahead leaves nothing behind, and one wants its file', () =>
      withDisk(async (disk, root) => {
        const path = join(root, 'a');
        {
          await using file = await disk.open(path, 'create');
          await file.writeDurably([Buffer.alloc(6_000_000, 7)], 0);
        }
        for (let round = 0; round < 20; round += 1) {
          const reader = await disk.openReader(path);
          const bytes = Buffer.alloc(10);
          await reader.read(bytes, 100);
          await reader.close();
          assert.ok(bytes.every((byte) => byte === 7));
        }
        await assert.rejects(
          disk.openReader(join(root, 'b')),
          (error) => error instanceof DiskError && error.kind === 'missing',
        );
      }));

    test('an appender wants its file to be there, or makes an empty one', () =>
      withDisk(async (disk, root) => {
        await assert.rejects(
          disk.openAppender(join(root, 'a'), 'write'),
          (error) => error instanceof DiskError && error.kind === 'missing',
        );
        for (const text of ['hello', 'lo']) {
          await using appender = await disk.openAppender(join(root, 'a'), 'create');
          await appender.writeDurably([Buffer.from(text)], 0);
          await holds(disk, join(root, 'a'), Buffer.from(text));
        }
      }));

    test('cuts, lengthens and empties files', () =>
      withDisk(async (disk, root) => {
        await using file = await disk.open(join(root, 'a'), 'create');
        await file.writeDurably([Buffer.from('hello')], 0);
        await file.truncate(2);
        await file.truncate(3);
        await file.sync();
        assert.equal(await contentOf(disk, join(root, 'a')), 'he\0');
        await using _again = await disk.open(join(root, 'a'), 'create');
        assert.equal(await contentOf(disk, join(root, 'a')), '');
      }));

    test('makes, lists, renames and removes', () =>
      withDisk(async (disk, root) => {
        await disk.createDirectory(join(root, 'x/y'));
        await disk.createDirectory(join(root, 'x/y'));
        await (await disk.open(join(root, 'x/b'), 'create')).close();
        await disk.syncDirectory(join(root, 'x'));
        const listed = [
          { name: 'b', kind: 'file' },
          { name: 'y', kind: 'directory' },
        ];
        assert.deepEqual(await disk.list(join(root, 'x')), listed);
        await disk.rename(join(root, 'x'), join(root, 'z'));
        assert.deepEqual(await disk.list(join(root, 'z')), listed);
        await disk.remove(join(root, 'z'));
        await disk.remove(join(root, 'z'));
        assert.deepEqual(await disk.list(root), []);
      }));

    test('says which file is missing', () =>
      withDisk(async (disk, root) => {
        for (const mode of ['read', 'write'] as const) {
          await assert.rejects(disk.open(join(root, 'none'), mode), (error) => {
            assert.ok(error instanceof DiskError);
            assert.equal(error.kind, 'missing');
            assert.equal(error.path, join(root, 'none'));
            return true;
          });
        }
      }));
  });
}

for (const cache of ['kept', 'passed'] as const)
  test(`a new file is built from pieces of any size, the page cache ${cache}`, async () => {
    const root = await mkdtemp(join(tmpdir(), 'elanus-disk-'));
    try {
      const path = join(root, 'a');
      const random = seededRandom(11);
      for (const sizes of [
        [],
        [1],
        [4096],
        [10, 2 ** 20, 0, 5_000_000, 3],
        [2 ** 20, 2 ** 20],
        [4096, 100],
      ]) {
        const pieces = sizes.map((size) => Buffer.alloc(size, 1 + random.below(255)));
        await using file = await new NodeDisk().openBuilder(path, cache);
        for (const piece of pieces) for (const _ of [1, 2]) await file.add(piece);
        await file.finish();
        const expected = Buffer.concat(pieces.flatMap((piece) => [piece, piece]));
        assert.ok((await readFile(path)).equals(expected), `pieces of ${sizes}`);
      }
      const file = await new NodeDisk().openBuilder(path, cache);
      await file.add(Buffer.alloc(3_000_000));
      // Given up: closing waits for what is under way.
      await file.close();
      await assert.rejects(
        new NodeDisk().openBuilder(join(root, 'none', 'a'), cache),
        (error) => error instanceof DiskError && error.kind === 'missing',
      );
    } finally {
      await rm(root, { recursive: true });
    }
  });

async function simulatedFile(seed: number, options: { readonly capacityBytes?: number } = {}) {
  const disk = new SimulatedDisk({ random: seededRandom(seed), ...options });
  const mount = disk.mount();
  const file = await mount.open('/a', 'create');
  await mount.syncDirectory('/');
  return { disk, file };
}

test('a power cut keeps what was synced and takes back, by chance, what was not', async () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 50; seed += 1) {
    const { disk, file } = await simulatedFile(seed);
    await file.writeDurably([Buffer.from('kept')], 0);
    await file.truncate(2);
    disk.crash('power');
    outcomes.add(await contentOf(disk.mount(), '/a'));
  }
  assert.deepEqual([...outcomes].sort(), ['ke', 'kept']);
});

test('a power cut in the middle of a write leaves any part of it, a kill all of it', async () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 200; seed += 1) {
    const { disk, file } = await simulatedFile(seed);
    void file.writeDurably([Buffer.alloc(1_500, 'x')], 0);
    for (let turns = 0; turns < 8; turns += 1) await null;
    disk.crash('power');
    const content = await contentOf(disk.mount(), '/a');
    outcomes.add(content === '' ? 'nothing' : /^x{1500}$/.test(content) ? 'all' : 'some');
  }
  assert.deepEqual([...outcomes].sort(), ['all', 'nothing', 'some']);
});

test('a new name may be lost until its directory is synced', async () => {
  const found = new Set<number>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const disk = new SimulatedDisk({ random: seededRandom(seed) });
    await disk.mount().open('/a', 'create');
    disk.crash('power');
    found.add(disk.filePaths().length);
  }
  assert.deepEqual([...found].sort(), [0, 1]);
});

test('after a failed sync readers see what the disk has not, and the next sync does not write it', async () => {
  const outcomes = new Set<number>();
  for (let seed = 1; seed <= 40; seed += 1) {
    const { disk, file } = await simulatedFile(seed);
    disk.failSyncs(1);
    await assert.rejects(file.writeDurably([Buffer.from('hello')], 0), { kind: 'failed' });
    assert.equal(await contentOf(disk.mount(), '/a'), 'hello');
    disk.failSyncs(0);
    await file.sync();
    disk.crash('power');
    outcomes.add((await contentOf(disk.mount(), '/a')).length);
  }
  assert.ok(outcomes.has(0));
});

test('a full disk takes a part of a write and says so', async () => {
  const { disk, file } = await simulatedFile(7, { capacityBytes: 100 });
  await assert.rejects(file.writeDurably([Buffer.alloc(101, 1)], 0), { kind: 'full', retriable: true });
  assert.ok(disk.usedBytes() <= 100);
  await file.truncate(0);
  await file.writeDurably([Buffer.alloc(100, 1)], 0);
});

test('what a crash ended never answers', async () => {
  const { disk, file } = await simulatedFile(1);
  const read = file.read(new Uint8Array(1), 0).then(() => 'answered');
  disk.crash('kill');
  const patience = new Promise((resolve) => setImmediate(resolve, 'silent'));
  assert.equal(await Promise.race([read, patience]), 'silent');
});
