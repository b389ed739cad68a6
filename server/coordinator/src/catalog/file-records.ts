import type { MetaChange } from '@elanus/meta-store';
import {
  type Checkpoint,
  type CollectionId,
  type DeleteFileInfo,
  type IndexFileInfo,
  type IndexId,
  type PartitionId,
  type SegmentId,
  type SegmentInfo,
  unreachable,
} from '@elanus/model';
import type { CollectionFiles, ExportJob, FileResource, ImportJob } from '@elanus/rpc';
import { decodeExport, encodeExport } from '../export/export-record.ts';
import { decodeImport, encodeImport } from '../import/import-record.ts';
import {
  CATALOG_PREFIX,
  checkpointKey,
  exportKey,
  type FileRecordKind,
  fileKey,
  fileKeyPrefix,
  fileResourceKey,
  importKey,
} from './catalog-keys.ts';
import { decodeFileResource, encodeFileResource } from './file-resource-record.ts';
import {
  decodeCheckpoint,
  decodeDeleteFile,
  decodeIndexFile,
  decodeSegment,
  encodeCheckpoint,
  encodeDeleteFile,
  encodeIndexFile,
  encodeSegment,
} from './segment-record.ts';

/** A step of a catalog transaction that is about the files of a collection, or about files of others. */
export type FileChange =
  | { readonly kind: 'put-segment'; readonly segment: SegmentInfo }
  | { readonly kind: 'put-delete-file'; readonly file: DeleteFileInfo }
  | { readonly kind: 'put-index-file'; readonly file: IndexFileInfo }
  | { readonly kind: 'put-checkpoint'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'put-import'; readonly job: ImportJob }
  | { readonly kind: 'remove-import'; readonly id: bigint }
  | { readonly kind: 'put-export'; readonly job: ExportJob }
  | { readonly kind: 'remove-export'; readonly id: bigint }
  | { readonly kind: 'put-file-resource'; readonly resource: FileResource }
  | { readonly kind: 'remove-file-resource'; readonly id: bigint }
  | {
      readonly kind: 'remove-file';
      readonly of: FileRecordKind;
      readonly collectionId: CollectionId;
      readonly id: SegmentId;
    };

interface Files {
  checkpoint: Checkpoint | null;
  readonly segment: Map<SegmentId, SegmentInfo>;
  readonly deleteFile: Map<SegmentId, DeleteFileInfo>;
  readonly indexFile: Map<SegmentId, IndexFileInfo>;
}

/** The part of the catalog that says which files in the object store count, and which are being read and written for others. */
export class FileRecords {
  readonly #byCollection = new Map<CollectionId, Files>();
  readonly #imports = new Map<bigint, ImportJob>();
  readonly #exports = new Map<bigint, ExportJob>();
  readonly #resources = new Map<bigint, FileResource>();

