import type { common_KeyValuePair, Draft } from '@elanus/proto';
import { runAtOnce } from '../rows/sliced-work.ts';
import type { Json, JsonObject } from './json-reader.ts';
import { jsonPieces } from './json-text.ts';

/** Members of an object as the pairs of text that the wire has: texts as they are, all else as JSON. */
export function keyValues(members: JsonObject): Draft<common_KeyValuePair>[] {
  return Object.entries(members).map(([key, value]) => ({ key, value: textOfJson(value) }));
}

/** A text as it is, any other value as JSON text. */
export function textOfJson(value: Json): string {
  if (typeof value === 'string') return value;
  return runAtOnce(jsonPieces(value, 'number')).join('');
}

export function shownPairs(pairs: readonly common_KeyValuePair[]): { key: string; value: string }[] {
  return pairs.map(({ key, value }) => ({ key, value }));
}

/** How many rows the statistics of a collection or a partition speak of. */
export function rowCountOf(statistics: readonly common_KeyValuePair[]): number {
  return Number(statistics.find(({ key }) => key === 'row_count')?.value ?? 0);
}
