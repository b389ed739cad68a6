import {
  assert,
  type ChannelName,
  type DeleteFileInfo,
  deleteFileKey,
  type Int64Column,
  type PartitionId,
  type SegmentId,
  type SegmentInfo,
  type StoredFile,
  segmentFileKey,
  type Timestamp,
} from '@elanus/model';
import type { ObjectStore } from '@elanus/object-store';
import type { SegmentCatalog } from '@elanus/rpc';
import type { Logger, LoopShare } from '@elanus/runtime';
import {
  FilesInUse,
  SEGMENT_FIELD,
  type SealedFile,
  SegmentFile,
  type SegmentFileContent,
  type SegmentFileLabel,
  type SegmentRewrite,
  type Shard,
  sourceInStore,
} from '@elanus/segment';
import type { FileEncoder } from '../flush/file-encoder.ts';
import type { SegmentFiles } from '../flush/segment-files.ts';
import { writeSegmentFile } from '../flush/write-segment-file.ts';
import type { ServedCollection } from '../served-collection.ts';

/** What compactions share. */
export interface CompactorContext {
  readonly store: ObjectStore;
  readonly files: SegmentFiles;
  readonly encoder: FileEncoder;
  readonly catalog: SegmentCatalog;
  readonly share: LoopShare;
  readonly logger: Logger;
}

/** Segments of one partition of a shard that are to become one. */
export interface CompactionGroup {
  readonly channel: ChannelName;
  readonly shard: Shard;
  readonly partitionId: PartitionId;
  readonly files: readonly SealedFile[];
  /** Rows that were deleted up to then are left out. */
  readonly dropUpTo: Timestamp;
}

/** What a compaction has come to. */
export interface CompactionOutcome {
  /** `null`: no row was left. */
  readonly segment: SegmentInfo | null;
  readonly rowsDropped: number;
  readonly bytesBefore: number;
  /** Nobody refers to them any more. */
  readonly unneeded: readonly StoredFile[];
  /** Lets go of the old rows. Reads under way may still fetch from them. */
  readonly free: () => void;
}

/** Deletions may be in rows of any. */
const NO_PARTITION = 0n as PartitionId;

/**
 * Puts the segments of a group together; `null` when they were dropped meanwhile, and nothing has changed.
 *
 * The new file is written beside reads, writes and flushes. Then, while no flush may cut or publish, what was deleted in
 * the meantime goes to a file of deletions of its own, one transaction puts both in the place of the old records, and the
 * rows change places in one tick. Nothing of the old is touched before; a crash at any moment leaves one or the other.
 * @throws MilvusError 1009 when a file can't be read; what the store and the catalog throw
 */
export async function compactSegments(
  collection: ServedCollection,
  group: CompactionGroup,
  context: CompactorContext,
  signal: AbortSignal,
): Promise<CompactionOutcome | null> {
  return await new SegmentCompactor(collection, group, context, signal).run();
}

class SegmentCompactor {
  readonly #collection: ServedCollection;
  readonly #group: CompactionGroup;
  readonly #context: CompactorContext;
  readonly #signal: AbortSignal;

  constructor(
    collection: ServedCollection,
    group: CompactionGroup,
    context: CompactorContext,
    signal: AbortSignal,
  ) {
    this.#collection = collection;
    this.#group = group;
    this.#context = context;
    this.#signal = signal;
  }

