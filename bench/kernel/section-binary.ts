/** Binary vectors: the scan of many beside what memory gives, and lists of them beside faiss'. */
import { join } from 'node:path';
import { type ExactSearch, loadKernel } from '@elanus/kernel';
import { openContestants } from './contestants.ts';
import { BINARY_DATA, bytesOf, type DataSet, loadDataSet } from './data-set.ts';
import { BINARY_FAMILY, firstPython } from './libraries.ts';
import { describeShare, memoryRate, scanRate } from './memory-rate.ts';
import { jsonLine, printBars } from './report.ts';
import { reportBuild } from './section-build.ts';
import { measureFamily } from './section-lists.ts';
import type { PrepareOptions } from './subject.ts';

const BINARY_VECTOR = 100;
const ROWS_PER_BLOCK = 65_536;

/** Prints what each of `rounds` reached. */
export async function measureBinary(rounds: number, options: PrepareOptions): Promise<void> {
  const data = loadDataSet(firstPython(), BINARY_DATA, 'bits');
  await measureScan(data, Math.min(rounds, 3));
  await using contestants = await openContestants(BINARY_FAMILY.libraries, data, options);
  reportBuild(contestants.list, data);
  printBars('BIN_IVF_FLAT', await measureFamily(contestants.list, BINARY_FAMILY, data, rounds));
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
      const memory = memoryRate(threads);
      let query = 0;
      const scan = await scanRate(codes.length, () =>
        kernel.exactSearch(searchOf(query++ % data.shape.queries)),
      );
      jsonLine({ section: 'binary', threads, round, memory, scan });
      const clock = describeShare(scan.fastest, memory.fastest);
      const processor = describeShare(scan.ofProcessor, memory.ofProcessor);
      console.log(
        `  round ${round}, ${threads} threads: ${clock}; for a second of processor time ${processor}`,
      );
    }
  }
}
