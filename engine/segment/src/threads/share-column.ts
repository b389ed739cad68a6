import {
  type ArrayColumn,
  type Column,
  DataType,
  type ElementColumn,
  type NumericColumn,
} from '@elanus/model';

/**
 * Rows `start .. end` of a column as one that lies in memory which threads share, its row 0 being `start`: without a copy
 * where it lies there and `start` is 0. `null` for vectors.
 */
export function shareColumn(column: Column, start: number, end: number): Column | null {
  const validity = column.validity === null ? null : shared(column.validity, start, end);
  const base = { length: end - start, validity };
  if (column.dataType === DataType.Array) {
    const { offsets, elements } = column as ArrayColumn;
    const [from, to] =
      isShared(elements) && start === 0 ? [0, offsets[end]!] : [offsets[start]!, offsets[end]!];
    const sharedElements = shareColumn(elements, from, to) as ElementColumn;
    return {
      ...(column as ArrayColumn),
      ...base,
      offsets: rebased(offsets, start, end, from),
      elements: sharedElements,
    };
  }
  if ('values' in column) {
    const values = shared((column as NumericColumn).values, start, end);
    return { ...column, ...base, values } as Column;
  }
  if ('dim' in column || !('bytes' in column)) return null;
  const { offsets, bytes } = column;
  if (bytes.buffer instanceof SharedArrayBuffer)
    return { ...column, ...base, offsets: rebased(offsets, start, end, 0) };
  const [from, to] = [offsets[start]!, offsets[end]!];
  return { ...column, ...base, offsets: rebased(offsets, start, end, from), bytes: shared(bytes, from, to) };
}

function isShared(elements: ElementColumn): boolean {
  const { buffer } = 'bytes' in elements ? elements.bytes : elements.values;
  return buffer instanceof SharedArrayBuffer;
}

/** The offsets of rows `start .. end`, counted from `from`. */
function rebased(offsets: Uint32Array, start: number, end: number, from: number): Uint32Array {
  if (from === 0) return shared(offsets, start, end + 1);
  const copy = new Uint32Array(new SharedArrayBuffer(4 * (end - start + 1)));
  for (let i = 0; i < copy.length; i++) copy[i] = offsets[start + i]! - from;
  return copy;
}

type AnyArray = NumericColumn['values'] | Uint32Array;

function shared<Values extends AnyArray>(values: Values, start: number, end: number): Values {
  const part = values.subarray(start, end) as Values;
  if (values.buffer instanceof SharedArrayBuffer) return part;
  const buffer = new SharedArrayBuffer(part.byteLength);
  new Uint8Array(buffer).set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return new (values.constructor as new (buffer: SharedArrayBuffer) => Values)(buffer);
}
