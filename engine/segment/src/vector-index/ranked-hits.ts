import type { VectorIndex } from '@elanus/kernel';

/** Hits behind the last one wanted that are put in order exactly: as long as not so many have its score, keys need no say in more. */
const RANKED_BEYOND = 6;

/** Indexes that find the same rows by the same scores however a page of an iterator asks for them. */
export const PAGED: ReadonlySet<VectorIndex['layout']> = new Set(['fast', 'compact']);

/**
 * Of `kept` hits, all that a search has in view, those that are enough as a rule where `limit` are wanted: whatever may be among
 * them by its code, a graph compares by its vector, so that the first ones are those of `kept`, as long as their scores differ.
 */
export function hitsAtFirst(kept: number, limit: number, { layout }: Pick<VectorIndex, 'layout'>): number {
  return PAGED.has(layout) ? Math.min(kept, limit + RANKED_BEYOND) : kept;
}
