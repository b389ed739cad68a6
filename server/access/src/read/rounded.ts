import type { SearchHits } from '@elanus/rpc';

/** The hits with their scores rounded to so many decimal places, halves up; -1 leaves them as they are. */
export function rounded(hits: SearchHits, places: number): SearchHits {
  if (places < 0) return hits;
  const scale = 10 ** places;
  return { ...hits, scores: hits.scores.map((score) => Math.floor(score * scale + 0.5) / scale) };
}
