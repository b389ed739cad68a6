import {
  type ArrayColumn,
  assert,
  type BytesColumn,
  DataType,
  dataTypeName,
  type ElementColumn,
  type JsonColumn,
  type TextType,
  type TimestamptzColumn,
} from '@elanus/model';
import { inSlices, type Work } from '../rows/sliced-work.ts';
import { checkUtf8, countByteList, readByteList } from './byte-lists.ts';
import { readSlot } from './field-data.ts';
import { LIST_DATA, SCALARS } from './field-data-format.ts';
import {
  countPacked,
  decodeBools,
  decodeDoubles,
  decodeFloats,
  decodeInt32s,
  decodeInt64s,
  type PackedKind,
  packedContent,
} from './packed.ts';
import { Concatenation, tagOf, WIRE_TYPE, WireCursor, WireError } from './wire-cursor.ts';

/** Types that may be the elements of an array. */
export type ElementType = Exclude<ElementColumn['dataType'], typeof DataType.Timestamptz>;

const SLICE_ROWS = 1024;

/** The member of ScalarField that carries values of a type; `undefined` when the type is none of a scalar. */
export function scalarSlot(type: DataType): number | undefined {
  switch (type) {
    case DataType.Bool:
      return SCALARS.bool;
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
      return SCALARS.int;
    case DataType.Int64:
      return SCALARS.long;
    case DataType.Float:
      return SCALARS.float;
    case DataType.Double:
      return SCALARS.double;
    case DataType.VarChar:
    case DataType.Text:
      return SCALARS.string;
    case DataType.Array:
      return SCALARS.array;
    case DataType.JSON:
      return SCALARS.json;
    case DataType.Geometry:
      return SCALARS.wkt;
    // What clients send and read; numbers have a slot of their own.
    case DataType.Timestamptz:
      return SCALARS.string;
    default:
      return undefined;
  }
}

/** How `slot` packs its elements; `null` when they have lengths of their own. */
function packingOf(slot: number): PackedKind | null {
  switch (slot) {
    case SCALARS.bool:
    case SCALARS.int:
    case SCALARS.long:
    case SCALARS.timestamptz:
      return 'varint';
    case SCALARS.float:
      return 'fixed32';
    case SCALARS.double:
      return 'fixed64';
    default:
      return null;
  }
}

/** Reads a list message (BoolArray, LongArray, StringArray, ...) as values of `type`, without nulls. */
export function* readElements(list: Uint8Array, type: ElementType): Work<ElementColumn> {
  if (type === DataType.VarChar) return yield* readTexts(list, type);
  const packing = packingOf(scalarSlot(type)!);
  assert(packing !== null, 'numbers are packed');
  const content = yield* packedContent(list, LIST_DATA, packing);
  const base = { validity: null } as const;
  switch (type) {
    case DataType.Bool: {
      const values = yield* decodeBools(content);
      return { ...base, dataType: type, length: values.length, values };
    }
    case DataType.Int8: {
      const wide = yield* decodeInt32s(content);
      const values = yield* narrow(wide, new Int8Array(wide.length), -0x80, 0x7f);
      return { ...base, dataType: type, length: values.length, values };
    }
    case DataType.Int16: {
      const wide = yield* decodeInt32s(content);
      const values = yield* narrow(wide, new Int16Array(wide.length), -0x8000, 0x7fff);
      return { ...base, dataType: type, length: values.length, values };
    }
    case DataType.Int32: {
      const values = yield* decodeInt32s(content);
      return { ...base, dataType: type, length: values.length, values };
    }
    case DataType.Int64: {
      const values = yield* decodeInt64s(content);
      return { ...base, dataType: type, length: values.length, values };
    }
    case DataType.Float: {
      const values = decodeFloats(content);
      return { ...base, dataType: type, length: values.length, values };
    }
    case DataType.Double: {
      const values = decodeDoubles(content);
      return { ...base, dataType: type, length: values.length, values };
    }
  }
}

function* narrow<Narrow extends Int8Array | Int16Array>(
  wide: Int32Array,
  values: Narrow,
  min: number,
  max: number,
): Work<Narrow> {
  yield* inSlices(wide.length, (begin, end) => {
    for (let index = begin; index < end; index++) {
      const value = wide[index]!;
      if (value < min || value > max) {
        throw new WireError(`the ${index}th element (${value}) out of range: [${min}, ${max}]`);
      }
      values[index] = value;
    }
  });
  return values;
}

/** Reads a StringArray, a JSONArray or a GeometryWktArray. */
export function* readTexts<Type extends TextType>(list: Uint8Array, dataType: Type): Work<BytesColumn<Type>> {
  const texts = yield* readByteList(list);
  yield* checkUtf8(texts);
  return { dataType, length: texts.offsets.length - 1, validity: null, ...texts };
}

/** Reads a TimestamptzArray: microseconds. */
export function* readInstantNumbers(list: Uint8Array): Work<TimestamptzColumn> {
  const values = yield* decodeInt64s(yield* packedContent(list, LIST_DATA, 'varint'));
  return { dataType: DataType.Timestamptz, length: values.length, validity: null, values };
}

/** The validity of a nullable JSON column: one client writes null as an empty value. */
export function emptyIsNull({ length, offsets, validity }: JsonColumn): Uint8Array | null {
  let result = validity;
  for (let row = 0; row < length; row++) {
    if (offsets[row] !== offsets[row + 1] || result?.[row] === 0) continue;
    if (result === validity) result = validity ? new Uint8Array(validity) : new Uint8Array(length).fill(1);
    result![row] = 0;
  }
  return result;
}

/**
 * Reads an ArrayArray. The rows' element lists are put one after the other, which makes them one list message:
 * its elements are those of all rows.
 */
export function* readArrays(message: Uint8Array, elementType: ElementType): Work<ArrayColumn> {
  const offsets = new Uint32Array((yield* countByteList(message)) + 1);
  const slot = scalarSlot(elementType)!;
  const packing = packingOf(slot);
  const rowTag = tagOf(LIST_DATA, WIRE_TYPE.bytes);
  const cursor = new WireCursor(message);
  const lists = new Concatenation();
  for (let row = 0; !cursor.isAtEnd; ) {
    const tag = cursor.uint32();
    if (tag !== rowTag) {
      cursor.skip(tag);
      continue;
    }
    const sent = yield* readSlot(cursor.view(), 'scalars');
    if (sent.slot !== slot && sent.slot !== 0) {
      throw new WireError(`row ${row} is not an array of ${dataTypeName(elementType)}`);
    }
    const count =
      packing === null
        ? yield* countByteList(sent.payload)
        : yield* countPacked(yield* packedContent(sent.payload, LIST_DATA, packing), packing);
    lists.add(sent.payload);
    row += 1;
    offsets[row] = offsets[row - 1]! + count;
    if (row % SLICE_ROWS === 0) yield;
  }
  const elements = yield* readElements(lists.bytes, elementType);
  assert(elements.length === offsets[offsets.length - 1], 'an array row has the elements that were counted');
  return { dataType: DataType.Array, length: offsets.length - 1, validity: null, offsets, elements };
}
