import {
  type ArrayColumn,
  assert,
  type Column,
  DataType,
  type ElementColumn,
  isArray,
  isDenseVector,
  type VectorArrayColumn,
} from '@elanus/model';
import { isNumeric, type NumericType, numericColumn } from '../numeric-type.ts';
import { BITMAP_STRETCH, unpackBits } from './bitmap.ts';
import type { BufferRole } from './column-buffers.ts';
import type { FileField } from './file-field.ts';
import type { FileColumn } from './segment-file-footer.ts';

type Parts = ReadonlyMap<string, Uint8Array>;

/** A column over its buffers, whose roles and lengths are right. Flags are unpacked, all else stays where it is. */
export async function decodeColumn(
  { field, elements, statistics }: FileColumn,
  rows: number,
  parts: Parts,
  takeTurns: () => Promise<void>,
): Promise<Column> {
  const { dataType } = field;
  const validity = statistics.nulls === 0 ? null : await unpacked(part(parts, 'validity'), rows, takeTurns);
  const base = { length: rows, validity };
  if (isArray(dataType)) {
    const items = await decodeElements(field, elements, parts, takeTurns);
    return { dataType, ...base, offsets: words(part(parts, 'offsets')), elements: items } as Column;
  }
  if (isDenseVector(dataType))
    return { dataType, dim: field.dim ?? 0, ...base, bytes: part(parts, 'values') };
  if (isNumeric(dataType))
    return await decodeNumbers(dataType, part(parts, 'values'), rows, validity, takeTurns);
  const texts = { ...base, offsets: words(part(parts, 'offsets')), bytes: part(parts, 'bytes') };
  return { dataType, ...texts } as Column;
}

async function decodeElements(
  { elementType, dim }: FileField,
  length: number,
  parts: Parts,
  takeTurns: () => Promise<void>,
): Promise<(ArrayColumn | VectorArrayColumn)['elements']> {
  assert(elementType !== null, 'an array has a type of elements');
  const bytes = part(parts, 'elements');
  if (isDenseVector(elementType)) {
    return { dataType: elementType, dim: dim ?? 0, length, validity: null, bytes };
  }
  if (isNumeric(elementType)) return await decodeNumbers(elementType, bytes, length, null, takeTurns);
  const offsets = words(part(parts, 'elementOffsets'));
  return { dataType: DataType.VarChar, length, validity: null, offsets, bytes };
}

async function decodeNumbers(
  dataType: NumericType,
  bytes: Uint8Array,
  length: number,
  validity: Uint8Array | null,
  takeTurns: () => Promise<void>,
): Promise<ElementColumn> {
  const { buffer, byteOffset } =
    dataType === DataType.Bool ? await unpacked(bytes, length, takeTurns) : bytes;
  return numericColumn(dataType, { buffer, byteOffset, capacity: length }, length, validity);
}

/** A byte for each bit, in memory that the kernel's threads see. */
async function unpacked(bits: Uint8Array, rows: number, takeTurns: () => Promise<void>): Promise<Uint8Array> {
  const bytes = new Uint8Array(new SharedArrayBuffer(rows));
  for (let start = 0; start < rows; start += BITMAP_STRETCH) {
    unpackBits(bits, bytes, start, Math.min(start + BITMAP_STRETCH, rows));
    await takeTurns();
  }
  return bytes;
}

function part(parts: Parts, role: BufferRole): Uint8Array {
  return parts.get(role) ?? new Uint8Array(0);
}

function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
