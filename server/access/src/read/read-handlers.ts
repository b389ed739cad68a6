import type { AccessDependencies, Handlers } from '../handler.ts';
import { ReadAccounts } from './explain/read-accounts.ts';
import { hybridSearchHandler } from './hybrid-search.ts';
import { queryHandler } from './query.ts';
import { searchHandler } from './search.ts';

/** Search, HybridSearch and Query. */
export function readHandlers(dependencies: AccessDependencies): Handlers {
  const accounts = new ReadAccounts(dependencies);
  return {
    Search: searchHandler(dependencies, accounts),
    HybridSearch: hybridSearchHandler(dependencies, accounts),
    Query: queryHandler(dependencies, accounts),
  };
}
