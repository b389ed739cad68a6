import { assert, type Column, DataType } from '@elanus/model';

/** Bytes of a dimension and its value. */
export const PAIR_BYTES = 8;

/** The vectors of a column as words: pair p has its dimension at word 2p and, as float32, its value at word 2p + 1. */
export class SparseRows {
  readonly #offsets: Uint32Array;
  readonly words: Uint32Array;
  readonly floats: Float32Array;

  /** A column of sparse vectors; it is copied where its bytes do not lie at a multiple of 4. */
  constructor(column: Column) {
    assert(column.dataType === DataType.SparseFloatVector, 'the output of a BM25 function is sparse vectors');
    const { offsets, bytes } = column;
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
    this.#offsets = offsets;
    this.words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
    this.floats = new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
  }

  /** The first word of a row; the words of the row before end there. */
  start(row: number): number {
    return this.#offsets[row]! >> 2;
  }

  /** The sum of a row's values: the words of its text. */
  length(row: number): number {
    let length = 0;
    const end = this.start(row + 1);
    for (let at = this.start(row); at < end; at += 2) length += this.floats[at + 1]!;
    return length;
  }
}
