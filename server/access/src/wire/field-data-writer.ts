import {
  type ArrayColumn,
  type BytesColumn,
  type Column,
  DataType,
  type DenseVectorColumn,
  denseVectorBytes,
  type FieldSchema,
  isVector,
  type KeyColumn,
  plainFieldName,
  type ScalarColumn,
  type SparseVectorColumn,
  type TextType,
  unreachable,
  type VectorArrayColumn,
} from '@elanus/model';
import {
  ARRAY_ELEMENT_TYPE,
  FIELD_DATA,
  IDS,
  LIST_DATA,
  SCALARS,
  SPARSE,
  STRUCT_FIELDS,
  VECTOR_ARRAY,
  VECTORS,
} from './field-data-format.ts';
import { MessageWriter } from './message-writer.ts';
import type { OutputColumn } from './output-column.ts';

/** Writes one column of a result as `schema.FieldData`. */
export function writeOutput(writer: MessageWriter, output: OutputColumn): void {
  if ('field' in output) {
    writeFieldData(writer, output.field, output.column);
    return;
  }
  const { struct, subFields } = output;
  writer.number(FIELD_DATA.type, DataType.ArrayOfStruct);
  writer.text(FIELD_DATA.fieldName, struct.name);
  writer.message(FIELD_DATA.structArrays, (fields) => {
    for (const { field, column } of subFields) {
      const plain = { ...field, name: plainFieldName(field) };
      fields.message(STRUCT_FIELDS, (member) => writeFieldData(member, plain, column));
    }
  });
  writer.number(FIELD_DATA.fieldId, struct.id);
}

/**
 * Writes a column of a result as `schema.FieldData`: scalars at full length with a placeholder at nulls, vectors
 * without the null rows; `valid_data` only for nullable fields. The slot of the type is set also without rows.
 */
export function writeFieldData(writer: MessageWriter, field: FieldSchema, column: Column): void {
  writer.number(FIELD_DATA.type, field.dataType);
  writer.text(FIELD_DATA.fieldName, field.name);
  if (isVectorColumn(column)) {
    writer.message(FIELD_DATA.vectors, (vectors) => writeVectors(vectors, column));
  } else if (column.dataType === DataType.ArrayOfVector) {
    writer.message(FIELD_DATA.vectors, (vectors) => writeVectorArrays(vectors, column));
  } else {
    writer.message(FIELD_DATA.scalars, (scalars) => {
      if (column.dataType === DataType.Array) writeArrays(scalars, column, field.elementType);
      else writeScalars(scalars, column, { start: 0, end: column.length });
    });
  }
  writer.number(FIELD_DATA.fieldId, field.id);
  writer.flag(FIELD_DATA.isDynamic, field.isDynamic);
  if (field.nullable && !field.isDynamic) {
    writer.fixed(FIELD_DATA.validData, column.validity ?? new Uint8Array(column.length).fill(1));
  }
}

/** A FieldData message on its own. */
export function encodeFieldData(field: FieldSchema, column: Column): Uint8Array {
  const writer = new MessageWriter();
  writeFieldData(writer, field, column);
  return writer.finish();
}

/** `schema.IDs`, with its oneof set also when there are no keys. */
export function writeIds(writer: MessageWriter, keys: KeyColumn): void {
  if (keys.dataType === DataType.Int64) {
    writer.message(IDS.int, (list) => list.varints(LIST_DATA, keys.values.subarray(0, keys.length)));
  } else {
    writer.message(IDS.string, (list) => writeRuns(list, LIST_DATA, keys, { start: 0, end: keys.length }));
  }
}

interface Rows {
  readonly start: number;
  readonly end: number;
}

function isVectorColumn(column: Column): column is DenseVectorColumn | SparseVectorColumn {
  return isVector(column.dataType);
}

function writeScalars(writer: MessageWriter, column: ScalarColumn, { start, end }: Rows): void {
  switch (column.dataType) {
    case DataType.Bool:
      writer.message(SCALARS.bool, (list) => list.fixed(LIST_DATA, column.values.subarray(start, end)));
      return;
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
      writer.message(SCALARS.int, (list) => list.varints(LIST_DATA, column.values.subarray(start, end)));
      return;
    case DataType.Int64:
      writer.message(SCALARS.long, (list) => list.varints(LIST_DATA, column.values.subarray(start, end)));
      return;
    case DataType.Float:
      writer.message(SCALARS.float, (list) => list.fixed(LIST_DATA, column.values.subarray(start, end)));
      return;
    case DataType.Double:
      writer.message(SCALARS.double, (list) => list.fixed(LIST_DATA, column.values.subarray(start, end)));
      return;
    case DataType.VarChar:
    case DataType.Text:
      writer.message(SCALARS.string, (list) => writeRuns(list, LIST_DATA, column, { start, end }));
      return;
    case DataType.Geometry:
      writer.message(SCALARS.wkt, (list) => writeRuns(list, LIST_DATA, column, { start, end }));
      return;
    case DataType.Timestamptz:
      writer.message(SCALARS.timestamptz, (list) =>
        list.varints(LIST_DATA, column.values.subarray(start, end)),
      );
      return;
    case DataType.JSON:
      writer.message(SCALARS.json, (list) => writeRuns(list, LIST_DATA, column, { start, end }));
      return;
    default:
      unreachable(column);
  }
}

