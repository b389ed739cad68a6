import { isObjectStoreError, type ObjectStore } from '@elanus/object-store';
import type { Random } from '@elanus/runtime';
import type { DataDirectory } from './data-directory.ts';
import { StartError } from './start-error.ts';

/** The one object that no collection owns. */
const OWNER_KEY = 'elanus-owner';
const OWNER_FILE = 'OWNER';

/**
 * Makes sure that no other data directory keeps its files in the store: each would take the other's for rubbish. Shows
 * as well that the store takes objects and gives them back.
 * @throws StartError when it belongs to another; ObjectStoreError when it does not work
 */
export async function claimObjectStore(
  store: ObjectStore,
  directory: DataDirectory,
  random: Random,
): Promise<void> {
  const own = await directory.textOf(OWNER_FILE, () => `${newOwner(random)}\n`);
  const owner = await ownerOf(store, own);
  if (owner === own) return;
  throw new StartError(
    `${store.place} belongs to another data directory (its object ${OWNER_KEY} says ${JSON.stringify(owner.trim())}): ` +
      'give this server a bucket or a path of its own',
  );
}

async function ownerOf(store: ObjectStore, own: string): Promise<string> {
  try {
    await store.put(OWNER_KEY, Buffer.from(own), { condition: 'absent' });
    return own;
  } catch (error) {
    if (!isObjectStoreError(error, 'exists')) throw error;
    return Buffer.from(await store.get(OWNER_KEY)).toString();
  }
}

/** 128 bits in hexadecimal. */
function newOwner(random: Random): string {
  return Array.from({ length: 4 }, () => random.uint32().toString(16).padStart(8, '0')).join('');
}
