import {
  DataType,
  type DenseVectorType,
  dataTypeName,
  denseVectorBytes,
  type FieldSchema,
  invalidParameter,
  type VectorType,
} from '@elanus/model';
import { type common_PlaceholderValue, decode } from '@elanus/proto';
import type { QueryVectors } from '@elanus/rpc';
import { bfloat16Of } from './bfloat16.ts';
import {
  checkSparseVector,
  firstNonFiniteBFloat16,
  firstNonFiniteFloat16,
  firstNonFiniteFloat32,
} from './vector-checks.ts';

/**
 * The query vectors in a serialized PlaceholderGroup, in the form of the field they are compared with: float32
 * queries of float16 and bfloat16 fields are rounded. One query is a view on `bytes`, several are copied once.
 * @throws MilvusError 1100 when type, dimension or values do not fit the field
 */
export function readQueryVectors(bytes: Uint8Array, field: FieldSchema): QueryVectors {
  const { placeholders } = decode('common.PlaceholderGroup', bytes);
  const [placeholder] = placeholders;
  if (placeholder === undefined || placeholders.length !== 1) {
    throw invalidParameter(`a search needs exactly one placeholder, got ${placeholders.length}`);
  }
  const fieldType = field.dataType as VectorType;
  return fieldType === DataType.SparseFloatVector
    ? sparseQueries(placeholder, field)
    : denseQueries(placeholder, field, fieldType);
}

/** Texts in UTF-8, one after the other: text i is `bytes[offsets[i] .. offsets[i + 1])`. */
export interface QueryTexts {
  readonly length: number;
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

/** The texts in a serialized PlaceholderGroup; `null` when it holds something else. */
export function readQueryTexts(bytes: Uint8Array): QueryTexts | null {
  const { placeholders } = decode('common.PlaceholderGroup', bytes);
  const [placeholder] = placeholders;
  if (placeholders.length !== 1 || placeholder?.type !== DataType.VarChar) return null;
  const { values } = placeholder;
  const offsets = new Uint32Array(values.length + 1);
  for (const [at, { length }] of values.entries()) offsets[at + 1] = offsets[at]! + length;
  return { length: values.length, offsets, bytes: Buffer.concat(values) };
}

function sparseQueries({ type, values }: common_PlaceholderValue, field: FieldSchema): QueryVectors {
  if (type !== DataType.SparseFloatVector) throw typeMismatch(type, field);
  const offsets = new Uint32Array(values.length + 1);
  for (const [at, value] of values.entries()) {
    checkSparseVector(value, `query ${at}`);
    offsets[at + 1] = offsets[at]! + value.length;
  }
  const bytes = Buffer.concat(values);
  return { dataType: DataType.SparseFloatVector, dim: null, count: values.length, bytes, offsets };
}

function denseQueries(
  { type, values }: common_PlaceholderValue,
  field: FieldSchema,
  fieldType: DenseVectorType,
): QueryVectors {
  const isHalf = fieldType === DataType.Float16Vector || fieldType === DataType.BFloat16Vector;
  const isWidened = type === DataType.FloatVector && isHalf;
  if (type !== fieldType && !isWidened) throw typeMismatch(type, field);
  const dim = field.dim!;
  const vectorBytes = denseVectorBytes(isWidened ? DataType.FloatVector : fieldType, dim);
  for (const value of values) {
    if (value.length === vectorBytes) continue;
    throw invalidParameter(
      `vector dimension mismatch, expected vector size(byte) ${vectorBytes}, actual ${value.length}`,
    );
  }
  const sent = values.length === 1 ? values[0]! : Buffer.concat(values);
  const wrong = firstNonFinite(isWidened ? DataType.FloatVector : fieldType, sent);
  if (wrong >= 0) throw invalidParameter(`query vector ${Math.floor(wrong / dim)} holds NaN or infinity`);
  const bytes = isWidened ? narrowed(sent, fieldType) : sent;
  return { dataType: fieldType, dim, count: values.length, bytes, offsets: null };
}

function firstNonFinite(type: DenseVectorType, bytes: Uint8Array): number {
  switch (type) {
    case DataType.FloatVector:
      return firstNonFiniteFloat32(bytes);
    case DataType.Float16Vector:
      return firstNonFiniteFloat16(bytes);
    case DataType.BFloat16Vector:
      return firstNonFiniteBFloat16(bytes);
    case DataType.BinaryVector:
    case DataType.Int8Vector:
      return -1;
  }
}

/** float32 rounded to the nearest float16 or bfloat16, ties to even. */
function narrowed(bytes: Uint8Array, type: DenseVectorType): Uint8Array {
  const floats = new Float32Array(new Uint8Array(bytes).buffer);
  if (type === DataType.Float16Vector) return new Uint8Array(new Float16Array(floats).buffer);
  return bfloat16Of(floats);
}

function typeMismatch(type: number, field: FieldSchema): Error {
  const [queried, stored] = [dataTypeName(type), dataTypeName(field.dataType)];
  return invalidParameter(
    `vector type must be the same, field ${field.name} - type ${stored}, search info type ${queried}`,
  );
}
