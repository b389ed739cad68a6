import type { DataType, DenseVectorType } from './data-type.ts';
import type { FieldId } from './ids.ts';

/**
 * A column: the values of one field for a run of rows, laid out as in Apache Arrow so that it can be
 * logged, mapped and handed to the kernel as it is. Columns are immutable once built and always full
 * length: a null row holds a zero (empty) value and `validity[row] === 0`.
 *
 * Typed arrays may be views into a larger buffer (a request, a log record, shared memory); whoever
 * builds a column decides who owns that buffer and says so.
 */
export type Column = ScalarColumn | ArrayColumn | VectorArrayColumn | DenseVectorColumn | SparseVectorColumn;

interface ColumnBase {
  readonly length: number;
  /** One byte a row, 1 = has a value, 0 = null. `null` when every row has a value. */
  readonly validity: Uint8Array | null;
}

export interface BoolColumn extends ColumnBase {
  readonly dataType: typeof DataType.Bool;
  /** 0 or 1. */
  readonly values: Uint8Array;
}
export interface Int8Column extends ColumnBase {
  readonly dataType: typeof DataType.Int8;
  readonly values: Int8Array;
}
export interface Int16Column extends ColumnBase {
  readonly dataType: typeof DataType.Int16;
  readonly values: Int16Array;
}
export interface Int32Column extends ColumnBase {
  readonly dataType: typeof DataType.Int32;
  readonly values: Int32Array;
}
export interface Int64Column extends ColumnBase {
  readonly dataType: typeof DataType.Int64;
  readonly values: BigInt64Array;
}
export interface FloatColumn extends ColumnBase {
  readonly dataType: typeof DataType.Float;
  readonly values: Float32Array;
}
export interface DoubleColumn extends ColumnBase {
  readonly dataType: typeof DataType.Double;
  readonly values: Float64Array;
}
/** Microseconds since 1970 in UTC. */
export interface TimestamptzColumn extends ColumnBase {
  readonly dataType: typeof DataType.Timestamptz;
  readonly values: BigInt64Array;
}
/** Types whose values are UTF-8 text: JSON and the WKT of shapes are kept as the client's own bytes. */
export type TextType =
  | typeof DataType.VarChar
  | typeof DataType.JSON
  | typeof DataType.Geometry
  | typeof DataType.Text;
/** Row i is `bytes[offsets[i] .. offsets[i + 1])`. */
export interface BytesColumn<Type extends TextType> extends ColumnBase {
  readonly dataType: Type;
  /** `length + 1` offsets into `bytes`; the first need not be 0. */
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}
export type VarCharColumn = BytesColumn<typeof DataType.VarChar>;
export type JsonColumn = BytesColumn<typeof DataType.JSON>;
export type GeometryColumn = BytesColumn<typeof DataType.Geometry>;
export type LongTextColumn = BytesColumn<typeof DataType.Text>;

export type NumericColumn =
  | BoolColumn
  | Int8Column
  | Int16Column
  | Int32Column
  | Int64Column
  | FloatColumn
  | DoubleColumn
  | TimestamptzColumn;
/** What an array may hold. */
export type ElementColumn = NumericColumn | VarCharColumn;
export type ScalarColumn = ElementColumn | JsonColumn | GeometryColumn | LongTextColumn;

/** Row i holds the elements `offsets[i] .. offsets[i + 1]` of `elements`, which has no nulls. */
export interface ArrayColumn extends ColumnBase {
  readonly dataType: typeof DataType.Array;
  readonly offsets: Uint32Array;
  readonly elements: ElementColumn;
}

/** A sub-field of an array of structs that holds a vector in each struct; laid out as an ArrayColumn. */
export interface VectorArrayColumn extends ColumnBase {
  readonly dataType: typeof DataType.ArrayOfVector;
  readonly offsets: Uint32Array;
  readonly elements: DenseVectorColumn;
}

/** Row i is the i-th run of `denseVectorBytes(dataType, dim)` bytes, little-endian as on the wire. */
export interface DenseVectorColumn extends ColumnBase {
  readonly dataType: DenseVectorType;
  readonly dim: number;
  readonly bytes: Uint8Array;
}

/** Row i is `bytes[offsets[i] .. offsets[i + 1])`: pairs of (uint32 index, float32 value), ascending index. */
export interface SparseVectorColumn extends ColumnBase {
  readonly dataType: typeof DataType.SparseFloatVector;
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

/** The values of a primary key field: never null. */
export type KeyColumn = Int64Column | VarCharColumn;

/** Rows of one collection, column by column. Every column has `length` rows. */
export interface RowBatch {
  readonly length: number;
  readonly columns: ReadonlyMap<FieldId, Column>;
}
