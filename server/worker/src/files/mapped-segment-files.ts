import { type FileHandle, open } from 'node:fs/promises';
import { mapFile } from '@elanus/kernel';
import type { SegmentInfo, StoredFile } from '@elanus/model';
import { type HeldFile, type ObjectFiles, ObjectStoreError } from '@elanus/object-store';
import { SealedFile } from '@elanus/segment';
import type { SegmentFiles } from '../flush/segment-files.ts';
import type { FileVerifier } from './file-verifier.ts';

/** Files are held until their map is gone, which the garbage collector knows. */
const mapped = new FinalizationRegistry<HeldFile>((held) => held.release());

/** Maps files when they are opened: nothing is read before somebody looks at it. */
export class MappedSegmentFiles implements SegmentFiles {
  readonly #files: ObjectFiles;
  readonly #verifier: FileVerifier;

  /** `verifier` compares each file with its checksum after it was opened. */
  constructor(files: ObjectFiles, verifier: FileVerifier) {
    this.#files = files;
    this.#verifier = verifier;
  }

  of(info: SegmentInfo): SealedFile {
    const sealed: SealedFile = new SealedFile(info, {
      map: async () => {
        const bytes = await this.#map(info.file);
        this.#verifier.add({
          file: info.file,
          about: { segment: String(info.id), collection: String(info.collectionId) },
          onDamage: (cause) => sealed.giveUp(cause),
        });
        return bytes;
      },
    });
    return sealed;
  }

  async #map(file: StoredFile): Promise<Uint8Array> {
    const held = await this.#files.hold(file);
    try {
      await using handle = await openFile(held.path, file.key);
      const { size } = await handle.stat();
      // A map of a shorter file would end the process behind its end.
      if (size !== file.bytes)
        throw new ObjectStoreError('damaged', file.key, `${size} bytes instead of ${file.bytes}`);
      const bytes = mapFile(handle.fd, size);
      mapped.register(bytes.buffer, held);
      return bytes;
    } catch (error) {
      held.release();
      throw error;
    }
  }
}

async function openFile(path: string, key: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new ObjectStoreError('missing', key, 'there is no such object', error);
  }
}
