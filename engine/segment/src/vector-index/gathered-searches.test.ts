import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { IndexHits, IndexSearch } from '@elanus/kernel';
import { DataType } from '@elanus/model';
import { ExactVectorIndex } from '../testing/exact-vector-index.ts';
import { type GatheredSearch, GatheredSearches } from './gathered-searches.ts';

const ROWS = 20;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Row i is the number i. Notes what it is asked for, and answers from elsewhere when it is told to. */
class WatchedIndex extends ExactVectorIndex {
  readonly calls: { readonly where: 'here' | 'elsewhere'; readonly queries: number }[] = [];
  fails = false;
  #answers: (() => void)[] = [];

  constructor() {
    const numbers = Float32Array.from({ length: ROWS }, (_, row) => row);
    const blocks = [{ bytes: new Uint8Array(numbers.buffer), rows: ROWS }];
    super({ dataType: DataType.FloatVector, metric: 'L2', dim: 1, blocks });
  }

  override async search(search: IndexSearch): Promise<IndexHits> {
    this.calls.push({ where: 'elsewhere', queries: search.queryCount });
    if (this.fails) throw new Error('no memory');
    const hits = super.searchSync(search);
    await new Promise<void>((resolve) => this.#answers.push(resolve));
    return hits;
  }

  override searchSync(search: IndexSearch): IndexHits {
    this.calls.push({ where: 'here', queries: search.queryCount });
    return super.searchSync(search);
  }

  async answer(): Promise<void> {
    for (const resolve of this.#answers) resolve();
    this.#answers = [];
    await nextTurn();
  }
}

function searchFor(number: number, more: Partial<GatheredSearch> = {}): GatheredSearch {
  const queries = new Uint8Array(Float32Array.of(number).buffer);
  return { queries, k: 3, ef: 8, refineK: 1, allowed: null, radius: null, rangeFilter: null, ...more };
}

async function rowsOf(hits: Promise<IndexHits>): Promise<readonly number[]> {
  const { counts, rows } = await hits;
  return [...rows.subarray(0, counts[0])];
}

describe('searches that go together', () => {
  let index: WatchedIndex;
  let gathered: GatheredSearches;
  beforeEach(() => {
    index = new WatchedIndex();
    gathered = new GatheredSearches(index);
  });

  it('are made here and at once when each is the only one of its turn', async () => {
    for (const number of [4, 7]) {
      const hits = gathered.search(searchFor(number), 'here');
      assert.equal(index.calls.at(-1)?.where, 'here');
      assert.equal((await rowsOf(hits))[0], number);
      await nextTurn();
    }
    assert.deepEqual(index.calls, Array(2).fill({ where: 'here', queries: 1 }));
  });

  it('get their own hits of one call when they are asked for in one turn', async () => {
    const first = gathered.search(searchFor(1), 'here');
    const others = [5, 9, 13].map((number) => rowsOf(gathered.search(searchFor(number), 'here')));
    await nextTurn();
    assert.deepEqual(index.calls, [
      { where: 'here', queries: 1 },
      { where: 'elsewhere', queries: 3 },
    ]);
    await index.answer();
    assert.deepEqual(await Promise.all(others), [
      [5, 4, 6],
      [9, 8, 10],
      [13, 12, 14],
    ]);
    assert.deepEqual(await rowsOf(first), [1, 0, 2]);
  });

  it('wait for the end of a turn as long as the one before had several, and are made here when they stay alone', async () => {
    const crowd = [1, 2, 3].map((number) => gathered.search(searchFor(number), 'here'));
    await nextTurn();
    await index.answer();
    await Promise.all(crowd);
    const calls = index.calls.length;
    const late = rowsOf(gathered.search(searchFor(6), 'here'));
    assert.equal(index.calls.length, calls);
    await nextTurn();
    assert.deepEqual(index.calls.at(-1), { where: 'here', queries: 1 });
    assert.equal((await late)[0], 6);
    void gathered.search(searchFor(7), 'here');
    assert.deepEqual(index.calls.at(-1), { where: 'here', queries: 1 });
  });

  it('never keep this thread while the kernel has others, or when they are long', async () => {
    const long = gathered.search(searchFor(3), 'elsewhere');
    await nextTurn();
    const beside = gathered.search(searchFor(8), 'here');
    await nextTurn();
    assert.deepEqual(index.calls, Array(2).fill({ where: 'elsewhere', queries: 1 }));
    await index.answer();
    assert.deepEqual([(await rowsOf(long))[0], (await rowsOf(beside))[0]], [3, 8]);
  });

  it('go apart when they differ in anything but the query', async () => {
    const half = Uint8Array.of(0b10101010, 0b10101010, 0b1010);
    const kinds: Partial<GatheredSearch>[] = [
      { k: 2 },
      { ef: 9 },
      { refineK: 2 },
      { allowed: half },
      { radius: 4 },
      { rangeFilter: 0 },
    ];
    const asked = kinds.flatMap((kind) => [
      gathered.search(searchFor(6, kind), 'elsewhere'),
      gathered.search(searchFor(7, kind), 'elsewhere'),
    ]);
    await nextTurn();
    assert.deepEqual(index.calls, Array(kinds.length).fill({ where: 'elsewhere', queries: 2 }));
    await index.answer();
    const rows = await Promise.all(asked.map(rowsOf));
    assert.deepEqual(rows.slice(0, 2), [
      [6, 5],
      [7, 6],
    ]);
    assert.deepEqual(rows.slice(6, 8), [
      [5, 7, 3],
      [7, 5, 9],
    ]);
  });

  it('are not more than a call takes, nor of more kinds than are worth keeping apart', async () => {
    const many = Array.from({ length: 150 }, (_, at) => gathered.search(searchFor(at % ROWS), 'elsewhere'));
    const kinds = Array.from({ length: 20 }, (_, at) =>
      gathered.search(searchFor(2, { ef: 100 + at }), 'here'),
    );
    await nextTurn();
    assert.equal(index.calls.length, 3 + 20);
    assert.deepEqual(Math.max(...index.calls.map(({ queries }) => queries)), 64);
    await index.answer();
    for (const [at, hits] of (await Promise.all(many)).entries()) assert.equal(hits.rows[0], at % ROWS);
    assert.equal((await Promise.all(kinds)).length, 20);
  });

  it('are handed over before their index is closed', async () => {
    const waiting = [gathered.search(searchFor(1), 'elsewhere'), gathered.search(searchFor(2), 'elsewhere')];
    gathered.flush();
    index.close();
    await index.answer();
    assert.deepEqual(await Promise.all(waiting.map(rowsOf)), [
      [1, 0, 2],
      [2, 1, 3],
    ]);
  });

  it('all learn that the kernel has failed', async () => {
    index.fails = true;
    const failed = [gathered.search(searchFor(1), 'elsewhere'), gathered.search(searchFor(2), 'elsewhere')];
    for (const hits of failed) await assert.rejects(hits, /no memory/);
    index.fails = false;
    await nextTurn();
    assert.equal((await rowsOf(gathered.search(searchFor(3), 'here')))[0], 3);
  });
});
