import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { seededRandom, systemClock } from '@elanus/runtime';
import { listAll, type ObjectStore } from '../object-store.ts';
import { openRemoteStore } from '../remote/remote-store.ts';
import { badLineTo } from '../testing/bad-line.ts';
import { withEmptyPrefix } from '../testing/empty-prefix.ts';
import { describeObjectStore, isKind, patternedBytes } from '../testing/object-store-contract.ts';
import { type S3Server, startRadosgw, whyNoRadosgw } from '../testing/radosgw.ts';
import { S3Bucket } from './s3-bucket.ts';

const skip = whyNoRadosgw() ?? undefined;
const options = skip === undefined ? {} : { skip };

describe('S3', options, () => {
  let server: S3Server;
  before(async () => {
    server = await startRadosgw();
  });
  after(() => server[Symbol.asyncDispose]());

  const open = (settings = server.settings): Promise<ObjectStore> =>
    openRemoteStore({ bucket: new S3Bucket(settings), clock: systemClock, random: seededRandom(1) });

  describeObjectStore({
    name: 'a bucket of a real S3 server',
    withStore: async (work) => {
      await using store = await open(withEmptyPrefix(server.settings));
      await work(store);
    },
    largeBytes: 37_000_000,
  });

  test('finds its objects again, and nothing of other prefixes', async () => {
    const settings = withEmptyPrefix(server.settings);
    await using first = await open(settings);
    await first.put('a', patternedBytes(100));
    await using second = await open(settings);
    assert.deepEqual(await second.get('a'), patternedBytes(100));
    await using other = await open(withEmptyPrefix(server.settings));
    assert.deepEqual((await other.list()).objects, []);
  });

  test('over a line that breaks off and falls silent, loses nothing and mistakes nothing', async () => {
    const random = seededRandom(7);
    await using line = await badLineTo(Number(new URL(server.settings.endpoint!).port), random);
    const settings = withEmptyPrefix(server.settings);
    const bucket = new S3Bucket({ ...settings, endpoint: `http://127.0.0.1:${line.port}` });
    const policy = {
      attemptsMax: 25,
      timeoutMs: 500,
      waitMsMin: 5,
      waitMsMax: 50,
      bytesPerSecondMin: 2 ** 24,
    };
    await using store = await openRemoteStore({ bucket, clock: systemClock, random, policy });
    await using sound = await open(settings);
    const sizes = [...Array.from({ length: 40 }, (_, index) => index * 1_000), 17_000_000, 36_000_000];
    for (const [index, size] of sizes.entries()) {
      const body = patternedBytes(size, index);
      const condition = index % 2 === 0 && size < 1_000_000 ? ({ condition: 'absent' } as const) : {};
      await store.put(`object/${index}`, body, condition);
      assert.ok(Buffer.from(await sound.get(`object/${index}`)).equals(body), `object ${index}`);
      assert.ok(Buffer.from(await store.get(`object/${index}`)).equals(body), `object ${index}`);
    }
    const listed = await Array.fromAsync(listAll(store, 'object/'));
    assert.equal(listed.length, sizes.length);
    assert.ok(line.faults > 10, `only ${line.faults} faults`);
  });

  test('says denied to a wrong key', async () => {
    const credentials = { accessKeyId: 'elanus', secretAccessKey: 'wrong' };
    await assert.rejects(open({ ...server.settings, credentials }), isKind('denied'));
  });
});
