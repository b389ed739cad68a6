/** The member of an answer at the end of a path; `undefined` when it does not go there. */
export function memberOf(answer: unknown, ...path: readonly string[]): unknown {
  let value = answer;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** The items of a list; empty when it is none. */
export function itemsOf(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

/**
 * The items of a list at the places that their members `index` name; as they are where nobody numbers them. An item that
 * is missing or named twice leaves a hole.
 */
export function inOrder(list: unknown, index: string): readonly unknown[] {
  const items = itemsOf(list);
  if (items.every((item) => memberOf(item, index) === undefined)) return items;
  const ordered = new Array<unknown>(items.length).fill(undefined);
  for (const item of items) {
    const place = memberOf(item, index);
    if (typeof place === 'number' && place in ordered) ordered[place] = item;
  }
  return ordered;
}
