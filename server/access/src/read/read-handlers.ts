import type { AccessDependencies, Handlers } from '../handler.ts';
import { hybridSearchHandler } from './hybrid-search.ts';
import { queryHandler } from './query.ts';
import { searchHandler } from './search.ts';

/** Search, HybridSearch and Query. */
export function readHandlers(dependencies: AccessDependencies): Handlers {
  return {
    Search: searchHandler(dependencies),
    HybridSearch: hybridSearchHandler(dependencies),
    Query: queryHandler(dependencies),
  };
}
