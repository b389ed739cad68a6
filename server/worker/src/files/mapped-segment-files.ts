import type { SegmentInfo } from '@elanus/model';
import type { HeldFile, ObjectFiles } from '@elanus/object-store';
import { SealedFile } from '@elanus/segment';
import type { SegmentFiles } from '../flush/segment-files.ts';
import type { FileVerifier } from './file-verifier.ts';
import { mapHeldFile } from './map-held-file.ts';

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
    let held: HeldFile | null = null;
    const sealed: SealedFile = new SealedFile(info, {
      content: () => held,
      map: async () => {
        const file = await this.#files.hold(info.file);
        held = file.isLasting ? null : file;
        const bytes = await mapHeldFile(file, info.file);
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
}
