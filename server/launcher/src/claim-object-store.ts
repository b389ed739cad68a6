import { crc32 } from 'node:zlib';
import type { MetaStore } from '@elanus/meta-store';
import { isObjectStoreError, type ObjectStore } from '@elanus/object-store';
import { type Logger, type Random, randomHex } from '@elanus/runtime';
import type { DataDirectory } from './data-directory.ts';
import { StartError } from './start-error.ts';

/** The one object that no collection owns. */
const OWNER_KEY = 'elanus-owner';
const OWNER_FILE = 'OWNER';
/** In the catalog: a third copy, so that a file that is lost does not cost a directory its bucket. */
const OWNER_RECORD = 'store/owner';
/** What all of them say: a name, and its CRC-32, which earlier builds left out. */
const MARK = /^([0-9a-f]{32})(?:-([0-9a-f]{8}))?\n$/;

/** Where a data directory keeps its own name. */
export interface OwnerPlaces {
  readonly directory: DataDirectory;
  readonly catalog: MetaStore;
}

/**
 * Makes sure that no other data directory keeps its files in the store: each would take the other's for rubbish. Shows
 * as well that the store takes objects and gives them back. A mark that was lost or damaged is set again from the others.
 * `isInside`: the store is a folder of the directory itself, and can hardly be another's.
 * @throws StartError when it belongs to another; ObjectStoreError when it does not work
 */
export async function claimObjectStore(
  store: ObjectStore,
  places: OwnerPlaces,
  {
    random,
    isInside,
    logger,
  }: { readonly random: Random; readonly isInside: boolean; readonly logger: Logger },
): Promise<void> {
  const { own, isNew } = await ownName(places, random, logger);
  const owner = await ownerOf(store, own);
  if (nameIn(owner) === nameIn(own)) return;
  // A damaged mark says nothing; who has no name of its own yet knows only that a folder of its own is its own.
  const isDamaged = nameIn(owner) === null;
  if ((isDamaged && !isNew) || (isInside && (isNew || isDamaged))) {
    logger.error({ object: OWNER_KEY }, 'an object is damaged: it is made anew');
    await store.put(OWNER_KEY, Buffer.from(own));
    return;
  }
  throw new StartError(
    `${store.place} belongs to another data directory (its object ${OWNER_KEY} says ${JSON.stringify(owner.trim())}): ` +
      'give this server a bucket or a path of its own',
  );
}

/** The directory's mark, in its file and in the catalog afterwards. */
async function ownName(
  { directory, catalog }: OwnerPlaces,
  random: Random,
  logger: Logger,
): Promise<{ readonly own: string; readonly isNew: boolean }> {
  const record = await catalog.get(OWNER_RECORD);
  const recorded = record === undefined ? null : Buffer.from(record).toString();
  const file = await directory.textOf(OWNER_FILE);
  const known = [recorded, file].find((mark) => mark !== null && nameIn(mark) !== null) ?? null;
  const own = known ?? newMark(random);
  if (file !== own) {
    if (recorded !== null)
      logger.error({ file: OWNER_FILE }, 'a file is damaged or missing: it is made anew');
    await directory.putText(OWNER_FILE, own);
  }
  if (recorded !== own) await catalog.commit([{ key: OWNER_RECORD, value: Buffer.from(own) }]);
  return { own, isNew: known === null };
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

/** The name that a mark says; `null` when it is damaged. */
function nameIn(mark: string): string | null {
  const [, name, checksum] = MARK.exec(mark) ?? [];
  if (name === undefined) return null;
  return checksum === undefined || checksum === checksumOf(name) ? name : null;
}

/** 128 bits in hexadecimal, and their checksum. */
function newMark(random: Random): string {
  const name = randomHex(random, 4);
  return `${name}-${checksumOf(name)}\n`;
}

function checksumOf(name: string): string {
  return crc32(name).toString(16).padStart(8, '0');
}
