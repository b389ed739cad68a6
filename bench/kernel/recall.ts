import type { DataSet, DataShape, Element } from './data-set.ts';

/** Float32 sums differ in their last bits from program to program. */
const TOLERANCE = 1e-5;

/**
 * The share of right rows among the `k` that should have been found for each query. A row is right when its score
 * is at least that of the k-th best (`kthScores`, one a query): rows may tie. A row given twice counts once, and
 * 0xffffffff stands for a row that was not found.
 */
export function recallOf(data: DataSet, rows: Uint32Array, k: number, kthScores: Float32Array): number {
  const { dim, metric, element } = data.shape;
  const size = element === 'bits' ? dim / 8 : dim;
  const isDistance = metric === 'L2' || metric === 'HAMMING';
  const vectorAt = vectorReader(data.base, data.shape);
  const queryAt = vectorReader(data.queries, data.shape);
  const rank = RANKS[metric as keyof typeof RANKS];
  let right = 0;
  kthScores.forEach((kth, query) => {
    const vector = queryAt(query);
    const tolerance = TOLERANCE * Math.max(1, Math.abs(kth));
    for (const row of new Set(rows.subarray(query * k, (query + 1) * k))) {
      if (row >= data.shape.rows) continue;
      const score = rank(vector, vectorAt(row), size);
      if (isDistance ? score <= kth + tolerance : score >= kth - tolerance) right += 1;
    }
  });
  return right / (kthScores.length * k);
}

/** The score that a row must have to be among the `k` best of each query. */
export function kthScores(data: DataSet, k: number): Float32Array {
  const { queries, truth } = data.shape;
  return Float32Array.from({ length: queries }, (_, query) => data.truth[query * truth + k - 1]!);
}

type Vector = ArrayLike<number>;

function vectorReader(bytes: Uint8Array<ArrayBuffer>, { dim, element }: DataShape): (at: number) => Vector {
  if (element === 'bfloat16') {
    const halves = new Uint16Array(bytes.buffer);
    return (at) =>
      new Float32Array(
        Uint32Array.from(halves.subarray(at * dim, (at + 1) * dim), (half) => half << 16).buffer,
      );
  }
  const values = new ARRAYS[element](bytes.buffer);
  const size = element === 'bits' ? dim / 8 : dim;
  return (at) => values.subarray(at * size, (at + 1) * size);
}

const ARRAYS = {
  float32: Float32Array,
  float16: Float16Array,
  int8: Int8Array,
  bits: Uint8Array,
} as const satisfies Partial<Record<Element, unknown>>;

function squaredDistance(left: Vector, right: Vector, dim: number): number {
  let sum = 0;
  for (let at = 0; at < dim; at += 1) sum += (left[at]! - right[at]!) ** 2;
  return sum;
}

function innerProduct(left: Vector, right: Vector, dim: number): number {
  let sum = 0;
  for (let at = 0; at < dim; at += 1) sum += left[at]! * right[at]!;
  return sum;
}

function cosine(left: Vector, right: Vector, dim: number): number {
  const lengths = Math.sqrt(innerProduct(left, left, dim) * innerProduct(right, right, dim));
  return lengths === 0 ? 0 : innerProduct(left, right, dim) / lengths;
}

function differentBits(left: Vector, right: Vector, bytes: number): number {
  let count = 0;
  for (let at = 0; at < bytes; at += 1)
    for (let bits = left[at]! ^ right[at]!; bits !== 0; bits &= bits - 1) count += 1;
  return count;
}

const RANKS = { L2: squaredDistance, IP: innerProduct, COSINE: cosine, HAMMING: differentBits } as const;
