import { invalidParameter, MilvusError } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { Parameters } from './parameters.ts';

/**
 * What clients may ask of reads and this version does not do. Leaving such a wish out would answer another
 * question than the one that was asked, so it is refused.
 */
function unserved(wish: string): MilvusError {
  return new MilvusError(`${wish}: service unimplemented`, { code: 10 });
}

/** @throws MilvusError 10 */
export function refuseUnservedSearch(request: Methods['Search']['request']): void {
  if (request.searchByPrimaryKeys && request.ids === undefined) throw unserved('search_by_primary_keys');
  if (request.subReqs.length > 0) throw unserved('sub-requests of a search');
  if (request.functionChains.length > 0 && request.functionScore !== undefined)
    throw invalidParameter('function_score and function_chains cannot be used together');
}

/** What is asked of a hybrid search as a whole: at all, and of groups. */
export interface AskedOfAllLegs {
  readonly ranking: Parameters;
  readonly grouped: Parameters;
}

/** Of a hybrid search's leg. @throws MilvusError 10, and 1100 for what Milvus refuses there as well */
export function refuseUnservedLeg(
  request: Methods['Search']['request'],
  parameters: Parameters,
  { ranking, grouped }: AskedOfAllLegs,
): void {
  if (parameters.flag('iterator')) throw invalidParameter('iterator is not supported in hybrid search');
  for (const [name, all] of [
    ['group_by_field', grouped],
    ['group_by_fields', grouped],
    ['order_by_fields', ranking],
  ] as const) {
    const asked = parameters.text(name);
    // Clients copy what they ask of the whole search into each of its legs.
    if (asked !== undefined && asked !== all.text(name))
      throw invalidParameter(`${name} is not supported in a sub search request of hybrid search`);
  }
  if (request.functionScore !== undefined || request.functionChains.length > 0)
    throw invalidParameter('a sub search request of hybrid search has no functions of its own');
  if (request.searchAggregation !== undefined)
    throw invalidParameter('search_aggregation is not supported in hybrid search');
  refuseUnservedSearch(request);
}
