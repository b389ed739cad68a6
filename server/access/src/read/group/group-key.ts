import { type Column, DataType, type FieldSchema, invalidParameter } from '@elanus/model';

/** Something that rows are grouped by: a scalar field, or a value inside a JSON field. */
export interface GroupKey {
  /** As the client wrote it. */
  readonly name: string;
  readonly field: FieldSchema;
  /** Of a JSON field the way to the value; otherwise `null`. */
  readonly path: readonly string[] | null;
  /** How a filter names it. */
  readonly expression: string;
  /** What the values are. */
  readonly type: GroupType;
  /** Of JSON values of another kind: they count as null, or no row may have one. */
  readonly others: 'null' | 'refused';
}

/** `any`: whatever scalar stands in the JSON. */
export type GroupType = 'bool' | 'integer' | 'text' | 'any';

export type GroupValue = null | boolean | number | bigint | string;

/**
 * The values of rows, by their place in the column that was fetched.
 * @throws MilvusError 1100 for a value of another kind where there may be none
 */
export function groupValues(column: Column, key: GroupKey): readonly GroupValue[] {
  return Array.from({ length: column.length }, (_, row) => valueAt(column, row, key));
}

function valueAt(column: Column, row: number, key: GroupKey): GroupValue {
  if (column.validity?.[row] === 0) return null;
  if ('values' in column) {
    const value = column.values[row]!;
    return column.dataType === DataType.Bool ? value === 1 : BigInt(value);
  }
  if (!('offsets' in column && 'bytes' in column)) throw new TypeError(`${key.name} makes no groups`);
  const text = textAt(column.bytes, column.offsets[row]!, column.offsets[row + 1]!);
  return key.path === null ? text : valueInJson(text, key.path, key);
}

function textAt(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}

/** Integers keep every digit. */
function valueInJson(text: string, path: readonly string[], key: GroupKey): GroupValue {
  let value = parsed(text);
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return null;
    value = Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : null;
  }
  if (value === null || value === undefined) return null;
  const cast = valueOfType(value, key.type);
  if (cast === null && key.others === 'refused')
    throw invalidParameter(`strict_cast: a row has a value of another type in ${key.name}`);
  return cast;
}

/** `null` for a value of another kind. */
function valueOfType(value: unknown, type: GroupType): GroupValue {
  if (typeof value === 'string') return type === 'text' || type === 'any' ? value : null;
  if (typeof value === 'boolean') return type === 'bool' || type === 'any' ? value : null;
  if (typeof value !== 'number' && typeof value !== 'bigint') return null;
  if (type === 'any') return value;
  return type === 'integer' && (typeof value === 'bigint' || Number.isInteger(value)) ? BigInt(value) : null;
}

type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** `null` for what is no JSON: values were checked when they were inserted, but not how deep they nest. */
function parsed(text: string): unknown {
  const keepDigits: Reviver = (_key, value, { source }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d{1,20}$/.test(source ?? '')
      ? BigInt(source!)
      : value;
  try {
    return JSON.parse(text, keepDigits as Parameters<typeof JSON.parse>[1]);
  } catch {
    return null;
  }
}

/** Equal for equal lists of values and for no others; 1 and 1n are the same. */
export function groupIdentity(values: readonly GroupValue[]): string {
  let identity = '';
  for (const value of values) {
    const text = String(value);
    identity += `${value === null ? '-' : kindOf(value)}${text.length}:${text}`;
  }
  return identity;
}

function kindOf(value: boolean | number | bigint | string): string {
  return typeof value === 'string' ? 's' : typeof value === 'boolean' ? 'b' : 'n';
}
