import type { DecodedColumn, RowValue } from './row-values.ts';

/** Rows whose vectors make queries. */
const ROWS = 20;

interface SampledRow {
  readonly hash: bigint;
  readonly vectors: ReadonlyMap<string, RowValue>;
}

/** Vectors of some rows, from all over a collection: those with the smallest hashes, which are the same wherever it is read. */
export class SampledVectors {
  readonly #fields: readonly string[];
  #rows: SampledRow[] = [];

  constructor(fields: readonly string[]) {
    this.#fields = fields;
  }

  /** Takes the row, or leaves it. */
  offer(hash: bigint, columns: readonly DecodedColumn[], row: number): void {
    if (this.#rows.length === ROWS && hash >= this.#rows.at(-1)!.hash) return;
    const vectors = new Map<string, RowValue>();
    for (const { name, valueAt } of columns) if (this.#fields.includes(name)) vectors.set(name, valueAt(row));
    const place = this.#rows.findIndex((known) => known.hash > hash);
    this.#rows.splice(place < 0 ? this.#rows.length : place, 0, { hash, vectors });
    this.#rows = this.#rows.slice(0, ROWS);
  }

  /** As the wire has them in a query; rows without a vector are left out. */
  of(field: string): readonly Uint8Array[] {
    return this.#rows.flatMap(({ vectors }) => {
      const value = vectors.get(field) ?? null;
      if (value === null) return [];
      return [Array.isArray(value) ? floats(value as number[]) : Buffer.from(value as string, 'hex')];
    });
  }
}

function floats(vector: readonly number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(vector).buffer);
}
