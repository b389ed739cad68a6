import { type DenseVectorColumn, denseVectorBytes, type FieldSchema } from '@elanus/model';
import type { QueryVectors } from '@elanus/rpc';
import type { SampledQueries } from '@elanus/segment';

/** Queries that are kept of one field: the last ones. */
const KEPT = 256;
/** Of one request. */
const KEPT_OF_REQUEST = 16;

/** The last queries that searches of one field have come with. */
export class QuerySamples {
  readonly #size: number;
  readonly #bytes: Uint8Array;
  #noted = 0;

  constructor({ dataType, dim }: FieldSchema) {
    this.#size = denseVectorBytes(dataType as DenseVectorColumn['dataType'], dim!);
    this.#bytes = new Uint8Array(KEPT * this.#size);
  }

  /** How many there are. */
  get count(): number {
    return Math.min(this.#noted, KEPT);
  }

  /** Keeps copies of some. */
  note({ bytes, count }: QueryVectors): void {
    const step = Math.max(1, Math.floor(count / KEPT_OF_REQUEST));
    for (let query = 0; query < count; query += step) {
      const place = this.#noted++ % KEPT;
      this.#bytes.set(bytes.subarray(query * this.#size, (query + 1) * this.#size), place * this.#size);
    }
  }

  /** All of them, as they are now. */
  all(): SampledQueries {
    return { bytes: this.#bytes.slice(0, this.count * this.#size), count: this.count, rows: null };
  }
}
