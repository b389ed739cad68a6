/** Sparse rows and queries made from a seed, for tests: common and rare dimensions, ties, empty rows, huge dimensions. */
import { sparseAt } from './naive-search.ts';
import { randomSource } from './random-search.ts';
import type { SparseRows } from './vector-index.ts';

/** `counts`: how often something occurs; `whole`: small whole numbers of either sign; `real`: anything. */
export type SparseValues = 'counts' | 'whole' | 'real';

export interface SparseShape {
  readonly seed: number;
  readonly rows: number;
  /** Pairs of a row, at most. */
  readonly pairsMax: number;
  /** Different dimensions, at most. */
  readonly dimensions: number;
  readonly values: SparseValues;
}

type Random = () => number;
const below = (random: Random, end: number): number => Math.floor(random() * end);

function randomValue(random: Random, values: SparseValues): number {
  if (values === 'counts') return random() < 0.01 ? 1000 : 1 + below(random, 4);
  if (values === 'whole') return below(random, 9) - 4;
  return (random() - 0.3) * 10 ** (below(random, 5) - 2);
}

/** Few dimensions are common and many are rare; they lie all over the range. */
function dimensionOf(random: Random, count: number): number {
  const number = Math.floor(count * random() ** 3);
  if (number === 0) return 0;
  return number === 1 ? 2 ** 32 - 2 : Math.imul(number, 2_654_435_761) >>> 0;
}

/** The rows of this shape; the same for the same shape. */
export function randomSparseRows({ seed, rows, pairsMax, dimensions, values }: SparseShape): SparseRows {
  const random = randomSource(seed);
  const offsets = new Uint32Array(rows + 1);
  const pairs: (readonly [number, number])[] = [];
  for (let row = 0; row < rows; row++) {
    const count = below(random, pairsMax + 1);
    const chosen = new Set(Array.from({ length: count }, () => dimensionOf(random, dimensions)));
    for (const dimension of [...chosen].sort((a, b) => a - b))
      pairs.push([dimension, randomValue(random, values)]);
    offsets[row + 1] = pairs.length * 8;
  }
  return { bytes: bytesOfPairs(pairs), offsets, rows };
}

/** Pairs of dimension and value as they lie in memory, at an odd address. */
export function bytesOfPairs(pairs: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(pairs.length * 8 + 1).subarray(1);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const [at, [dimension, value]] of pairs.entries()) {
    view.setUint32(8 * at, dimension, true);
    view.setFloat32(8 * at + 4, value, true);
  }
  return bytes;
}

/** The rows as maps from dimension to value. */
export function sparseMaps({ bytes, offsets, rows }: SparseRows): readonly ReadonlyMap<number, number>[] {
  return Array.from({ length: rows }, (_, row) => sparseAt(bytes, offsets, row));
}
