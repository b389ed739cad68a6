import type { QueryRows } from '@elanus/rpc';
import { keyAt, takeKeys, takeLocations } from './hits.ts';
import type { Parameters } from './parameters.ts';

/** The last element that an iterator over matching elements has got, and its row. */
export interface ElementCursor {
  readonly key: string;
  readonly element: number;
}

/** What a page of such an iterator begins behind; `null` on the first one. */
export function readElementCursor(parameters: Parameters): ElementCursor | null {
  const key = parameters.text('query_iter_last_pk');
  const element = parameters.integer('query_iter_last_element_offset');
  return key === undefined || element === undefined ? null : { key, element };
}

/**
 * Rows and their matching elements without those up to the cursor: a client cuts a page wherever it has enough elements, and
 * asks again for rows from that of the last one on. At most `limit` rows are left.
 */
export function elementsBehind(
  { keys, locations, ...rest }: QueryRows,
  matching: readonly (readonly number[])[],
  { key, element }: ElementCursor,
  limit: number | null,
): { readonly rows: QueryRows; readonly elementIndices: readonly (readonly number[])[] } {
  const left = matching.map((elements, row) =>
    String(keyAt(keys, row)) === key ? elements.filter((one) => one > element) : elements,
  );
  const kept = left.flatMap((elements, row) => (elements.length > 0 ? [row] : []));
  const positions = Uint32Array.from(limit === null ? kept : kept.slice(0, limit));
  return {
    rows: { ...rest, keys: takeKeys(keys, positions), locations: takeLocations(locations, positions) },
    elementIndices: Array.from(positions, (row) => left[row]!),
  };
}
