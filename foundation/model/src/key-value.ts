/** Key and value as clients send them; order and duplicates are the client's. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** The last value under `key`; `undefined` when there is none. */
export function lastValueOf(pairs: readonly KeyValue[], key: string): string | undefined {
  return pairs.findLast((pair) => pair.key === key)?.value;
}
