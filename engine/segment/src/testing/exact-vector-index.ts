import type { IndexBuild, IndexHits, IndexSearch, VectorIndex } from '@elanus/kernel';
import { assert, DataType } from '@elanus/model';

/** An index of float32 vectors under L2 that compares with all of them, slowly: whatever a search misses is not its fault. */
export class ExactVectorIndex implements VectorIndex {
  readonly layout = 'compact';
  readonly crowdThreads = 1;
  readonly rows: number;
  readonly #vectors: Float32Array;
  readonly #dim: number;
  /** Rows that no search finds. */
  readonly hiddenRows = new Set<number>();
  isClosed = false;
  searches = 0;

  constructor({ dataType, metric, dim, blocks }: Pick<IndexBuild, 'dataType' | 'metric' | 'dim' | 'blocks'>) {
    assert(dataType === DataType.FloatVector && metric === 'L2', 'the test compares floats by distance');
    this.#dim = dim;
    this.rows = blocks.reduce((sum, { rows }) => sum + rows, 0);
    this.#vectors = new Float32Array(this.rows * dim);
    let at = 0;
    for (const { bytes, rows } of blocks) {
      const copy = bytes.slice(0, 4 * rows * dim);
      this.#vectors.set(new Float32Array(copy.buffer, copy.byteOffset, rows * dim), at);
      at += rows * dim;
    }
  }

  get memoryBytes(): number {
    return this.#vectors.byteLength;
  }

  async search(search: IndexSearch): Promise<IndexHits> {
    return this.searchSync(search);
  }

  searchSync({ queries, queryCount, k, allowed, radius }: IndexSearch): IndexHits {
    assert(!this.isClosed, 'a closed index is not searched');
    this.searches += 1;
    const counts = new Uint32Array(queryCount);
    const rows = new Uint32Array(queryCount * k);
    const scores = new Float32Array(queryCount * k);
    const vectors = new Float32Array(queries.slice().buffer);
    for (let query = 0; query < queryCount; query++) {
      const found = this.#ranked(vectors.subarray(query * this.#dim, (query + 1) * this.#dim), allowed)
        .filter(({ score }) => radius === null || score < radius)
        .slice(0, k);
      counts[query] = found.length;
      for (const [i, { row, score }] of found.entries()) {
        rows[query * k + i] = row;
        scores[query * k + i] = score;
      }
    }
    return { counts, rows, scores };
  }

  sparseStatistics(): never {
    throw new Error('the vectors of the test are dense');
  }

  async save(): Promise<void> {
    throw new Error('the test saves nothing');
  }

  async verify(): Promise<void> {
    throw new Error('the test has no files');
  }

  close(): void {
    this.isClosed = true;
  }

  #ranked(query: Float32Array, allowed: Uint8Array | null): { row: number; score: number }[] {
    const found: { row: number; score: number }[] = [];
    for (let row = 0; row < this.rows; row++) {
      if (this.hiddenRows.has(row)) continue;
      if (allowed !== null && ((allowed[row >> 3]! >> (row & 7)) & 1) === 0) continue;
      let score = 0;
      for (let i = 0; i < this.#dim; i++) score += (this.#vectors[row * this.#dim + i]! - query[i]!) ** 2;
      found.push({ row, score });
    }
    return found.sort((a, b) => a.score - b.score || a.row - b.row);
  }
}
