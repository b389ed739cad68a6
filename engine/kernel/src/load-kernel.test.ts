import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { ExactSearch, VectorBlock } from './kernel.ts';
import { loadKernel } from './load-kernel.ts';
import { hitsOfQuery } from './naive-search.ts';
import { randomSearch, type SearchShape } from './random-search.ts';
import { KernelError, Status } from './status.ts';

const SHAPE: SearchShape = {
  ...{ seed: 1, dataType: 101, metric: 'L2', dim: 16, queryCount: 2, k: 5 },
  ...{ blockRows: [100], values: 'real', keyType: 'int64', allowedShare: null },
};
const small = randomSearch(SHAPE);
const onThreads = loadKernel({ inline: 'none' });

/** Some hundred milliseconds of work over one small block. */
function longSearch(signal: AbortSignal): ExactSearch {
  const shape: SearchShape = { ...SHAPE, dim: 256, queryCount: 500, blockRows: [2000] };
  const search = randomSearch(shape);
  return { ...search, blocks: new Array<VectorBlock>(40).fill(search.blocks[0]!), signal };
}

function inSharedMemory(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

describe('a kernel', () => {
  test('searches nothing and finds nothing', async () => {
    for (const kernel of [loadKernel(), onThreads]) {
      assert.deepEqual([...(await kernel.exactSearch({ ...small, blocks: [] })).counts], [0, 0]);
      assert.equal((await kernel.exactSearch({ ...small, queryCount: 0 })).counts.length, 0);
      const empty = { ...small.blocks[0]!, rows: 0 };
      assert.deepEqual([...(await kernel.exactSearch({ ...small, blocks: [empty, empty] })).counts], [0, 0]);
    }
  });

  test('reads shared memory in place', async () => {
    const block = small.blocks[0]!;
    const keys = { type: 'int64' as const, values: new BigInt64Array(new SharedArrayBuffer(8 * block.rows)) };
    keys.values.set((block.keys as { values: BigInt64Array }).values);
    const shared = { ...small, blocks: [{ ...block, bytes: inSharedMemory(block.bytes), keys }] };
    assert.deepEqual(await onThreads.exactSearch(shared), await onThreads.exactSearch(small));
  });

  test('orders varchar keys by their bytes, a prefix before what it begins', async () => {
    const texts = ['b', 'é', 'aa', 'a', '', 'z'].map((text) => Buffer.from(text));
    const offsets = new Uint32Array([0, ...texts.map((_, i) => Buffer.concat(texts.slice(0, i + 1)).length)]);
    const keys = { type: 'varchar' as const, offsets, bytes: new Uint8Array(Buffer.concat(texts)) };
    const block = { ...small.blocks[0]!, bytes: new Uint8Array(6 * 64), rows: 6, keys };
    const search = { ...small, blocks: [block], k: 4 };
    const rows = hitsOfQuery(search, await onThreads.exactSearch(search), 0).map((hit) => hit.row);
    assert.deepEqual(rows, [4, 3, 2, 0]);
  });

  test('rejects what contradicts itself, with nothing read', async () => {
    const block = small.blocks[0]!;
    const withBlock = (change: Partial<VectorBlock>): ExactSearch => ({
      ...small,
      blocks: [{ ...block, ...change }],
    });
    const bad: readonly [string, ExactSearch][] = [
      ['more rows than bytes', withBlock({ rows: 101 })],
      ['rows below zero', withBlock({ rows: -1 })],
      ['a short bitmap', withBlock({ allowed: new Uint8Array(12) })],
      ['few inverse norms', withBlock({ inverseNorms: new Float32Array(99) })],
      ['few keys', withBlock({ keys: { type: 'int64', values: new BigInt64Array(99) } })],
      [
        'few key offsets',
        withBlock({ keys: { type: 'varchar', offsets: new Uint32Array(100), bytes: block.bytes } }),
      ],
      [
        'a resizable buffer',
        withBlock({ bytes: new Uint8Array(new ArrayBuffer(6400, { maxByteLength: 9999 })) }),
      ],
      ['few queries', { ...small, queryCount: 3 }],
      ['too many queries', { ...small, queryCount: 16_385, queries: new Uint8Array(16_385 * 64) }],
      ['k of zero', { ...small, k: 0 }],
      ['k too large', { ...small, k: 16_385 }],
      ['a fractional k', { ...small, k: 1.5 }],
      ['a metric of other types', { ...small, metric: 'HAMMING' }],
      ['a metric of no exact search', { ...small, metric: 'BM25' }],
      ['no dimension', { ...small, dim: 0 }],
      ['too many dimensions', { ...small, dim: 40_000, blocks: [], queryCount: 0 }],
      ['a radius that is no number', { ...small, radius: Number.NaN }],
      ['sparse vectors without offsets', { ...small, dataType: 104, metric: 'IP' }],
    ];
    for (const [what, search] of bad) {
      for (const kernel of [loadKernel(), onThreads])
        await assert.rejects(kernel.exactSearch(search), Error, what);
    }
  });

  test('notices offsets of sparse vectors that lead astray', async () => {
    const search = randomSearch({ ...SHAPE, dataType: 104, metric: 'IP' });
    const block = search.blocks[0]!;
    const damaged = [...[2 ** 32 - 1, block.bytes.length + 8, 3].entries()].map(([i, offset]) => {
      const offsets = block.offsets!.slice();
      offsets[40 + i] = offset;
      return { ...search, blocks: [{ ...block, offsets }] };
    });
    const queryOffsets = Uint32Array.of(0, 2 ** 31, 2 ** 31);
    for (const kernel of [loadKernel(), onThreads]) {
      for (const bad of [...damaged, { ...search, queryOffsets }]) {
        const isCorrupt = (error: unknown) =>
          error instanceof KernelError && error.status === Status.CorruptInput;
        await assert.rejects(kernel.exactSearch(bad), isCorrupt);
      }
    }
  });

  test('survives offsets of varchar keys that lead astray', async () => {
    const search = randomSearch({ ...SHAPE, values: 'whole', keyType: 'varchar', dim: 1 });
    const block = search.blocks[0]!;
    const offsets = Uint32Array.from({ length: 101 }, (_, i) => Math.imul(i, 2654435761));
    const keys = { type: 'varchar' as const, offsets, bytes: new Uint8Array(10) };
    const hits = await onThreads.exactSearch({ ...search, blocks: [{ ...block, keys }] });
    assert.deepEqual([...hits.counts], [5, 5]);
  });

  test('rejects with the reason of the signal, before and during the search', async () => {
    await assert.rejects(
      onThreads.exactSearch({ ...small, signal: AbortSignal.abort('too late') }),
      (e) => e === 'too late',
    );
    const reason = new Error('the client is gone');
    const controller = new AbortController();
    const running = Array.from({ length: 5 }, () => onThreads.exactSearch(longSearch(controller.signal)));
    controller.abort(reason);
    for (const outcome of await Promise.allSettled(running)) {
      assert.equal(outcome.status, 'rejected');
      assert.equal(outcome.reason, reason);
    }
    assert.deepEqual(await onThreads.exactSearch(small), await loadKernel().exactSearch(small));
  });

  test('answers a small search while large ones are under way', async () => {
    const controller = new AbortController();
    const large = Array.from({ length: 4 }, () => onThreads.exactSearch(longSearch(controller.signal)));
    let largeSettled = 0;
    const settled = large.map((search) =>
      search.then(
        () => largeSettled++,
        () => undefined,
      ),
    );
    await onThreads.exactSearch(small);
    assert.equal(largeSettled, 0);
    controller.abort();
    await Promise.all(settled);
  });

  test('holds no memory after thousands of searches', async () => {
    const search = randomSearch({ ...SHAPE, k: 2000, blockRows: [3000] });
    const run = async (count: number) => {
      for (let i = 0; i < count; i += 50)
        await Promise.all(Array.from({ length: 50 }, () => onThreads.exactSearch(search)));
    };
    await run(500);
    const before = process.memoryUsage.rss();
    await run(4000);
    const grown = process.memoryUsage.rss() - before;
    // A leak of the hits alone would be 190 MiB.
    assert.ok(grown < 100 * 2 ** 20, `${grown} bytes more`);
  });

  test('lets a JavaScript thread end in the middle of its searches', async () => {
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(new URL('./long-search.fixture.ts', import.meta.url));
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await worker.terminate();
    }
    assert.equal((await onThreads.exactSearch(small)).counts[0], 5);
  });

  test('names what this machine does not have', () => {
    assert.throws(() => loadKernel({ simd: 'abacus' }), /no instruction set "abacus"/);
    assert.throws(() => loadKernel({ threads: 0 }), RangeError);
  });
});

test('inverse norms are 0 for vectors without a direction', () => {
  const vectors = new Float32Array([3, 4, 0, 0, 1e-45, 0, Infinity, 1, Number.NaN, 1, 3e38, 3e38]);
  const norms = loadKernel().inverseNorms(101, 2, new Uint8Array(vectors.buffer), 6);
  const length = Math.sqrt(2) * Math.fround(3e38);
  assert.deepEqual([...norms], [Math.fround(0.2), 0, 0, 0, 0, Math.fround(1 / length)]);
});
