/**
 * Elanus' own sparse index in a process of its own, with the protocol of `peers/peer.py`.
 *
 *   elanus-subject.ts DATA CACHE
 */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openAnalyzer, runAtOnce, termVectors } from '@elanus/functions';
import { type IndexSearch, loadKernel, type VectorIndex } from '@elanus/kernel';
import type { Built, Searched } from './subject.ts';

const K = 10;
const SPARSE = 104;
/** Rows whose words are counted in one call. */
const ROWS_AT_ONCE = 8192;

type Command = { readonly do: 'build' } | { readonly do: 'search'; readonly seconds: number };

interface Shape {
  readonly metric: 'IP' | 'BM25';
  readonly rows: number;
  readonly queries: number;
  readonly k1?: number;
  readonly b?: number;
  readonly averageLength?: number;
}

const [folder, cache] = process.argv.slice(2) as [string, string];
const bytesOf = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
const shape = JSON.parse(readFileSync(join(folder, 'shape.json'), 'utf8')) as Shape;
const { metric } = shape;
const bm25 = metric === 'BM25' ? { k1: shape.k1!, b: shape.b!, averageLength: shape.averageLength! } : null;
const queries = bytesOf('queries');
const queryOffsets = new Uint32Array(bytesOf('queries-offsets').buffer);
const truth = new Float32Array(bytesOf('truth').buffer);
let index: VectorIndex;

/** Of the calling thread and the builder's, in seconds. */
async function processorSeconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function build(): Promise<Built> {
  const rows = { bytes: bytesOf('base'), offsets: new Uint32Array(bytesOf('base-offsets').buffer) };
  const seconds = await processorSeconds(async () => {
    const blocks = [{ ...rows, rows: shape.rows }];
    const spec = { type: 'SPARSE', bm25: bm25 && { k1: bm25.k1, b: bm25.b } } as const;
    index = await loadKernel().buildIndex({ dataType: SPARSE, metric, spec, blocks, threads: 1 });
  });
  const wordSeconds = metric === 'BM25' ? await countWords() : null;
  mkdirSync(cache, { recursive: true });
  const file = join(cache, 'index');
  await index.save(file);
  return {
    seconds,
    wordSeconds,
    memoryBytes: index.memoryBytes,
    fileBytes: statSync(file).size,
    knobs: [0],
  };
}

/** What it takes to make the vectors of words, at blanks as the peers do. */
async function countWords(): Promise<number> {
  const lines = readFileSync(join(folder, 'texts'), 'latin1').split('\n').slice(0, shape.rows);
  const analyzer = await openAnalyzer('{"tokenizer":"whitespace"}');
  return await processorSeconds(async () => {
    for (let first = 0; first < lines.length; first += ROWS_AT_ONCE) {
      const texts = lines.slice(first, first + ROWS_AT_ONCE);
      const offsets = new Uint32Array(texts.length + 1);
      for (const [at, text] of texts.entries()) offsets[at + 1] = offsets[at]! + text.length;
      const bytes = Buffer.from(texts.join(''), 'latin1');
      runAtOnce(termVectors({ length: texts.length, validity: null, offsets, bytes }, () => analyzer));
    }
  });
}

function searchOf(query: number): IndexSearch {
  return {
    queries,
    queryCount: 1,
    k: K,
    ef: 1,
    refineK: 1,
    allowed: null,
    radius: null,
    rangeFilter: null,
    sparse: { offsets: queryOffsets.subarray(query, query + 2), bm25 },
  };
}

function search(seconds: number): Searched {
  let wanted = 0;
  let exact = 0;
  for (let query = 0; query < shape.queries; query++) {
    const { counts, scores } = index.searchSync(searchOf(query));
    for (let i = 0; i < K; i++) {
      const best = truth[query * K + i]!;
      if (best <= 0) continue;
      wanted += 1;
      if (i < counts[0]! && Math.abs(scores[i]! - best) <= 1e-5 * best) exact += 1;
    }
  }
  const all = Array.from({ length: shape.queries }, (_, query) => searchOf(query));
  const none = { ...searchOf(0), sparse: { offsets: Uint32Array.of(0, 0), bm25 } };
  const empty = queriesPerSecond(new Array<IndexSearch>(1000).fill(none), Math.min(seconds, 0.5));
  return {
    queriesPerSecond: queriesPerSecond(all, seconds),
    found: exact / wanted,
    exact: exact / wanted,
    callMicroseconds: 1e6 / empty,
  };
}

/** By what this thread has had of the processor: other programs cannot lengthen it by their turns. */
function queriesPerSecond(searches: readonly IndexSearch[], seconds: number): number {
  const before = process.threadCpuUsage();
  for (let passes = 1; ; passes++) {
    for (const one of searches) index.searchSync(one);
    const { user, system } = process.threadCpuUsage(before);
    const elapsed = (user + system) / 1e6;
    if (elapsed >= seconds) return (passes * searches.length) / elapsed;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as Command;
  const answering = command.do === 'build' ? build() : Promise.resolve(search(command.seconds));
  const answer = await answering.catch((error: unknown) => ({ error: String(error) }));
  console.log(JSON.stringify(answer));
}
process.exit();
