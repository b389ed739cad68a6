/** The kernel on the compiled library. */
import { availableParallelism } from 'node:os';
import type { DenseVectorType } from '@elanus/model';
import { Addresses } from './addresses.ts';
import { startJob } from './job-channel.ts';
import { CODE_FACTORS, type ExactHits, type ExactSearch, type Kernel, type VectorCodes } from './kernel.ts';
import { loadNative, type NativeKernel } from './native.ts';
import { Indexes, type Machine } from './native-index.ts';
import { bytesPerQuery, SearchWords } from './search-words.ts';
import { KernelError, Status } from './status.ts';
import type { IndexBuild, IndexOpen, SparseIndexBuild, VectorIndex } from './vector-index.ts';

export interface KernelOptions {
  /** Threads that search, 1 to 1024; kernels with as many share them. Default: as many as the machine runs at once. */
  readonly threads?: number;
  /** `avx512`, `avx2`, `neon` or `portable`. Default: `ELANUS_SIMD`, else the widest that the machine has. */
  readonly simd?: string;
  /** Which searches run on the calling thread: `small` ones (the default) or none. */
  readonly inline?: 'small' | 'none';
}

/**
 * Searches up to here are done at once on the calling thread, in at most about a hundred microseconds: the way to
 * another thread and back would take as long, and on a busy machine much longer.
 */
const INLINE = { bytesMax: 1536 * 1024, pairsMax: 12_288, sparseBytesMax: 64 * 1024, hitsMax: 8192 } as const;

/**
 * The kernel for this machine. Cheap after the first call.
 * @throws Error when the library is not built, when the machine lacks the instruction set asked for, and when the
 *   threads cannot be started
 */
export function loadKernel(options: KernelOptions = {}): Kernel {
  const native = loadNative();
  const wanted = options.simd ?? process.env.ELANUS_SIMD ?? null;
  const simd = native.findSimd(wanted);
  if (simd === 0) throw new Error(`this machine has no instruction set "${wanted}" that the kernel knows`);
  const threads = options.threads ?? Math.min(availableParallelism(), 1024);
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024)
    throw new RangeError(`threads is ${threads}, must be an integer from 1 to 1024`);
  const pool = native.getPool(threads);
  // One processor is left to the thread that reads the requests of a crowd and answers them: it has as much to do.
  const crowdThreads = Math.max(threads - 1, 1);
  const crowdPool = native.getPool(crowdThreads);
  if (pool === 0 || crowdPool === 0) throw new Error(`cannot start ${threads} threads`);
  return new NativeKernelAdapter(
    native,
    { simd, pool, crowdPool, crowdThreads, threads },
    options.inline ?? 'small',
  );
}

function isSmall(search: ExactSearch): boolean {
  const { dataType, queryCount, blocks, k } = search;
  // How long lists are is not known before they are looked at.
  if (search.queryLists !== undefined) return false;
  let rows = 0;
  for (const block of blocks) rows += block.rows;
  const bytesMax = dataType === 104 ? INLINE.sparseBytesMax : INLINE.bytesMax;
  return (
    rows * queryCount <= INLINE.pairsMax &&
    k * queryCount <= INLINE.hitsMax &&
    bytesPerQuery(search) * queryCount <= bytesMax
  );
}

/** Memory for the hits of `queryCount` queries; pages of it that no hit reaches are never touched. */
function allocateHits({ queryCount, k }: ExactSearch): ExactHits {
  const flat = queryCount * k;
  const buffer = new ArrayBuffer(4 * (queryCount + 3 * flat));
  return {
    counts: new Uint32Array(buffer, 0, queryCount),
    blocks: new Uint32Array(buffer, 4 * queryCount, flat),
    rows: new Uint32Array(buffer, 4 * (queryCount + flat), flat),
    scores: new Float32Array(buffer, 4 * (queryCount + 2 * flat), flat),
  };
}

class NativeKernelAdapter implements Kernel {
  readonly threads: number;
  readonly simd: string;
  readonly #native: NativeKernel;
  readonly #simd: number;
  readonly #pool: number;
  readonly #inline: 'small' | 'none';
  readonly #searchWords: SearchWords;
  readonly #indexes: Indexes;

  constructor(native: NativeKernel, machine: Machine & { threads: number }, inline: 'small' | 'none') {
    this.#native = native;
    this.#simd = machine.simd;
    this.#pool = machine.pool;
    this.#inline = inline;
    this.threads = machine.threads;
    this.simd = native.simdName(machine.simd);
    const addresses = new Addresses(native);
    this.#searchWords = new SearchWords(addresses);
    this.#indexes = new Indexes(native, addresses, machine);
  }

  async exactSearch(search: ExactSearch): Promise<ExactHits> {
    search.signal?.throwIfAborted();
    const hits = allocateHits(search);
    const words = this.#searchWords.write(this.#simd, this.#pool, search, hits);
    if (this.#inline === 'none' || !isSmall(search)) {
      const begin = (id: number) => this.#native.startExactSearch(words, id);
      await startJob(this.#native, begin, [search, hits], search.signal).ended;
      return hits;
    }
    const status = this.#native.runExactSearch(words);
    if (status !== Status.Ok) throw new KernelError(status);
    return hits;
  }

  inverseNorms(dataType: DenseVectorType, dim: number, bytes: Uint8Array, rows: number): Float32Array {
    const out = new Float32Array(rows);
    const status = this.#native.inverseNorms(this.#simd, dataType, dim, bytes, rows, out);
    if (status !== Status.Ok) throw new KernelError(status);
    return out;
  }

  async encode(
    dim: number,
    bytes: Uint8Array,
    rows: number,
    codes: Omit<VectorCodes, 'rows'>,
  ): Promise<void> {
    const { values, factors } = codes;
    if (values.length < rows * dim || factors.length < rows * CODE_FACTORS)
      throw new RangeError(`no room for the codes of ${rows} rows`);
    const status = await this.#native.startEncode(this.#simd, dim, rows, [bytes, values, factors]);
    if (status !== Status.Ok) throw new KernelError(status);
  }

  buildIndex(build: IndexBuild | SparseIndexBuild): Promise<VectorIndex> {
    return this.#indexes.build(build);
  }

  openIndex(path: string, open?: IndexOpen): Promise<VectorIndex> {
    return this.#indexes.open(path, open);
  }
}
