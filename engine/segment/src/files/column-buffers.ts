import {
  type ArrayColumn,
  assert,
  type Column,
  DataType,
  type DenseVectorColumn,
  denseVectorBytes,
  type ElementColumn,
  isArray,
  isDenseVector,
  type NumericColumn,
  type SparseVectorColumn,
  type VarCharColumn,
  type VectorArrayColumn,
} from '@elanus/model';
import { bytesOfValues, isNumeric, NUMERIC_BYTES, type NumericType } from '../numeric-type.ts';
import type { ArrowNode } from './arrow-message.ts';
import { BITMAP_STRETCH, packBits } from './bitmap.ts';
import type { FileField } from './file-field.ts';
import { TEXT_BYTES_MAX } from './segment-file-format.ts';

/** What a buffer holds; an array's elements have buffers of their own behind the array's. */
export type BufferRole = 'validity' | 'values' | 'offsets' | 'bytes' | 'elementOffsets' | 'elements';

/** A buffer as it will be written. */
export interface PlannedBuffer {
  readonly role: BufferRole;
  readonly bytes: number;
  /** Its bytes in order, each piece made when it is asked for in well under a millisecond; they may be the column's own. */
  pieces(): Iterable<Uint8Array>;
}

export interface PlannedColumn {
  readonly field: FileField;
  /** The rows in order, in one piece or several. */
  readonly pieces: readonly Column[];
  readonly rows: number;
  readonly nulls: number;
  /** As Arrow counts: the column, then its child if it has one. */
  readonly nodes: readonly ArrowNode[];
  /** As Arrow orders them. Where Arrow has one that we never fill (validity of a child), its role is `null`. */
  readonly buffers: readonly (PlannedBuffer | null)[];
}

/** Bytes handed on as they lie, at most so many at once: whoever looks at them twice finds them near the processor. */
const STRETCH_BYTES = 256 * 1024;
const STRETCH_OFFSETS = 64 * 1024;

/** What has to be written of a column, without looking at its values. */
export function planColumn(field: FileField, pieces: readonly Column[]): PlannedColumn {
  for (const piece of pieces) assert(piece.dataType === field.dataType, 'a column is of its field’s type');
  const rows = pieces.reduce((sum, { length }) => sum + length, 0);
  const nulls = pieces.reduce((sum, piece) => sum + countNulls(piece), 0);
  const own: ArrowNode = { length: rows, nulls };
  const validity = nulls === 0 ? emptyBuffer('validity') : validityBuffer(pieces, rows);
  const base = { field, pieces, rows, nulls };
  const { dataType } = field;
  if (isArray(dataType)) {
    const arrays = pieces as readonly ArrayLike[];
    const elements = arrays.map(usedElements);
    const length = elements.reduce((sum, column) => sum + column.length, 0);
    const offsets = offsetsBuffer('offsets', arrays, rows);
    const items = elementBuffers(elements, length);
    const nodes: ArrowNode[] = [own, { length, nulls: 0 }];
    if (!isList(field.elementType)) return { ...base, nodes, buffers: [validity, offsets, null, ...items] };
    nodes.push({ length: length * (field.dim ?? 0), nulls: 0 });
    return { ...base, nodes, buffers: [validity, offsets, null, null, ...items] };
  }
  if (isDenseVector(dataType)) {
    const vectors = vectorBuffer(pieces as readonly DenseVectorColumn[]);
    if (!isList(dataType)) return { ...base, nodes: [own], buffers: [validity, vectors] };
    const child: ArrowNode = { length: rows * (field.dim ?? 0), nulls: 0 };
    return { ...base, nodes: [own, child], buffers: [validity, null, vectors] };
  }
  if (isNumeric(dataType)) {
    return {
      ...base,
      nodes: [own],
      buffers: [validity, valuesBuffer('values', pieces as readonly NumericColumn[], rows)],
    };
  }
  const texts = pieces as readonly BytesLike[];
  const buffers = [validity, offsetsBuffer('offsets', texts, rows), bytesBuffer('bytes', texts)];
  return { ...base, nodes: [own], buffers };
}

/** Whether Arrow sees vectors of this type as lists of numbers, not as runs of bytes. */
function isList(type: DataType | null): boolean {
  return type === DataType.FloatVector || type === DataType.Int8Vector;
}

/** Bytes that `count` values take in a file, where flags are bits. */
export function packedBytes(dataType: NumericType, count: number): number {
  return dataType === DataType.Bool ? Math.ceil(count / 8) : count * NUMERIC_BYTES[dataType];
}

type ArrayLike = ArrayColumn | VectorArrayColumn;
type BytesLike = Pick<VarCharColumn | SparseVectorColumn, 'length' | 'offsets' | 'bytes'>;

function countNulls({ validity, length }: Column): number {
  if (validity === null) return 0;
  let nulls = 0;
  for (let row = 0; row < length; row++) nulls += validity[row] === 0 ? 1 : 0;
  return nulls;
}

function emptyBuffer(role: BufferRole): PlannedBuffer {
  return { role, bytes: 0, pieces: () => [] };
}

