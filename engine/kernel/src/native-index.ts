/** Vector indexes on the compiled library. */
import type { Addresses } from './addresses.ts';
import {
  buildWords,
  type IndexShape,
  openWords,
  SPARSE,
  searchWords,
  sparseBuildWords,
} from './index-words.ts';
import { startJob } from './job-channel.ts';
import type { NativeKernel } from './native.ts';
import { KernelError, Status } from './status.ts';
import type {
  IndexBuild,
  IndexHits,
  IndexOpen,
  IndexSave,
  IndexSearch,
  IndexVerify,
  SearchEffort,
  SparseIndexBuild,
  VectorIndex,
  VectorRows,
} from './vector-index.ts';

const PROGRESS_EVERY_MS = 100;
/** The numbers of the C header. */
const LAYOUTS = {
  1: 'fast',
  2: 'compact',
  3: 'codes',
  16: 'sparse',
  32: 'lists',
  40: 'binary lists',
  48: 'hash bands',
  64: 'disk',
} as const satisfies Record<number, VectorIndex['layout']>;

/** Layouts that read the vectors where they were lent; the others have all that they need from the build on. */
const VIEWS: ReadonlySet<VectorIndex['layout']> = new Set([
  'fast',
  'compact',
  'codes',
  'lists',
  'hash bands',
  'disk',
]);

/** Of the kernel that makes an index: the instruction set, and the pools for its searches. */
export interface Machine {
  readonly simd: number;
  readonly pool: number;
  /** For short searches that many ask for at the same time. */
  readonly crowdPool: number;
  readonly crowdThreads: number;
}

/** Makes indexes. */
export class Indexes {
  readonly #native: NativeKernel;
  readonly #addresses: Addresses;
  readonly #machine: Machine;

  constructor(native: NativeKernel, addresses: Addresses, machine: Machine) {
    this.#native = native;
    this.#addresses = addresses;
    this.#machine = machine;
  }

