import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkKey, compareKeys } from '../object-key.ts';
import { CONDITIONAL_BYTES_MAX, listAll, type ObjectStore } from '../object-store.ts';
import { isObjectStoreError, type ObjectStoreErrorKind } from '../object-store-error.ts';

export interface ContractOptions {
  readonly name: string;
  /** A reason not to run any of it, shown beside each test; left out: run. */
  readonly skip?: string;
  /** Runs a test with a store of its own, empty. */
  readonly withStore: (work: (store: ObjectStore) => Promise<void>) => Promise<void>;
  /** Of a body that goes in several parts, where there are parts. */
  readonly largeBytes: number;
}

/** Bytes that tell every place from its neighbours. */
export function patternedBytes(length: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8) * 17 + (i >>> 16) * 7 + salt) & 0xff;
  return bytes;
}

export function isKind(kind: ObjectStoreErrorKind): (error: unknown) => boolean {
  return (error) => isObjectStoreError(error, kind);
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const bytesOf = (value: string) => new Uint8Array(Buffer.from(value));
const keysOf = async (store: ObjectStore, prefix: string) =>
  (await Array.fromAsync(listAll(store, prefix))).map(({ key }) => key);

async function* pieces(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  // The same memory each time, as a writer with one buffer has it.
  const piece = new Uint8Array(pieceBytes);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const part = bytes.subarray(at, at + pieceBytes);
    piece.set(part);
    yield piece.subarray(0, part.length);
  }
}

/** Names that some service or file system would like to read otherwise. */
const AWKWARD_KEYS = [
  'plain/file-1.arrow',
  'with space/and  two',
  'dot/.hidden',
  'dot/...',
  'percent/100%25',
  'percent/100%',
  'quote/"\'`',
  'ampersand/a&b<c>',
  'plus/a+b=c',
  'query/?versions=1#x',
  'ünïcödé/日本/🦅',
  'colon:star*',
  'CON/aux.txt',
  'trailing./dot. ',
  '-rf',
];

const REFUSED_KEYS = [
  '',
  '/a',
  'a/',
  'a//b',
  '.',
  '../a',
  'a/./b',
  'a\nb',
  'a\\b',
  'a\u0000b',
  '\ud800',
  'x'.repeat(801),
];

