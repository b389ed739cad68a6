import { DataType, isDenseVector } from '@elanus/model';
import { FilesInUse, type IndexedPiece, type KeptRows, openChunks, type ScalarPiece } from '@elanus/segment';
import type { IndexFiles } from './index-files.ts';
import type { OpenIndex } from './open-index.ts';

/** An index that is used from its file. */
export interface MappedIndex {
  /** Stays the same as long as it is over the same rows. */
  readonly piece: IndexedPiece | ScalarPiece;
  /** The number of the last read that may have looked at its rows; later reads have larger ones. */
  readonly lastUse: number;
  readonly bytes: number;
  /** Gives its memory back; who searches it afterwards waits for the disk. */
  giveBack(): Promise<void>;
}

/** The indexes of one field that are used from files. */
export function mappedIndexes(index: OpenIndex, indexFiles: IndexFiles): readonly MappedIndex[] {
  const { dataType } = index.field;
  if (!isDenseVector(dataType) && dataType !== DataType.SparseFloatVector) return [];
  const mapped: MappedIndex[] = [];
  for (const { pieces } of index.segments) {
    for (const piece of pieces) {
      const runs = piece.runs.filter((run): run is KeptRows => run.chunk !== null);
      if (piece.file === null || runs.length < piece.runs.length) continue;
      mapped.push({
        piece,
        lastUse: Math.max(...runs.map(({ chunk }) => chunk.stored?.file.lastUse ?? 0)),
        bytes: piece.index.memoryBytes,
        giveBack: () => reopen(index, piece, runs, indexFiles),
      });
    }
  }
  return mapped;
}

/** Its map goes with the last search that uses it, and nothing of a new one is in memory. */
async function reopen(
  { info, field }: OpenIndex,
  piece: IndexedPiece,
  runs: readonly KeptRows[],
  indexFiles: IndexFiles,
): Promise<void> {
  const place = { collectionId: info.collectionId, indexId: info.id, fieldId: field.id };
  const file = indexFiles.of(place).find(({ id }) => id === piece.file?.id);
  // What is not there has no memory.
  if (file === undefined || piece.file?.content?.isThere === false) return;
  using use = new FilesInUse();
  await openChunks(
    runs.map(({ chunk }) => chunk),
    use,
  );
  const opened = await indexFiles.open(file, { runs, field, rows: piece.rows });
  if (!piece.isClosed && piece.file?.id === file.id) piece.moveTo(opened.index, opened.file);
  else {
    opened.index.close();
    opened.file.release();
  }
}
