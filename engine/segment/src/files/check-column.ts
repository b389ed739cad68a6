import { type Column, DataType, isDenseVector } from '@elanus/model';
import { isNumeric } from '../numeric-type.ts';
import { damaged } from './segment-file-error.ts';

/** Offsets looked at in a stretch. */
const STRETCH = 64 * 1024;
/** An index and a value. */
const SPARSE_PAIR_BYTES = 8;

/**
 * Checks what a checksum can’t tell from what was written by mistake: offsets that fall or point outside, and
 * sparse vectors in pieces. So that nobody who follows an offset has to look where it leads.
 * @throws SegmentFileError
 */
export async function checkColumn(
  name: string,
  column: Column,
  takeTurns: () => Promise<void>,
): Promise<void> {
  const { dataType } = column;
  if (isNumeric(dataType) || isDenseVector(dataType) || !('offsets' in column)) return;
  if ('elements' in column) {
    await checkOffsets(name, column.offsets, column.elements.length, 1, takeTurns);
    const { elements } = column;
    if (elements.dataType !== DataType.VarChar) return;
    await checkOffsets(name, elements.offsets, elements.bytes.length, 1, takeTurns);
    return;
  }
  const unit = column.dataType === DataType.SparseFloatVector ? SPARSE_PAIR_BYTES : 1;
  await checkOffsets(name, column.offsets, column.bytes.length, unit, takeTurns);
}

/** From 0 to `end` without falling, in steps of whole units. */
async function checkOffsets(
  name: string,
  offsets: Uint32Array,
  end: number,
  unit: number,
  takeTurns: () => Promise<void>,
): Promise<void> {
  let before = 0;
  let isSound = offsets[0] === 0 && offsets.at(-1) === end;
  for (let start = 0; start < offsets.length && isSound; start += STRETCH) {
    const stretchEnd = Math.min(start + STRETCH, offsets.length);
    for (let i = start; i < stretchEnd; i++) {
      const offset = offsets[i]!;
      if (offset < before || offset % unit !== 0) isSound = false;
      before = offset;
    }
    await takeTurns();
  }
  if (!isSound) throw damaged(`offsets of field ${name} point nowhere`);
}
