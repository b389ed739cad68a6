import type { Chunk } from '../chunk.ts';

/** Which rows of a chunk that does not change any more match a filter, deleted ones included. */
export interface CachedMatches {
  readonly bits: Uint8Array;
  readonly count: number;
}

interface Entry {
  /** A chunk that is let go of takes its bits with it. */
  readonly byChunk: WeakMap<Chunk, CachedMatches>;
  bytes: number;
}

/** Filters that were asked once and may be asked again. */
const SEEN_MAX = 1024;

/**
 * What filters have found in chunks that do not change any more. Deletions are not in it, so it holds for good; what is
 * kept of filters that were asked more than once is bounded, and the one not asked for longest goes first.
 */
export class FilterCache {
  readonly #bytesMax: number;
  /** By the filter's key, the one asked for last at the end. */
  readonly #entries = new Map<string, Entry>();
  /** Asked once. */
  readonly #seen = new Set<string>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Chunks that were found, and that were not, since the start. */
  get hits(): number {
    return this.#hits;
  }

  get misses(): number {
    return this.#misses;
  }

  /** Counts chunks as found whose matches the reader remembers from its last read. */
  noteKnown(chunks: number): void {
    this.#hits += chunks;
  }

  /** What is known of a filter; `null` when it is asked for the first time, and nothing is worth keeping. */
  open(key: string): FilterMatches | null {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return this.#matchesOf(known);
    }
    if (!this.#seen.delete(key)) {
      if (this.#seen.size >= SEEN_MAX) this.#seen.delete(this.#seen.values().next().value!);
      this.#seen.add(key);
      return null;
    }
    const entry = { byChunk: new WeakMap<Chunk, CachedMatches>(), bytes: 2 * key.length };
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    return this.#matchesOf(entry);
  }

  #matchesOf(entry: Entry): FilterMatches {
    return {
      get: (chunk) => {
        const found = entry.byChunk.get(chunk);
        if (found === undefined) this.#misses += 1;
        else this.#hits += 1;
        return found;
      },
      set: (chunk, matches) => {
        if (entry.byChunk.has(chunk)) return;
        entry.byChunk.set(chunk, matches);
        entry.bytes += matches.bits.length;
        this.#bytes += matches.bits.length;
        this.#shrink();
      },
    };
  }

  #shrink(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#entries.delete(key);
      this.#bytes -= entry.bytes;
      entry.bytes = 0;
    }
  }
}

/** What is known of one filter, chunk by chunk. */
export interface FilterMatches {
  get(chunk: Chunk): CachedMatches | undefined;
  /** The bits must never change again. */
  set(chunk: Chunk, matches: CachedMatches): void;
}
