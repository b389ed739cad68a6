import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { NodeDisk, silentLogger } from '@elanus/runtime';
import fc from 'fast-check';
import { MemoryMetaStore } from './memory-meta-store.ts';
import type { MetaChange, MetaStore } from './meta-store.ts';
import { openMetaStore } from './mirrored-meta-store.ts';

const text = (value: Uint8Array | undefined) =>
  value === undefined ? undefined : Buffer.from(value).toString();
const put = (key: string, value: string): MetaChange => ({ key, value: Buffer.from(value) });
const listed = async (store: MetaStore, prefix: string) =>
  (await store.scan(prefix)).map(([key, value]) => `${key}=${text(value)}`);

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'elanus-meta-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

const kinds: readonly (readonly [string, (work: (store: MetaStore) => Promise<void>) => Promise<void>])[] = [
  ['memory', (work) => work(new MemoryMetaStore())],
  [
    'mirrored',
    (work) =>
      inDirectory(async (directory) => {
        const store = await openMetaStore({ disk: new NodeDisk(), directory, logger: silentLogger });
        await work(store);
        await store.close();
      }),
  ],
];

for (const [kind, withStore] of kinds) {
  describe(`the ${kind} meta store`, () => {
    test('reads what was committed, and nothing where nothing is', () =>
      withStore(async (store) => {
        await store.commit([put('a', '1'), put('b', '')]);
        assert.equal(text(await store.get('a')), '1');
        assert.equal(text(await store.get('b')), '');
        assert.equal(await store.get('c'), undefined);
      }));

    test('removes keys, also those that are not there', () =>
      withStore(async (store) => {
        await store.commit([put('a', '1')]);
        await store.commit([
          { key: 'a', value: null },
          { key: 'never', value: null },
        ]);
        assert.equal(await store.get('a'), undefined);
      }));

    test('takes the last change of a key within a commit', () =>
      withStore(async (store) => {
        await store.commit([put('a', '1'), { key: 'a', value: null }, put('a', '2')]);
        assert.deepEqual(await listed(store, ''), ['a=2']);
      }));

    test('scans a prefix in code-unit order', () =>
      withStore(async (store) => {
        await store.commit([
          put('p/\u{1f985}', 'x'),
          put('p/\uffe5', 'y'),
          put('p/b', 'b'),
          put('p', 'no'),
          put('q/a', 'no'),
        ]);
        assert.deepEqual(await listed(store, 'p/'), ['p/b=b', 'p/\u{1f985}=x', 'p/\uffe5=y']);
      }));

    test('does what a map does, commit by commit', () =>
      withStore(async (store) => {
        const change = fc.record({
          key: fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', '/', 'ü') }),
          value: fc.option(fc.uint8Array({ maxLength: 40 })),
        });
        const model = new Map<string, Uint8Array>();
        const commits = fc.array(fc.array(change, { maxLength: 5 }), { minLength: 1, maxLength: 10 });
        await fc.assert(
          fc.asyncProperty(commits, async (run) => {
            for (const changes of run) {
              await store.commit(changes);
              for (const { key, value } of changes)
                value === null ? model.delete(key) : model.set(key, value);
            }
            const expected = [...model]
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, value]) => [key, [...value]]);
            assert.deepEqual(
              (await store.scan('')).map(([key, value]) => [key, [...value]]),
              expected,
            );
          }),
          { numRuns: 15 },
        );
      }));
  });
}
