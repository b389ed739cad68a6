import { crc32 } from 'node:zlib';
import { type Disk, DiskError, type Logger } from '@elanus/runtime';

/** What builds up to data format 1 kept their catalog in. */
const LMDB_FILES = ['catalog.lmdb', 'catalog.lmdb-lock'] as const;
/** A version, a checksum over key and value, the value. */
const VALUE = { checksumAt: 1, valueAt: 5 } as const;

/**
 * The pairs of the catalog that an earlier build has left; `null` when there is none. Those that are damaged come as they
 * are: whoever reads them has checksums of its own, and must not take them for never written.
 */
export async function pairsOfLmdb(
  disk: Disk,
  directory: string,
  logger: Logger,
): Promise<ReadonlyMap<string, Uint8Array> | null> {
  const path = `${directory}/${LMDB_FILES[0]}`;
  if (!(await isThere(disk, path))) return null;
  const { open } = await import('lmdb');
  const environment = open<Buffer, Buffer>({
    path,
    noSubdir: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    readOnly: true,
  });
  const pairs = new Map<string, Uint8Array>();
  try {
    for (const { key: bytes, value: stored } of environment.getRange({})) {
      const key = bytes.toString('utf8');
      const value = Uint8Array.from(stored.subarray(VALUE.valueAt));
      const isSound =
        stored.length >= VALUE.valueAt && stored.readUInt32LE(VALUE.checksumAt) === crc32(value, crc32(key));
      if (!isSound) logger.error({ key }, 'a value of the catalog is damaged');
      pairs.set(key, value);
    }
  } finally {
    await environment.close();
  }
  logger.info({ pairs: pairs.size }, 'the catalog of an earlier build is taken over');
  return pairs;
}

/** After its pairs are durable elsewhere. */
export async function removeLmdb(disk: Disk, directory: string): Promise<void> {
  for (const name of LMDB_FILES) await disk.remove(`${directory}/${name}`);
  await disk.syncDirectory(directory);
}

async function isThere(disk: Disk, path: string): Promise<boolean> {
  try {
    await disk.stat(path);
    return true;
  } catch (error) {
    if (error instanceof DiskError && error.kind === 'missing') return false;
    throw error;
  }
}
