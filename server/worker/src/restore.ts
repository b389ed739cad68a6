import { type DeleteFileInfo, dataIntegrity, TIMESTAMP_MIN, type Timestamp } from '@elanus/model';
import { type ObjectStore, ObjectStoreError } from '@elanus/object-store';
import type { SegmentCatalog } from '@elanus/rpc';
import type { LoopShare } from '@elanus/runtime';
import { RestoredDeletions, SegmentFile, SegmentFileError, sourceInStore } from '@elanus/segment';
import type { SegmentFiles } from './flush/segment-files.ts';
import type { ServedCollection } from './served-collection.ts';

export interface RestoreContext {
  readonly store: ObjectStore;
  readonly files: SegmentFiles;
  readonly catalog: SegmentCatalog;
  readonly share: LoopShare;
}

/**
 * Gives a collection the rows that are in files, before anything of its log is replayed; resolves to the time up to which
 * they have all of its writes. Files of rows are opened when somebody needs them.
 * @throws MilvusError 1009 when a file of deletions or a record of the catalog is damaged: rows that were deleted would
 * be seen again
 */
export async function restoreCollection(
  collection: ServedCollection,
  { store, files, catalog, share }: RestoreContext,
): Promise<Timestamp> {
  const { checkpoint, segments, deleteFiles } = catalog.filesOf(collection.info.id);
  if (checkpoint === null) return TIMESTAMP_MIN;
  for (const [channel, shard] of collection.shardsByChannel) {
    const isHere = (file: { readonly channel: string }): boolean => file.channel === channel;
    await shard.restore({
      segments: segments.filter(isHere).map((segment) => files.of(segment)),
      deletions: await readDeletions(deleteFiles.filter(isHere), { store, share }),
      checkpoint: checkpoint.timestamp,
      historyStart: checkpoint.historyStart,
    });
  }
  collection.noteApplied(checkpoint.timestamp);
  return checkpoint.timestamp;
}

async function readDeletions(
  infos: readonly DeleteFileInfo[],
  { store, share }: { readonly store: ObjectStore; readonly share: LoopShare },
): Promise<RestoredDeletions> {
  const files: SegmentFile[] = [];
  for (const { id, file } of infos) {
    try {
      const opened = await SegmentFile.open(sourceInStore(store, file.key, file.bytes));
      const { kind, label } = opened.footer;
      if (kind !== 'deletes' || label.segmentId !== id)
        throw new SegmentFileError('foreign', 'the file is not the one that was written');
      files.push(opened);
    } catch (error) {
      throw deletionsBroken(`${id} (${file.key})`, error);
    }
  }
  try {
    return await RestoredDeletions.read(files, share);
  } catch (error) {
    throw deletionsBroken(infos.map(({ file }) => file.key).join(', '), error);
  }
}

function deletionsBroken(files: string, cause: unknown): unknown {
  if (!(cause instanceof SegmentFileError || cause instanceof ObjectStoreError)) return cause;
  return dataIntegrity(`deletions ${files} can't be read: ${cause.message}`, cause);
}
