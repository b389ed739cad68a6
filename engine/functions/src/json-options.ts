import { invalidParameter } from '@elanus/model';

export type JsonObject = Readonly<Record<string, unknown>>;

/** @throws MilvusError 1100 when `text` is no JSON object */
export function parseJsonObject(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalidParameter(`${what} is not valid JSON: ${error instanceof Error ? error.message : error}`);
  }
  return requireObject(value, what);
}

/** @throws MilvusError 1100 */
export function requireObject(value: unknown, what: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalidParameter(`${what} should be a JSON object`);
}

/** @throws MilvusError 1100 */
export function requireText(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw invalidParameter(`${what} should be a string`);
}

/** A list of texts; `undefined` counts as an empty one. @throws MilvusError 1100 that says what is no list, or no text in it */
export function textList(value: unknown, notList: string, notText = notList): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalidParameter(notList);
  if (value.every((item) => typeof item === 'string')) return value as string[];
  throw invalidParameter(notText);
}

/** @throws MilvusError 1100 that says what is no boolean */
export function flag(value: unknown, notBoolean: string, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (typeof value === 'boolean') return value;
  throw invalidParameter(notBoolean);
}

/** A member that only the object itself has: `constructor` and its like are none. */
export function member(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
