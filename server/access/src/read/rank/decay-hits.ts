import { type CollectionInfo, fieldByName } from '@elanus/model';
import type { SearchHits } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { decayFactors } from './decay.ts';
import type { FusedHit } from './fuse-hits.ts';
import type { DecayRanking } from './ranking.ts';

/** By how much the score of a row counts, by the value that it has in the field that decays. */
export async function decaying(
  { reader }: Pick<AccessDependencies, 'reader'>,
  collection: CollectionInfo,
  legs: readonly SearchHits[],
  ranking: DecayRanking,
): Promise<(hit: FusedHit) => number> {
  const { id } = fieldByName(collection.schema, ranking.fieldName)!;
  const factors: Float64Array[] = [];
  for (const { locations } of legs) {
    const columns = await reader.fetch(collection.id, locations, [id]);
    factors.push(decayFactors(columns.get(id)!, ranking));
  }
  return ({ places }) => {
    const leg = places.findIndex((place) => place >= 0);
    return factors[leg]![places[leg]!]!;
  };
}
