/**
 * Elanus' own index in a process of its own, with the protocol of `peers/peer.py`.
 *
 *   elanus-subject.ts INDEX DATA CACHE      INDEX is the layout of a graph, fast, compact or auto, or one of list-specs.ts
 *
 * What `build` has built is searched where it lies; without a `build` before it, `open` reads the file of the last run.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  type GraphLayout,
  type IndexHits,
  type IndexSearch,
  loadKernel,
  type SearchWay,
  type VectorIndex,
} from '@elanus/kernel';
import type { DenseVectorType } from '@elanus/model';
import { bytesOf, ELEMENT_BYTES, type Element, readDataFolder } from './data-set.ts';
import { LISTS_REFINED, listsSpecNamed, probesFor } from './list-specs.ts';
import type { BuildTime, FilterCell, OpenIndex, Way } from './subject.ts';

const K = 10;
const KNOBS = [
  10, 12, 14, 17, 20, 24, 28, 34, 40, 48, 56, 68, 80, 96, 112, 136, 160, 192, 224, 272, 320, 448, 640,
];
/** As many queries as are handed over in one call of a batch. */
const BATCH = 1000;
const SEED = 1;
const DATA_TYPES: Readonly<Record<Element, DenseVectorType>> = {
  float32: 101,
  float16: 102,
  bfloat16: 103,
  int8: 105,
  bits: 100,
};

/** What stands for a row that was not found. */
const NOT_FOUND = 0xffffffff;

type Asked = { readonly seconds: number; readonly ids: string | null; readonly knob: number };
type FilterCommand = {
  readonly do: 'filter';
  readonly way?: SearchWay;
  readonly asked?: number;
} & FilterCell &
  Asked;
type Command =
  | { readonly do: 'build'; readonly threads: number }
  | { readonly do: 'open' }
  | ({ readonly do: 'search' } & Way & Asked)
  | FilterCommand;

const [indexName, dataFolder, cache] = process.argv.slice(2) as [string, string, string];
const { shape, base, queries } = readDataFolder(dataFolder);
const queryBytes = shape.dim * ELEMENT_BYTES[shape.element];
const listsSpec = listsSpecNamed(indexName, shape.rows, shape.dim);
const file = join(cache, 'index');
let index: VectorIndex | null = null;

async function build(threads: number): Promise<BuildTime> {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  index = await loadKernel().buildIndex({
    dataType: DATA_TYPES[shape.element],
    metric: shape.metric,
    dim: shape.dim,
    spec: listsSpec ?? { type: 'HNSW', m: 16, efConstruction: 200, layout: indexName as GraphLayout },
    blocks: [{ bytes: base, rows: shape.rows }],
    threads,
    seed: SEED,
  });
  const { user, system } = process.cpuUsage(before);
  const built = {
    buildSeconds: (performance.now() - startedMs) / 1000,
    buildProcessorSeconds: (user + system) / 1e6,
  };
  await index.save(file);
  return built;
}

async function open(): Promise<Omit<OpenIndex, keyof BuildTime>> {
  // An index that was built is a view of the vectors, which lie beside it; one that was opened has them in its file.
  const beside = index === null ? 0 : base.length;
  index ??= await loadKernel().openIndex(file);
  return {
    knobs: listsSpec === null ? KNOBS : probesFor(shape.rows),
    memoryBytes: index.memoryBytes + beside,
    memoryMeans: `said by the index (${index.layout})${beside === 0 ? '' : ', and the vectors'}`,
  };
}

/** Queries `first` to `end`, as the index wants them. */
function searchOf(first: number, end: number, knob: number, allowed: Uint8Array | null): IndexSearch {
  const effort =
    listsSpec === null
      ? { ef: knob, refineK: 1 }
      : {
          ef: 1,
          refineK: LISTS_REFINED,
          lists: { probes: knob, probesMax: knob, emptyListsMax: 0 },
        };
  return {
    ...effort,
    queries: queries.subarray(first * queryBytes, end * queryBytes),
    queryCount: end - first,
    k: K,
    allowed,
    radius: null,
    rangeFilter: null,
  };
}

/** Searches with the first `count` queries; keeps what was found when there is a place for it. */
type Pass = (count: number, found: Uint32Array | null) => void | Promise<void>;

