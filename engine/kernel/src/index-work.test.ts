import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DenseVectorType, MetricType } from '@elanus/model';
import { loadKernel } from './load-kernel.ts';
import { randomSource } from './random-search.ts';
import type { IndexBuild, IndexSpec } from './vector-index.ts';

const kernel = loadKernel();
const FLOAT = 101;
const BINARY = 100;

interface Family {
  readonly dataType: DenseVectorType;
  readonly metric: MetricType;
  readonly dim: number;
  readonly rows: number;
  readonly spec: IndexSpec;
}

const inLists = (spec: IndexSpec): Family => ({ dataType: FLOAT, metric: 'L2', dim: 32, rows: 6_000, spec });

/** So many rows that a build takes longer than the first look at how far it is. */
const FAMILIES: readonly Family[] = [
  inLists({ type: 'IVF_FLAT', lists: 128 }),
  inLists({ type: 'IVF_SQ', lists: 128, sqType: 'SQ8', refine: null }),
  inLists({ type: 'IVF_PQ', lists: 128, subquantizers: 16, bits: 8, refine: null }),
  inLists({ type: 'IVF_RABITQ', lists: 128, bits: 1, refine: 'FP16' }),
  inLists({ type: 'SCANN', lists: 128, subquantizers: 16, vectors: 'kept' }),
  {
    dataType: FLOAT,
    metric: 'L2',
    dim: 32,
    rows: 8_000,
    spec: { type: 'DISKANN', m: 24, efConstruction: 100, codeBytes: 16, cacheBytes: 20 },
  },
  {
    dataType: BINARY,
    metric: 'HAMMING',
    dim: 512,
    rows: 60_000,
    spec: { type: 'BIN_IVF_FLAT', lists: 1024 },
  },
  {
    dataType: BINARY,
    metric: 'MHJACCARD',
    dim: 4096,
    rows: 20_000,
    spec: { type: 'MINHASH_LSH', hashBytes: 4, bands: 128 },
  },
];

function buildOf({ dataType, metric, dim, rows, spec }: Family): IndexBuild {
  const random = randomSource(1);
  const bytes =
    dataType === BINARY
      ? Uint8Array.from({ length: (rows * dim) / 8 }, () => random() * 256)
      : new Uint8Array(Float32Array.from({ length: rows * dim }, random).buffer);
  return { dataType, metric, dim, spec, blocks: [{ bytes, rows }], threads: 1, seed: 1 };
}

for (const family of FAMILIES) {
  describe(`a build of ${family.spec.type}`, () => {
    const build = buildOf(family);

    test('tells how far it is, up to its end', async () => {
      const seen: number[] = [];
      const index = await kernel.buildIndex({ ...build, onProgress: (percent) => seen.push(percent) });
      index.close();
      assert.equal(seen.at(-1), 100);
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => a - b),
      );
    });

    test('ends when nobody wants it any more', async () => {
      const unwanted = new AbortController();
      const building = kernel.buildIndex({ ...build, signal: unwanted.signal });
      setImmediate(() => unwanted.abort(new Error('unwanted')));
      await assert.rejects(building, /unwanted/);
    });
  });
}
