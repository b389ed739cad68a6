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

/** A row that is farther away after so many elements is no longer looked at. */
const ELEMENTS_BETWEEN_LOOKS = 32;

/** The `limit` rows nearest to `query` by squared distance among those that are allowed, computed here and now. */
export function nearest(
  vectors: Float32Array,
  query: Float32Array,
  dim: number,
  limit: number,
  isAllowed: (row: number) => boolean = () => true,
): number[] {
  const rows: number[] = [];
  const distances: number[] = [];
  for (let row = 0, first = 0; first < vectors.length; row += 1, first += dim) {
    if (!isAllowed(row)) continue;
    const farthest = rows.length < limit ? Number.POSITIVE_INFINITY : distances[limit - 1]!;
    const distance = distanceUpTo(farthest, vectors, first, query, dim);
    if (distance >= farthest) continue;
    let at = Math.min(rows.length, limit - 1);
    for (; at > 0 && distances[at - 1]! > distance; at -= 1) {
      rows[at] = rows[at - 1]!;
      distances[at] = distances[at - 1]!;
    }
    rows[at] = row;
    distances[at] = distance;
  }
  return rows;
}

/** The squared distance of `query` and the vector that begins at `first`; where it is more than `farthest`, perhaps less than it is. */
function distanceUpTo(
  farthest: number,
  vectors: Float32Array,
  first: number,
  query: Float32Array,
  dim: number,
): number {
  let sum = 0;
  for (let at = 0; at < dim && sum < farthest; ) {
    const look = Math.min(at + ELEMENTS_BETWEEN_LOOKS, dim);
    for (; at < look; at += 1) {
      const difference = vectors[first + at]! - query[at]!;
      sum += difference * difference;
    }
  }
  return sum;
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
