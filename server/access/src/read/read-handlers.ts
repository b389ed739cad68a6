import type { AccessDependencies, Handlers } from '../handler.ts';
import { queryHandler } from './query.ts';
import { searchHandler } from './search.ts';

/** Search and Query. */
export function readHandlers(dependencies: AccessDependencies): Handlers {
  return { Search: searchHandler(dependencies), Query: queryHandler(dependencies) };
}
