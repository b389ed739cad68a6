import { hashTexts } from '@elanus/kernel';
import type { NumericColumn, VarCharColumn } from '@elanus/model';
import { RUN_ROWS_MAX } from './evaluator.ts';

const hashes = new BigUint64Array(RUN_ROWS_MAX);

/** The halves of the last hashes, the lower one first. Nothing else may run between hashing and whoever reads them. */
export const hashHalves = new Int32Array(hashes.buffer);

/** Where integers one behind the other begin. */
const EIGHTS = Uint32Array.from({ length: RUN_ROWS_MAX + 1 }, (_, i) => 8 * i);
const widened = new Int32Array(2 * RUN_ROWS_MAX);

/** Hashes the integers of rows `start .. end`, at most `RUN_ROWS_MAX`, by XXH64 of their eight bytes, the lowest first. */
export function hashIntegers(values: NumericColumn['values'], start: number, end: number): void {
  const count = end - start;
  if (values instanceof BigInt64Array) {
    hashEights(new Uint8Array(values.buffer, values.byteOffset + 8 * start, 8 * count));
    return;
  }
  for (let i = 0; i < count; i++) {
    const value = values[start + i]!;
    widened[2 * i] = value;
    widened[2 * i + 1] = value >> 31;
  }
  hashEights(new Uint8Array(widened.buffer, 0, 8 * count));
}

function hashEights(bytes: Uint8Array): void {
  const count = bytes.length / 8;
  hashTexts(bytes, EIGHTS.subarray(0, count), EIGHTS.subarray(1, count + 1), hashes.subarray(0, count));
}

/** Hashes the texts of rows `start .. end`, at most `RUN_ROWS_MAX`, by XXH64 of their bytes. */
export function hashColumn({ bytes, offsets }: VarCharColumn, start: number, end: number): void {
  const ends = offsets.subarray(start + 1, end + 1);
  hashTexts(bytes, offsets.subarray(start, end), ends, hashes.subarray(0, end - start));
}

/** Hashes `bytes[start .. end)` alone: a third of a microsecond, several times what one among others takes. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): void {
  hashTexts(bytes, Uint32Array.of(start), Uint32Array.of(end), hashes.subarray(0, 1));
}
