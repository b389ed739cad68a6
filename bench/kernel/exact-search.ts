/**
 * Exact search against what the machine can do: its memory for one query, its multipliers for a hundred.
 *
 *   npx node bench/kernel/exact-search.ts [rounds]      or, among the rest: npm run bench:kernel -- --only exact
 */
import { type ExactSearch, loadKernel, type VectorBlock } from '@elanus/kernel';
import type { MetricType } from '@elanus/model';
import { describeShare, fastestOf, memoryRate, scanRate } from './memory-rate.ts';
import { jsonLine, printBars } from './report.ts';
import { median } from './sweep.ts';

/** 100,000 rows of 768 dimensions, and as many bytes of others: far more than caches hold. */
const VECTOR_BYTES = 100_000 * 768 * 4;
const ROWS_PER_BLOCK = 8192;
const FLOAT_VECTOR = 101;
const METRICS = ['L2', 'IP', 'COSINE'] as const;
/** Searches with many queries, of which the fastest counts. */
const MANY_QUERIES_TIMES = 5;
/** Of what plain reads reach in the same round. */
const SHARE_MIN = 0.8;

/** Uniform in [-0.5, 0.5), the same every time. */
function randomFloats(count: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

const rowsOf = (dim: number): number => VECTOR_BYTES / 4 / dim;

function blocksOf(dim: number): VectorBlock[] {
  const kernel = loadKernel();
  const blocks: VectorBlock[] = [];
  for (let first = 0; first < rowsOf(dim); first += ROWS_PER_BLOCK) {
    const rows = Math.min(ROWS_PER_BLOCK, rowsOf(dim) - first);
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

/** A share of the bandwidth, by the clock and by processor time, as it came out in each round. */
interface Shares {
  readonly name: string;
  readonly byClock: number[];
  readonly byProcessor: number[];
}

async function measureOneQuery(
  blocks: readonly VectorBlock[],
  dim: number,
  sharesOf: (name: string) => Shares,
): Promise<void> {
  for (const metric of METRICS) {
    for (const threads of [1, 2]) {
      const kernel = loadKernel({ threads });
      const search = searchOf(blocks, dim, 1, metric);
      const memory = memoryRate(threads);
      const scan = await scanRate(VECTOR_BYTES, () => kernel.exactSearch(search));
      const name = `${dim} dimensions, ${metric}, ${threads} thread${threads === 1 ? '' : 's'}`;
      const { byClock, byProcessor } = sharesOf(name);
      byClock.push(scan.fastest / memory.fastest);
      byProcessor.push(scan.ofProcessor / memory.ofProcessor);
      jsonLine({ section: 'exact', dim, metric, threads, memory, scan });
      const clock = describeShare(scan.fastest, memory.fastest);
      const processor = describeShare(scan.ofProcessor, memory.ofProcessor);
      console.log(`  nq 1   ${name}: ${clock}; for a second of processor time ${processor}`);
    }
  }
}

async function measureManyQueries(blocks: readonly VectorBlock[], dim: number): Promise<void> {
  const queryCount = 100;
  for (const metric of METRICS) {
    const speeds: string[] = [];
    for (const threads of [1, 2]) {
      const kernel = loadKernel({ threads });
      const search = searchOf(blocks, dim, queryCount, metric);
      const seconds = (await fastestOf(MANY_QUERIES_TIMES, () => kernel.exactSearch(search))) / 1000;
      const flops = (queryCount * rowsOf(dim) * dim * (metric === 'L2' ? 3 : 2)) / seconds;
      const queriesPerSecond = (queryCount / seconds).toFixed(0);
      speeds.push(`${threads} threads ${(flops / 1e9).toFixed(0)} GFLOP/s, ${queriesPerSecond} queries/s`);
    }
    console.log(`  nq 100 ${metric.padEnd(6)} ${speeds.join('; ')}`);
  }
}

/** Prints what each of `rounds` reached, and whether that is what it should be. */
export async function measureExactSearch(rounds: number): Promise<void> {
  console.log(
    `exact search, ${loadKernel().simd}, k 10, ${VECTOR_BYTES / 1e6} MB in blocks of ${ROWS_PER_BLOCK} rows, best of each round`,
  );
  const shares = new Map<string, Shares>();
  const sharesOf = (name: string) =>
    shares.getOrInsertComputed(name, () => ({ name, byClock: [], byProcessor: [] }));
  for (const dim of [768, 128]) {
    const blocks = blocksOf(dim);
    for (let round = 1; round <= rounds; round++) {
      console.log(`${rowsOf(dim)} x ${dim}, round ${round}`);
      await measureOneQuery(blocks, dim, sharesOf);
      await measureManyQueries(blocks, dim);
    }
  }
  const bars = [...shares.values()].flatMap(({ name, byClock, byProcessor }) => [
    { name: `${name}, by the clock`, reached: median(byClock), bound: SHARE_MIN },
    { name: `${name}, by processor time`, reached: median(byProcessor), bound: SHARE_MIN },
  ]);
  printBars('exact scan, share of the read bandwidth', bars);
}

if (import.meta.main) await measureExactSearch(Number(process.argv[2] ?? 3));
