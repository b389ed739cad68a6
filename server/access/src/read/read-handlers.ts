import type { AccessDependencies, Handlers } from '../handler.ts';
import type { ExplainedRequest } from './explain/explanation-json.ts';
import { ReadAccounts, type WatchedCollections } from './explain/read-accounts.ts';
import { hybridSearchHandler } from './hybrid-search.ts';
import { queryHandler } from './query.ts';
import { searchHandler } from './search.ts';

/** Search, HybridSearch and Query. */
export function readHandlers(dependencies: AccessDependencies): Handlers {
  const watched: WatchedCollections = new Map();
  const accountsOf = (request: ExplainedRequest) => new ReadAccounts(dependencies, request, watched);
  return {
    Search: searchHandler(dependencies, accountsOf('Search')),
    HybridSearch: hybridSearchHandler(dependencies, accountsOf('HybridSearch')),
    Query: queryHandler(dependencies, accountsOf('Query')),
  };
}
