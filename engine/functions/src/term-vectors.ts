import { crc32 } from 'node:zlib';
import { DataType, type SparseVectorColumn } from '@elanus/model';
import type { Analyzer } from './analyzer.ts';
import type { Token } from './token.ts';
import type { Work } from './work.ts';

/** The greatest index of a sparse vector, plus one. */
const DIMENSIONS = 2 ** 32 - 1;

/** The dimension of a word: 32 bits of its UTF-8 text, the same everywhere and for ever. */
export function termDimension(term: string): number {
  return crc32(term) % DIMENSIONS;
}

/** Texts in UTF-8: text i is `bytes[offsets[i] .. offsets[i + 1])`, null where `validity[i]` is 0. */
export interface Texts {
  readonly length: number;
  readonly validity: Uint8Array | null;
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

/** UTF-16 units of text, or bytes of it, that are analysed in about a millisecond. */
const SLICE_BYTES = 4096;
/** What a row costs beside its text. */
const ROW_BYTES = 32;

/**
 * For each text the number of times that each of its words occurs, at the word's dimension. A text without words, and
 * null, gives the empty vector. `analyzerOf` is asked for each row that has a text.
 */
export function* termVectors(
  { length, validity, offsets, bytes }: Texts,
  analyzerOf: (row: number) => Analyzer,
): Work<SparseVectorColumn> {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vectors = new VectorWriter(length);
  let spent = 0;
  for (let row = 0; row < length; row++) {
    const start = offsets[row]!;
    const end = offsets[row + 1]!;
    spent += ROW_BYTES + end - start;
    if (spent > SLICE_BYTES) {
      spent = 0;
      yield;
    }
    const isText = end > start && (validity === null || validity[row] === 1);
    vectors.push(isText ? yield* analyzerOf(row).analyzing(source.toString('utf8', start, end)) : []);
  }
  return vectors.column();
}

const emptied = new Map<number, number>();

/** Vectors one behind the other. */
class VectorWriter {
  readonly #offsets: Uint32Array;
  #words = new Uint32Array(1024);
  #floats = new Float32Array(this.#words.buffer);
  #rows = 0;
  #used = 0;

  constructor(rows: number) {
    this.#offsets = new Uint32Array(rows + 1);
  }

  push(tokens: readonly Token[]): void {
    const counts = emptied;
    for (const { text } of tokens) {
      const dimension = termDimension(text);
      counts.set(dimension, (counts.get(dimension) ?? 0) + 1);
    }
    const dimensions = Uint32Array.from(counts.keys()).sort();
    this.#reserve(2 * dimensions.length);
    for (const dimension of dimensions) {
      this.#words[this.#used++] = dimension;
      this.#floats[this.#used++] = counts.get(dimension)!;
    }
    counts.clear();
    this.#rows += 1;
    this.#offsets[this.#rows] = 4 * this.#used;
  }

  column(): SparseVectorColumn {
    return {
      dataType: DataType.SparseFloatVector,
      length: this.#rows,
      validity: null,
      offsets: this.#offsets,
      bytes: new Uint8Array(this.#words.buffer, 0, 4 * this.#used),
    };
  }

  #reserve(words: number): void {
    if (this.#used + words <= this.#words.length) return;
    const grown = new Uint32Array(Math.max(2 * this.#words.length, this.#used + words));
    grown.set(this.#words.subarray(0, this.#used));
    this.#words = grown;
    this.#floats = new Float32Array(grown.buffer);
  }
}