async function search({ knob, calls, threads, clock, seconds, ids }: Way & Asked): Promise<object> {
  const step = calls === 'batch' ? BATCH : 1;
  if (threads > 1) {
    const clockMs = clock === 'processors' ? () => processorsMs() / threads : () => performance.now();
    return await timedOnThePool({ knob, step, callsAtOnce: threads + 1 }, clockMs, seconds, ids);
  }
  const onThisThread: Pass = (count, found) => {
    for (let first = 0; first < count; first += step) {
      const hits = index!.searchSync(searchOf(first, Math.min(first + step, count), knob, null));
      if (found) keep(hits, found, first);
    }
  };
  return await timed(onThisThread, shape.queries, processorMs, seconds, ids);
}

/** One query after the other, each under its bitmap. */
async function filter(asked: FilterCommand): Promise<object> {
  const { way = 'cheapest' } = asked;
  const bits = bytesOf(asked.allowed);
  const size = asked.shared ? bits.length : bits.length / asked.queries;
  const pass: Pass = (count, found) => {
    for (let at = 0; at < count; at += 1) {
      const allowed = asked.shared ? bits : bits.subarray(at * size, (at + 1) * size);
      const hits = index!.searchSync({ ...searchOf(at, at + 1, asked.knob, allowed), way });
      if (found) keep(hits, found, at);
    }
  };
  return await timed(pass, asked.asked ?? asked.queries, processorMs, asked.seconds, asked.ids);
}

function keep({ rows, counts }: IndexHits, found: Uint32Array, first: number): void {
  counts.forEach((count, query) => {
    found.set(rows.subarray(query * K, query * K + count), (first + query) * K);
  });
}

/**
 * Queries a second over as many passes as take `seconds`, at least one, after a few queries that warm up. The first pass
 * keeps what it finds when that is to be written to `ids`.
 */
async function timed(
  pass: Pass,
  count: number,
  clockMs: () => number,
  seconds: number,
  ids: string | null,
): Promise<object> {
  const found = ids === null ? null : new Uint32Array(count * K).fill(NOT_FOUND);
  await pass(Math.ceil(count / 10), null);
  const startedMs = clockMs();
  let passes = 0;
  let elapsedMs = 0;
  do {
    await pass(count, passes === 0 ? found : null);
    passes += 1;
    elapsedMs = clockMs() - startedMs;
  } while (elapsedMs < seconds * 1000);
  if (ids !== null && found !== null) writeFileSync(ids, found);
  return { queriesPerSecond: (passes * count * 1000) / elapsedMs };
}

interface PoolCalls {
  readonly knob: number;
  /** Queries of one call. */
  readonly step: number;
  /** So many clients, who each ask again as soon as they have their answer: no thread is ever without work. */
  readonly callsAtOnce: number;
}

/** The same on the threads of the kernel. There is no pause between passes, as there is none between clients. */
async function timedOnThePool(
  { knob, step, callsAtOnce }: PoolCalls,
  clockMs: () => number,
  seconds: number,
  ids: string | null,
): Promise<object> {
  const found = ids === null ? null : new Uint32Array(shape.queries * K).fill(NOT_FOUND);
  const calls = Math.ceil(shape.queries / step);
  let next = 0;
  let searched = 0;
  const ask = async (mayAskMore: () => boolean) => {
    while (mayAskMore()) {
      const first = (next++ % calls) * step;
      const end = Math.min(first + step, shape.queries);
      const hits = await index!.search(searchOf(first, end, knob, null));
      if (found) keep(hits, found, first);
      searched += end - first;
    }
  };
  const askTogether = (mayAskMore: () => boolean) =>
    Promise.all(Array.from({ length: callsAtOnce }, () => ask(mayAskMore)));
  await askTogether(() => next < calls);
  [next, searched] = [0, 0];
  const startedMs = clockMs();
  await askTogether(() => next < calls || clockMs() - startedMs < seconds * 1000);
  const elapsedMs = clockMs() - startedMs;
  if (ids !== null && found !== null) writeFileSync(ids, found);
  return { queriesPerSecond: (searched * 1000) / elapsedMs };
}

/** What this thread has had of the processor: other programs cannot lengthen it by their turns. */
function processorMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The same of all threads together. */
function processorsMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function answer(command: Command): Promise<object> {
  switch (command.do) {
    case 'build':
      return await build(command.threads);
    case 'open':
      return await open();
    case 'search':
      return await search(command);
    case 'filter':
      return await filter(command);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const answered = await answer(JSON.parse(line) as Command).catch((error: unknown) => ({
    error: String(error),
  }));
  console.log(JSON.stringify(answered));
}
process.exit();
