import { DataType, type MilvusError } from '@elanus/model';
import type { schema_FieldSchema } from '@elanus/proto';
import type { Work } from '../rows/sliced-work.ts';
import { ARRAY_ELEMENT_TYPE, LIST_DATA, SCALARS } from '../wire/field-data-format.ts';
import type { MessageWriter } from '../wire/message-writer.ts';
import { encodeInt64s } from '../wire/packed.ts';
import { scalarSlot } from '../wire/scalar-values.ts';
import { isArray, isInt64, isObject } from './body.ts';
import type { Json } from './json-reader.ts';
import { jsonPieces } from './json-text.ts';
import { badRow } from './rest-errors.ts';

/** Values between two yields. */
const VALUES_PER_SLICE = 4_096;

type FieldOfType = Pick<schema_FieldSchema, 'name' | 'dataType' | 'elementType'>;

/** Values of one scalar field as members of a `ScalarField`: packed runs of numbers, or a member for each text. */
export interface SentScalars {
  readonly slot: number;
  readonly members: readonly Uint8Array[];
}

/** @throws MilvusError 1804 for a value that is not of the field's type */
export function* scalarsOf(field: FieldOfType, values: readonly Json[]): Work<SentScalars> {
  const slot = slotOf(field);
  const members: Uint8Array[] = [];
  for (let begin = 0; begin < values.length; begin += VALUES_PER_SLICE) {
    if (begin > 0) yield;
    const slice = values.slice(begin, begin + VALUES_PER_SLICE);
    if (field.dataType === DataType.JSON) for (const value of slice) members.push(yield* encodedJson(value));
    else members.push(...membersOf(field, slice));
  }
  return { slot, members };
}

export function writeScalars(writer: MessageWriter, { slot, members }: SentScalars): void {
  writer.message(slot, (list) => {
    for (const member of members) list.bytes(LIST_DATA, member);
  });
}

/** Arrays of one field, each row's a `ScalarField` of its own. @throws MilvusError 1804 */
export function* arraysOf(field: FieldOfType, values: readonly Json[]): Work<readonly SentScalars[]> {
  const arrays: SentScalars[] = [];
  let elements = 0;
  for (const value of values) {
    if (!isArray(value)) throw misfit(field, value);
    elements += value.length + 1;
    if (elements > VALUES_PER_SLICE) {
      elements = 0;
      yield;
    }
    arrays.push(yield* scalarsOf({ ...field, dataType: field.elementType }, Array.from<Json>(value)));
  }
  return arrays;
}

export function writeArrays(writer: MessageWriter, field: FieldOfType, arrays: readonly SentScalars[]): void {
  writer.message(SCALARS.array, (rows) => {
    for (const array of arrays) rows.message(LIST_DATA, (scalars) => writeScalars(scalars, array));
    rows.number(ARRAY_ELEMENT_TYPE, field.elementType);
  });
}

function slotOf({ name, dataType }: FieldOfType): number {
  const slot = dataType === DataType.Array ? undefined : scalarSlot(dataType as DataType);
  if (slot === undefined) throw badRow(`the field ${name} has a type that rows of REST cannot carry`);
  return slot;
}

function membersOf(field: FieldOfType, values: readonly Json[]): readonly Uint8Array[] {
  switch (field.dataType) {
    case DataType.Bool:
      return [Uint8Array.from(values, (value) => (booleanOf(field, value) ? 1 : 0))];
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
      return [encodeInt64s(BigInt64Array.from(values, (value) => BigInt(int32Of(field, value))))];
    case DataType.Int64:
      return [encodeInt64s(BigInt64Array.from(values, (value) => int64Of(field, value)))];
    case DataType.Float:
      return [new Uint8Array(Float32Array.from(values, (value) => numberOf(field, value)).buffer)];
    case DataType.Double:
      return [new Uint8Array(Float64Array.from(values, (value) => numberOf(field, value)).buffer)];
    default:
      return values.map((value) => Buffer.from(textOf(field, value)));
  }
}

function booleanOf(field: FieldOfType, value: Json): boolean {
  if (typeof value !== 'boolean') throw misfit(field, value);
  return value;
}

function int32Of(field: FieldOfType, value: Json): number {
  if (typeof value !== 'number' || (value | 0) !== value) throw misfit(field, value);
  return value;
}

function int64Of(field: FieldOfType, value: Json): bigint {
  if (!isInt64(value)) throw misfit(field, value);
  return BigInt(value);
}

function numberOf(field: FieldOfType, value: Json): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw misfit(field, value);
  return Number(value);
}

/** A bare number is taken as its literal text. */
function textOf(field: FieldOfType, value: Json): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'string') throw misfit(field, value);
  return value;
}

export function misfit({ name }: Pick<FieldOfType, 'name'>, value: Json): MilvusError {
  const text = isArray(value) ? 'an array' : isObject(value) ? 'an object' : String(value);
  return badRow(`the field ${name} cannot be ${text.slice(0, 64)}`);
}

/** A string that is JSON text itself is taken for what it says. */
function* encodedJson(value: Json): Work<Uint8Array> {
  if (typeof value === 'string') {
    try {
      JSON.parse(value);
      return Buffer.from(value);
    } catch {
      // A plain text.
    }
  }
  return yield* jsonBytes(value);
}

/** A value as JSON text, with int64 as digits. */
function* jsonBytes(value: Json): Work<Uint8Array> {
  return Buffer.from((yield* jsonPieces(value, 'number')).join(''));
}
