import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { IndexHits, IndexSearch } from '@elanus/kernel';
import { DataType } from '@elanus/model';
import { LoopShare, ManualClock } from '@elanus/runtime';
import { ExactVectorIndex } from '../testing/exact-vector-index.ts';
import { type GatheredSearch, GatheredSearches } from './gathered-searches.ts';

const ROWS = 20;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Row i is the number i. Notes what it is asked for, and answers from elsewhere when it is told to. */
class WatchedIndex extends ExactVectorIndex {
  readonly calls: { readonly where: 'here' | 'elsewhere'; readonly queries: number }[] = [];
  fails = false;
  /** Of this thread, for each search. */
  takesMs = 0;
  readonly #clock: ManualClock;
  #answers: (() => void)[] = [];

  constructor(clock: ManualClock) {
    const numbers = Float32Array.from({ length: ROWS }, (_, row) => row);
    const blocks = [{ bytes: new Uint8Array(numbers.buffer), rows: ROWS }];
    super({ dataType: DataType.FloatVector, metric: 'L2', dim: 1, blocks });
    this.#clock = clock;
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
    this.#clock.advance(this.takesMs);
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

const HERE = { where: 'here', queries: 1 } as const;
const elsewhere = (queries: number) => ({ where: 'elsewhere', queries }) as const;
/** Calls that an index with one thread for a crowd is given at a time. */
const IN_FLIGHT_MAX = 3;

describe('searches that go together', () => {
  let index: WatchedIndex;
  let gathered: GatheredSearches;
  let here: LoopShare;
  beforeEach(() => {
    const clock = new ManualClock();
    here = new LoopShare(clock);
    index = new WatchedIndex(clock);
    gathered = new GatheredSearches(index);
  });

  it('are made here and at once when each is the only one of its turn', async () => {
    for (const number of [4, 7]) {
      const hits = gathered.search(searchFor(number), here);
      assert.equal(index.calls.at(-1)?.where, 'here');
      assert.equal((await rowsOf(hits))[0], number);
      await nextTurn();
    }
    assert.deepEqual(index.calls, [HERE, HERE]);
  });

  it('go to the kernel at once while its threads have little to do, and wait and go together then', async () => {
    const first = gathered.search(searchFor(1), here);
    const atOnce = [2, 3, 4].map((number) => rowsOf(gathered.search(searchFor(number), here)));
    const together = [5, 9, 13].map((number) => rowsOf(gathered.search(searchFor(number), here)));
    assert.deepEqual(index.calls, [HERE, ...Array(IN_FLIGHT_MAX).fill(elsewhere(1))]);
    await index.answer();
    assert.deepEqual(index.calls.at(-1), elsewhere(3));
    assert.equal(index.calls.length, 1 + IN_FLIGHT_MAX + 1);
    await index.answer();
    assert.deepEqual(await Promise.all([rowsOf(first), ...atOnce, ...together]), [
      [1, 0, 2],
      [2, 1, 3],
      [3, 2, 4],
      [4, 3, 5],
      [5, 4, 6],
      [9, 8, 10],
      [13, 12, 14],
    ]);
  });

  it('go to the kernel as long as the one before had others beside it', async () => {
    const crowd = [1, 2].map((number) => gathered.search(searchFor(number), here));
    await index.answer();
    await Promise.all(crowd);
    const late = rowsOf(gathered.search(searchFor(6), here));
    assert.deepEqual(index.calls.at(-1), elsewhere(1));
    await index.answer();
    assert.equal((await late)[0], 6);
    void gathered.search(searchFor(7), here);
    assert.deepEqual(index.calls.at(-1), HERE);
  });

  it('never keep this thread while the kernel has others, or when they are long', async () => {
    const long = gathered.search(searchFor(3), null);
    await nextTurn();
    const beside = gathered.search(searchFor(8), here);
    assert.deepEqual(index.calls, Array(2).fill(elsewhere(1)));
    await index.answer();
    assert.deepEqual([(await rowsOf(long))[0], (await rowsOf(beside))[0]], [3, 8]);
  });

  it('go elsewhere for a while when one has filled the turn under a filter', async () => {
    const all = Uint8Array.of(0xff, 0xff, 0xff);
    const askAlone = async (more: Partial<GatheredSearch>) => {
      const hits = gathered.search(searchFor(5, more), here);
      const { where } = index.calls.at(-1)!;
      await index.answer();
      assert.equal((await rowsOf(hits))[0], 5);
      return where;
    };
    index.takesMs = 1;
    for (let at = 0; at < 3; at += 1) assert.equal(await askAlone({ allowed: all }), 'here');
    index.takesMs = 3;
    assert.equal(await askAlone({ allowed: all }), 'here');
    for (let at = 0; at < 64; at += 1) assert.equal(await askAlone({ allowed: all }), 'elsewhere');
    assert.equal(await askAlone({ allowed: null }), 'here');
    assert.equal(await askAlone({ allowed: all }), 'here');
    assert.equal(await askAlone({ allowed: all }), 'elsewhere');
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
      { isOfCrowd: true },
    ];
    const busy = Array.from({ length: IN_FLIGHT_MAX }, () => gathered.search(searchFor(1), null));
    const asked = kinds.flatMap((kind) => [
      gathered.search(searchFor(6, kind), null),
      gathered.search(searchFor(7, kind), null),
    ]);
    while (index.calls.length < IN_FLIGHT_MAX + kinds.length) await index.answer();
    assert.deepEqual(index.calls.slice(IN_FLIGHT_MAX), Array(kinds.length).fill(elsewhere(2)));
    await index.answer();
    await Promise.all(busy);
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

  it('are all answered, the ones that came first before others, however many wait', async () => {
    const answered: number[] = [];
    const many = Array.from({ length: 150 }, async (_, at) => {
      const ef = at % 30 === 0 ? 100 + at : 8;
      const rows = await rowsOf(gathered.search(searchFor(at % ROWS, { ef }), null));
      answered.push(at);
      return rows[0];
    });
    while (answered.length < many.length) await index.answer();
    assert.deepEqual(
      await Promise.all(many),
      many.map((_, at) => at % ROWS),
    );
    // Of another kind, a search may be overtaken by what joins the batch before it.
    for (const [place, at] of answered.entries())
      assert.ok(Math.abs(place - at) <= 4, `${at} as number ${place}`);
    assert.equal(Math.max(...index.calls.map(({ queries }) => queries)), 4);
  });

  it('are handed over before their index is closed', async () => {
    const asked = Array.from({ length: 9 }, (_, at) => gathered.search(searchFor(at), null));
    gathered.flush();
    index.close();
    await index.answer();
    for (const [at, hits] of asked.entries()) assert.equal((await rowsOf(hits))[0], at);
  });

  it('all learn that the kernel has failed', async () => {
    index.fails = true;
    const failed = [gathered.search(searchFor(1), null), gathered.search(searchFor(2), null)];
    for (const hits of failed) await assert.rejects(hits, /no memory/);
    index.fails = false;
    const next = rowsOf(gathered.search(searchFor(3), here));
    await index.answer();
    assert.equal((await next)[0], 3);
  });
});
