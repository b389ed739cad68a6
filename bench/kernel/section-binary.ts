/** Binary vectors: the scan of many beside what memory gives, and lists of them beside faiss'. */
import { join } from 'node:path';
import { type ExactSearch, loadKernel, measureReadBandwidth } from '@elanus/kernel';
import { openContestants } from './contestants.ts';
import { BINARY_DATA, bytesOf, type DataSet, loadDataSet } from './data-set.ts';
import { BINARY_FAMILY, firstPython } from './libraries.ts';
import { jsonLine } from './report.ts';
import { reportBuild } from './section-build.ts';
import { measureFamily } from './section-lists.ts';
import type { PrepareOptions } from './subject.ts';

const BINARY_VECTOR = 100;
const ROWS_PER_BLOCK = 65_536;
const QUERIES = 20;
/** Over the memory whose bandwidth is measured: so many that filling it first is a twentieth of the time. */
const PASSES = 300;

/** Prints what each of `rounds` reached. */
export async function measureBinary(rounds: number, options: PrepareOptions): Promise<void> {
  const data = loadDataSet(firstPython(), BINARY_DATA, 'bits');
  await measureScan(data, Math.min(rounds, 3));
  await using contestants = await openContestants(BINARY_FAMILY, data, options);
  reportBuild(contestants.list, data);
  await measureFamily(contestants.list, data, rounds);
}

/** A search compares every row with one query, as BIN_FLAT does. */
async function measureScan(data: DataSet, rounds: number): Promise<void> {
  const rowBytes = data.shape.dim / 8;
  const codes = Buffer.concat([data.base, bytesOf(join(data.folder, 'more'))]);
  const rows = codes.length / rowBytes;
  const keys = BigInt64Array.from({ length: rows }, (_, row) => BigInt(row));
  const blocks: ExactSearch['blocks'][number][] = [];
  for (let first = 0; first < rows; first += ROWS_PER_BLOCK) {
    const end = Math.min(first + ROWS_PER_BLOCK, rows);
    blocks.push({
      bytes: codes.subarray(first * rowBytes, end * rowBytes),
      offsets: null,
      rows: end - first,
      allowed: null,
      inverseNorms: null,
      keys: { type: 'int64', values: keys.subarray(first, end) },
    });
  }
  const searchOf = (query: number): ExactSearch => ({
    dataType: BINARY_VECTOR,
    metric: 'HAMMING',
    dim: data.shape.dim,
    queries: data.queries.subarray(query * rowBytes, (query + 1) * rowBytes),
    queryOffsets: null,
    queryCount: 1,
    k: 10,
    blocks,
    radius: null,
    rangeFilter: null,
  });
  console.log(
    `HAMMING, ${rows} codes of ${data.shape.dim} bits (${(codes.length / 1e6).toFixed(0)} MB), k 10`,
  );
  for (let round = 1; round <= rounds; round++) {
    for (const threads of [1, 2]) {
      const kernel = loadKernel({ threads });
      const memory = memoryRate(threads, codes.length);
      let best = Infinity;
      const before = process.cpuUsage();
      for (let query = 0; query < QUERIES; query++) {
        const startMs = performance.now();
        await kernel.exactSearch(searchOf(query));
        best = Math.min(best, (performance.now() - startMs) / 1000);
      }
      const { user, system } = process.cpuUsage(before);
      const scan = {
        fastest: codes.length / best,
        ofProcessor: (QUERIES * codes.length * 1e6) / (user + system),
      };
      jsonLine({ section: 'binary', threads, round, memory, scan });
      console.log(
        `  round ${round}, ${threads} threads: ${gigabytes(scan.fastest)} of ${gigabytes(memory.fastest)} = ${share(scan.fastest, memory.fastest)}; ` +
          `a second of processor time: ${gigabytes(scan.ofProcessor)} of ${gigabytes(memory.ofProcessor)} = ${share(scan.ofProcessor, memory.ofProcessor)}`,
      );
    }
  }
}

/** Bytes a second that threads read: in the fastest pass, and for a second of processor time. */
function memoryRate(threads: number, bytes: number): { fastest: number; ofProcessor: number } {
  const before = process.cpuUsage();
  const fastest = measureReadBandwidth({ threads, bytes, passes: PASSES });
  const { user, system } = process.cpuUsage(before);
  return { fastest, ofProcessor: (PASSES * bytes * 1e6) / (user + system) };
}

const gigabytes = (bytesPerSecond: number) => `${(bytesPerSecond / 1e9).toFixed(1)} GB/s`;
const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(0)} %`;
