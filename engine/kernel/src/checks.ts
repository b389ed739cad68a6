/** What every request to the kernel has to obey. */
import type { DenseVectorType } from '@elanus/model';

const BITS_PER_DIMENSION: Readonly<Record<DenseVectorType, number>> = {
  100: 1,
  101: 32,
  102: 16,
  103: 16,
  105: 8,
};

/** Bytes of one vector. */
export function vectorBytes(dataType: DenseVectorType, dim: number): number {
  return (BITS_PER_DIMENSION[dataType] * dim) / 8;
}

/** @throws RangeError */
export function requireLength(what: string, length: number, lengthMin: number): void {
  if (length < lengthMin) throw new RangeError(`${what} has ${length} elements, needs ${lengthMin}`);
}

/** @throws RangeError */
export function requireInteger(what: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${what} is ${value}, must be an integer from ${min} to ${max}`);
}
