import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, seededRandom, systemClock } from '@elanus/runtime';
import { listAll } from '../object-store.ts';
import { ObjectStoreError } from '../object-store-error.ts';
import { faultyBucket } from '../testing/faulty-bucket.ts';
import { ImpatientClock } from '../testing/impatient-clock.ts';
import { MemoryBucket } from '../testing/memory-bucket.ts';
import { describeObjectStore, isKind, patternedBytes } from '../testing/object-store-contract.ts';
import type { Bucket } from './bucket.ts';
import { openRemoteStore } from './remote-store.ts';

describeObjectStore({
  name: 'a bucket in memory',
  withStore: async (work) => {
    const bucket = new MemoryBucket({ partBytes: 1_000_000, clock: systemClock });
    await work(await openRemoteStore({ bucket, clock: systemClock, random: seededRandom(1) }));
  },
  largeBytes: 4_500_000,
});

test('behind a line that loses requests and answers, nothing is lost and nothing is published twice', async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = seededRandom(seed);
    const bucket = new MemoryBucket();
    const faults = { lost: 0.15, answerLost: 0.15, silent: 0.05 };
    const store = await openRemoteStore({
      bucket: faultyBucket(bucket, faults, random),
      clock: new ImpatientClock(),
      random,
      policy: { attemptsMax: 30 },
    });
    const bodies = new Map<string, Uint8Array>();
    for (let index = 0; index < 4; index++) {
      bodies.set(`small/${index}`, patternedBytes(random.below(900), random.below(256)));
      bodies.set(`large/${index}`, patternedBytes(1_000 + random.below(9_000), random.below(256)));
    }
    await Promise.all(
      [...bodies].map(([key, body]) =>
        store.put(key, body, key.startsWith('small') ? { condition: 'absent' } : {}),
      ),
    );
    for (const [key, body] of bodies) {
      assert.deepEqual(await store.get(key), body, `seed ${seed}: ${key}`);
      assert.equal(bucket.publications.get(key), 1, `seed ${seed}: ${key} was published more than once`);
    }
    const listed = (await Array.fromAsync(listAll(store, ''))).map(({ key }) => key);
    assert.deepEqual(listed, [...bodies.keys()].sort(), `seed ${seed}`);
    const rival = store.put('small/0', patternedBytes(3), { condition: 'absent' });
    await assert.rejects(rival, isKind('exists'), `seed ${seed}`);
  }
});

test('when the line never gets better, says unavailable and leaves no half of an upload', async () => {
  const random = seededRandom(5);
  const bucket = new MemoryBucket();
  let isDown = false;
  const store = await openRemoteStore({
    bucket: withOverrides(bucket, {
      async beginUpload(key, options) {
        const upload = await bucket.beginUpload(key, options);
        const putPart: typeof upload.putPart = async (index, bytes, attempt) => {
          if (isDown || index > 2) throw new ObjectStoreError('unavailable', key, 'down');
          await upload.putPart(index, bytes, attempt);
        };
        return { ...upload, putPart };
      },
    }),
    clock: new ImpatientClock(),
    random,
  });
  await assert.rejects(store.put('a', patternedBytes(8_000)), isKind('unavailable'));
  assert.equal(bucket.openUploads, 0);
  assert.equal(bucket.publications.size, 0);
  isDown = true;
  await assert.rejects(store.put('a', patternedBytes(8_000)), isKind('unavailable'));
  assert.equal(bucket.openUploads, 0);
});

test('a service that never answers is given up after the deadline, and asked again', async () => {
  const clock = new ManualClock();
  const bucket = new MemoryBucket();
  let asked = 0;
  const hanging = withOverrides(bucket, {
    head: () => {
      asked += 1;
      return new Promise(() => {});
    },
  });
  const policy = { attemptsMax: 2, timeoutMs: 1_000, waitMsMin: 10 };
  const store = await openRemoteStore({ bucket: hanging, clock, random: seededRandom(1), policy });
  let isOver = false;
  const given = assert.rejects(store.head('a'), isKind('unavailable')).finally(() => {
    isOver = true;
  });
  for (let steps = 0; !isOver; steps++) {
    assert.ok(steps < 100, 'the call never ended');
    clock.advance(100);
    await new Promise(setImmediate);
  }
  await given;
  assert.equal(asked, 2);
  assert.ok(clock.monotonicMs() >= 2_000);
});

test('waits longer after each failure, up to a bound, and not after the last', async () => {
  const waits: number[] = [];
  const clock = new ImpatientClock();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = async (ms, options) => {
    if (ms < 5_000) waits.push(ms);
    await sleep(ms, options);
  };
  const failing = withOverrides(new MemoryBucket(), {
    head: async (key) => {
      throw new ObjectStoreError('unavailable', key, 'busy');
    },
  });
  const random = { ...seededRandom(1), float: () => 1, below: () => 0, chance: () => false, uint32: () => 0 };
  const policy = { attemptsMax: 6, waitMsMin: 100, waitMsMax: 1_000 };
  const store = await openRemoteStore({ bucket: failing, clock, random, policy });
  await assert.rejects(store.head('a'), isKind('unavailable'));
  assert.deepEqual(waits, [100, 200, 400, 800, 1_000]);
});

test('does not repeat what will fail again', async () => {
  let asked = 0;
  const refusing = withOverrides(new MemoryBucket(), {
    head: async (key) => {
      asked += 1;
      throw new ObjectStoreError('denied', key, 'no');
    },
  });
  const store = await openRemoteStore({ bucket: refusing, clock: systemClock, random: seededRandom(1) });
  await assert.rejects(store.head('a'), isKind('denied'));
  assert.equal(asked, 1);
});

test('notices an object whose bytes have changed', async () => {
  const bucket = new MemoryBucket();
  const store = await openRemoteStore({ bucket, clock: systemClock, random: seededRandom(1) });
  await store.put('a', patternedBytes(500));
  bucket.flipBit('a', 1_234);
  await assert.rejects(store.get('a'), isKind('damaged'));
});

test('has no more parts under way than the bucket allows', async () => {
  const bucket = new MemoryBucket();
  let underWay = 0;
  let most = 0;
  const counting = withOverrides(bucket, {
    async beginUpload(key, options) {
      const upload = await bucket.beginUpload(key, options);
      const putPart: typeof upload.putPart = async (...part) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await upload.putPart(...part);
        underWay -= 1;
      };
      return { ...upload, putPart };
    },
  });
  const store = await openRemoteStore({ bucket: counting, clock: systemClock, random: seededRandom(1) });
  await store.put('a', patternedBytes(20_500));
  assert.equal(most, bucket.limits.partsAtOnce);
  await assert.rejects(store.put('b', patternedBytes(50_001)), isKind('invalid'));
  await assert.rejects(store.head('b'), isKind('missing'));
});

/** The bucket with some of its calls replaced. */
function withOverrides(bucket: Bucket, overrides: Partial<Bucket>): Bucket {
  return {
    place: bucket.place,
    limits: bucket.limits,
    prepare: (options) => bucket.prepare(options),
    put: (key, bytes, options) => bucket.put(key, bytes, options),
    get: (key, options) => bucket.get(key, options),
    head: (key, options) => bucket.head(key, options),
    list: (options) => bucket.list(options),
    deleteMany: (keys, options) => bucket.deleteMany(keys, options),
    beginUpload: (key, options) => bucket.beginUpload(key, options),
    close: () => bucket.close(),
    ...overrides,
  };
}
