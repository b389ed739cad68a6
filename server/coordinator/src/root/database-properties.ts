import { type KeyValue, lastValueOf } from '@elanus/model';

const COLLECTIONS_MAX = 'database.max.collections';
const REPLICA_NUMBER = 'database.replica.number';

/** How many collections a database may hold; `undefined` when its properties do not say. */
export function collectionsMaxOf(properties: readonly KeyValue[]): number | undefined {
  return wholeNumber(properties, COLLECTIONS_MAX);
}

/** With how many replicas collections are loaded; `undefined` when the properties do not say. */
export function replicaNumberOf(properties: readonly KeyValue[]): number | undefined {
  return wholeNumber(properties, REPLICA_NUMBER);
}

/** Access has checked the values; one that is no number counts as not there. */
function wholeNumber(properties: readonly KeyValue[], key: string): number | undefined {
  const text = lastValueOf(properties, key);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
