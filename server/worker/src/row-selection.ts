import { compilePredicate, type Predicate, primaryKeysOf, requiredKeys } from '@elanus/expr';
import type { RowSelection } from '@elanus/segment';

/** How to find the rows of a filter: by key when it names keys, by looking at every row otherwise. */
export function rowSelection(filter: Predicate | null): RowSelection | null {
  if (filter === null) return null;
  const keys = primaryKeysOf(filter);
  if (keys !== null) return { keys, matches: null };
  return { keys: requiredKeys(filter), matches: compilePredicate(filter), predicate: filter };
}