function validityBuffer(pieces: readonly Column[], rows: number): PlannedBuffer {
  const flags = pieces.map(({ validity, length }) => ({ length, flags: validity }));
  return { role: 'validity', bytes: Math.ceil(rows / 8), pieces: () => bitmapPieces(flags) };
}

function valuesBuffer(role: BufferRole, columns: readonly NumericColumn[], rows: number): PlannedBuffer {
  if (columns[0]?.dataType === DataType.Bool) {
    const flags = columns.map(({ length, values }) => ({ length, flags: values as Uint8Array }));
    return { role, bytes: Math.ceil(rows / 8), pieces: () => bitmapPieces(flags) };
  }
  return bytesInOrder(
    role,
    columns.map((column) => bytesOfValues(column, 0, column.length)),
  );
}

function vectorBuffer(columns: readonly DenseVectorColumn[]): PlannedBuffer {
  return bytesInOrder(
    'values',
    columns.map(({ dataType, dim, length, bytes }) =>
      bytes.subarray(0, length * denseVectorBytes(dataType, dim)),
    ),
  );
}

function bytesBuffer(role: BufferRole, columns: readonly BytesLike[]): PlannedBuffer {
  return bytesInOrder(
    role,
    columns.map(({ offsets, bytes, length }) => bytes.subarray(offsets[0], offsets[length])),
  );
}

function elementBuffers(columns: readonly ArrayLike['elements'][], length: number): PlannedBuffer[] {
  if (columns[0] !== undefined && 'dim' in columns[0]) {
    return [{ ...vectorBuffer(columns as readonly DenseVectorColumn[]), role: 'elements' }];
  }
  if (columns[0]?.dataType !== DataType.VarChar) {
    return [valuesBuffer('elements', columns as readonly NumericColumn[], length)];
  }
  const texts = columns as readonly VarCharColumn[];
  return [offsetsBuffer('elementOffsets', texts, length), bytesBuffer('elements', texts)];
}

/** The elements that the rows of the array use, from the first on. */
function usedElements({ offsets, elements, length }: ArrayLike): ArrayLike['elements'] {
  const start = offsets[0]!;
  const end = offsets[length]!;
  const used = { length: end - start, validity: null };
  if (elements.dataType === DataType.VarChar) {
    return { ...elements, ...used, offsets: elements.offsets.subarray(start, end + 1) };
  }
  if ('dim' in elements) {
    const size = denseVectorBytes(elements.dataType, elements.dim);
    return { ...elements, ...used, bytes: elements.bytes.subarray(start * size, end * size) };
  }
  return { ...elements, ...used, values: elements.values.subarray(start, end) } as ElementColumn;
}

/** The columns' offsets as those of one column that begins with 0. */
function offsetsBuffer(
  role: BufferRole,
  columns: readonly { readonly length: number; readonly offsets: Uint32Array }[],
  rows: number,
): PlannedBuffer {
  const total = columns.reduce((sum, { offsets, length }) => sum + offsets[length]! - offsets[0]!, 0);
  assert(total <= TEXT_BYTES_MAX, 'the texts of a segment fit 31 bits');
  function* pieces(): Generator<Uint8Array> {
    yield new Uint8Array(4);
    let before = 0;
    for (const { offsets, length } of columns) {
      const shift = before - offsets[0]!;
      for (let start = 1; start <= length; start += STRETCH_OFFSETS) {
        const moved = offsets.slice(start, Math.min(start + STRETCH_OFFSETS, length + 1));
        if (shift !== 0) for (let i = 0; i < moved.length; i++) moved[i]! += shift;
        yield new Uint8Array(moved.buffer, moved.byteOffset, moved.byteLength);
      }
      before += offsets[length]! - offsets[0]!;
    }
  }
  return { role, bytes: 4 * (rows + 1), pieces };
}

function bytesInOrder(role: BufferRole, parts: readonly Uint8Array[]): PlannedBuffer {
  function* pieces(): Generator<Uint8Array> {
    for (const part of parts) {
      for (let at = 0; at < part.length; at += STRETCH_BYTES) yield part.subarray(at, at + STRETCH_BYTES);
    }
  }
  return { role, bytes: parts.reduce((sum, { length }) => sum + length, 0), pieces };
}

interface FlagRun {
  readonly length: number;
  /** A byte a row; `null`: all are set. */
  readonly flags: Uint8Array | null;
}

function* bitmapPieces(runs: readonly FlagRun[]): Generator<Uint8Array> {
  const ones = new Uint8Array(BITMAP_STRETCH).fill(1);
  let bits = new Uint8Array(BITMAP_STRETCH / 8);
  let used = 0;
  for (const { length, flags } of runs) {
    for (let row = 0; row < length; ) {
      const taken = Math.min(length - row, BITMAP_STRETCH - used);
      packBits(flags?.subarray(row, row + taken) ?? ones.subarray(0, taken), bits, used);
      row += taken;
      used += taken;
      if (used < BITMAP_STRETCH) continue;
      yield bits;
      bits = new Uint8Array(BITMAP_STRETCH / 8);
      used = 0;
    }
  }
  if (used > 0) yield bits.subarray(0, Math.ceil(used / 8));
}
