import { type FileHandle, open } from 'node:fs/promises';
import { guardPages, mapFile } from '@elanus/kernel';
import type { StoredFile } from '@elanus/model';
import { type HeldFile, ObjectStoreError } from '@elanus/object-store';

/** Files are held until their map is gone, which the garbage collector knows. */
const mapped = new FinalizationRegistry<HeldFile>((held) => held.release());

/** Maps a file, whose holding passes to the map; it is used as before. @throws ObjectStoreError when it is not there, or of another length */
export async function mapHeldFile(held: HeldFile, file: StoredFile): Promise<Uint8Array> {
  try {
    await using handle = await openFile(held.path, file.key);
    const { size } = await handle.stat();
    // A map of a shorter file would end the process behind its end.
    if (size !== file.bytes)
      throw new ObjectStoreError('damaged', file.key, `${size} bytes instead of ${file.bytes}`);
    const bytes = mapFile(handle.fd, size);
    mapped.register(bytes.buffer, held);
    guardGaps(held, new WeakRef(bytes.buffer));
    return bytes;
  } catch (error) {
    held.release();
    throw error;
  }
}

/** Who reads what is not there, without using the file, is to be noticed. */
function guardGaps(held: HeldFile, buffer: WeakRef<ArrayBufferLike>): void {
  held.watch((gaps, are) => {
    const map = buffer.deref();
    if (map === undefined) return;
    for (const { offset, bytes } of gaps)
      guardPages(new Uint8Array(map, offset, bytes), are === 'going' ? 'guarded' : 'readable');
  });
}

async function openFile(path: string, key: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new ObjectStoreError('missing', key, 'there is no such object', error);
  }
}
