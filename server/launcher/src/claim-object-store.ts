import { isObjectStoreError, type ObjectStore } from '@elanus/object-store';
import { type Random, randomHex } from '@elanus/runtime';
import type { DataDirectory } from './data-directory.ts';
import { StartError } from './start-error.ts';

/** The one object that no collection owns. */
const OWNER_KEY = 'elanus-owner';
const OWNER_FILE = 'OWNER';
/** What both say. */
const MARK = /^[0-9a-f]{32}\n$/;

/**
 * Makes sure that no other data directory keeps its files in the store: each would take the other's for rubbish. Shows
 * as well that the store takes objects and gives them back. `isInside`: the store is a folder of the directory itself,
 * so that a mark which was lost or damaged may be set again.
 * @throws StartError when it belongs to another; ObjectStoreError when it does not work
 */
export async function claimObjectStore(
  store: ObjectStore,
  directory: DataDirectory,
  { random, isInside }: { readonly random: Random; readonly isInside: boolean },
): Promise<void> {
  let isNew = false;
  const own = await directory.textOf(OWNER_FILE, () => {
    isNew = true;
    return `${randomHex(random, 4)}\n`;
  });
  const owner = await ownerOf(store, own);
  if (owner === own) return;
  if (isInside && (isNew || !MARK.test(own) || !MARK.test(owner))) {
    await store.put(OWNER_KEY, Buffer.from(own));
    return;
  }
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
