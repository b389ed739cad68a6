import type { IndexHits, IndexSearch, VectorIndex } from '@elanus/kernel';

/** Queries that the kernel is given at once; with more nobody would be served sooner. */
const TOGETHER_MAX = 64;
/** Kinds of searches that wait side by side; what is of another kind goes alone. */
const KINDS_MAX = 8;

/** A search of one query and no more than a walk asks of an index: without lists, sparse vectors or measures. */
export type GatheredSearch = Pick<
  IndexSearch,
  'queries' | 'k' | 'ef' | 'refineK' | 'allowed' | 'radius' | 'rangeFilter'
>;

/** Whether a search, should it be alone, is short enough for the thread that asks. */
type Where = 'here' | 'elsewhere';

interface Waiting {
  readonly search: GatheredSearch;
  readonly where: Where;
  readonly resolve: (hits: IndexHits) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Searches of one index that are asked for in the same turn of the event loop go to the kernel's threads as one: the way there
 * and back is paid for once, and two walks at a time hide each other's waiting for memory. A search that nobody else is
 * waiting beside is short enough to be made here, which spares it that way altogether.
 */
export class GatheredSearches {
  readonly #index: VectorIndex;
  #kinds: Waiting[][] = [];
  /** Searches of this turn so far. */
  #asked = 0;
  /** Searches that the kernel has. */
  #running = 0;
  /** Whether others were there lately: then it is worth waiting for the end of the turn. */
  #isCrowded = false;

  constructor(index: VectorIndex) {
    this.#index = index;
  }

  /** Nothing may change what the search refers to until its hits are there. */
  async search(search: GatheredSearch, where: Where): Promise<IndexHits> {
    this.#countTurn();
    if (where === 'here' && this.#isAlone() && !this.#isCrowded) return this.#searchHere(search);
    const { promise, resolve, reject } = Promise.withResolvers<IndexHits>();
    this.#add({ search, where, resolve, reject });
    return await promise;
  }

  /** Hands over what waits: to be called before the index is closed. */
  flush(): void {
    const kinds = this.#kinds;
    this.#kinds = [];
    for (const together of kinds) this.#start(together);
  }

  #isAlone(): boolean {
    return this.#asked === 1 && this.#running === 0;
  }

  #searchHere(search: GatheredSearch): IndexHits {
    return this.#index.searchSync(inFull(search, search.queries, 1));
  }

  #countTurn(): void {
    this.#asked += 1;
    if (this.#asked === 1) setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    const [[last] = []] = this.#kinds;
    const isAlone = this.#isAlone();
    this.#isCrowded = !isAlone;
    this.#asked = 0;
    if (!isAlone || last?.where !== 'here') {
      this.flush();
      return;
    }
    this.#kinds = [];
    try {
      last.resolve(this.#searchHere(last.search));
    } catch (error) {
      last.reject(error);
    }
  }

  #add(waiting: Waiting): void {
    const alike = this.#kinds.find(([first]) => areAlike(first!.search, waiting.search));
    if (alike === undefined) {
      if (this.#kinds.length === KINDS_MAX) this.#start([waiting]);
      else this.#kinds.push([waiting]);
      return;
    }
    alike.push(waiting);
    if (alike.length < TOGETHER_MAX) return;
    this.#kinds.splice(this.#kinds.indexOf(alike), 1);
    this.#start(alike);
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
    }
  }
}

function inFull(search: GatheredSearch, queries: Uint8Array, queryCount: number): IndexSearch {
  const { k, ef, refineK, allowed, radius, rangeFilter } = search;
  return { queries, queryCount, k, ef, refineK, allowed, radius, rangeFilter };
}

function areAlike(a: GatheredSearch, b: GatheredSearch): boolean {
  return (
    a.ef === b.ef &&
    a.k === b.k &&
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
