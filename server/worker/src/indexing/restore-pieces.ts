import type { IndexFileInfo } from '@elanus/model';
import type { Logger, LoopShare } from '@elanus/runtime';
import { FilesInUse, type KeptRows, openChunks, presentRows, type SegmentIndex } from '@elanus/segment';
import type { IndexFiles } from './index-files.ts';
import type { OpenIndex } from './open-index.ts';

export interface RestoreTools {
  readonly indexFiles: IndexFiles;
  readonly logger: Logger;
  readonly share: LoopShare;
}

/** Rows that an index file is about, as they are kept now. */
interface RestorableFile {
  readonly info: IndexFileInfo;
  readonly segment: SegmentIndex;
  readonly runs: readonly KeptRows[];
}

/**
 * Uses the files of an index for the rows that they are about, which must have none. Files that can't be used are noted
 * as useless: their rows are indexed anew.
 */
export async function restorePieces(index: OpenIndex, tools: RestoreTools): Promise<void> {
  const { info, field } = index;
  const place = { collectionId: info.collectionId, indexId: info.id, fieldId: field.id };
  const found: RestorableFile[] = [];
  for (const file of tools.indexFiles.of(place)) {
    const restorable = findRows(index, file);
    if (restorable === null) index.uselessFiles.push(file.id);
    else found.push(restorable);
  }
  found.sort(
    (a, b) => a.runs[0]!.chunk.firstLocation - b.runs[0]!.chunk.firstLocation || fromOf(a) - fromOf(b),
  );
  for (const file of found) {
    if (index.signal.aborted) return;
    if (!(await restoreOne(index, file, tools))) index.uselessFiles.push(file.info.id);
  }
}

function fromOf({ runs }: RestorableFile): number {
  return runs[0]!.from;
}

function findRows(index: OpenIndex, info: IndexFileInfo): RestorableFile | null {
  for (const { shard, segment } of index.places) {
    const runs = shard.chunkRunsOf(info.runs);
    const first = runs?.[0];
    if (runs === null || first === undefined) continue;
    if (shard.vectorIndexes.find(index.field.id, first.chunk.partitionId) === segment)
      return { info, segment, runs };
  }
  return null;
}

async function restoreOne(
  index: OpenIndex,
  { info, segment, runs }: RestorableFile,
  { indexFiles, logger, share }: RestoreTools,
): Promise<boolean> {
  const rows = runs.reduce((sum, { from, to }) => sum + to - from, 0);
  const vectors = { runs, field: index.field, rows };
  using use = new FilesInUse();
  try {
    // Whether rows lack what is indexed their files say.
    await openChunks(
      runs.map(({ chunk }) => chunk),
      use,
    );
    if (!segment.canRestore(runs)) return false;
    const present = await presentRows(vectors, share);
    const { index: opened, file } = await indexFiles.open(info, vectors);
    if (segment.canRestore(runs)) {
      segment.restore(runs, opened, { present, file, recalls: info.recalls ?? [] });
      return true;
    }
    opened.close();
    file.release();
    return false;
  } catch (error) {
    const about = { collection: String(info.collectionId), index: index.info.name, file: info.file.key };
    logger.error({ ...about, err: error }, 'an index file can’t be used: the index is built anew');
    return false;
  }
}
