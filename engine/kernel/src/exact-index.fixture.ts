/** Indexes beside a naive search of the same rows, for tests of those that find everything when they are told to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { DenseVectorType } from '@elanus/model';
import type { ExactSearch } from './kernel.ts';
import { loadKernel } from './load-kernel.ts';
import { naiveTopK } from './naive-search.ts';
import type { IndexHits, IndexSearch, IndexSpec, ListProbes, VectorIndex } from './vector-index.ts';

const kernel = loadKernel();
const directory = mkdtempSync(join(tmpdir(), 'elanus-exact-index-'));
after(() => rmSync(directory, { recursive: true }));

const LISTS_MAX = 65_536;
/** Of an index of lists: all are looked through, however many there are. */
export const EVERY_LIST: ListProbes = { probes: LISTS_MAX, probesMax: LISTS_MAX, emptyListsMax: 0 };

/** The rows of all blocks as one, as an index numbers them, with bitmaps in one. */
function joined(search: ExactSearch): { readonly rows: number; readonly allowed: Uint8Array | null } {
  const rows = search.blocks.reduce((sum, block) => sum + block.rows, 0);
  if (search.blocks.every(({ allowed }) => allowed === null)) return { rows, allowed: null };
  const bits = new Uint8Array(Math.ceil(rows / 8));
  let at = 0;
  for (const { allowed, rows: count } of search.blocks)
    for (let row = 0; row < count; row++, at++)
      if (allowed === null || (allowed[row >> 3]! >> (row & 7)) & 1) bits[at >> 3]! |= 1 << (at & 7);
  return { rows, allowed: bits };
}

/** The naive hits of a query, by number of the row, equal scores by it. */
export function expectedHits(search: ExactSearch, scoreOf: (block: number, row: number) => number | null) {
  const firsts: number[] = [];
  let next = 0;
  for (const { rows } of search.blocks) {
    firsts.push(next);
    next += rows;
  }
  const numbered = search.blocks.map((block, b) => ({
    ...block,
    keys: {
      type: 'int64' as const,
      values: BigInt64Array.from({ length: block.rows }, (_, row) => BigInt(firsts[b]! + row)),
    },
  }));
  const hits = naiveTopK({ ...search, blocks: numbered }, scoreOf);
  return hits.map(({ block, row, score }) => ({ row: firsts[block]! + row, score }));
}

/** What an index found for query `q`. */
export function foundHits({ k }: IndexSearch, hits: IndexHits, q: number) {
  return Array.from({ length: hits.counts[q]! }, (_, i) => ({
    row: hits.rows[q * k + i]!,
    score: hits.scores[q * k + i]!,
  }));
}

/** The index in memory, and the same from its file, whose bytes are those that were written. */
export async function builtAndOpened(search: ExactSearch, spec: IndexSpec): Promise<VectorIndex[]> {
  const { metric, dim, blocks } = search;
  const dataType = search.dataType as DenseVectorType;
  const index = await kernel.buildIndex({ dataType, metric, dim, spec, blocks, threads: 2, seed: 3 });
  const path = join(directory, 'index');
  await index.save(path, { vectors: 'outside' });
  const opened = await kernel.openIndex(path, { vectors: blocks });
  await opened.verify();
  return [index, opened];
}

/** The search as an index takes it. */
export function indexSearchOf(search: ExactSearch, more: Partial<IndexSearch>): IndexSearch {
  const { queries, queryCount, k, radius, rangeFilter } = search;
  const { allowed } = joined(search);
  return { queries, queryCount, k, ef: k, refineK: 1, allowed, radius, rangeFilter, ...more };
}
