import { invalidParameter, type KeyValue } from '@elanus/model';
import type { PropertyChange } from '@elanus/rpc';

/** Clients write booleans as `true`, `True` or `1`. */
export function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(true|1)$/i.test(text.trim());
}

/**
 * Index parameters with the entries of a JSON object under `params` in its place, values as text.
 * @throws MilvusError 1100 when `params` is no JSON object
 */
export function flattenIndexParams(pairs: readonly KeyValue[]): readonly KeyValue[] {
  return pairs.flatMap(({ key, value }) => (key === 'params' ? entriesOf(value) : [{ key, value }]));
}

/** Properties to set or to forget. @throws MilvusError 1100 when both are there, or neither */
export function propertyChange(
  set: readonly KeyValue[],
  remove: readonly string[],
  of: 'collection' | 'index',
): PropertyChange {
  if (set.length > 0 && remove.length > 0)
    throw invalidParameter('cannot provide both DeleteKeys and ExtraParams');
  if (set.length === 0 && remove.length === 0)
    throw invalidParameter(
      `The ${of} properties to alter and keys to delete must not be empty at the same time`,
    );
  return { set: set.map(({ key, value }) => ({ key, value })), remove };
}

function entriesOf(json: string): readonly KeyValue[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    throw invalidParameter(`invalid JSON format in index params: ${json}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw invalidParameter(`index params should be a JSON object: ${json}`);
  }
  return Object.entries(parsed).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? value : JSON.stringify(value),
  }));
}
