import {
  type ArrayColumn,
  assert,
  type BytesColumn,
  type Column,
  DataType,
  type DenseVectorColumn,
  denseVectorBytes,
  type FieldSchema,
  isArray,
  isDenseVector,
  isText,
  type NumericColumn,
  type SparseVectorColumn,
  type TextType,
  type VectorArrayColumn,
} from '@elanus/model';
import { bytesOfValues, isNumeric, NUMERIC_BYTES, type NumericType, numericColumn } from './numeric-type.ts';
import { ReadyPages } from './ready-pages.ts';
import { grownBytes, grownUint32, sharedBytes, sharedUint32 } from './shared-memory.ts';

/**
 * One field of a chunk: rows are appended, never changed. What `column` returned stays true for its rows
 * for ever: growing moves the values to larger memory and leaves the old one to its readers.
 */
export interface ColumnBuffer {
  /** Bytes of memory taken. */
  readonly byteLength: number;
  /** Bytes that the rows use beyond a fixed size for each. */
  readonly textBytes: number;
  /** Takes a copy of rows `start .. end` of a column of the buffer's type. */
  append(column: Column, start: number, end: number): void;
  /** All rows so far. Its arrays may be longer than its length, and are the same objects until they grow. */
  column(): Column;
}

/** Room for rows of `field`; `rows` of them fit before it has to grow. */
export function columnBuffer(field: FieldSchema, rows: number): ColumnBuffer {
  const { dataType, elementType, dim } = field;
  if (isArray(dataType)) {
    assert(elementType !== null, `array field ${field.name} has an element type`);
    return new ArrayColumnBuffer(dataType, valueBuffer(elementType, dim, rows), rows);
  }
  return valueBuffer(dataType, dim, rows);
}

function valueBuffer(dataType: DataType, dim: number | null, rows: number): ColumnBuffer {
  if (isNumeric(dataType)) return new NumericBuffer(dataType, rows);
  if (isText(dataType) || dataType === DataType.SparseFloatVector) return new BytesBuffer(dataType, rows);
  assert(isDenseVector(dataType), `there are columns of type ${dataType}`);
  assert(dim !== null, 'dense vectors have a dimension');
  return new DenseVectorBuffer(dataType, dim, rows);
}

/** Nothing until the first null. */
class ValidityBuffer {
  #flags: Uint8Array<SharedArrayBuffer> | null = null;

  get flags(): Uint8Array | null {
    return this.#flags;
  }

  get byteLength(): number {
    return this.#flags?.length ?? 0;
  }

