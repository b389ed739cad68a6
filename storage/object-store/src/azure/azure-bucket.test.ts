import { after, before, describe } from 'node:test';
import { seededRandom, systemClock } from '@elanus/runtime';
import { openRemoteStore } from '../remote/remote-store.ts';
import type { AzureSettings } from '../settings/object-store-settings.ts';
import { withEmptyPrefix } from '../testing/empty-prefix.ts';
import { type Emulator, startAzurite, whyNoAzurite } from '../testing/emulator.ts';
import { describeObjectStore } from '../testing/object-store-contract.ts';
import { AzureBucket } from './azure-bucket.ts';

const skip = whyNoAzurite() ?? undefined;

describe('Azure', skip === undefined ? {} : { skip }, () => {
  let emulator: Emulator<AzureSettings>;
  before(async () => {
    emulator = await startAzurite();
  });
  after(() => emulator[Symbol.asyncDispose]());

  describeObjectStore({
    name: 'a container of Azurite',
    withStore: async (work) => {
      const bucket = new AzureBucket(withEmptyPrefix(emulator.settings));
      await using store = await openRemoteStore({ bucket, clock: systemClock, random: seededRandom(1) });
      await work(store);
    },
    largeBytes: 37_000_000,
  });
});