  async run(): Promise<CompactionOutcome | null> {
    const { catalog, share } = this.#context;
    const { files, shard, dropUpTo } = this.#group;
    using use = new FilesInUse();
    for (const file of files) await use.add(file);
    const rewrite = await this.#betweenWrites(async () => {
      const known = new Set(shard.stored.rewritable());
      return files.every((file) => known.has(file)) ? shard.stored.beginRewrite(files, dropUpTo) : null;
    });
    if (rewrite === null) return null;
    await rewrite.plan(share);
    this.#signal.throwIfAborted();
    const [segmentId, deletionsId] = await catalog.allocateIds(2);
    const segment = rewrite.rows === 0 ? null : await this.#writeRows(rewrite, segmentId!);
    const file = segment === null ? null : this.#context.files.of(segment);
    // What can't be read again must not take the place of what can.
    if (file !== null) await use.add(file);
    const contents = await this.#deletionsBySegment();
    return await this.#collection.sealing.run(() =>
      this.#publish(rewrite, { segment, file, deletionsId: deletionsId!, contents }),
    );
  }

  /** No flush of the collection makes a cut, or is published, meanwhile. */
  async #publish(
    rewrite: SegmentRewrite,
    {
      segment,
      file,
      deletionsId,
      contents,
    }: {
      readonly segment: SegmentInfo | null;
      readonly file: SealedFile | null;
      readonly deletionsId: SegmentId;
      readonly contents: ReadonlyMap<SegmentId, ReadonlySet<SegmentId>>;
    },
  ): Promise<CompactionOutcome | null> {
    const { catalog } = this.#context;
    const { shard, files, dropUpTo } = this.#group;
    const collectionId = this.#collection.info.id;
    this.#signal.throwIfAborted();
    await this.#betweenWrites(() => shard.stored.catchUp(rewrite));
    const deleteFile = segment === null ? null : await this.#writeDeletions(rewrite, segment.id, deletionsId);
    const known = catalog.filesOf(collectionId);
    const alive = new Set(known.segments.map(({ id }) => id));
    for (const id of rewrite.segmentIds) alive.delete(id);
    const foldedIn = known.deleteFiles.filter(({ id }) => contents.get(id)?.isDisjointFrom(alive) === true);
    const isPublished = await this.#published({
      collectionId,
      replaced: rewrite.segmentIds,
      segment,
      deleteFile,
      replacedDeleteFiles: foldedIn.map(({ id }) => id),
      historyStart: dropUpTo,
    });
    if (!isPublished) return null;
    const old = await this.#collection.queue.push(null, async () =>
      this.#collection.takeOver(() => shard.stored.finishRewrite(rewrite, file)),
    );
    this.#collection.watcher?.handedOver();
    const replaced = new Set(rewrite.segmentIds);
    const indexes = known.indexFiles.filter(({ runs }) => runs.some((run) => replaced.has(run.segmentId)));
    const rowsBefore = files.reduce((sum, { info }) => sum + info.rows, 0);
    return {
      segment,
      rowsDropped: rowsBefore - rewrite.rows,
      bytesBefore: files.reduce((sum, { info }) => sum + info.file.bytes, 0),
      unneeded: [...files.map(({ info }) => info), ...foldedIn, ...indexes].map(({ file: old }) => old),
      free: () => shard.stored.free(old ?? []),
    };
  }

  /** A publication of which nobody has heard may be there all the same. */
  async #published(publication: Parameters<SegmentCatalog['publishCompaction']>[0]): Promise<boolean> {
    const { catalog, logger } = this.#context;
    try {
      return await catalog.publishCompaction(publication);
    } catch (error) {
      const { collectionId, segment, replaced } = publication;
      const known = new Set(catalog.filesOf(collectionId).segments.map(({ id }) => id));
      const isThere = segment === null ? replaced.every((id) => !known.has(id)) : known.has(segment.id);
      if (!isThere) throw error;
      logger.warn(
        { collection: String(collectionId), err: error },
        'a compaction was published all the same',
      );
      return true;
    }
  }

  async #writeRows(rewrite: SegmentRewrite, id: SegmentId): Promise<SegmentInfo> {
    const { channel, partitionId } = this.#group;
    const collectionId = this.#collection.info.id;
    const { rows, times } = rewrite;
    assert(times !== null, 'there are rows');
    const content = await rewrite.content(this.#label(partitionId, id), this.#context.share);
    const file = await this.#writeFile(segmentFileKey(collectionId, id), content);
    const [firstTimestamp, lastTimestamp] = [times.first, times.last];
    return { id, collectionId, partitionId, channel, rows, firstTimestamp, lastTimestamp, file };
  }

  async #writeDeletions(
    rewrite: SegmentRewrite,
    segmentId: SegmentId,
    id: SegmentId,
  ): Promise<DeleteFileInfo | null> {
    const { share } = this.#context;
    const content = await rewrite.deletionContent(segmentId, this.#label(NO_PARTITION, id), share);
    if (content === null) return null;
    const collectionId = this.#collection.info.id;
    const rows = content.timestamps.reduce((sum, { length }) => sum + length, 0);
    const file = await this.#writeFile(deleteFileKey(collectionId, id), content);
    return { id, collectionId, channel: this.#group.channel, rows, file };
  }

  /** Which segments the files of deletions of the shard are about, as far as they can be read. */
  async #deletionsBySegment(): Promise<ReadonlyMap<SegmentId, ReadonlySet<SegmentId>>> {
    const { catalog, store, share } = this.#context;
    const found = new Map<SegmentId, ReadonlySet<SegmentId>>();
    for (const { id, channel, file } of catalog.filesOf(this.#collection.info.id).deleteFiles) {
      if (channel !== this.#group.channel) continue;
      const opened = await SegmentFile.open(sourceInStore(store, file.key, file.bytes));
      const segments = (await opened.column(SEGMENT_FIELD.id, { share })) as Int64Column;
      found.set(id, new Set(segments.values) as unknown as ReadonlySet<SegmentId>);
      if (share.isSpent()) await share.nextTurn();
    }
    return found;
  }

  async #betweenWrites<Result>(work: () => Promise<Result>): Promise<Result> {
    return await this.#collection.queue.push(null, async () => {
      this.#collection.throwUnlessServing();
      return await work();
    });
  }

  async #writeFile(key: string, content: SegmentFileContent): Promise<StoredFile> {
    const { store, encoder } = this.#context;
    return await writeSegmentFile(content, { key, store, encoder, signal: this.#signal });
  }

  #label(partitionId: PartitionId, segmentId: SegmentId): SegmentFileLabel {
    const { channel } = this.#group;
    return { collectionId: this.#collection.info.id, partitionId, segmentId, channel, notes: {} };
  }
}
