/** Of the vectors that `insert-load.ts` inserts: row i of the collection is row i of `clusteredVectors(…, seed)`. */
export const INSERT_LOAD_SEED = 6;

/** Vectors of a clustered distribution, the same for every server and every run. */
export function clusteredVectors(count: number, dim: number, seed: number): Float32Array {
  const random = generator(seed);
  const clusters = 100;
  const centres = Float32Array.from({ length: clusters * dim }, () => random() * 2 - 1);
  const vectors = new Float32Array(count * dim);
  for (let row = 0; row < count; row += 1) {
    const centre = Math.floor(random() * clusters) * dim;
    for (let at = 0; at < dim; at += 1)
      vectors[row * dim + at] = centres[centre + at]! + (random() - 0.5) * 0.6;
  }
  return vectors;
}

/** The `limit` rows nearest to `query` by squared distance among those that are allowed, computed here and now. */
export function nearest(
  vectors: Float32Array,
  query: Float32Array,
  dim: number,
  limit: number,
  isAllowed: (row: number) => boolean = () => true,
): number[] {
  const rows = vectors.length / dim;
  const distances = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  for (let row = 0; row < rows; row += 1) {
    if (!isAllowed(row)) continue;
    let sum = 0;
    for (let at = 0; at < dim; at += 1) {
      const difference = vectors[row * dim + at]! - query[at]!;
      sum += difference * difference;
    }
    distances[row] = sum;
  }
  return Array.from({ length: rows }, (_, row) => row)
    .filter(isAllowed)
    .sort((left, right) => distances[left]! - distances[right]!)
    .slice(0, limit);
}

/** A number from 0 to 999 for each of `rows` rows, the same for every server and every run. */
export function randomNumbers(rows: number, seed: number): Int32Array {
  const random = generator(seed);
  return Int32Array.from({ length: rows }, () => Math.floor(random() * 1_000));
}

function generator(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
}
