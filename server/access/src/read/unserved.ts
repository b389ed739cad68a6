import type { Predicate } from '@elanus/expr';
import { MilvusError } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { Parameters } from './parameters.ts';

/**
 * What clients may ask of reads and this version does not do. Leaving such a wish out would answer another
 * question than the one that was asked, so it is refused.
 */
function unserved(wish: string): MilvusError {
  return new MilvusError(`${wish}: service unimplemented`, { code: 10 });
}

const UNSERVED_SEARCH_PARAMETERS = ['group_by_field', 'group_by_fields', 'order_by_fields'] as const;
const UNSERVED_QUERY_PARAMETERS = ['group_by_fields', 'order_by_fields'] as const;

/** @throws MilvusError 10 */
export function refuseUnservedSearch(request: Methods['Search']['request'], parameters: Parameters): void {
  if (request.ids !== undefined || request.searchByPrimaryKeys) throw unserved('search by primary keys');
  if (request.subReqs.length > 0) throw unserved('sub-requests of a search');
  if (request.functionScore !== undefined) throw unserved('function_score');
  if (request.functionChains.length > 0) throw unserved('function_chains');
  if (request.highlighter !== undefined) throw unserved('highlighter');
  if (request.searchAggregation !== undefined) throw unserved('search_aggregation');
  refuseParameters(UNSERVED_SEARCH_PARAMETERS, parameters);
}

/** @throws MilvusError 10 */
export function refuseUnservedQuery(parameters: Parameters): void {
  refuseParameters(UNSERVED_QUERY_PARAMETERS, parameters);
}

/** @throws MilvusError 10 for a filter whose answers are elements, which only queries can name */
export function refuseElementWise(filter: Predicate | null): void {
  if (filter?.elementFilter) throw unserved('element_filter');
}

function refuseParameters(names: readonly string[], parameters: Parameters): void {
  const wish = names.find((name) => parameters.text(name) !== undefined);
  if (wish !== undefined) throw unserved(wish);
}