function writeArrays(writer: MessageWriter, column: ArrayColumn, elementType: DataType | null): void {
  writer.message(SCALARS.array, (arrays) => {
    for (let row = 0; row < column.length; row += 1) {
      const elements = { start: column.offsets[row]!, end: column.offsets[row + 1]! };
      arrays.message(LIST_DATA, (scalars) => writeScalars(scalars, column.elements, elements));
    }
    arrays.number(ARRAY_ELEMENT_TYPE, elementType ?? column.elements.dataType);
  });
}

/** Each row of an offsets-and-bytes column as a member of its own. */
function writeRuns(
  writer: MessageWriter,
  field: number,
  column: BytesColumn<TextType> | SparseVectorColumn,
  { start, end }: Rows,
): void {
  for (let row = start; row < end; row += 1) {
    writer.bytes(field, column.bytes.subarray(column.offsets[row]!, column.offsets[row + 1]!));
  }
}

/** Of a null row the vectors are none. */
function writeVectorArrays(writer: MessageWriter, { length, offsets, elements }: VectorArrayColumn): void {
  const { dim, dataType } = elements;
  const size = denseVectorBytes(dataType, dim);
  writer.number(VECTORS.dim, dim);
  writer.message(VECTORS.array, (array) => {
    array.number(VECTOR_ARRAY.dim, dim);
    for (let row = 0; row < length; row += 1) {
      const bytes = elements.bytes.subarray(offsets[row]! * size, offsets[row + 1]! * size);
      const vectors: DenseVectorColumn = { ...elements, length: offsets[row + 1]! - offsets[row]!, bytes };
      array.message(VECTOR_ARRAY.data, (member) => writeVectors(member, vectors));
    }
    array.number(VECTOR_ARRAY.elementType, dataType);
  });
}

function writeVectors(writer: MessageWriter, column: DenseVectorColumn | SparseVectorColumn): void {
  if (column.dataType === DataType.SparseFloatVector) {
    const dim = sparseDimension(column);
    writer.number(VECTORS.dim, dim);
    writer.message(VECTORS.sparse, (sparse) => {
      for (let row = 0; row < column.length; row += 1) {
        if (column.validity?.[row] === 0) continue;
        sparse.bytes(SPARSE.contents, column.bytes.subarray(column.offsets[row]!, column.offsets[row + 1]!));
      }
      sparse.number(SPARSE.dim, dim);
    });
    return;
  }
  const present = presentVectors(column);
  writer.number(VECTORS.dim, column.dim);
  switch (column.dataType) {
    case DataType.FloatVector:
      writer.message(VECTORS.float, (list) => list.bytes(LIST_DATA, present));
      return;
    case DataType.BinaryVector:
      writer.bytes(VECTORS.binary, present);
      return;
    case DataType.Float16Vector:
      writer.bytes(VECTORS.float16, present);
      return;
    case DataType.BFloat16Vector:
      writer.bytes(VECTORS.bfloat16, present);
      return;
    case DataType.Int8Vector:
      writer.bytes(VECTORS.int8, present);
      return;
    default:
      unreachable(column);
  }
}

/** The bytes of the rows that are not null, one after the other. */
function presentVectors(column: DenseVectorColumn): Uint8Array {
  const { validity, length } = column;
  const vectorBytes = length === 0 ? 0 : column.bytes.length / length;
  if (validity === null) return column.bytes;
  const rows = Array.from({ length }, (_, row) => row).filter((row) => validity[row] === 1);
  return Buffer.concat(rows.map((row) => column.bytes.subarray(row * vectorBytes, (row + 1) * vectorBytes)));
}

/** The highest index of any row, plus one. */
function sparseDimension({ bytes, offsets, length }: SparseVectorColumn): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let dim = 0;
  for (let row = 0; row < length; row += 1) {
    const end = offsets[row + 1]!;
    if (end > offsets[row]!) dim = Math.max(dim, view.getUint32(end - 8, true) + 1);
  }
  return dim;
}
