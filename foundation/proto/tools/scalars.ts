import protobuf from 'protobufjs';
import { isRaw } from './reachable.ts';

/** How a scalar of the protocol is read, written and typed; names are methods of BinaryReader and BinaryWriter. */
export interface Scalar {
  readonly method: string;
  readonly type: 'number' | 'bigint' | 'boolean' | 'string' | 'Uint8Array';
  readonly zero: string;
  readonly wireType: 0 | 1 | 2 | 5;
}

const EMPTY_BYTES = 'EMPTY';
const SCALARS: Readonly<Record<string, Scalar>> = {
  bool: { method: 'bool', type: 'boolean', zero: 'false', wireType: 0 },
  int32: { method: 'int32', type: 'number', zero: '0', wireType: 0 },
  uint32: { method: 'uint32', type: 'number', zero: '0', wireType: 0 },
  sint32: { method: 'sint32', type: 'number', zero: '0', wireType: 0 },
  fixed32: { method: 'fixed32', type: 'number', zero: '0', wireType: 5 },
  sfixed32: { method: 'sfixed32', type: 'number', zero: '0', wireType: 5 },
  float: { method: 'float', type: 'number', zero: '0', wireType: 5 },
  int64: { method: 'int64', type: 'bigint', zero: '0n', wireType: 0 },
  uint64: { method: 'uint64', type: 'bigint', zero: '0n', wireType: 0 },
  sint64: { method: 'sint64', type: 'bigint', zero: '0n', wireType: 0 },
  fixed64: { method: 'fixed64', type: 'bigint', zero: '0n', wireType: 1 },
  sfixed64: { method: 'sfixed64', type: 'bigint', zero: '0n', wireType: 1 },
  double: { method: 'double', type: 'number', zero: '0', wireType: 1 },
  string: { method: 'string', type: 'string', zero: "''", wireType: 2 },
  bytes: { method: 'bytes', type: 'Uint8Array', zero: EMPTY_BYTES, wireType: 2 },
};
const ENUM: Scalar = { method: 'int32', type: 'number', zero: '0', wireType: 0 };

/** The scalar of a field's value, or `null` when it is a message. */
export function scalarOf(field: protobuf.Field): Scalar | null {
  if (isRaw(field)) return SCALARS.bytes!;
  if (field.resolvedType instanceof protobuf.Enum) return ENUM;
  if (field.resolvedType) return null;
  const scalar = SCALARS[field.type];
  if (!scalar) throw new Error(`${field.fullName} has the unknown type ${field.type}`);
  return scalar;
}

/** The scalar of a map's keys. */
export function keyScalarOf(field: protobuf.Field): Scalar {
  if (!(field instanceof protobuf.MapField)) throw new Error(`${field.fullName} is not a map`);
  return SCALARS[field.keyType]!;
}
