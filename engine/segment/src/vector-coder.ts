import { CODE_FACTORS, type Kernel, type VectorCodes } from '@elanus/kernel';
import { DataType, type DenseVectorColumn, type FieldSchema } from '@elanus/model';
import type { Chunk } from './chunk.ts';

/** Vectors that are worth the trouble. */
const CODED_BYTES_MIN = 256 * 1024;
/** Chunks that are coded at the same time; each takes one of libuv's threads for some milliseconds. */
const RUNNING_MAX = 2;

/**
 * Makes the codes by which exact searches rule rows out (docs/decisions/0011-exact-search-by-codes.md): behind the
 * first search that could use them, for those that follow.
 */
export class VectorCoder {
  readonly #kernel: Pick<Kernel, 'encode'>;
  readonly #running = new Set<Chunk>();

  constructor(kernel: Pick<Kernel, 'encode'>) {
    this.#kernel = kernel;
  }

  /** What is there for the first `rows` rows of the chunk; begins to make what is missing. */
  codesOf(
    chunk: Chunk,
    field: FieldSchema,
    column: DenseVectorColumn,
    rows: number,
  ): VectorCodes | undefined {
    if (field.dataType !== DataType.FloatVector || field.dim === null) return undefined;
    const known = chunk.codes(field.id);
    const missingBytes = (rows - (known?.rows ?? 0)) * 4 * field.dim;
    if (missingBytes >= CODED_BYTES_MIN && this.#running.size < RUNNING_MAX && !this.#running.has(chunk)) {
      this.#running.add(chunk);
      // Without codes searches are slower, not wrong: those that come later try again.
      this.#encode(chunk, field.id, field.dim, column, rows)
        .catch(() => {})
        .finally(() => this.#running.delete(chunk));
    }
    return known === undefined || known.rows <= rows ? known : { ...known, rows };
  }

  async #encode(
    chunk: Chunk,
    id: FieldSchema['id'],
    dim: number,
    column: DenseVectorColumn,
    rows: number,
  ): Promise<void> {
    const known = chunk.codes(id);
    const first = known?.rows ?? 0;
    // Chunks fill up to what was reserved, or else to a power of two. Memory that nobody has written to costs nothing.
    const rowsMax = Math.max(chunk.rowsReserved, 2 ** Math.ceil(Math.log2(rows)));
    const { values, factors } = withRoom(known, rows, { rowsMax, dim });
    await this.#kernel.encode(dim, column.bytes.subarray(first * 4 * dim, rows * 4 * dim), rows - first, {
      values: values.subarray(first * dim),
      factors: factors.subarray(first * CODE_FACTORS),
    });
    chunk.setCodes(id, { rows, values, factors });
  }
}

/** The arrays of `known` when they have room for `rows`, else larger ones for `rowsMax` with its codes. */
function withRoom(
  known: VectorCodes | undefined,
  rows: number,
  { rowsMax, dim }: { readonly rowsMax: number; readonly dim: number },
): Omit<VectorCodes, 'rows'> {
  if (known !== undefined && known.values.length >= rows * dim) return known;
  const values = new Int8Array(rowsMax * dim);
  const factors = new Float32Array(rowsMax * CODE_FACTORS);
  if (known !== undefined) {
    values.set(known.values);
    factors.set(known.factors);
  }
  return { values, factors };
}
