import {
  type ArrayColumn,
  type Column,
  DataType,
  denseVectorBytes,
  type ElementColumn,
  isArray,
  isDenseVector,
  type VectorArrayColumn,
} from '@elanus/model';
import { unpackBits } from '../files/bitmap.ts';
import type { BufferRole } from '../files/column-buffers.ts';
import { damaged } from '../files/segment-file-error.ts';
import type { FileColumn } from '../files/segment-file-footer.ts';
import { isNumeric, NUMERIC_BYTES, type NumericType, numericColumn } from '../numeric-type.ts';
import { sharedBytes } from '../shared-memory.ts';

/** An index and a value of a sparse vector. */
const SPARSE_PAIR_BYTES = 8;

/** Rows of a file's column. */
export interface SlicedRows {
  readonly first: number;
  readonly count: number;
}

/**
 * The columns of a mapped file, cut into runs of rows: views of the map; flags and nulls are unpacked. Offsets are
 * followed once, so that nobody after that has to look where they lead; what else the bytes say is not checked.
 */
export class ColumnSlicer {
  readonly #bytes: Uint8Array;
  /** Elements of arrays are not cut: all runs share them. */
  readonly #elements = new Map<FileColumn, Elements>();

  /** `bytes` are the whole file, which begins at a multiple of 64. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @throws SegmentFileError */
  slice(column: FileColumn, rows: SlicedRows): Column {
    const slice = new Slice(this.#bytes, column, rows);
    if (!isArray(column.field.dataType)) return slice.column();
    let elements = this.#elements.get(column);
    if (elements === undefined) {
      elements = slice.elements();
      this.#elements.set(column, elements);
    }
    return slice.arrays(elements);
  }
}

type Elements = (ArrayColumn | VectorArrayColumn)['elements'];

class Slice {
  readonly #bytes: Uint8Array;
  readonly #column: FileColumn;
  readonly #rows: SlicedRows;

  constructor(bytes: Uint8Array, column: FileColumn, rows: SlicedRows) {
    this.#bytes = bytes;
    this.#column = column;
    this.#rows = rows;
  }

  column(): Column {
    const { dataType, dim } = this.#column.field;
    const { first, count } = this.#rows;
    const base = { length: count, validity: this.#validity() };
    if (isNumeric(dataType)) return { ...this.#numbers('values', dataType, first, count), ...base };
    if (isDenseVector(dataType)) {
      const size = denseVectorBytes(dataType, dim ?? 0);
      const bytes = this.#buffer('values').subarray(first * size, (first + count) * size);
      return { dataType, dim: dim ?? 0, ...base, bytes };
    }
    const bytes = this.#buffer('bytes');
    const offsets = this.#offsets('offsets', first, count, bytes.length);
    if (dataType === DataType.SparseFloatVector) this.#requireWholePairs(offsets);
    return { dataType, ...base, offsets, bytes } as Column;
  }

  arrays(elements: Elements): Column {
    const { first, count } = this.#rows;
    const { dataType } = this.#column.field;
    const offsets = this.#offsets('offsets', first, count, elements.length);
    return { dataType, length: count, validity: this.#validity(), offsets, elements } as Column;
  }

  /** All elements of the file: the offsets of the rows lead to some of them. */
  elements(): Elements {
    const { elements, field } = this.#column;
    const elementType = field.elementType ?? DataType.Int64;
    if (isDenseVector(elementType)) {
      const bytes = this.#buffer('elements');
      return { dataType: elementType, dim: field.dim ?? 0, length: elements, validity: null, bytes };
    }
    if (isNumeric(elementType)) return this.#numbers('elements', elementType, 0, elements);
    const bytes = this.#buffer('elements');
    const offsets = this.#offsets('elementOffsets', 0, elements, bytes.length);
    return { dataType: DataType.VarChar, length: elements, validity: null, offsets, bytes };
  }

  #numbers(role: BufferRole, dataType: NumericType, first: number, count: number): ElementColumn {
    const bytes = this.#buffer(role);
    if (dataType === DataType.Bool) {
      const { buffer } = unpacked(bytes, first, count);
      return numericColumn(dataType, { buffer, byteOffset: 0, capacity: count }, count, null);
    }
    const byteOffset = bytes.byteOffset + first * NUMERIC_BYTES[dataType];
    return numericColumn(dataType, { buffer: bytes.buffer, byteOffset, capacity: count }, count, null);
  }

  #validity(): Uint8Array | null {
    if (this.#column.statistics.nulls === 0) return null;
    const { first, count } = this.#rows;
    return unpacked(this.#buffer('validity'), first, count);
  }

  /** Offsets that rise and stay within `end`. */
  #offsets(role: BufferRole, first: number, count: number, end: number): Uint32Array {
    const bytes = this.#buffer(role);
    const offsets = new Uint32Array(bytes.buffer, bytes.byteOffset + 4 * first, count + 1);
    let before = offsets[0]!;
    for (let row = 1; row <= count; row++) {
      const offset = offsets[row]!;
      if (offset < before) throw this.#pointsNowhere();
      before = offset;
    }
    if (before > end) throw this.#pointsNowhere();
    return offsets;
  }

  #requireWholePairs(offsets: Uint32Array): void {
    let bits = 0;
    for (let row = 0; row < offsets.length; row++) bits |= offsets[row]!;
    if (bits % SPARSE_PAIR_BYTES !== 0) throw this.#pointsNowhere();
  }

  #pointsNowhere(): Error {
    return damaged(`offsets of field ${this.#column.field.name} point nowhere`);
  }

  #buffer(role: BufferRole): Uint8Array {
    const buffer = this.#column.buffers.find((candidate) => candidate.role === role);
    if (buffer === undefined) return this.#bytes.subarray(0, 0);
    return this.#bytes.subarray(buffer.offset, buffer.offset + buffer.bytes);
  }
}

/** A byte for each of some bits, in memory that the kernel's threads see. */
function unpacked(bits: Uint8Array, first: number, count: number): Uint8Array<SharedArrayBuffer> {
  const bytes = sharedBytes(count);
  const skipped = first & 7;
  if (skipped === 0) unpackBits(bits.subarray(first >> 3), bytes, 0, count);
  else for (let row = 0, at = first; row < count; row++, at++) bytes[row] = (bits[at >> 3]! >> (at & 7)) & 1;
  return bytes;
}
