/**
 * What the compiled library exports (`src/binding`), and the loading of it. Addresses of native objects and of the
 * bytes behind typed arrays are plain numbers; they never leave this package.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { interfaceDigest } from './interface-digest.ts';

type BinaryView = Uint8Array | Int8Array | Uint32Array | Float32Array | Float64Array | BigInt64Array;

export interface NativeKernel {
  /** Where the bytes of a typed array are; 0 when it has none. They stay there as long as the array lives. */
  addressOf(view: BinaryView): number;
  /** `null` finds the widest; 0 when this machine has no such instruction set. */
  findSimd(name: string | null): number;
  simdName(simd: number): string;
  /** The pool of this many threads; 0 when they could not be started. */
  getPool(threads: number): number;
  /** To be called once; `settle` is told of the end of each job, with its id and status. */
  openJobs(settle: (id: number, status: number) => void): boolean;
  cancelJob(id: number): void;
  /** How much of a build or a verification is done: 0 to 1. */
  jobDone(id: number): number;
  runExactSearch(words: Float64Array): number;
  startExactSearch(words: Float64Array, id: number): number;
  /** Builds and opens write the index, as a number, to the `outcome` of their request. */
  startIndexBuild(words: Float64Array, id: number): number;
  startSparseIndexBuild(words: Float64Array, id: number): number;
  startIndexOpen(words: Float64Array, path: string, id: number): number;
  startIndexVerify(index: number, id: number): number;
  startIndexSave(index: number, path: string, withVectors: number, id: number): number;
  runIndexSearch(words: Float64Array): number;
  startIndexSearch(words: Float64Array, id: number): number;
  /** Writes how many rows have each dimension, and the length of all rows together. */
  sparseStatistics(
    index: number,
    dimensions: Uint32Array,
    frequencies: Uint32Array,
    length: Float64Array,
  ): number;
  /** Writes rows, type, metric, dimension, layout and memory. */
  indexInfo(index: number, out: Float64Array): void;
  releaseIndex(index: number): void;
  inverseNorms(
    simd: number,
    type: number,
    dim: number,
    bytes: Uint8Array,
    rows: number,
    out: Float32Array,
  ): number;
  /** The first of `count` numbers, which the bytes have; `count` for none. */
  findNonFinite(type: number, bytes: Uint8Array, count: number): number;
  crc32(bytes: Uint8Array, before: number): number;
  /** Resolves with a status. */
  startEncode(
    simd: number,
    dim: number,
    rows: number,
    arrays: readonly [bytes: Uint8Array, values: Int8Array, factors: Float32Array],
  ): Promise<number>;
  hashTexts(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array, hashes: BigUint64Array): number;
  minHash(hashes: BigUint64Array, seed: BigUint64Array, signature: Uint32Array): void;
  /** Writes the most numbers and the most arrays that the text may have. */
  countNumbers(json: Uint8Array, counts: Uint32Array): void;
  /** How many arrays there are. */
  numberRuns(json: Uint8Array, least: number, runs: Uint32Array, numbers: Float64Array): number;
  startNumberRuns(
    least: number,
    arrays: readonly [json: Uint8Array, runs: Uint32Array, numbers: Float64Array],
  ): Promise<number>;
  measureReadBandwidth(simd: number, threads: number, bytes: number, passes: number): number;
  /** Each gives an errno when it fails; `residentBytes` a negative one. */
  mapFile(fd: number, length: number): ArrayBufferLike | number;
  residentBytes(view: Uint8Array): number;
  dropPages(view: Uint8Array): number;
  guardPages(view: Uint8Array, areReadable: number): number;
  readPages(view: Uint8Array): Promise<number>;
  reservePages(view: Uint8Array): Promise<number>;
  lockFile(fd: number): number;
  allocateFile(fd: number, offset: number, length: number): number;
  punchFile(fd: number, offset: number, length: number): Promise<number>;
  trimMemory(): Promise<number>;
  /** How long the `events` of the next calls are: their number, then four words for each. */
  http2EventWords(): number;
  /** A session of HTTP/2; 0 when it cannot be had. */
  http2Open(streams: number, streamWindow: number, connectionWindow: number, frameBytes: number): number;
  http2Close(session: number): void;
  /** False when the connection is beyond repair. */
  http2Receive(session: number, input: Uint8Array, count: number, events: Int32Array): boolean;
  /** How many bytes it wrote to `output`; -1 when the connection is over. */
  http2Send(session: number, output: Uint8Array, events: Int32Array): number;
  http2Headers(session: number, stream: number): string;
  http2Answer(session: number, stream: number, message: Uint8Array, isKept: boolean): void;
  http2Refuse(session: number, stream: number, headers: string): void;
  http2Cancel(session: number, stream: number): void;
  http2Ping(session: number): void;
  http2GoAway(session: number): void;
}

const LIBRARY = join(import.meta.dirname, '..', 'build', 'Release', 'kernel.node');
let loaded: NativeKernel | null = null;

/**
 * The library, loaded at first use.
 * @throws UnusableKernel that says how to build it
 */
export function loadNative(): NativeKernel {
  loaded ??= openNative(LIBRARY);
  return loaded;
}

/** A library that is not there, does not load, or was built of other sources than these. */
export class UnusableKernel extends Error {
  override readonly name = 'UnusableKernel';

  constructor(path: string, reason: string, cause?: unknown) {
    super(`The kernel ${reason} (${path}). Build it with \`npm run build -w @elanus/kernel\`.`, { cause });
  }
}

/** @throws UnusableKernel */
export function openNative(path: string): NativeKernel {
  let digest: string;
  try {
    digest = readFileSync(`${path}.interface`, 'utf8');
  } catch (cause) {
    throw new UnusableKernel(path, 'is not built', cause);
  }
  if (digest !== interfaceDigest()) throw new UnusableKernel(path, 'was built of other sources');
  try {
    return createRequire(import.meta.url)(path) as NativeKernel;
  } catch (cause) {
    throw new UnusableKernel(path, 'does not load', cause);
  }
}
