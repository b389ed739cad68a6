import { crc32 } from 'node:zlib';
import type { Kernel, VectorIndex, VectorRows } from '@elanus/kernel';
import {
  type CollectionId,
  type FieldId,
  type IndexFileInfo,
  type IndexId,
  indexFileKey,
  isDenseVector,
  type MeasuredRecalls,
  type SegmentId,
  type SegmentRun,
} from '@elanus/model';
import type { HeldFile, ObjectFiles, ObjectStore } from '@elanus/object-store';
import type { SegmentCatalog } from '@elanus/rpc';
import type { Disk, Logger } from '@elanus/runtime';
import { joinedBlocks, type PieceFile, type PieceVectors, vectorsOf } from '@elanus/segment';
import { JointContent } from './joint-content.ts';
import { UsedIndex } from './used-index.ts';

/** Bytes read at a time, and those whose checksum is computed at a stretch. */
const PART_BYTES = 2 * 1024 * 1024;
const CHECKSUM_STRETCH = 512 * 1024;

export interface IndexFilesOptions {
  readonly store: ObjectStore;
  readonly files: ObjectFiles;
  readonly catalog: SegmentCatalog;
  readonly kernel: Pick<Kernel, 'openIndex'>;
  readonly disk: Disk;
  readonly logger: Logger;
}

/** An index that is used from its file. */
export interface OpenedIndex {
  readonly index: VectorIndex;
  readonly file: PieceFile;
}

/** What an index is of. */
export interface IndexPlace {
  readonly collectionId: CollectionId;
  readonly indexId: IndexId;
  readonly fieldId: FieldId;
}

/** Which rows an index is over, and files whose place its own takes. */
export type IndexedRuns = IndexPlace & {
  readonly runs: readonly SegmentRun[];
  readonly replaced: readonly SegmentId[];
  /** What is known of its searches. */
  readonly recalls?: readonly MeasuredRecalls[];
};

/** Keeps indexes over sealed rows in the object store, and uses them from there. */
export class IndexFiles {
  readonly #options: IndexFilesOptions;

  constructor(options: IndexFilesOptions) {
    this.#options = options;
  }

  /** The files of an index that count, in the order they were published. */
  of({ collectionId, indexId }: IndexPlace): readonly IndexFileInfo[] {
    const { indexFiles } = this.#options.catalog.filesOf(collectionId);
    return indexFiles.filter((file) => file.indexId === indexId);
  }

  /**
   * Writes an index of these rows to a file, which from then on counts in place of `replaced`, and opens it. The
   * vectors are left out: the index uses them where they are mapped, in the files of their segments.
   * @throws MilvusError when nobody wants it any more; ObjectStoreError
   */
  async store(index: VectorIndex, vectors: PieceVectors, about: IndexedRuns): Promise<OpenedIndex> {
    const info = await this.publish({ ...about, rows: index.rows }, async (draft) => {
      await index.save(draft, { vectors: 'outside' });
      return await this.#checksum(draft);
    });
    return await this.open(info, vectors);
  }

  /**
   * Makes a file count in place of those that it replaces; `write` makes it at the path of a draft and resolves to its
   * checksum.
   * @throws MilvusError when nobody wants it any more; ObjectStoreError
   */
  async publish(
    about: IndexedRuns & { readonly rows: number },
    write: (draft: string, disk: Disk) => Promise<number>,
  ): Promise<IndexFileInfo> {
    const { files, catalog, disk } = this.#options;
    const { collectionId, indexId, fieldId, rows, runs, replaced, recalls = [] } = about;
    const draft = files.newDraft();
    try {
      const sum = await write(draft, disk);
      const [id] = await catalog.allocateIds(1);
      const key = indexFileKey(collectionId, id!);
      const { sizeBytes } = await files.publish(key, draft);
      const file = { key, bytes: sizeBytes, crc32: sum };
      const known = recalls.length === 0 ? {} : { recalls };
      const info: IndexFileInfo = { id: id!, collectionId, indexId, fieldId, rows, runs, file, ...known };
      const before = this.of(about).filter((earlier) => replaced.includes(earlier.id));
      await catalog.publishIndexFile(info, replaced);
      await this.#remove(before);
      return info;
    } finally {
      await disk.remove(draft).catch(() => {});
    }
  }

  /** The file of an index on this machine. @throws ObjectStoreError when there is none */
  hold({ file }: IndexFileInfo): Promise<HeldFile> {
    return this.#options.files.hold(file);
  }

  /**
   * Uses an index from its file. The caller uses the files of the vectors; the index' own and those are used once more, until
   * a piece has the file.
   * @throws KernelError, ObjectStoreError when it can't be
   */
  async open({ id, file, rows }: IndexFileInfo, vectors: PieceVectors): Promise<OpenedIndex> {
    const { files, kernel } = this.#options;
    const held = await files.hold(file);
    try {
      const index = await kernel.openIndex(held.path, { vectors: lentVectors(vectors) });
      if (index.rows === rows) return openedIndex(id, index, held, vectors);
      index.close();
      throw new Error(`the index file ${file.key} is over ${index.rows} rows instead of ${rows}`);
    } catch (error) {
      held.release();
      throw error;
    }
  }

  async #checksum(path: string): Promise<number> {
    await using file = await this.#options.disk.open(path, 'read');
    const part = new Uint8Array(PART_BYTES);
    let sum = 0;
    for (let at = 0; ; at += PART_BYTES) {
      const read = await file.read(part, at);
      for (let from = 0; from < read; from += CHECKSUM_STRETCH)
        sum = crc32(part.subarray(from, Math.min(from + CHECKSUM_STRETCH, read)), sum);
      if (read < PART_BYTES) return sum;
    }
  }

  /** What can't be removed now is collected later. */
  async #remove(files: readonly IndexFileInfo[]): Promise<void> {
    const keys = files.map(({ file }) => file.key);
    await this.#options.store.deleteMany(keys).catch((error: unknown) => {
      this.#options.logger.warn(
        { err: error, keys },
        'files of replaced indexes stay until they are collected',
      );
    });
  }
}

/** An index in a file, both used with the files of its vectors by who opens it. */
function openedIndex(id: SegmentId, index: VectorIndex, held: HeldFile, { runs }: PieceVectors): OpenedIndex {
  const release = (): void => held.release();
  if (held.isLasting) return { index, file: { id, release } };
  const lenders = new Set(runs.flatMap(({ chunk: { stored } }) => (stored === null ? [] : [stored.file])));
  for (const lender of lenders) void lender.use();
  const content = new JointContent([held, ...lenders], release);
  return { index: new UsedIndex(index, content), file: { id, release: () => content.release(), content } };
}

/** What an index leaves out of its file; sparse vectors are part of theirs. */
function lentVectors(vectors: PieceVectors): readonly VectorRows[] {
  const { dataType, elementType } = vectors.field;
  return isDenseVector(elementType ?? dataType) ? joinedBlocks(vectorsOf(vectors).blocks) : [];
}
