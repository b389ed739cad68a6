import {
  assert,
  type CollectionSchema,
  type Column,
  type DenseVectorColumn,
  type FieldId,
  fieldById,
  fillingFunction,
} from '@elanus/model';
import { type ColumnBuffer, columnBuffer } from '../column-buffer.ts';
import { missingColumn } from '../missing-column.ts';
import type { SealedFile } from '../sealed/sealed-file.ts';
import { storedFields } from '../stored-fields.ts';

/** Rows `firstRow .. firstRow + rows` of a sealed segment. */
export interface StoredRows {
  readonly file: SealedFile;
  readonly firstRow: number;
}

/**
 * The columns of a chunk: in memory of their own, to which rows are appended, until a file has them; fields that the
 * schema has gained since have their default.
 */
export class ChunkColumns {
  #schema: CollectionSchema;
  #buffers: ReadonlyMap<FieldId, ColumnBuffer>;
  /** Where the columns are when they are not in `#buffers`, and those that somebody has asked for. */
  #stored: StoredRows | null;
  readonly #storedColumns = new Map<FieldId, Column>();
  readonly #missing = new Map<FieldId, Column>();
  /** What functions that are newer than the rows have made, as long as no file has it. */
  readonly #filled = new Map<FieldId, Column>();
  /** How many hold on to a field's column in memory, and those of them that a file has as well. */
  readonly #holders = new Map<FieldId, number>();
  readonly #held = new Map<FieldId, Column>();

  private constructor(
    schema: CollectionSchema,
    buffers: ReadonlyMap<FieldId, ColumnBuffer>,
    stored: StoredRows | null,
  ) {
    this.#schema = schema;
    this.#buffers = buffers;
    this.#stored = stored;
  }

  /** Empty columns with room for `rowsReserved` rows. */
  static inMemory(schema: CollectionSchema, rowsReserved: number): ChunkColumns {
    const fields = storedFields(schema);
    const buffers = new Map(fields.map((field) => [field.id, columnBuffer(field, rowsReserved)]));
    return new ChunkColumns(schema, buffers, null);
  }

  /** The columns that a file has. */
  static inFile(schema: CollectionSchema, stored: StoredRows): ChunkColumns {
    return new ChunkColumns(schema, new Map(), stored);
  }

  get schema(): CollectionSchema {
    return this.#schema;
  }

  /** Where the columns are in a file; `null` as long as they are in memory. */
  get stored(): StoredRows | null {
    return this.#stored;
  }

  /** Memory taken, by what was unpacked of a file as well; that of the file does not count. */
  get byteLength(): number {
    let bytes = 0;
    for (const [, own] of this.bytesOfFields()) bytes += own;
    return bytes;
  }

