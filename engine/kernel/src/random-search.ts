/** Searches made from a seed, for tests: all types, sizes around the edges of tiles, ties, filters, odd numbers. */
import type { DenseVectorType, MetricType, VectorType } from '@elanus/model';
import type { BlockKeys, ExactSearch, MinHashScoring, VectorBlock } from './kernel.ts';

/** What the elements are: small whole numbers (every step is exact, many ties), reals, or anything a float can be. */
export type Values = 'whole' | 'real' | 'wild';

export interface SearchShape {
  readonly seed: number;
  readonly dataType: VectorType;
  readonly metric: MetricType;
  /** Binary vectors take the next multiple of 8. */
  readonly dim: number;
  readonly queryCount: number;
  readonly blockRows: readonly number[];
  readonly k: number;
  readonly values: Values;
  readonly keyType: BlockKeys['type'];
  /** Share of rows whose bit is set; `null`: no bitmap. */
  readonly allowedShare: number | null;
}

/** Mulberry32: from 0 up to 1. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Random = () => number;
const below = (random: Random, end: number) => Math.floor(random() * end);

const WILD = [0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-40, -1e-45, 3e38, -3e38, 1e20, 1e-30];

function element(random: Random, values: Values): number {
  if (values === 'whole') return below(random, 7) - 3;
  if (values === 'real' || random() < 0.7) return random() - 0.5;
  return WILD[below(random, WILD.length)]!;
}

const BITS: Readonly<Record<DenseVectorType, number>> = { 100: 1, 101: 32, 102: 16, 103: 16, 105: 8 };

/** IEEE half of a number that is one, or is about to lose its last bits. */
function toHalf(value: number): number {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 255) - 112;
  if (exponent >= 31) return sign | 0x7c00 | (Number.isNaN(value) ? 1 : 0);
  if (exponent > 0) return sign | (exponent << 10) | ((bits >>> 13) & 1023);
  return sign | Math.min(Math.abs(value) * 2 ** 24, 1023);
}

function writeElement(view: DataView, dataType: DenseVectorType, i: number, value: number): void {
  if (dataType === 101) view.setFloat32(4 * i, value, true);
  else if (dataType === 102) view.setUint16(2 * i, toHalf(value), true);
  else if (dataType === 103)
    view.setUint16(2 * i, new Uint32Array(new Float32Array([value]).buffer)[0]! >>> 16, true);
}

/** One in ten vectors is zero, one in five repeats the one before. */
function denseVectors(
  random: Random,
  shape: SearchShape,
  dataType: DenseVectorType,
  count: number,
): Uint8Array {
  const vectorBytes = (BITS[dataType] * shape.dim) / 8;
  // An odd start: no vector is aligned to anything.
  const bytes = new Uint8Array(count * vectorBytes + 1).subarray(1);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const isFloat = dataType === 101 || dataType === 102 || dataType === 103;
  for (let v = 0; v < count; v++) {
    const luck = random();
    if (luck < 0.1) continue;
    if (luck < 0.3 && v > 0) {
      bytes.copyWithin(v * vectorBytes, (v - 1) * vectorBytes, v * vectorBytes);
    } else if (isFloat) {
      for (let d = 0; d < shape.dim; d++)
        writeElement(view, dataType, v * shape.dim + d, element(random, shape.values));
    } else {
      for (let b = 0; b < vectorBytes; b++)
        bytes[v * vectorBytes + b] = integerByte(random, dataType, shape.values);
    }
  }
  return bytes;
}

function integerByte(random: Random, dataType: DenseVectorType, values: Values): number {
  if (dataType === 105 && values === 'whole') return below(random, 7) - 3;
  const byte = below(random, 256);
  return dataType === 100 && values === 'whole' ? byte & below(random, 256) & below(random, 256) : byte;
}

function sparseVectors(
  random: Random,
  shape: SearchShape,
  count: number,
): { bytes: Uint8Array; offsets: Uint32Array } {
  const offsets = new Uint32Array(count + 1);
  const pairs: [number, number][] = [];
  for (let v = 0; v < count; v++) {
    for (let index = below(random, 9); index < shape.dim; index += 1 + below(random, 9))
      pairs.push([index === shape.dim - 1 ? 2 ** 32 - 2 : index, element(random, shape.values)]);
    offsets[v + 1] = pairs.length * 8;
  }
  const bytes = new Uint8Array(pairs.length * 8 + 1).subarray(1);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const [i, [index, value]] of pairs.entries()) {
    view.setUint32(8 * i, index, true);
    view.setFloat32(8 * i + 4, value, true);
  }
  return { bytes, offsets };
}

function randomKeys(random: Random, type: BlockKeys['type'], rows: number): BlockKeys {
  if (type === 'int64')
    return {
      type,
      values: BigInt64Array.from({ length: rows }, () => BigInt(below(random, 1000) - 500) * 2n ** 50n),
    };
  const texts = Array.from({ length: rows }, () =>
    Buffer.from('é€z'.repeat(below(random, 3)) + below(random, 50)),
  );
  const offsets = new Uint32Array(rows + 1);
  for (const [i, text] of texts.entries()) offsets[i + 1] = offsets[i]! + text.length;
  return { type, offsets, bytes: new Uint8Array(Buffer.concat(texts)) };
}

function randomBits(random: Random, rows: number, share: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(rows / 8));
  for (let row = 0; row < rows; row++) if (random() < share) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}

function vectors(
  random: Random,
  shape: SearchShape,
  count: number,
): { bytes: Uint8Array; offsets: Uint32Array | null } {
  if (shape.dataType === 104) return sparseVectors(random, shape, count);
  return { bytes: denseVectors(random, shape, shape.dataType, count), offsets: null };
}

/** Hashes of 4 bytes where they go in, else of one. */
function minHash({ seed, dim }: SearchShape): MinHashScoring {
  const hashBytes = dim % 32 === 0 ? 4 : 1;
  return { hashBytes, bands: seed % (1 + Math.min(dim / 8 / hashBytes, 9)) };
}

/** The search of this shape; the same for the same shape. Without bounds, inverse norms and codes. */
export function randomSearch(shapeWanted: SearchShape): ExactSearch {
  const dim = shapeWanted.dataType === 100 ? Math.ceil(shapeWanted.dim / 8) * 8 : shapeWanted.dim;
  const shape = { ...shapeWanted, dim };
  const random = randomSource(shape.seed);
  const blocks = shape.blockRows.map((rows): VectorBlock => {
    const { bytes, offsets } = vectors(random, shape, rows);
    const allowed = shape.allowedShare === null ? null : randomBits(random, rows, shape.allowedShare);
    return {
      bytes,
      offsets,
      rows,
      allowed,
      inverseNorms: null,
      keys: randomKeys(random, shape.keyType, rows),
    };
  });
  const queries = vectors(random, shape, shape.queryCount);
  return {
    dataType: shape.dataType,
    metric: shape.metric,
    dim: shape.dataType === 104 ? 0 : dim,
    queries: queries.bytes,
    queryOffsets: queries.offsets,
    queryCount: shape.queryCount,
    k: shape.k,
    blocks,
    radius: null,
    rangeFilter: null,
    bm25: shape.metric === 'BM25' ? { k1: 1.2, b: 0.75, averageLength: 5.5 } : null,
    minHash: shape.metric === 'MHJACCARD' ? minHash(shape) : null,
  };
}