  /** See `Kernel.buildIndex`. */
  async build(build: IndexBuild | SparseIndexBuild): Promise<VectorIndex> {
    const { signal, onProgress } = build;
    signal?.throwIfAborted();
    const outcome = new Float64Array(1);
    const begin = this.#beginning(build, outcome);
    const { id, ended } = startJob(this.#native, begin, [build, outcome], signal);
    await withProgress(this.#native, id, ended, onProgress);
    return this.#indexOf(outcome, build.dataType === SPARSE ? [] : build.blocks);
  }

  /** What starts the build. */
  #beginning(build: IndexBuild | SparseIndexBuild, outcome: Float64Array): (id: number) => number {
    const { simd } = this.#machine;
    if (build.dataType === SPARSE) {
      const words = sparseBuildWords(this.#addresses, simd, outcome, build);
      return (id) => this.#native.startSparseIndexBuild(words, id);
    }
    const words = buildWords(this.#addresses, simd, outcome, build);
    return (id) => this.#native.startIndexBuild(words, id);
  }

  /** See `Kernel.openIndex`. */
  async open(path: string, { vectors = [] }: IndexOpen = {}): Promise<VectorIndex> {
    const outcome = new Float64Array(1);
    const words = openWords(this.#addresses, this.#machine.simd, outcome, vectors);
    const begin = (id: number) => this.#native.startIndexOpen(words, path, id);
    await startJob(this.#native, begin, [outcome, vectors], undefined).ended;
    return this.#indexOf(outcome, vectors);
  }

  #indexOf(outcome: Float64Array, lent: readonly VectorRows[] = []): VectorIndex {
    return new NativeIndex(this.#native, this.#addresses, this.#machine, outcome[0]!, lent);
  }
}

/** Waits for a job and tells how far it has come, at last 100. */
async function withProgress(
  native: NativeKernel,
  id: number,
  ended: Promise<void>,
  onProgress: ((percent: number) => void) | undefined,
): Promise<void> {
  const tell = onProgress && (() => onProgress(100 * native.jobDone(id)));
  const timer = tell && setInterval(tell, PROGRESS_EVERY_MS);
  try {
    await ended;
  } finally {
    clearInterval(timer);
  }
  onProgress?.(100);
}

/** Frees indexes that nobody closed: a safety net, not a way to live. */
const forgotten = new FinalizationRegistry<{ readonly native: NativeKernel; readonly handle: number }>(
  ({ native, handle }) => native.releaseIndex(handle),
);

function allocateHits(queryCount: number, k: number): IndexHits {
  const flat = queryCount * k;
  const buffer = new ArrayBuffer(4 * (queryCount + 2 * flat));
  return {
    counts: new Uint32Array(buffer, 0, queryCount),
    rows: new Uint32Array(buffer, 4 * queryCount, flat),
    scores: new Float32Array(buffer, 4 * (queryCount + flat), flat),
  };
}

/** Where a search writes what it did: rows looked at, comparisons, bytes and scans. */
function allocateEffort({ isMeasured = false }: IndexSearch): BigInt64Array | null {
  return isMeasured ? new BigInt64Array(4) : null;
}

function effortOf(effort: BigInt64Array): SearchEffort {
  const [visited, distances, bytes, scans] = Array.from(effort, Number) as [number, number, number, number];
  return { visited, distances, bytes, scans };
}

class NativeIndex implements VectorIndex {
  readonly #native: NativeKernel;
  readonly #addresses: Addresses;
  readonly #machine: Machine;
  readonly #handle: number;
  readonly #info = new Float64Array(6);
  readonly #shape: IndexShape;
  /** Holds on to vectors that the index is a view of. */
  readonly #lent: readonly VectorRows[];
  /** Work that uses the handle itself; the handle stays until it is done. */
  #users = 0;
  #state: 'open' | 'closing' | 'closed' = 'open';

  constructor(
    native: NativeKernel,
    addresses: Addresses,
    machine: Machine,
    handle: number,
    lent: readonly VectorRows[],
  ) {
    this.#native = native;
    this.#addresses = addresses;
    this.#machine = machine;
    this.#handle = handle;
    native.indexInfo(handle, this.#info);
    this.#lent = VIEWS.has(this.layout) ? lent : [];
    const [, dataType, metric, dim] = this.#info as unknown as readonly number[];
    this.#shape = { dataType: dataType as IndexShape['dataType'], metric: metric!, dim: dim! };
    forgotten.register(this, { native, handle }, this);
  }

  get rows(): number {
    return this.#info[0]!;
  }

  get crowdThreads(): number {
    return this.#machine.crowdThreads;
  }

  get memoryBytes(): number {
    return this.#info[5]!;
  }

  get layout(): VectorIndex['layout'] {
    return LAYOUTS[this.#info[4] as keyof typeof LAYOUTS];
  }

  async search(search: IndexSearch): Promise<IndexHits> {
    search.signal?.throwIfAborted();
    const hits = allocateHits(search.queryCount, search.k);
    const effort = allocateEffort(search);
    const words = this.#searchWords(search, hits, effort);
    const begin = (id: number) => this.#native.startIndexSearch(words, id);
    await startJob(this.#native, begin, [search, hits, effort, this.#lent], search.signal).ended;
    return effort === null ? hits : { ...hits, effort: effortOf(effort) };
  }

  searchSync(search: IndexSearch): IndexHits {
    const hits = allocateHits(search.queryCount, search.k);
    const effort = allocateEffort(search);
    const status = this.#native.runIndexSearch(this.#searchWords(search, hits, effort));
    if (status !== Status.Ok) throw new KernelError(status);
    return effort === null ? hits : { ...hits, effort: effortOf(effort) };
  }

  sparseStatistics(dimensions: Uint32Array): { frequencies: Uint32Array; totalLength: number } {
    this.#requireOpen();
    const frequencies = new Uint32Array(dimensions.length);
    const length = new Float64Array(1);
    const status = this.#native.sparseStatistics(this.#handle, dimensions, frequencies, length);
    if (status !== Status.Ok) throw new KernelError(status);
    return { frequencies, totalLength: length[0]! };
  }

  async save(path: string, { vectors = 'inside' }: IndexSave = {}): Promise<void> {
    this.#requireOpen();
    const withVectors = vectors === 'inside' ? 1 : 0;
    await this.#use((id) => this.#native.startIndexSave(this.#handle, path, withVectors, id), path);
  }

  async verify({ signal, onProgress }: IndexVerify = {}): Promise<void> {
    this.#requireOpen();
    signal?.throwIfAborted();
    await this.#use((id) => this.#native.startIndexVerify(this.#handle, id), null, signal, onProgress);
  }

  close(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    forgotten.unregister(this);
    this.#releaseWhenUnused();
  }

  #searchWords(search: IndexSearch, hits: IndexHits, effort: BigInt64Array | null): Float64Array {
    this.#requireOpen();
    const { pool, crowdPool } = this.#machine;
    return searchWords(
      this.#addresses,
      this.#handle,
      search.isOfCrowd === true ? crowdPool : pool,
      this.#shape,
      this.rows,
      search,
      hits,
      effort,
    );
  }

  async #use(
    begin: (id: number) => number,
    buffers: unknown,
    signal?: AbortSignal,
    onProgress?: (percent: number) => void,
  ): Promise<void> {
    this.#users += 1;
    try {
      const { id, ended } = startJob(this.#native, begin, [buffers, this.#lent], signal);
      await withProgress(this.#native, id, ended, onProgress);
    } finally {
      this.#users -= 1;
      this.#releaseWhenUnused();
    }
  }

  #releaseWhenUnused(): void {
    if (this.#state !== 'closing' || this.#users > 0) return;
    this.#state = 'closed';
    this.#native.releaseIndex(this.#handle);
  }

  #requireOpen(): void {
    if (this.#state !== 'open') throw new Error('the index is closed');
  }
}
