/**
 * Exact search against what the machine can do: its memory for one query, its multipliers for a hundred.
 *
 *   npx node bench/kernel/exact-search.ts [rounds]      or, among the rest: npm run bench:kernel -- --only exact
 */
import { type ExactSearch, loadKernel, measureReadBandwidth, type VectorBlock } from '@elanus/kernel';
import type { MetricType } from '@elanus/model';

const ROWS = 100_000;
const ROWS_PER_BLOCK = 8192;
const FLOAT_VECTOR = 101;

/** Uniform in [-0.5, 0.5), the same every time. */
function randomFloats(count: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

function blocksOf(dim: number): VectorBlock[] {
  const kernel = loadKernel();
  const blocks: VectorBlock[] = [];
  for (let first = 0; first < ROWS; first += ROWS_PER_BLOCK) {
    const rows = Math.min(ROWS_PER_BLOCK, ROWS - first);
    const bytes = new Uint8Array(randomFloats(rows * dim, first + 1).buffer);
    const keys = BigInt64Array.from({ length: rows }, (_, i) => BigInt(first + i));
    const inverseNorms = kernel.inverseNorms(FLOAT_VECTOR, dim, bytes, rows);
    blocks.push({
      bytes,
      offsets: null,
      rows,
      allowed: null,
      inverseNorms,
      keys: { type: 'int64', values: keys },
    });
  }
  return blocks;
}

function searchOf(
  blocks: readonly VectorBlock[],
  dim: number,
  queryCount: number,
  metric: MetricType,
): ExactSearch {
  const queries = new Uint8Array(randomFloats(queryCount * dim, 77).buffer);
  const bounds = { radius: null, rangeFilter: null };
  return {
    dataType: FLOAT_VECTOR,
    metric,
    dim,
    queries,
    queryOffsets: null,
    queryCount,
    k: 10,
    blocks,
    ...bounds,
  };
}

/** Seconds of the fastest of as many searches as take about a second. */
async function fastest(threads: number, search: ExactSearch): Promise<number> {
  const kernel = loadKernel({ threads });
  let best = Infinity;
  const end = performance.now() + 1000;
  do {
    const start = performance.now();
    await kernel.exactSearch(search);
    best = Math.min(best, performance.now() - start);
  } while (performance.now() < end);
  return best / 1000;
}

const gigabytes = (bytesPerSecond: number) => `${(bytesPerSecond / 1e9).toFixed(1)} GB/s`;

async function measureOneQuery(blocks: readonly VectorBlock[], dim: number): Promise<void> {
  for (const metric of ['L2', 'IP', 'COSINE'] as const) {
    const shares: string[] = [];
    for (const threads of [1, 2]) {
      const bandwidth = measureReadBandwidth({ threads, bytes: 2 ** 30, passes: 20 });
      const seconds = await fastest(threads, searchOf(blocks, dim, 1, metric));
      const read = (ROWS * dim * 4) / seconds;
      const share = `${((100 * read) / bandwidth).toFixed(0)} %`;
      shares.push(`${threads} threads ${gigabytes(read)} of ${gigabytes(bandwidth)} = ${share}`);
    }
    console.log(`  nq 1   ${metric.padEnd(6)} ${shares.join('; ')}`);
  }
}

async function measureManyQueries(blocks: readonly VectorBlock[], dim: number): Promise<void> {
  const queryCount = 100;
  for (const metric of ['L2', 'IP', 'COSINE'] as const) {
    const speeds: string[] = [];
    for (const threads of [1, 2]) {
      const seconds = await fastest(threads, searchOf(blocks, dim, queryCount, metric));
      const flops = queryCount * ROWS * dim * (metric === 'L2' ? 3 : 2);
      const speed = `${(flops / seconds / 1e9).toFixed(0)} GFLOP/s`;
      speeds.push(`${threads} threads ${speed}, ${(queryCount / seconds).toFixed(0)} queries/s`);
    }
    console.log(`  nq 100 ${metric.padEnd(6)} ${speeds.join('; ')}`);
  }
}

/** Prints what each of `rounds` reached. */
export async function measureExactSearch(rounds: number): Promise<void> {
  console.log(
    `exact search, ${loadKernel().simd}, k 10, ${ROWS} rows in blocks of ${ROWS_PER_BLOCK}, best of each round`,
  );
  for (const dim of [768, 128]) {
    const blocks = blocksOf(dim);
    for (let round = 1; round <= rounds; round++) {
      console.log(`${dim} dimensions, round ${round}`);
      await measureOneQuery(blocks, dim);
      await measureManyQueries(blocks, dim);
    }
  }
}

if (import.meta.main) await measureExactSearch(Number(process.argv[2] ?? 3));
