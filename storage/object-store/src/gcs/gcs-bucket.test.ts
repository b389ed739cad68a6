import { after, before, describe } from 'node:test';
import { seededRandom, systemClock } from '@elanus/runtime';
import { openRemoteStore } from '../remote/remote-store.ts';
import type { GcsSettings } from '../settings/object-store-settings.ts';
import { withEmptyPrefix } from '../testing/empty-prefix.ts';
import { type Emulator, startFakeGcs, whyNoFakeGcs } from '../testing/emulator.ts';
import { describeObjectStore } from '../testing/object-store-contract.ts';
import { GcsBucket } from './gcs-bucket.ts';

const skip = whyNoFakeGcs() ?? undefined;

describe('Gcs', skip === undefined ? {} : { skip }, () => {
  let emulator: Emulator<GcsSettings>;
  before(async () => {
    emulator = await startFakeGcs();
  });
  after(() => emulator[Symbol.asyncDispose]());

  describeObjectStore({
    name: 'a bucket of fake-gcs-server',
    withStore: async (work) => {
      const bucket = new GcsBucket(withEmptyPrefix(emulator.settings));
      await using store = await openRemoteStore({ bucket, clock: systemClock, random: seededRandom(1) });
      await work(store);
    },
    largeBytes: 37_000_000,
  });
});