/** The table of what every object store does. */
export function describeObjectStore({ name, skip, withStore, largeBytes }: ContractOptions): void {
  describe(`an object store in ${name}`, { skip: skip ?? false }, () => {
    test('reads what was put, whole and in ranges', () =>
      withStore(async (store) => {
        const body = patternedBytes(100_000);
        const info = await store.put('a/b', body);
        assert.equal(info.sizeBytes, body.length);
        assert.equal(info.key, 'a/b');
        assert.deepEqual(await store.get('a/b'), body);
        for (const [offset, length] of [
          [0, 1],
          [99_999, 1],
          [500, 70_000],
          [0, 0],
          [7, 0],
          [0, 100_000],
        ] as const) {
          const range = { offset, length };
          assert.deepEqual(await store.get('a/b', { range }), body.slice(offset, offset + length));
        }
      }));

    test('refuses a range that the object does not have', () =>
      withStore(async (store) => {
        await store.put('short', patternedBytes(10));
        await assert.rejects(store.get('short', { range: { offset: 5, length: 6 } }), isKind('damaged'));
        await assert.rejects(store.get('short', { range: { offset: 10, length: 1 } }), isKind('damaged'));
      }));

    test('reads into the memory that it is given', () =>
      withStore(async (store) => {
        await store.put('a', patternedBytes(1_000));
        const memory = new Uint8Array(new SharedArrayBuffer(4_096));
        const read = await store.get('a', {
          range: { offset: 10, length: 500 },
          allocate: (length) => memory.subarray(64, 64 + length),
        });
        assert.equal(read.buffer, memory.buffer);
        assert.deepEqual(memory.slice(64, 564), patternedBytes(1_000).slice(10, 510));
      }));

    test('takes memory that is shared with other threads', () =>
      withStore(async (store) => {
        const shared = new Uint8Array(new SharedArrayBuffer(5_000));
        shared.set(patternedBytes(5_000));
        await store.put('shared', shared.subarray(100));
        assert.deepEqual(await store.get('shared'), patternedBytes(5_000).slice(100));
      }));

    test('keeps an empty object', () =>
      withStore(async (store) => {
        assert.equal((await store.put('empty', new Uint8Array(0))).sizeBytes, 0);
        assert.equal((await store.get('empty')).length, 0);
        assert.equal((await store.head('empty')).sizeBytes, 0);
      }));

    test('replaces an object, and tells by the etag', () =>
      withStore(async (store) => {
        const first = await store.put('a', bytesOf('first'));
        const second = await store.put('a', bytesOf('the second'));
        assert.notEqual(first.etag, second.etag);
        assert.equal((await store.head('a')).etag, second.etag);
        assert.equal(text(await store.get('a')), 'the second');
      }));

    test('dates objects by a clock near ours', () =>
      withStore(async (store) => {
        const { modifiedMs } = await store.put('a', bytesOf('x'));
        assert.ok(Math.abs(modifiedMs - Date.now()) < 120_000, `${modifiedMs}`);
      }));

    test('says missing of what is not there, and deletes it all the same', () =>
      withStore(async (store) => {
        await assert.rejects(store.get('a/none'), isKind('missing'));
        await assert.rejects(store.get('a/none', { range: { offset: 0, length: 1 } }), isKind('missing'));
        await assert.rejects(store.head('a/none'), isKind('missing'));
        await store.delete('a/none');
        await store.put('a/some', bytesOf('x'));
        await store.delete('a/some');
        await assert.rejects(store.head('a/some'), isKind('missing'));
        assert.deepEqual(await keysOf(store, ''), []);
      }));

    test('lets exactly one of many conditional writers succeed', () =>
      withStore(async (store) => {
        const writers = Array.from({ length: 8 }, (_, writer) =>
          store.put('only/one', bytesOf(`writer ${writer}`), { condition: 'absent' }).then(
            () => writer,
            (error: unknown) => {
              assert.ok(isKind('exists')(error), String(error));
              return null;
            },
          ),
        );
        const winners = (await Promise.all(writers)).filter((writer) => writer !== null);
        assert.equal(winners.length, 1);
        assert.equal(text(await store.get('only/one')), `writer ${winners[0]}`);
        await assert.rejects(
          store.put('only/one', bytesOf('late'), { condition: 'absent' }),
          isKind('exists'),
        );
        await store.delete('only/one');
        await store.put('only/one', bytesOf('again'), { condition: 'absent' });
        assert.equal(text(await store.get('only/one')), 'again');
      }));

    test('takes large bodies, whole or in pieces of any size', () =>
      withStore(async (store) => {
        const body = patternedBytes(largeBytes);
        await store.put('large/whole', body);
        await store.put('large/pieces', pieces(body, 70_001));
        for (const key of ['large/whole', 'large/pieces']) {
          assert.equal((await store.head(key)).sizeBytes, largeBytes);
          assert.ok(Buffer.from(await store.get(key)).equals(body), key);
        }
        const range = { offset: largeBytes - 5_000, length: 5_000 };
        assert.deepEqual(await store.get('large/pieces', { range }), body.slice(-5_000));
      }));

    test('lets one of two conditional writers of large bodies succeed', () =>
      withStore(async (store) => {
        const bodies = [patternedBytes(largeBytes, 1), patternedBytes(largeBytes, 2)];
        const outcomes = await Promise.allSettled(
          bodies.map((body) => store.put('large/one', pieces(body, 70_001), { condition: 'absent' })),
        );
        const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
        const loser = outcomes.find((outcome) => outcome.status === 'rejected');
        assert.ok(winner >= 0);
        assert.ok(loser !== undefined && isKind('exists')(loser.reason), String(loser?.reason));
        assert.ok(Buffer.from(await store.get('large/one')).equals(bodies[winner]!));
      }));

    test('refuses a conditional body that would not go in one request', () =>
      withStore(async (store) => {
        const body = new Uint8Array(CONDITIONAL_BYTES_MAX + 1);
        await assert.rejects(store.put('a', body, { condition: 'absent' }), isKind('invalid'));
        assert.deepEqual(await keysOf(store, ''), []);
      }));

    test('shows nothing of a body that breaks off', () =>
      withStore(async (store) => {
        async function* broken() {
          yield* pieces(patternedBytes(largeBytes - 10), 100_000);
          throw new Error('the writer fell over');
        }
        await assert.rejects(store.put('broken', broken()), /fell over/);
        await assert.rejects(store.head('broken'), isKind('missing'));
        assert.deepEqual(await keysOf(store, ''), []);
      }));

    test('lists in the order of keys, page by page, whatever the prefix cuts', () =>
      withStore(async (store) => {
        const keys = ['a-b', 'a/b', 'a/b2', 'a0', 'b/c/d', 'b/c.d', 'b/cc/1', 'b/cc/2', 'ü/1', 'zz'];
        await Promise.all(keys.map((key) => store.put(key, bytesOf(key))));
        const sorted = [...keys].sort(compareKeys);
        assert.deepEqual(await keysOf(store, ''), sorted);
        for (const prefix of ['a', 'a/', 'a/b', 'b/c', 'b/c/', 'b/cc/', 'c', 'b/cc/3', 'ü']) {
          assert.deepEqual(
            await keysOf(store, prefix),
            sorted.filter((key) => key.startsWith(prefix)),
            prefix,
          );
        }
        const paged: string[] = [];
        let cursor: string | null = null;
        do {
          const page = await store.list({ limit: 3, ...(cursor !== null && { cursor }) });
          assert.ok(page.objects.length <= 3);
          paged.push(...page.objects.map(({ key }) => key));
          cursor = page.next;
        } while (cursor !== null);
        assert.deepEqual(paged, sorted);
        const [first] = (await store.list({ prefix: 'a/b2' })).objects;
        const { etag, sizeBytes } = await store.head('a/b2');
        assert.deepEqual([first?.etag, first?.sizeBytes], [etag, sizeBytes]);
      }));

    test('deletes many, missing ones among them', () =>
      withStore(async (store) => {
        const keys = Array.from({ length: 25 }, (_, index) => `many/${index}`);
        await Promise.all(keys.map((key) => store.put(key, bytesOf(key))));
        await store.deleteMany([...keys.slice(0, 24), 'many/none']);
        assert.deepEqual(await keysOf(store, 'many/'), ['many/24']);
        await store.deleteMany([]);
      }));

    test('keeps awkward names apart', () =>
      withStore(async (store) => {
        for (const key of AWKWARD_KEYS) checkKey(key);
        await Promise.all(AWKWARD_KEYS.map((key) => store.put(key, bytesOf(key))));
        for (const key of AWKWARD_KEYS) assert.equal(text(await store.get(key)), key);
        assert.deepEqual(await keysOf(store, ''), [...AWKWARD_KEYS].sort(compareKeys));
        await store.deleteMany(AWKWARD_KEYS);
        assert.deepEqual(await keysOf(store, ''), []);
      }));

    test('refuses names that mean something else to somebody', () =>
      withStore(async (store) => {
        for (const key of REFUSED_KEYS) {
          await assert.rejects(store.put(key, bytesOf('x')), isKind('invalid'), JSON.stringify(key));
          await assert.rejects(store.get(key), isKind('invalid'));
          await assert.rejects(store.delete(key), isKind('invalid'));
        }
      }));

    test('ends a call whose signal aborts, with the reason of the signal', () =>
      withStore(async (store) => {
        const reason = new Error('enough');
        const aborted = AbortSignal.abort(reason);
        await store.put('a', bytesOf('x'));
        const same = (error: unknown) => error === reason;
        await assert.rejects(store.put('b', bytesOf('x'), { signal: aborted }), same);
        await assert.rejects(store.get('a', { signal: aborted }), same);
        await assert.rejects(store.head('a', { signal: aborted }), same);
        const during = new AbortController();
        async function* endless() {
          for (let piece = 0; ; piece++) {
            if (piece === 30) during.abort(reason);
            yield new Uint8Array(100_000);
          }
        }
        await assert.rejects(store.put('c', endless(), { signal: during.signal }), same);
        assert.deepEqual(await keysOf(store, ''), ['a']);
      }));
  });
}