  /** In no order. */
  imports(): readonly ImportJob[] {
    return [...this.#imports.values()];
  }

  findImport(id: bigint): ImportJob | undefined {
    return this.#imports.get(id);
  }

  /** In no order. */
  exports(): readonly ExportJob[] {
    return [...this.#exports.values()];
  }

  findExport(id: bigint): ExportJob | undefined {
    return this.#exports.get(id);
  }

  /** In order of creation. */
  resources(): readonly FileResource[] {
    return [...this.#resources.values()];
  }

  /** Whether the file of the segment belongs to an import that has not been published. */
  isStaged(collection: CollectionId, id: SegmentId): boolean {
    return this.imports().some(
      (job) => job.collectionId === collection && job.segments.some((segment) => segment.id === id),
    );
  }

  /** What publishing segments changes in the imports that have staged them: they are an import's no more. */
  publicationOf(collection: CollectionId, published: readonly SegmentId[]): readonly FileChange[] {
    return this.imports()
      .filter(({ collectionId }) => collectionId === collection)
      .filter(({ segments }) => segments.some(({ id }) => published.includes(id)))
      .map((job) => ({
        kind: 'put-import',
        job: { ...job, segments: job.segments.filter(({ id }) => !published.includes(id)) },
      }));
  }

  of(id: CollectionId): CollectionFiles {
    const files = this.#byCollection.get(id);
    return {
      checkpoint: files?.checkpoint ?? null,
      segments: [...(files?.segment.values() ?? [])],
      deleteFiles: [...(files?.deleteFile.values() ?? [])],
      indexFiles: [...(files?.indexFile.values() ?? [])],
    };
  }

  has(kind: FileRecordKind, collection: CollectionId, id: SegmentId): boolean {
    return this.#byCollection.get(collection)?.[kind].has(id) ?? false;
  }

  segment(collection: CollectionId, id: SegmentId): SegmentInfo | undefined {
    return this.#byCollection.get(collection)?.segment.get(id);
  }

  /** Every key of a collection's records. */
  keysOf(id: CollectionId): readonly string[] {
    const files = this.#byCollection.get(id);
    if (files === undefined) return [];
    const kinds = ['segment', 'deleteFile', 'indexFile'] as const;
    const own = kinds.flatMap((kind) => [...files[kind].keys()].map((file) => fileKey(kind, id, file)));
    return [checkpointKey(id), ...own];
  }

  /** What has to be removed with a partition: its segments, and the indexes that any of them is in. */
  removalOfPartition(collectionId: CollectionId, partition: PartitionId): readonly FileChange[] {
    const { segments } = this.of(collectionId);
    const dropped = segments.filter(({ partitionId }) => partitionId === partition);
    return this.removalOf(
      collectionId,
      dropped.map(({ id }) => id),
    );
  }

  /** What has to be removed with these segments: they, and the indexes that any of them is in. */
  removalOf(collectionId: CollectionId, removed: readonly SegmentId[]): readonly FileChange[] {
    const known = removed.filter((id) => this.has('segment', collectionId, id));
    const { indexFiles } = this.of(collectionId);
    const indexes = indexFiles.filter(({ runs }) => runs.some(({ segmentId }) => known.includes(segmentId)));
    return [
      ...known.map((id) => ({ kind: 'remove-file', of: 'segment', collectionId, id }) as const),
      ...indexes.map(({ id }) => ({ kind: 'remove-file', of: 'indexFile', collectionId, id }) as const),
    ];
  }

  /** What has to be removed with an index. */
  removalOfIndex(collectionId: CollectionId, index: IndexId): readonly FileChange[] {
    return this.of(collectionId)
      .indexFiles.filter(({ indexId }) => indexId === index)
      .map(({ id }) => ({ kind: 'remove-file', of: 'indexFile', collectionId, id }));
  }

  encode(change: FileChange): MetaChange {
    switch (change.kind) {
      case 'put-segment': {
        const { segment } = change;
        return { key: fileKey('segment', segment.collectionId, segment.id), value: encodeSegment(segment) };
      }
      case 'put-delete-file': {
        const { file } = change;
        return { key: fileKey('deleteFile', file.collectionId, file.id), value: encodeDeleteFile(file) };
      }
      case 'put-index-file': {
        const { file } = change;
        return { key: fileKey('indexFile', file.collectionId, file.id), value: encodeIndexFile(file) };
      }
      case 'put-checkpoint': {
        const { checkpoint } = change;
        return { key: checkpointKey(checkpoint.collectionId), value: encodeCheckpoint(checkpoint) };
      }
      case 'put-import':
        return { key: importKey(change.job.id), value: encodeImport(change.job) };
      case 'remove-import':
        return { key: importKey(change.id), value: null };
      case 'put-export':
        return { key: exportKey(change.job.id), value: encodeExport(change.job) };
      case 'remove-export':
        return { key: exportKey(change.id), value: null };
      case 'put-file-resource':
        return { key: fileResourceKey(change.resource.id), value: encodeFileResource(change.resource) };
      case 'remove-file-resource':
        return { key: fileResourceKey(change.id), value: null };
      case 'remove-file':
        return { key: fileKey(change.of, change.collectionId, change.id), value: null };
      default:
        return unreachable(change);
    }
  }

  apply(change: FileChange): void {
    switch (change.kind) {
      case 'put-segment':
        this.#filesOf(change.segment.collectionId).segment.set(change.segment.id, change.segment);
        return;
      case 'put-delete-file':
        this.#filesOf(change.file.collectionId).deleteFile.set(change.file.id, change.file);
        return;
      case 'put-index-file':
        this.#filesOf(change.file.collectionId).indexFile.set(change.file.id, change.file);
        return;
      case 'put-checkpoint':
        this.#filesOf(change.checkpoint.collectionId).checkpoint = change.checkpoint;
        return;
      case 'put-import':
        this.#imports.set(change.job.id, change.job);
        return;
      case 'remove-import':
        this.#imports.delete(change.id);
        return;
      case 'put-export':
        this.#exports.set(change.job.id, change.job);
        return;
      case 'remove-export':
        this.#exports.delete(change.id);
        return;
      case 'put-file-resource':
        this.#resources.set(change.resource.id, change.resource);
        return;
      case 'remove-file-resource':
        this.#resources.delete(change.id);
        return;
      case 'remove-file':
        this.#byCollection.get(change.collectionId)?.[change.of].delete(change.id);
        return;
      default:
        unreachable(change);
    }
  }

  forget(id: CollectionId): void {
    this.#byCollection.delete(id);
  }

  /** Takes in what the store holds; `readEach` gives every record below a prefix, in the order of the ids. */
  async readAll(
    readEach: (prefix: string, read: (bytes: Uint8Array) => void) => Promise<void>,
  ): Promise<void> {
    await readEach(CATALOG_PREFIX.segment, (bytes) =>
      this.apply({ kind: 'put-segment', segment: decodeSegment(bytes) }),
    );
    await readEach(CATALOG_PREFIX.deleteFile, (bytes) =>
      this.apply({ kind: 'put-delete-file', file: decodeDeleteFile(bytes) }),
    );
    await readEach(CATALOG_PREFIX.indexFile, (bytes) =>
      this.apply({ kind: 'put-index-file', file: decodeIndexFile(bytes) }),
    );
    await readEach(CATALOG_PREFIX.checkpoint, (bytes) =>
      this.apply({ kind: 'put-checkpoint', checkpoint: decodeCheckpoint(bytes) }),
    );
    await readEach(CATALOG_PREFIX.import, (bytes) =>
      this.apply({ kind: 'put-import', job: decodeImport(bytes) }),
    );
    await readEach(CATALOG_PREFIX.fileResource, (bytes) =>
      this.apply({ kind: 'put-file-resource', resource: decodeFileResource(bytes) }),
    );
    await readEach(CATALOG_PREFIX.export, (bytes) =>
      this.apply({ kind: 'put-export', job: decodeExport(bytes) }),
    );
  }

  #filesOf(id: CollectionId): Files {
    const known = this.#byCollection.get(id);
    if (known !== undefined) return known;
    const files: Files = {
      checkpoint: null,
      segment: new Map(),
      deleteFile: new Map(),
      indexFile: new Map(),
    };
    this.#byCollection.set(id, files);
    return files;
  }
}

/** Whether a record of the catalog says something of the files of this collection. */
export function isFileRecordOf(id: CollectionId, key: string): boolean {
  if (key === checkpointKey(id)) return true;
  return (['segment', 'deleteFile', 'indexFile'] as const).some((kind) =>
    key.startsWith(fileKeyPrefix(kind, id)),
  );
}
