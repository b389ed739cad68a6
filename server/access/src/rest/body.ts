import type { Json, JsonObject } from './json-reader.ts';
import { incorrectJson, missingParameters } from './rest-errors.ts';

/** What a member of a body may be; `name` is JSON Schema's, as far as it has one. */
export type Kind =
  | 'string'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'object'
  | 'array'
  | 'strings'
  | 'any'
  | 'int64';

export interface Member {
  readonly kind: Kind;
  readonly isRequired: boolean;
}

export type Shape = Readonly<Record<string, Member>>;

export const optional = (kind: Kind): Member => ({ kind, isRequired: false });
export const required = (kind: Kind): Member => ({ kind, isRequired: true });

const IS_KIND: Readonly<Record<Kind, (value: Json) => boolean>> = {
  string: (value) => typeof value === 'string',
  integer: (value) => Number.isInteger(value),
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  object: isObject,
  array: Array.isArray,
  strings: (value) => Array.isArray(value) && value.every((element) => typeof element === 'string'),
  any: () => true,
  int64: (value) => isInt64(value),
};

/**
 * A request's body, checked against its shape: what is asked of it is of the type that the shape gives. Members that the
 * shape does not know are ignored, as Milvus does; `null` counts as not sent.
 */
export class Body {
  readonly #members: JsonObject;

  /** @throws MilvusError 1801 for a wrong type, 1802 for a member that is missing */
  constructor(json: Json, shape: Shape) {
    if (!isObject(json)) throw incorrectJson('the body is not a JSON object');
    for (const [name, { kind, isRequired }] of Object.entries(shape)) {
      const value = json[name] ?? null;
      if (value === null) {
        if (isRequired) throw missingParameters(`the member ${name} is required`);
      } else if (!IS_KIND[kind](value)) throw incorrectJson(`the member ${name} is not of type ${kind}`);
      else if (isRequired && value === '') throw missingParameters(`the member ${name} is empty`);
    }
    this.#members = json;
  }

  has(name: string): boolean {
    return (this.#members[name] ?? null) !== null;
  }

  any(name: string): Json {
    return this.#members[name] ?? null;
  }

  text(name: string, otherwise = ''): string {
    return (this.any(name) as string | null) ?? otherwise;
  }

  number(name: string, otherwise: number): number {
    return (this.any(name) as number | null) ?? otherwise;
  }

  int64(name: string): bigint {
    return BigInt((this.any(name) ?? 0) as number | bigint | string);
  }

  flag(name: string, otherwise = false): boolean {
    return (this.any(name) as boolean | null) ?? otherwise;
  }

  texts(name: string): string[] {
    return (this.any(name) as string[] | null) ?? [];
  }

  list(name: string): Json[] {
    return (this.any(name) as Json[] | null) ?? [];
  }

  object(name: string): JsonObject {
    return (this.any(name) as JsonObject | null) ?? {};
  }
}

export function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !isArray(value);
}

export function isArray(value: Json): value is Json[] | Float64Array {
  return Array.isArray(value) || value instanceof Float64Array;
}

const INT64 = /^-?\d{1,19}$/;

/** Whether `value` is a whole number of 64 bits, also as decimal text. */
export function isInt64(value: Json): value is number | bigint | string {
  if (typeof value === 'string' ? !INT64.test(value) : typeof value !== 'bigint' && !Number.isInteger(value))
    return false;
  const integer = BigInt(value as number | bigint | string);
  return BigInt.asIntN(64, integer) === integer;
}
