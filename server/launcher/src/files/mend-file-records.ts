import { crc32 } from 'node:zlib';
import {
  type Catalog,
  collectionsWithoutCheckpoint,
  type DamagedFileRecord,
  damagedFileRecords,
} from '@elanus/coordinator';
import {
  type ChannelName,
  type Checkpoint,
  type CollectionId,
  deleteFileKey,
  type PartitionId,
  type SegmentId,
  type StoredFile,
  segmentFileKey,
  TIMESTAMP_MIN,
  type Timestamp,
} from '@elanus/model';
import { listAll, type ObjectStore, ObjectStoreError } from '@elanus/object-store';
import type { Clock, Logger } from '@elanus/runtime';
import { LoopShare } from '@elanus/runtime';
import { SegmentFile, SegmentFileError, sourceInStore } from '@elanus/segment';

/** Bytes read at a time for the checksum of a whole file. */
const PART_BYTES = 1024 * 1024;

export interface MendOptions {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  /** Up to when the log of a channel was cut at least: files have everything before. */
  readonly cutTimeOf: (channel: ChannelName) => Timestamp;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Makes records of files that can't be read anew from what the files say of themselves, before anybody is served: of rows
 * and deletions from their labels, checkpoints from the newest write in the files. A record of an index is removed, since
 * the index is built again. What can't be mended stays damaged.
 */
export async function mendFileRecords(options: MendOptions): Promise<void> {
  const { catalog, logger } = options;
  for (const record of damagedFileRecords(catalog)) {
    if (record.kind === 'checkpoint') continue;
    await unlessDamaged(options, record.key, () => mendFile(options, record));
  }
  // A checkpoint is of all files: those records come first.
  for (const id of collectionsWithoutCheckpoint(catalog))
    await unlessDamaged(options, `checkpoint of collection ${id}`, async () => {
      const checkpoint = await checkpointOf(options, id);
      await catalog.mend([{ kind: 'put-checkpoint', checkpoint }]);
      logger.warn({ collection: String(id) }, 'a checkpoint was made anew from the files');
    });
}

async function unlessDamaged(
  { logger }: MendOptions,
  what: string,
  mend: () => Promise<void>,
): Promise<void> {
  try {
    await mend();
  } catch (error) {
    if (!(error instanceof SegmentFileError || error instanceof ObjectStoreError)) throw error;
    logger.error({ what, err: error }, 'a damaged record can’t be made anew: its file can’t be read either');
  }
}

async function mendFile(options: MendOptions, record: DamagedFileRecord): Promise<void> {
  const { catalog, logger } = options;
  const { kind, collectionId, id } = record;
  if (kind === 'indexFile') {
    await catalog.mend([{ kind: 'remove-file', of: kind, collectionId, id }]);
    logger.warn({ key: record.key }, 'the record of an index was damaged: the index is built anew');
    return;
  }
  const key =
    kind === 'segment'
      ? await newestFileOf(options.store, collectionId, id)
      : deleteFileKey(collectionId, id);
  const { footer, times, file } = await readWhole(options, key);
  const { label, rows } = footer;
  const isRight =
    footer.kind === (kind === 'segment' ? 'rows' : 'deletes') &&
    label.collectionId === collectionId &&
    label.segmentId === id;
  if (!isRight) throw new SegmentFileError('foreign', `${key} is not the file of this record`);
  const channel = label.channel as ChannelName;
  if (kind === 'deleteFile') {
    await catalog.mend([{ kind: 'put-delete-file', file: { id, collectionId, channel, rows, file } }]);
  } else {
    const partitionId = label.partitionId as PartitionId;
    const [firstTimestamp, lastTimestamp] = [times.first as Timestamp, times.last as Timestamp];
    const segment = { id, collectionId, partitionId, channel, rows, firstTimestamp, lastTimestamp, file };
    await catalog.mend([{ kind: 'put-segment', segment }]);
  }
  logger.warn({ key: record.key }, 'a damaged record was made anew from its file');
}

/** All files of a segment have its rows; the one that was written last has the most columns. */
async function newestFileOf(store: ObjectStore, collection: CollectionId, id: SegmentId): Promise<string> {
  const first = segmentFileKey(collection, id);
  const name = /-(\d+)\.arrow$/;
  const prefix = first.replace('.arrow', '-');
  let newest: bigint | null = null;
  for await (const { key } of listAll(store, prefix)) {
    const file = name.exec(key)?.[1];
    if (file !== undefined && (newest === null || BigInt(file) > newest)) newest = BigInt(file);
  }
  return newest === null ? first : segmentFileKey(collection, id, newest as SegmentId);
}

/** Opens a file, and compares all of it with the checksums that are in it. */
async function readWhole(
  { store, clock }: MendOptions,
  key: string,
): Promise<Pick<SegmentFile, 'footer' | 'times'> & { readonly file: StoredFile }> {
  const { sizeBytes } = await store.head(key);
  const opened = await SegmentFile.open(sourceInStore(store, key, sizeBytes));
  await opened.verify({ share: new LoopShare(clock) });
  let sum = 0;
  for (let offset = 0; offset < sizeBytes; offset += PART_BYTES) {
    const length = Math.min(PART_BYTES, sizeBytes - offset);
    sum = crc32(await store.get(key, { range: { offset, length } }), sum);
  }
  return { footer: opened.footer, times: opened.times, file: { key, bytes: sizeBytes, crc32: sum } };
}

/**
 * A checkpoint as late as what is in the files and what was cut off the log. What the log has between it and the one that is lost came to nothing, or
 * is in files: replaying it changes no row. Moments before it can't be read.
 */
async function checkpointOf(
  { catalog, store, cutTimeOf }: MendOptions,
  id: CollectionId,
): Promise<Checkpoint> {
  const { segments, deleteFiles } = catalog.files.of(id);
  let timestamp: Timestamp = TIMESTAMP_MIN;
  const note = (time: Timestamp): void => {
    if (time > timestamp) timestamp = time;
  };
  for (const channel of catalog.collectionById(id)?.channels ?? []) note(cutTimeOf(channel));
  for (const { lastTimestamp } of segments) note(lastTimestamp);
  for (const { file } of deleteFiles)
    note((await SegmentFile.open(sourceInStore(store, file.key, file.bytes))).times.last as Timestamp);
  return { collectionId: id, timestamp, historyStart: timestamp };
}
