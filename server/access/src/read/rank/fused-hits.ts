import type { SearchHits } from '@elanus/rpc';
import type { Work } from '../../rows/sliced-work.ts';
import { joinHits, takeHits } from '../hits.ts';
import type { FusedHit } from './fuse-hits.ts';

/** The rows of a fusion as hits, query after query in the order given. */
export function* hitsOfFusion(
  legs: readonly SearchHits[],
  queries: readonly (readonly FusedHit[])[],
): Work<SearchHits> {
  const { hits, starts } = yield* joinHits(legs);
  const flat = queries.flat();
  const positions = Uint32Array.from(flat, ({ places }) => {
    const leg = places.findIndex((place) => place >= 0);
    return starts[leg]! + places[leg]!;
  });
  const counts = Uint32Array.from(queries, ({ length }) => length);
  return { ...takeHits(hits, counts, positions), scores: Float32Array.from(flat, ({ score }) => score) };
}
