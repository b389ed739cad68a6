/** Clustered vectors made from a seed, for tests of indexes, and what a naive model finds among them. */
import type { DenseVectorType, MetricType } from '@elanus/model';
import { randomSource } from './random-search.ts';

/** Written and read back, so that the model sees exactly what the kernel sees. */
export interface Vectors {
  readonly bytes: Uint8Array;
  readonly rows: number;
  readonly values: readonly Float32Array[];
}

function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Around `clusters` centres that the seed of the centres decides, normal with deviation `spread` in each dimension. */
export function clusteredVectors(
  dataType: DenseVectorType,
  dim: number,
  rows: number,
  seed: number,
  { clusters = 40, centreSeed = 7, spread = 0.5 } = {},
): Vectors {
  const centreRandom = randomSource(centreSeed);
  const centres = Array.from({ length: clusters }, () =>
    Float64Array.from({ length: dim }, () => gaussian(centreRandom)),
  );
  const random = randomSource(seed);
  const values = Array.from({ length: rows }, () => {
    const centre = centres[Math.floor(random() * clusters)]!;
    return Float32Array.from(centre, (x) => x + spread * gaussian(random));
  });
  return vectorsOf(dataType, dim, values);
}

/** Around centres of weights that differ, in `latent` dimensions that a linear map and a little noise make `dim`. */
export function mixtureVectors(
  dim: number,
  rows: number,
  seed: number,
  { clusters = 200, latent = 24, centreSeed = 7, spread = 0.7, noise = 0.05 } = {},
): Vectors {
  const shape = randomSource(centreSeed);
  const normals = (count: number) => Float64Array.from({ length: count }, () => gaussian(shape));
  const centres = Array.from({ length: clusters }, () => normals(latent));
  const map = Array.from({ length: latent }, () => normals(dim).map((x) => x / Math.sqrt(latent)));
  const random = randomSource(seed);
  const values = Array.from({ length: rows }, () => {
    // The first ones more often than the last.
    const centre = centres[Math.floor(random() * random() * clusters)]!;
    const vector = Float32Array.from({ length: dim }, () => noise * gaussian(random));
    for (const [l, x] of centre.entries()) {
      const along = x + spread * gaussian(random);
      const direction = map[l]!;
      for (let d = 0; d < dim; d++) vector[d]! += along * direction[d]!;
    }
    return vector;
  });
  return vectorsOf(101, dim, values);
}

/** As embeddings of texts are: they fill all dimensions, ever less of each, and are of length 1. */
export function embeddedVectors(dim: number, rows: number, seed: number, { clusters = 60 } = {}): Vectors {
  const centreRandom = randomSource(7);
  const extents = Array.from({ length: dim }, (_, d) => (1 + d / 8) ** -0.6);
  const centres = Array.from({ length: clusters }, () => extents.map((x) => x * gaussian(centreRandom)));
  const random = randomSource(seed);
  const values = Array.from({ length: rows }, () => {
    const centre = centres[Math.floor(random() * clusters)]!;
    const vector = Float32Array.from(extents, (x, d) => centre[d]! + 0.8 * x * gaussian(random));
    const length = Math.sqrt(dot(vector, vector));
    return vector.map((x) => x / length);
  });
  return vectorsOf(101, dim, values);
}

/** The vectors as bytes of a type, and what became of them; int8 vectors are taken 20 times as large. */
export function vectorsOf(dataType: DenseVectorType, dim: number, values: readonly Float32Array[]): Vectors {
  const rows = values.length;
  const flat = new Float32Array(rows * dim);
  for (const [row, vector] of values.entries()) flat.set(vector, row * dim);
  const { bytes, back } = encoded(dataType, flat);
  return { bytes, rows, values: values.map((_, row) => back.subarray(row * dim, (row + 1) * dim)) };
}

function encoded(dataType: DenseVectorType, flat: Float32Array): { bytes: Uint8Array; back: Float32Array } {
  if (dataType === 101) return { bytes: new Uint8Array(flat.buffer), back: flat };
  if (dataType === 102) {
    const halves = Float16Array.from(flat);
    return { bytes: new Uint8Array(halves.buffer), back: Float32Array.from(halves) };
  }
  if (dataType === 103) {
    const bits = new Uint32Array(flat.buffer);
    const halves = Uint16Array.from(bits, (word) => word >>> 16);
    const back = new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
    return { bytes: new Uint8Array(halves.buffer), back };
  }
  const integers = Int8Array.from(flat, (x) => Math.max(-128, Math.min(127, Math.round(20 * x))));
  return { bytes: new Uint8Array(integers.buffer), back: Float32Array.from(integers) };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}

/** The score of a pair in double precision. */
export function scoreOf(metric: MetricType, a: Float32Array, b: Float32Array): number {
  if (metric === 'IP') return dot(a, b);
  if (metric === 'COSINE') {
    const lengths = Math.sqrt(dot(a, a) * dot(b, b));
    return lengths === 0 ? 0 : dot(a, b) / lengths;
  }
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += (a[d]! - b[d]!) ** 2;
  return sum;
}

/** Scores of all rows that `isAllowed`, best first. */
export function sortedScores(
  metric: MetricType,
  query: Float32Array,
  rows: readonly Float32Array[],
  isAllowed: (row: number) => boolean,
): readonly number[] {
  const scores = rows.flatMap((row, number) => (isAllowed(number) ? [scoreOf(metric, query, row)] : []));
  return scores.sort((a, b) => (metric === 'L2' ? a - b : b - a));
}
