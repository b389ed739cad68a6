import { grownBytes, sharedBytes } from '../shared-memory.ts';

const BYTES_MIN = 256;

/** 1 / length of the first vectors of a field of a chunk, as far as somebody has asked for them. */
export class InverseNorms {
  #values: Float32Array = new Float32Array(0);
  #rows = 0;

  get byteLength(): number {
    return this.#values.byteLength;
  }

  /** Vectors whose length is known. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Those of the first `rows` vectors, computed by `compute` for those that are not known yet, up to `rowsMax` at a call;
   * `null` as long as they are not all known.
   */
  upTo(
    rows: number,
    rowsMax: number,
    compute: (start: number, end: number) => Float32Array,
  ): Float32Array | null {
    this.#reserve(rows);
    const end = Math.min(rows, this.#rows + rowsMax);
    if (end > this.#rows) {
      this.#values.set(compute(this.#rows, end), this.#rows);
      this.#rows = end;
    }
    return this.#rows < rows ? null : this.#values;
  }

  #reserve(rows: number): void {
    if (this.#values.length >= rows) return;
    const bytes = grownBytes(sharedBytes(this.#values.byteLength || BYTES_MIN), 4 * rows);
    const values = new Float32Array(bytes.buffer);
    values.set(this.#values);
    this.#values = values;
  }
}
