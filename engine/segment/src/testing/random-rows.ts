import {
  type CollectionSchema,
  type Column,
  DataType,
  type DenseVectorType,
  denseVectorBytes,
  type ElementColumn,
  type FieldId,
  type FieldSchema,
  isDenseVector,
  isText,
  type KeyColumn,
  type RowBatch,
} from '@elanus/model';
import type { Random } from '@elanus/runtime';
import { isNumeric, NUMERIC_BYTES, numericColumn } from '../numeric-type.ts';
import { storedFields } from '../stored-fields.ts';

/** A key as tests think of it. */
export type TestKey = bigint | string;

/** A key column of these keys, all of one type. */
export function keyColumn(keys: readonly TestKey[], type: DataType): KeyColumn {
  if (type === DataType.Int64) {
    const values = BigInt64Array.from(keys as readonly bigint[]);
    return { dataType: DataType.Int64, length: keys.length, validity: null, values };
  }
  return { dataType: DataType.VarChar, length: keys.length, validity: null, ...packed(keys as string[]) };
}

/** The keys of a column, one by one. */
export function keysOf(column: KeyColumn): TestKey[] {
  return Array.from({ length: column.length }, (_, row) => valueAt(column, row) as TestKey);
}

/** Rows with these keys; all other values are random, some of them null where they may be. */
export function randomBatch(schema: CollectionSchema, keys: readonly TestKey[], random: Random): RowBatch {
  const { length } = keys;
  const columns = new Map<FieldId, Column>();
  for (const field of storedFields(schema)) {
    const column = field.isPrimaryKey ? keyColumn(keys, field.dataType) : randomColumn(field, length, random);
    columns.set(field.id, column);
  }
  return { length, columns };
}

/** One value as something that `deepEqual` compares; `null` for nulls. */
export function valueAt(column: Column, row: number): unknown {
  if (column.validity?.[row] === 0) return null;
  if ('elements' in column) {
    const { elements, offsets } = column;
    const length = offsets[row + 1]! - offsets[row]!;
    return Array.from({ length }, (_, i) => valueAt(elements, offsets[row]! + i));
  }
  if ('values' in column) return column.values[row];
  if ('dim' in column) {
    const size = denseVectorBytes(column.dataType, column.dim);
    return Buffer.from(column.bytes.subarray(row * size, (row + 1) * size)).toString('hex');
  }
  const bytes = Buffer.from(column.bytes.subarray(column.offsets[row], column.offsets[row + 1]));
  return column.dataType === DataType.SparseFloatVector ? bytes.toString('hex') : bytes.toString();
}

function randomColumn(field: FieldSchema, length: number, random: Random): Column {
  const hasNulls = field.nullable && random.chance(0.5);
  const validity = hasNulls ? Uint8Array.from({ length }, () => (random.chance(0.3) ? 0 : 1)) : null;
  const { dataType } = field;
  if (isDenseVector(dataType)) {
    const dim = field.dim!;
    return { dataType, dim, length, validity, bytes: randomVectors(dataType, dim, length, random) };
  }
  if (dataType === DataType.SparseFloatVector)
    return { dataType, length, validity, ...randomSparse(length, random) };
  if (dataType === DataType.ArrayOfVector) {
    const elementType = field.elementType as DenseVectorType;
    const offsets = randomOffsets(length, random);
    const count = offsets[length]!;
    const bytes = randomVectors(elementType, field.dim!, count, random);
    const elements = { dataType: elementType, dim: field.dim!, length: count, validity: null, bytes };
    return { dataType, length, validity, offsets, elements };
  }
  if (isText(dataType) && dataType !== DataType.VarChar) {
    const values = texts(length, random).map((text) => TEXT_OF[dataType](text));
    return { dataType, length, validity, ...packed(values) } as Column;
  }
  if (dataType !== DataType.Array) return { ...randomScalars(dataType, length, random), validity } as Column;
  const offsets = randomOffsets(length, random);
  const elements = randomScalars(field.elementType!, offsets[length]!, random);
  return { dataType, length, validity, offsets, elements };
}

const TEXT_OF = {
  [DataType.JSON]: (text: string) => JSON.stringify({ text }),
  [DataType.Geometry]: (text: string) => `POINT (${text.length} ${-text.length})`,
  [DataType.Text]: (text: string) => text.repeat(3),
};

function randomOffsets(length: number, random: Random): Uint32Array {
  const offsets = new Uint32Array(length + 1);
  for (let row = 0; row < length; row++) offsets[row + 1] = offsets[row]! + random.below(4);
  return offsets;
}

function randomScalars(dataType: DataType, length: number, random: Random): ElementColumn {
  if (!isNumeric(dataType))
    return { dataType: DataType.VarChar, length, validity: null, ...packed(texts(length, random)) };
  const buffer = new ArrayBuffer(length * NUMERIC_BYTES[dataType]);
  const column = numericColumn(dataType, { buffer, byteOffset: 0, capacity: length }, length, null);
  for (let row = 0; row < length; row++) {
    if (column.values instanceof BigInt64Array) column.values[row] = BigInt(random.below(1000)) - 500n;
    else column.values[row] = dataType === DataType.Bool ? random.below(2) : random.below(100);
  }
  return column;
}

/** Small whole numbers: scores are exact, and ties are many. */
function randomVectors(dataType: DenseVectorType, dim: number, length: number, random: Random): Uint8Array {
  const bytes = new Uint8Array(denseVectorBytes(dataType, dim) * length);
  if (dataType === DataType.FloatVector) {
    const floats = new Float32Array(bytes.buffer);
    for (let i = 0; i < floats.length; i++) floats[i] = random.below(5) - 2;
  } else {
    // Bytes below 64 make no float16 or bfloat16 that is not a number.
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(64);
  }
  return bytes;
}

function randomSparse(length: number, random: Random): { offsets: Uint32Array; bytes: Uint8Array } {
  const offsets = new Uint32Array(length + 1);
  const pairs: [number, number][] = [];
  for (let row = 0; row < length; row++) {
    for (let index = random.below(4); index < 12; index += 1 + random.below(6))
      pairs.push([index, random.below(5) - 2]);
    offsets[row + 1] = 8 * pairs.length;
  }
  const bytes = new Uint8Array(8 * pairs.length);
  const view = new DataView(bytes.buffer);
  for (const [i, [index, value]] of pairs.entries()) {
    view.setUint32(8 * i, index, true);
    view.setFloat32(8 * i + 4, value, true);
  }
  return { offsets, bytes };
}

function texts(length: number, random: Random): string[] {
  return Array.from({ length }, () => 'wörter'.slice(0, random.below(7)) + random.below(100));
}

function packed(values: readonly string[]): { offsets: Uint32Array; bytes: Uint8Array } {
  const parts = values.map((value) => Buffer.from(value));
  const offsets = new Uint32Array(values.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  return { offsets, bytes: new Uint8Array(Buffer.concat(parts)) };
}
