import { elementMatcher, type Predicate } from '@elanus/expr';
import type { CollectionInfo } from '@elanus/model';
import type { QueryRows } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';

/** Rows whose elements are tested in about half a millisecond, when they have few. */
const SLICE_ROWS = 64;

/** Of each row that was found, the elements that the filter's `element_filter` asks for; `null` when it has none. */
export async function matchingElements(
  { reader, share }: Pick<AccessDependencies, 'reader' | 'share'>,
  collection: CollectionInfo,
  rows: QueryRows,
  filter: Predicate | null,
): Promise<readonly (readonly number[])[] | null> {
  const matcher = filter === null ? null : elementMatcher(filter);
  if (matcher === null) return null;
  const columns = await reader.fetch(collection.id, rows.locations, matcher.fieldIds);
  const source = { column: (id: (typeof matcher.fieldIds)[number]) => columns.get(id)! };
  const found: (readonly number[])[] = [];
  const { length } = rows.keys;
  for (let start = 0; start < length; start += SLICE_ROWS) {
    if (share.isSpent()) await share.nextTurn();
    found.push(...matcher.matches(source, start, Math.min(length, start + SLICE_ROWS)));
  }
  return found;
}
