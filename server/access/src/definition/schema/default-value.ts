import { parseInstantText } from '@elanus/expr';
import {
  DataType,
  type DefaultValue,
  dataTypeName,
  invalidParameter,
  unexpectedParameter,
} from '@elanus/model';
import type { schema_ValueField } from '@elanus/proto';
import type { ClientField } from './client-field.ts';

const INTEGER_BITS: ReadonlyMap<DataType, number> = new Map([
  [DataType.Int8, 8],
  [DataType.Int16, 16],
  [DataType.Int32, 32],
]);

/**
 * The value that rows without one get, as a value of the field's type; `null` when the client gave none. An instant
 * without an offset is wall time of `timeZone`.
 * @throws MilvusError 1100 when the field may not have one, or it is of another type or out of range
 */
export function defaultValueOf(
  field: ClientField,
  maxLength: number | null,
  timeZone: string,
): DefaultValue | null {
  const given = field.defaultValue;
  if (given === undefined || isEmpty(given)) return null;
  if (field.isPrimaryKey) {
    throw invalidParameter(`primary field not support default_value, field name = ${field.name}`);
  }
  switch (field.dataType) {
    case DataType.Bool:
      return required(given.boolData, field);
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
      return inRange(required(given.intData, field), field);
    case DataType.Int64:
      return required(given.longData, field);
    case DataType.Float:
      return finite(required(given.floatData, field), field);
    case DataType.Double:
      return finite(required(given.doubleData, field), field);
    case DataType.Timestamptz:
      return given.timestamptzData ?? instant(required(given.stringData, field), field, timeZone);
    case DataType.VarChar:
      return shortEnough(required(given.stringData, field), maxLength);
    default:
      throw invalidParameter(
        `type not support default_value, type:${dataTypeName(field.dataType)}, name:${field.name}`,
      );
  }
}

/** Some clients send the message without any member when there is no default. */
function isEmpty(given: schema_ValueField): boolean {
  return Object.values(given).every((member) => member === undefined);
}

function required<Value>(value: Value | undefined, field: ClientField): Value {
  if (value !== undefined) return value;
  throw invalidParameter(
    `type (${dataTypeName(field.dataType)}) of field (${field.name}) is not equal to the type of its default_value`,
  );
}

function inRange(value: number, field: ClientField): number {
  const half = 2 ** (INTEGER_BITS.get(field.dataType)! - 1);
  if (value >= -half && value < half) return value;
  throw invalidParameter(
    `default value ${value} of field ${field.name} out of range ${-half} <= value <= ${half - 1}`,
  );
}

function finite(value: number, field: ClientField): number {
  if (Number.isFinite(value)) return value;
  throw invalidParameter(`default value of field ${field.name} is not a number or infinite`);
}

function instant(text: string, field: ClientField, timeZone: string): bigint {
  const value = parseInstantText(text, timeZone);
  if (value !== undefined) return value;
  throw invalidParameter(
    `default value ${text.slice(0, 64)} of field ${field.name} is no valid timestamptz string`,
  );
}

function shortEnough(text: string, maxLength: number | null): string {
  const length = Buffer.byteLength(text);
  if (maxLength === null || length <= maxLength) return text;
  throw unexpectedParameter(
    'valid length string',
    'string length exceeds max length',
    `the length (${length}) of string exceeds max length (${maxLength})`,
  );
}
