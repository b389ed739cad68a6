import type { Clock, Logger } from '@elanus/runtime';
import { FilesInUse, type PieceFile } from '@elanus/segment';
import type { OpenIndex } from './open-index.ts';

/** Before each file that is read through in the background. */
const VERIFY_PAUSE_MS = 2_000;

export interface VerifyTools {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told when rows have lost their index. */
  readonly onDiscard: () => void;
}

/** Reads the restored files of an index through, one after the other, behind the first searches. */
export async function verifyPieces(
  index: OpenIndex,
  { clock, logger, onDiscard }: VerifyTools,
): Promise<void> {
  const { signal } = index;
  for (const segment of index.segments) {
    for (const piece of segment.pieces) {
      const { file } = piece;
      if (file === null || signal.aborted) continue;
      await clock.sleep(VERIFY_PAUSE_MS, { signal }).catch(() => {});
      if (piece.isClosed || signal.aborted) continue;
      using use = new FilesInUse();
      if (!(await isThere(file, use))) continue;
      try {
        await piece.index.verify({ signal });
      } catch (error) {
        if (piece.isClosed || signal.aborted) continue;
        logger.error(
          { index: index.info.name, file: String(file.id), err: error },
          'an index file is damaged: the index is built anew',
        );
        for (const { file: lost } of segment.pieces.slice(segment.pieces.indexOf(piece)))
          if (lost !== null) index.uselessFiles.push(lost.id);
        segment.discard(piece);
        onDiscard();
      }
    }
  }
}

/** A copy that can't be brought back says nothing of what was written. */
async function isThere({ content }: PieceFile, use: FilesInUse): Promise<boolean> {
  try {
    if (content !== undefined) await use.add(content);
    return true;
  } catch {
    return false;
  }
}
