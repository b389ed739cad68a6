import {
  type Column,
  type FieldId,
  type FieldSchema,
  fillingFunction,
  type SegmentInfo,
  type StoredFile,
  segmentFileKey,
} from '@elanus/model';
import type { SegmentCatalog } from '@elanus/rpc';
import {
  FilesInUse,
  functionColumn,
  missingColumn,
  type SealedFile,
  type SegmentFileContent,
  type Shard,
  storedFields,
} from '@elanus/segment';
import type { CompactorContext } from '../compaction/segment-compactor.ts';
import { writeSegmentFile } from '../flush/write-segment-file.ts';
import type { ServedCollection } from '../served-collection.ts';

/** Rows of a column that are looked at at a stretch. */
const PIECE_ROWS = 65_536;
/** Rows of a column that is made: its memory grows by copies of itself. */
const MADE_ROWS = 2_048;

/** A sealed segment some of whose rows may lack what functions make of them. */
export interface UnfilledSegment {
  readonly shard: Shard;
  readonly file: SealedFile;
}

/**
 * Puts a file with what functions make of its rows in the place of a segment's file: the same rows in the same places, so
 * that deletions, indexes and reads under way know nothing of it. The new file is written beside everything; one record of
 * the catalog says which of them counts; a crash at any moment leaves one or the other.
 *
 * `complete`: the file lacks nothing, which nobody knew as long as it was closed. `later`: somebody else has to be done with
 * the segment first, or it is no more.
 * @throws MilvusError 1009 when the file can't be read, 100 when the collection was dropped; what store and catalog throw
 */
export async function refillSegment(
  collection: ServedCollection,
  { shard, file }: UnfilledSegment,
  context: CompactorContext,
  signal: AbortSignal,
): Promise<'refilled' | 'complete' | 'later'> {
  const { catalog, files, store, encoder } = context;
  const { info } = file;
  using use = new FilesInUse();
  await use.add(file);
  const { schema } = collection.info;
  const fields = storedFields(schema).filter(
    ({ id }) => fillingFunction(schema, id) !== undefined && file.statistics(id)?.nulls !== 0,
  );
  if (fields.length === 0) return 'complete';
  if (!isSettled(collection, { shard, file }, catalog)) return 'later';
  const [fileId] = await catalog.allocateIds(1);
  const content = await contentOf(collection, file, fields, context, signal);
  const key = segmentFileKey(info.collectionId, info.id, fileId!);
  const stored = await writeSegmentFile(content, { key, store, encoder, signal });
  const refilled: SegmentInfo = { ...info, file: stored };
  const after = files.of(refilled);
  // What can't be read again must not take the place of what can.
  await use.add(after);
  const added = fields.map(({ id }) => id);
  return await collection.sealing.run(async () => {
    signal.throwIfAborted();
    if (!(await published(refilled, info.file, context))) return 'later';
    await collection.queue.push(null, async () =>
      collection.takeOver(() => shard.unfilled.refile(file, after, added)),
    );
    return 'refilled';
  });
}

/** Whether the catalog knows the segment, and its file answers for all of its rows. */
function isSettled(
  { info }: ServedCollection,
  { shard, file }: UnfilledSegment,
  catalog: SegmentCatalog,
): boolean {
  const isKnown = catalog.filesOf(info.id).segments.some(({ id }) => id === file.info.id);
  return isKnown && shard.stored.rewritable().includes(file);
}

/** All columns of the file, those of `made` anew, and those of fields that are newer than it. */
async function contentOf(
  collection: ServedCollection,
  file: SealedFile,
  made: readonly FieldSchema[],
  { share }: CompactorContext,
  signal: AbortSignal,
): Promise<SegmentFileContent> {
  const { rows, collectionId, partitionId, channel, id: segmentId } = file.info;
  const { schema } = collection.info;
  const columnOf = async (field: FieldSchema, first: number, length: number): Promise<Column> => {
    const given = (id: FieldId): Column =>
      file.column(id, first, length) ?? missingColumn(fieldOf(schema, id), length);
    if (!made.includes(field)) return given(field.id);
    return await functionColumn(fillingFunction(schema, field.id)!, schema, { length, column: given }, share);
  };
  const columns = [];
  for (const field of storedFields(schema)) {
    const pieces: Column[] = [];
    const pieceRows = made.includes(field) ? MADE_ROWS : PIECE_ROWS;
    for (let first = 0; first < rows; first += pieceRows) {
      signal.throwIfAborted();
      collection.throwUnlessServing();
      if (share.isSpent()) await share.nextTurn();
      pieces.push(await columnOf(field, first, Math.min(pieceRows, rows - first)));
    }
    columns.push({ field, pieces });
  }
  const label = { collectionId, partitionId, segmentId, channel, notes: {} };
  return { kind: 'rows', label, columns, timestamps: [file.timestamps(0, rows)] };
}

function fieldOf(schema: ServedCollection['info']['schema'], id: FieldId): FieldSchema {
  return storedFields(schema).find((field) => field.id === id)!;
}

/** A publication of which nobody has heard may be there all the same. */
async function published(
  segment: SegmentInfo,
  before: StoredFile,
  { catalog, logger }: CompactorContext,
): Promise<boolean> {
  try {
    return await catalog.publishRefill(segment, before);
  } catch (error) {
    const known = catalog.filesOf(segment.collectionId).segments.find(({ id }) => id === segment.id);
    if (known?.file.key !== segment.file.key) throw error;
    logger.warn({ segment: String(segment.id), err: error }, 'a file was published all the same');
    return true;
  }
}
