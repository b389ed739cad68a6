import { type ArrayColumn, type ElementColumn, type FieldSchema, invalidParameter } from '@elanus/model';
import { gatherRows } from '../rows/gather-rows.ts';
import type { Work } from '../rows/sliced-work.ts';

/** Adds elements behind those of the row, or takes out every element that is equal to one of them. */
export type ArrayOperation = 'append' | 'remove';

/** Elements looked at between two looks at the clock. */
const ELEMENTS_PER_SLICE = 8192;

/**
 * The arrays of `kept` after the operation with those of `sent`, row by row. A row without an array gets the appended
 * one and keeps nothing to remove from.
 * @throws MilvusError 1100 when an array becomes longer than its field allows
 */
export function* combineArrays(
  field: FieldSchema,
  kept: ArrayColumn,
  sent: ArrayColumn,
  operation: ArrayOperation,
): Work<ArrayColumn> {
  const { length } = kept;
  const positions: number[] = [];
  const offsets = new Uint32Array(length + 1);
  const validity = new Uint8Array(length).fill(1);
  const elements = joinElements(kept.elements, sent.elements);
  const identity = elementReader(elements);
  const sentFirst = kept.elements.length;
  let done = 0;
  for (let row = 0; row < length; row += 1) {
    const [from, to] = [kept.offsets[row]!, kept.offsets[row + 1]!];
    const [sentFrom, sentTo] = [sentFirst + sent.offsets[row]!, sentFirst + sent.offsets[row + 1]!];
    const isNull = kept.validity?.[row] === 0;
    const isUntouched = sent.validity?.[row] === 0 || operation === 'remove';
    if (isNull && isUntouched) validity[row] = 0;
    if (operation === 'append') {
      for (let at = from; at < to; at += 1) positions.push(at);
      for (let at = sentFrom; at < sentTo; at += 1) positions.push(at);
    } else {
      const removed = new Set<unknown>();
      for (let at = sentFrom; at < sentTo; at += 1) removed.add(identity(at));
      for (let at = from; at < to; at += 1) if (!removed.has(identity(at))) positions.push(at);
    }
    offsets[row + 1] = positions.length;
    const count = positions.length - offsets[row]!;
    if (field.maxCapacity !== null && count > field.maxCapacity) throw tooLong(field, row, count);
    done += to - from + sentTo - sentFrom;
    if (done > ELEMENTS_PER_SLICE) {
      done = 0;
      yield;
    }
  }
  const combined = yield* gatherRows(elements, Uint32Array.from(positions));
  return { ...kept, validity: validity.includes(0) ? validity : null, offsets, elements: combined };
}

function tooLong({ name, maxCapacity }: FieldSchema, row: number, length: number): Error {
  return invalidParameter(
    `the length (${length}) of ${row}th array exceeds max capacity (${maxCapacity}) of field ${name}`,
  );
}

/** The elements of `b` behind those of `a`, which are of the same type. */
function joinElements(a: ElementColumn, b: ElementColumn): ElementColumn {
  const length = a.length + b.length;
  if ('values' in a && 'values' in b) {
    // One kind of array on both sides: the cast only says so to the compiler.
    const [first, second] = [a.values as Float64Array, b.values as Float64Array];
    const values = new (first.constructor as Float64ArrayConstructor)(length);
    values.set(first.subarray(0, a.length));
    values.set(second.subarray(0, b.length), a.length);
    return { ...a, length, values } as ElementColumn;
  }
  if (!('bytes' in a && 'bytes' in b)) throw new TypeError('arrays of one field have elements of one type');
  const [startA, endA] = [a.offsets[0]!, a.offsets[a.length]!];
  const [startB, endB] = [b.offsets[0]!, b.offsets[b.length]!];
  const offsets = new Uint32Array(length + 1);
  for (let at = 0; at <= a.length; at += 1) offsets[at] = a.offsets[at]! - startA;
  for (let at = 0; at <= b.length; at += 1) offsets[a.length + at] = b.offsets[at]! - startB + endA - startA;
  const bytes = Buffer.concat([a.bytes.subarray(startA, endA), b.bytes.subarray(startB, endB)]);
  return { ...a, length, offsets, bytes };
}

/** Equal for equal elements and for no others. */
function elementReader(elements: ElementColumn): (at: number) => unknown {
  if ('values' in elements) {
    const { values } = elements;
    return (at) => values[at];
  }
  const { bytes, offsets } = elements;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (at) => buffer.toString('latin1', offsets[at]!, offsets[at + 1]!);
}
