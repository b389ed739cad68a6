import { crc32 } from 'node:zlib';
import { DataType, type SparseVectorColumn } from '@elanus/model';
import type { Analyzer } from './analyzer.ts';
import { sorting } from './sorting.ts';
import type { Token } from './token.ts';
import type { Work } from './work.ts';

/** The greatest index of a sparse vector, plus one. */
const DIMENSIONS = 2 ** 32 - 1;

/** Of each byte its CRC-32 (IEEE), from which that of a text is put together. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The dimension of a word: the CRC-32 of its UTF-8 text, the same everywhere and for ever. */
export function termDimension(term: string): number {
  // Words are short: going to native code takes ten times as long.
  let crc = ~0;
  for (let at = 0; at < term.length; at++) {
    const unit = term.charCodeAt(at);
    if (unit > 0x7f) return crc32(term) % DIMENSIONS;
    crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ unit) & 0xff]!;
  }
  return (~crc >>> 0) % DIMENSIONS;
}

/** Texts in UTF-8: text i is `bytes[offsets[i] .. offsets[i + 1])`, null where `validity[i]` is 0. */
export interface Texts {
  readonly length: number;
  readonly validity: Uint8Array | null;
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Words of a text that are passed between two yields. */
const SLICE_TOKENS = 8192;

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
    const tokens = isText ? yield* analyzerOf(row).analyzing(source.toString('utf8', start, end)) : [];
    yield* vectors.pushing(tokens);
  }
  return vectors.column();
}

/** Vectors one behind the other. */
class VectorWriter {
  readonly #offsets: Uint32Array;
  #words = new Uint32Array(1024);
  #floats = new Float32Array(this.#words.buffer);
  /** Of one text, with room for more. */
  #dimensions = new Uint32Array(64);
  #rows = 0;
  #used = 0;

  constructor(rows: number) {
    this.#offsets = new Uint32Array(rows + 1);
  }

  *pushing(tokens: readonly Token[]): Work<void> {
    if (this.#dimensions.length < tokens.length) this.#dimensions = new Uint32Array(2 * tokens.length);
    const dimensions = this.#dimensions.subarray(0, tokens.length);
    for (let at = 0; at < tokens.length; at++) {
      if (at % SLICE_TOKENS === SLICE_TOKENS - 1) yield;
      dimensions[at] = termDimension(tokens[at]!.text);
    }
    const sorted = yield* sorting(dimensions);
    this.#reserve(2 * sorted.length);
    for (let from = 0, to = 0; from < sorted.length; from = to) {
      while (to < sorted.length && sorted[to] === sorted[from]) to++;
      this.#words[this.#used++] = sorted[from]!;
      this.#floats[this.#used++] = to - from;
    }
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