  /** The parts of `byteLength`. */
  *bytesOfFields(): Generator<readonly [id: FieldId, bytes: number]> {
    for (const [id, buffer] of this.#buffers) yield [id, buffer.byteLength];
    for (const made of [this.#filled, this.#held])
      for (const [id, column] of made) yield [id, (column as DenseVectorColumn).bytes.length];
    for (const [id, column] of this.#missing) yield [id, bytesBeside(column, null)];
    // Nothing is asked for before the file is open.
    const file = this.#stored?.file.mapped?.buffer ?? null;
    for (const [id, column] of this.#storedColumns) yield [id, bytesBeside(column, file)];
  }

  /** Bytes of texts and the like in memory: what rows take beyond their fixed size. */
  get textBytes(): number {
    let bytes = 0;
    for (const buffer of this.#buffers.values()) bytes += buffer.textBytes;
    return bytes;
  }

  /** The same primary keys, where they lie, and nothing else. */
  keysOnly(): ChunkColumns {
    const { id } = this.#schema.primaryKey;
    const keys = this.#buffers.get(id);
    return new ChunkColumns(
      this.#schema,
      keys === undefined ? new Map() : new Map([[id, keys]]),
      this.#stored,
    );
  }

  /** Later readers also find the fields that `schema` has gained. No rows are appended from then on. */
  useSchema(schema: CollectionSchema): void {
    this.#schema = schema;
  }

  /** Takes a copy of rows `start .. end`; `columns` has one for each stored field. */
  append(columns: ReadonlyMap<FieldId, Column>, start: number, end: number): void {
    for (const [id, buffer] of this.#buffers) buffer.append(columns.get(id)!, start, end);
  }

  /** From now on the columns are those of an open file with the same rows; readers keep the memory they have. */
  moveTo(stored: StoredRows): void {
    for (const id of this.#holders.keys()) {
      const buffer = this.#buffers.get(id);
      if (buffer !== undefined) this.#held.set(id, buffer.column());
    }
    this.#buffers = new Map();
    this.#stored = stored;
    this.#storedColumns.clear();
    this.#missing.clear();
    this.#filled.clear();
  }

  /** Whether rows lack what a newer function makes of them; those of a file that is closed may. */
  awaits(id: FieldId): boolean {
    if (fillingFunction(this.#schema, id) === undefined) return false;
    if (this.#stored === null) return !this.#buffers.has(id) && !this.#filled.has(id);
    return this.#stored.file.statistics(id)?.nulls !== 0;
  }

  /** Whether `fill` has brought the field, which no file has. */
  isFilled(id: FieldId): boolean {
    return this.#filled.has(id);
  }

  /** Takes what a newer function makes of rows that are in memory, and all there are. */
  fill(id: FieldId, column: Column): void {
    this.#filled.set(id, column);
    this.#missing.delete(id);
  }

  /**
   * Goes on reading the dense vectors of a field from memory, if they are there, also when a file has them: until the
   * function that this returns is called, once.
   */
  hold(id: FieldId): () => void {
    if (!this.#buffers.has(id)) return () => {};
    this.#holders.set(id, (this.#holders.get(id) ?? 0) + 1);
    return () => {
      const left = this.#holders.get(id)! - 1;
      this.#holders.set(id, left);
      if (left > 0) return;
      this.#holders.delete(id);
      this.#held.delete(id);
    };
  }

  /**
   * The first `rows` rows of a field, which are all there are; its arrays may be longer. The file of stored columns is
   * open.
   * @throws RangeError when the schema has no such field
   */
  column(id: FieldId, rows: number): Column {
    const buffer = this.#buffers.get(id);
    if (buffer !== undefined) return buffer.column();
    const held = this.#held.get(id);
    if (held !== undefined) return held;
    const stored = this.#storedColumns.get(id) ?? this.#readStored(id, rows);
    if (stored !== undefined) {
      const isKept = id === this.#schema.primaryKey.id;
      assert(isKept || this.#stored!.file.isThere, 'columns of a file are read by who uses it');
      return stored;
    }
    const known = this.#filled.get(id) ?? this.#missing.get(id);
    if (known !== undefined) return known;
    const field = fieldById(this.#schema, id);
    if (field === undefined) throw new RangeError(`no field ${id}`);
    const column = missingColumn(field, rows);
    this.#missing.set(id, column);
    return column;
  }

  #readStored(id: FieldId, rows: number): Column | undefined {
    if (this.#stored === null) return undefined;
    const column = this.#stored.file.column(id, this.#stored.firstRow, rows);
    // The kernel remembers where an array is, so the same memory must stay the same array.
    if (column !== undefined) this.#storedColumns.set(id, column);
    return column;
  }
}

/** Bytes of the arrays of a column that are no part of a file that is mapped at `file`. Elements are shared by chunks. */
function bytesBeside(column: Column, file: ArrayBufferLike | null): number {
  let bytes = 0;
  for (const part of Object.values(column))
    if (ArrayBuffer.isView(part) && part.buffer !== file) bytes += part.byteLength;
  return bytes;
}
