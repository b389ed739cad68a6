import { findNonFinite } from '@elanus/kernel';
import {
  DataType,
  type DenseVectorType,
  dataTypeName,
  denseVectorBytes,
  type FieldSchema,
  invalidParameter,
} from '@elanus/model';
import { type common_PlaceholderValue, decode } from '@elanus/proto';
import type { QueryVectors } from '@elanus/rpc';
import type { TextRuns } from '../rows/texts-of.ts';
import { bfloat16Of } from './bfloat16.ts';
import { checkSparseVector } from './vector-checks.ts';

/** Placeholders of lists of vectors have the number of their vectors' type, and so much more. */
const LIST_TYPE_OFFSET = 200;
/** Vectors of one query that is a list: what comparing it takes memory for. */
const LIST_VECTORS_MAX = 16_384;

/**
 * The query vectors in a serialized PlaceholderGroup, in the form of the field they are compared with: float32
 * queries of float16 and bfloat16 fields are rounded. Of a field of lists the queries are lists or vectors, as they were
 * sent. One query is a view on `bytes`, several are copied once.
 * @throws MilvusError 1100 when type, dimension or values do not fit the field
 */
export function readQueryVectors(bytes: Uint8Array, field: FieldSchema): QueryVectors {
  const { placeholders } = decode('common.PlaceholderGroup', bytes);
  const [placeholder] = placeholders;
  if (placeholder === undefined || placeholders.length !== 1) {
    throw invalidParameter(`a search needs exactly one placeholder, got ${placeholders.length}`);
  }
  const fieldType = field.dataType;
  if (fieldType === DataType.SparseFloatVector) return sparseQueries(placeholder, field);
  if (fieldType === DataType.ArrayOfVector) {
    const elementType = field.elementType as DenseVectorType;
    return placeholder.type > LIST_TYPE_OFFSET
      ? listQueries(placeholder, field, elementType)
      : denseQueries(placeholder, field, elementType);
  }
  return denseQueries(placeholder, field, fieldType as DenseVectorType);
}

/**
 * Gives the memory of queries that were copied back at once, which the garbage collector would be at work for (decision 81).
 * REQUIRES: the search has succeeded, so that nobody reads them any more; one that fails may leave threads at work.
 */
export function releaseQueries({ bytes, isOwnCopy = false }: QueryVectors): void {
  const memory = bytes.buffer;
  // Small buffers have a part of one that others use, too.
  if (isOwnCopy && memory.byteLength === bytes.length) (memory as ArrayBuffer).transfer(0);
}

/** The texts in a serialized PlaceholderGroup; `null` when it holds something else. */
export function readQueryTexts(bytes: Uint8Array): TextRuns | null {
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
  const sentType = comparableType(type, fieldType);
  if (sentType === null) throw typeMismatch(type, field);
  const vectorBytes = denseVectorBytes(sentType, field.dim!);
  for (const value of values) if (value.length !== vectorBytes) throw sizeMismatch(vectorBytes, value.length);
  return { ...denseVectors(values, sentType, field, fieldType), count: values.length };
}

function listQueries(
  { type, values }: common_PlaceholderValue,
  field: FieldSchema,
  fieldType: DenseVectorType,
): QueryVectors {
  const sentType = comparableType(type - LIST_TYPE_OFFSET, fieldType);
  if (sentType === null) throw typeMismatch(type, field);
  const vectorBytes = denseVectorBytes(sentType, field.dim!);
  const lists = new Uint32Array(values.length + 1);
  for (const [at, { length }] of values.entries()) {
    if (length === 0) throw invalidParameter(`query ${at} is an embedding list without a vector`);
    if (length % vectorBytes !== 0) throw sizeMismatch(vectorBytes, length);
    const vectors = length / vectorBytes;
    if (vectors > LIST_VECTORS_MAX)
      throw invalidParameter(
        `query ${at} is an embedding list of ${vectors} vectors, at most ${LIST_VECTORS_MAX} are compared`,
      );
    lists[at + 1] = lists[at]! + vectors;
  }
  return { ...denseVectors(values, sentType, field, fieldType), count: values.length, lists };
}

/** The type of vectors that are sent for a field of vectors of `fieldType`; `null` when they can't be compared. */
function comparableType(type: number, fieldType: DenseVectorType): DenseVectorType | null {
  const isHalf = fieldType === DataType.Float16Vector || fieldType === DataType.BFloat16Vector;
  if (type === fieldType) return fieldType;
  return type === DataType.FloatVector && isHalf ? DataType.FloatVector : null;
}

/** The vectors in `values`, one after the other, in the form of the field. */
function denseVectors(
  values: readonly Uint8Array[],
  sentType: DenseVectorType,
  field: FieldSchema,
  fieldType: DenseVectorType,
): Pick<QueryVectors, 'dataType' | 'dim' | 'bytes' | 'isOwnCopy' | 'offsets'> {
  const dim = field.dim!;
  const isOwnCopy = values.length > 1 || sentType !== fieldType;
  const sent = values.length === 1 ? values[0]! : Buffer.concat(values);
  const wrong = firstNonFinite(sentType, sent);
  if (wrong >= 0) throw invalidParameter(`query vector ${Math.floor(wrong / dim)} holds NaN or infinity`);
  const bytes = sentType === fieldType ? sent : narrowed(sent, fieldType);
  return { dataType: fieldType, dim, bytes, isOwnCopy, offsets: null };
}

function sizeMismatch(expected: number, actual: number): Error {
  return invalidParameter(
    `vector dimension mismatch, expected vector size(byte) ${expected}, actual ${actual}`,
  );
}

function firstNonFinite(type: DenseVectorType, bytes: Uint8Array): number {
  switch (type) {
    case DataType.FloatVector:
      return findNonFinite(bytes, 'float32');
    case DataType.Float16Vector:
      return findNonFinite(bytes, 'float16');
    case DataType.BFloat16Vector:
      return findNonFinite(bytes, 'bfloat16');
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
