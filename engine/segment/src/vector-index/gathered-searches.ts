import type { IndexHits, IndexSearch, VectorIndex } from '@elanus/kernel';
import type { LoopShare } from '@elanus/runtime';

/** Queries that the kernel is given at once: two at a time hide each other's waiting for memory, twice in a row. */
const TOGETHER_MAX = 4;
/** Batches that wait last are looked through for one of the same kind. */
const LOOKED_THROUGH_MAX = 8;
/** After a search under a filter that took too long here, so many are made elsewhere before one is tried here again. */
const FILTERED_ELSEWHERE = 64;

/** A search of one query and no more than a walk asks of an index: without lists, sparse vectors or measures. */
export type GatheredSearch = Pick<
  IndexSearch,
  'queries' | 'k' | 'ef' | 'refineK' | 'allowed' | 'radius' | 'rangeFilter' | 'isOfCrowd'
>;

interface Waiting {
  readonly search: GatheredSearch;
  readonly resolve: (hits: IndexHits) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A search that nobody else is waiting beside is made here, when it is short: that spares it the way to another thread and
 * back. Of several, the kernel's threads have as many at a time as keep them busy; what is asked for meanwhile waits, and goes
 * there a few at once when one is back. So a crowd makes its own batches, as writers do who wait for one fsync (Gray and
 * Reuter, Transaction Processing, 1993): this thread reads and answers requests while the others search.
 */
export class GatheredSearches {
  readonly #index: VectorIndex;
  /** Batches of searches that differ in nothing but the query. */
  #waiting: Waiting[][] = [];
  /** Calls that the kernel has, and how many it may have: each thread has one under way and one to go on with, and one is back. */
  #running = 0;
  readonly #runningMax: number;
  /** Whether somebody has asked in this turn of the event loop. */
  #isAsked = false;
  /** Whether the last search had others beside it. */
  #wasCrowded = false;
  /** Searches under a filter that are made elsewhere yet: how far they go shows only when they are made. */
  #filteredElsewhere = 0;

  constructor(index: VectorIndex) {
    this.#index = index;
    this.#runningMax = 2 * index.crowdThreads + 1;
  }

  /**
   * Nothing may change what the search refers to until its hits are there. `share` is of the thread that asks, when the search
   * is short enough for it, should it be alone; else `null`.
   */
  async search(search: GatheredSearch, share: LoopShare | null): Promise<IndexHits> {
    const wasCrowded = this.#wasCrowded;
    const isAlone = this.#running === 0 && !this.#isAsked;
    this.#wasCrowded = !isAlone;
    this.#noteTurn();
    if (share !== null && isAlone && !wasCrowded && this.#isTriedHere(search) && !share.isSpent())
      return this.#searchHere(search, share);
    const { promise, resolve, reject } = Promise.withResolvers<IndexHits>();
    this.#join({ search, resolve, reject });
    this.#startWaiting();
    return await promise;
  }

  /** Hands over what waits: to be called before the index is closed. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const together of waiting) this.#start(together);
  }

  /** Counts those under a filter that are not. */
  #isTriedHere({ allowed }: GatheredSearch): boolean {
    if (allowed === null || this.#filteredElsewhere === 0) return true;
    this.#filteredElsewhere -= 1;
    return false;
  }

  #searchHere(search: GatheredSearch, share: LoopShare): IndexHits {
    const hits = this.#index.searchSync(inFull(search, search.queries, 1));
    if (search.allowed !== null && share.isSpent()) this.#filteredElsewhere = FILTERED_ELSEWHERE;
    return hits;
  }

  #noteTurn(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    setImmediate(() => {
      this.#isAsked = false;
    });
  }

  #startWaiting(): void {
    while (this.#running < this.#runningMax) {
      const together = this.#waiting.shift();
      if (together === undefined) return;
      this.#start(together);
    }
  }

  #join(asked: Waiting): void {
    const end = Math.max(this.#waiting.length - LOOKED_THROUGH_MAX, 0);
    for (let at = this.#waiting.length - 1; at >= end; at--) {
      const together = this.#waiting[at]!;
      if (together.length === TOGETHER_MAX || !areAlike(together[0]!.search, asked.search)) continue;
      together.push(asked);
      return;
    }
    this.#waiting.push([asked]);
  }

  #start(together: readonly Waiting[]): void {
    void this.#run(together).catch((error: unknown) => {
      for (const { reject } of together) reject(error);
    });
  }

  async #run(together: readonly Waiting[]): Promise<void> {
    const { search } = together[0]!;
    this.#running += 1;
    try {
      const hits = await this.#index.search(inFull(search, joined(together), together.length));
      for (const [at, { resolve }] of together.entries()) resolve(hitsOf(hits, at, search.k));
    } finally {
      this.#running -= 1;
      this.#startWaiting();
    }
  }
}

function inFull(search: GatheredSearch, queries: Uint8Array, queryCount: number): IndexSearch {
  const { k, ef, refineK, allowed, radius, rangeFilter, isOfCrowd = false } = search;
  return { queries, queryCount, k, ef, refineK, allowed, radius, rangeFilter, isOfCrowd };
}

function areAlike(a: GatheredSearch, b: GatheredSearch): boolean {
  return (
    a.ef === b.ef &&
    a.k === b.k &&
    a.isOfCrowd === b.isOfCrowd &&
    a.allowed === b.allowed &&
    a.refineK === b.refineK &&
    a.radius === b.radius &&
    a.rangeFilter === b.rangeFilter
  );
}

function joined(together: readonly Waiting[]): Uint8Array {
  const { queries } = together[0]!.search;
  if (together.length === 1) return queries;
  const bytes = new Uint8Array(together.length * queries.length);
  for (const [at, { search }] of together.entries()) bytes.set(search.queries, at * queries.length);
  return bytes;
}

/** Those of query `at`. */
function hitsOf({ counts, rows, scores }: IndexHits, at: number, k: number): IndexHits {
  if (counts.length === 1) return { counts, rows, scores };
  return {
    counts: counts.subarray(at, at + 1),
    rows: rows.subarray(at * k, (at + 1) * k),
    scores: scores.subarray(at * k, (at + 1) * k),
  };
}