  append(validity: Uint8Array | null, start: number, end: number, rowsBefore: number): void {
    const added = validity?.subarray(start, end) ?? null;
    if (this.#flags === null && (added === null || !added.includes(0))) return;
    const rows = rowsBefore + end - start;
    if (this.#flags === null) this.#flags = sharedBytes(rows).fill(1, 0, rowsBefore);
    this.#flags = grownBytes(this.#flags, rows);
    if (added === null) this.#flags.fill(1, rowsBefore, rows);
    else this.#flags.set(added, rowsBefore);
  }
}

/** What all buffers share: the count of rows, the nulls, and a column that is made anew only after a change. */
abstract class BufferBase<Type extends Column> implements ColumnBuffer {
  protected rows = 0;
  protected readonly validity = new ValidityBuffer();
  #column: Type | null = null;

  abstract get byteLength(): number;
  get textBytes(): number {
    return 0;
  }
  protected abstract appendValues(column: Column, start: number, end: number): void;
  protected abstract makeColumn(): Type;

  append(column: Column, start: number, end: number): void {
    this.appendValues(column, start, end);
    this.validity.append(column.validity, start, end, this.rows);
    this.rows += end - start;
    this.#column = null;
  }

  column(): Type {
    this.#column ??= this.makeColumn();
    return this.#column;
  }
}

class NumericBuffer extends BufferBase<NumericColumn> {
  readonly #dataType: NumericType;
  readonly #size: number;
  #bytes: Uint8Array<SharedArrayBuffer>;
  #values: NumericColumn['values'] | null = null;

  constructor(dataType: NumericType, rows: number) {
    super();
    this.#dataType = dataType;
    this.#size = NUMERIC_BYTES[dataType];
    this.#bytes = sharedBytes(rows * this.#size);
  }

  get byteLength(): number {
    return this.#bytes.length + this.validity.byteLength;
  }

  protected appendValues(column: Column, start: number, end: number): void {
    assert(column.dataType === this.#dataType, 'a column goes to a buffer of its type');
    const grown = grownBytes(this.#bytes, (this.rows + end - start) * this.#size);
    if (grown !== this.#bytes) this.#values = null;
    this.#bytes = grown;
    this.#bytes.set(bytesOfValues(column as NumericColumn, start, end), this.rows * this.#size);
  }

  protected makeColumn(): NumericColumn {
    const capacity = Math.floor(this.#bytes.length / this.#size);
    const memory = { buffer: this.#bytes.buffer, byteOffset: 0, capacity };
    const column = numericColumn(this.#dataType, memory, this.rows, this.validity.flags);
    // The kernel remembers where an array is, so the same memory must stay the same array.
    this.#values ??= column.values;
    return { ...column, values: this.#values } as NumericColumn;
  }
}

class DenseVectorBuffer extends BufferBase<DenseVectorColumn> {
  readonly #dataType: DenseVectorColumn['dataType'];
  readonly #dim: number;
  readonly #size: number;
  readonly #readyPages = new ReadyPages();
  #bytes: Uint8Array<SharedArrayBuffer>;

  constructor(dataType: DenseVectorColumn['dataType'], dim: number, rows: number) {
    super();
    this.#dataType = dataType;
    this.#dim = dim;
    this.#size = denseVectorBytes(dataType, dim);
    this.#bytes = sharedBytes(rows * this.#size);
  }

  get byteLength(): number {
    return this.#bytes.length + this.validity.byteLength;
  }

  protected appendValues(column: Column, start: number, end: number): void {
    assert(
      column.dataType === this.#dataType && (column as DenseVectorColumn).dim === this.#dim,
      'vectors go to a buffer of their type and dimension',
    );
    const { bytes } = column as DenseVectorColumn;
    this.#bytes = grownBytes(this.#bytes, (this.rows + end - start) * this.#size);
    this.#bytes.set(bytes.subarray(start * this.#size, end * this.#size), this.rows * this.#size);
    this.#readyPages.written(this.#bytes, (this.rows + end - start) * this.#size);
  }

  protected makeColumn(): DenseVectorColumn {
    return {
      dataType: this.#dataType,
      dim: this.#dim,
      length: this.rows,
      validity: this.validity.flags,
      bytes: this.#bytes,
    };
  }
}

type BytesLike = BytesColumn<TextType> | SparseVectorColumn;

class BytesBuffer extends BufferBase<BytesLike> {
  readonly #dataType: BytesLike['dataType'];
  #offsets: Uint32Array<SharedArrayBuffer>;
  #bytes = sharedBytes(64);

  constructor(dataType: BytesLike['dataType'], rows: number) {
    super();
    this.#dataType = dataType;
    this.#offsets = sharedUint32(rows + 1);
  }

  get byteLength(): number {
    return this.#offsets.byteLength + this.#bytes.length + this.validity.byteLength;
  }

  override get textBytes(): number {
    return this.#offsets[this.rows]!;
  }

  protected appendValues(column: Column, start: number, end: number): void {
    assert(column.dataType === this.#dataType, 'a column goes to a buffer of its type');
    const { offsets, bytes } = column as BytesLike;
    this.#offsets = grownUint32(this.#offsets, this.rows + end - start + 1);
    const used = appendOffsets(this.#offsets, this.rows, offsets, start, end);
    const from = offsets[start]!;
    const to = offsets[end]!;
    this.#bytes = grownBytes(this.#bytes, used + to - from);
    this.#bytes.set(bytes.subarray(from, to), used);
  }

  protected makeColumn(): BytesLike {
    const { flags: validity } = this.validity;
    const base = { length: this.rows, validity, offsets: this.#offsets, bytes: this.#bytes };
    return { dataType: this.#dataType, ...base } as BytesLike;
  }
}

type ArrayLike = ArrayColumn | VectorArrayColumn;

class ArrayColumnBuffer extends BufferBase<ArrayLike> {
  readonly #dataType: ArrayLike['dataType'];
  readonly #elements: ColumnBuffer;
  #offsets: Uint32Array<SharedArrayBuffer>;

  constructor(dataType: ArrayLike['dataType'], elements: ColumnBuffer, rows: number) {
    super();
    this.#dataType = dataType;
    this.#elements = elements;
    this.#offsets = sharedUint32(rows + 1);
  }

  get byteLength(): number {
    return this.#offsets.byteLength + this.#elements.byteLength + this.validity.byteLength;
  }

  override get textBytes(): number {
    return this.#elements.byteLength;
  }

  protected appendValues(column: Column, start: number, end: number): void {
    assert(column.dataType === this.#dataType, 'a column goes to a buffer of its type');
    const { offsets, elements } = column as ArrayLike;
    this.#offsets = grownUint32(this.#offsets, this.rows + end - start + 1);
    appendOffsets(this.#offsets, this.rows, offsets, start, end);
    this.#elements.append(elements, offsets[start]!, offsets[end]!);
  }

  protected makeColumn(): ArrayLike {
    return {
      dataType: this.#dataType,
      length: this.rows,
      validity: this.validity.flags,
      offsets: this.#offsets,
      elements: this.#elements.column(),
    } as ArrayLike;
  }
}

/** Continues `target` after row `rows` with the lengths of rows `start .. end` of `source`; returns where they begin. */
function appendOffsets(
  target: Uint32Array,
  rows: number,
  source: Uint32Array,
  start: number,
  end: number,
): number {
  const used = target[rows]!;
  const shift = used - source[start]!;
  for (let row = start + 1, at = rows + 1; row <= end; row++, at++) target[at] = source[row]! + shift;
  return used;
}
