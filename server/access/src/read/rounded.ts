import type { SearchHits } from '@elanus/rpc';

/** The hits with their scores rounded to so many decimal places, halves up; -1 leaves them as they are. */
export function rounded(hits: SearchHits, places: number): SearchHits {
  if (places < 0) return hits;
  return { ...hits, scores: hits.scores.map((score) => roundedTo(score, places)) };
}

/** A number with so many decimal places, halves up. */
export function roundedTo(value: number, places: number): number {
  const scale = 10 ** places;
  return Math.floor(value * scale + 0.5) / scale;
}
