/** What a cell of a column file may hold. */
export type CellValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CellValue[]
  | { readonly [name: string]: CellValue };

export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array
  | Float16Array;

/** Lists of numbers: row i holds `numbers[offsets[i] .. offsets[i + 1])`. */
export interface NumberLists {
  readonly kind: 'lists';
  readonly offsets: Uint32Array;
  readonly numbers: NumberArray;
  /** 1 for a row without a list; `null`: every row has one. */
  readonly nulls: Uint8Array | null;
}

/** A number for each row. */
export interface Numbers {
  readonly kind: 'numbers';
  readonly values: NumberArray;
}

/** A value for each row, `null` for none. */
export interface Cells {
  readonly kind: 'cells';
  readonly values: readonly CellValue[];
}

export type FileColumn = NumberLists | Numbers | Cells;

/** Some rows of a file, column by column; each column has `rows` rows. */
export interface ColumnBatch {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, FileColumn>;
}

/** Where large columns of numbers are put. */
export interface NumberMemory {
  /** Memory of this length at a multiple of 8; whatever it held before. */
  take(bytes: number): Uint8Array;
}

/** A file of columns, or several with a column each, read from front to back. */
export interface ColumnReader {
  readonly rows: number;
  readonly names: readonly string[];
  /** Skips rows; before the first `next`. */
  skip(rows: number): Promise<void>;
  /** The next rows, up to `rowsMax` of them; `null` behind the last. @throws FormatError */
  next(rowsMax: number): Promise<ColumnBatch | null>;
}
