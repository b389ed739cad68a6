import type { Clock, Disk, Random } from '@elanus/runtime';
import { openLocalStore } from './local/local-store.ts';
import type { ObjectStore } from './object-store.ts';
import type { Bucket } from './remote/bucket.ts';
import { openRemoteStore } from './remote/remote-store.ts';
import type {
  AzureSettings,
  GcsSettings,
  ObjectStoreSettings,
  S3Settings,
} from './settings/object-store-settings.ts';

export interface ObjectStoreContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
}

/**
 * Opens the store that the settings describe. A directory or bucket that is not there is made. A service's library is
 * loaded only when it is asked for.
 * @throws ObjectStoreError when the store can't be reached or used
 */
export async function openObjectStore(
  settings: ObjectStoreSettings,
  { clock, random, disk }: ObjectStoreContext,
): Promise<ObjectStore> {
  if (settings.type === 'local') {
    return await openLocalStore({ directory: settings.directory, disk, random });
  }
  const bucket = await openBucket(settings);
  return await openRemoteStore({ bucket, clock, random, policy: { timeoutMs: settings.requestTimeoutMs } });
}

async function openBucket(settings: S3Settings | GcsSettings | AzureSettings): Promise<Bucket> {
  switch (settings.type) {
    case 's3':
      return new (await import('./s3/s3-bucket.ts')).S3Bucket(settings);
    case 'gcs':
      return new (await import('./gcs/gcs-bucket.ts')).GcsBucket(settings);
    case 'azure':
      return new (await import('./azure/azure-bucket.ts')).AzureBucket(settings);
  }
}
