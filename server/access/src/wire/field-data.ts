import type { Work } from '../rows/sliced-work.ts';
import { FIELD_DATA, SCALARS, STRUCT_FIELDS, VECTORS } from './field-data-format.ts';
import { decodeBools, packedContent } from './packed.ts';
import { Concatenation, tagOf, WIRE_TYPE, WireCursor, WireError } from './wire-cursor.ts';

/** The members of a oneof that are bytes: a later one replaces an earlier one instead of being merged into it. */
const VECTOR_BYTES: ReadonlySet<number> = new Set([
  VECTORS.binary,
  VECTORS.float16,
  VECTORS.bfloat16,
  VECTORS.int8,
]);

/** Members that are walked over in about half a millisecond. */
const SLICE_MEMBERS = 16 * 1024;

/** One column as it was sent: what it says about itself, and its values as bytes that nobody has read yet. */
export interface FieldData {
  readonly fieldName: string;
  readonly fieldId: bigint;
  readonly isDynamic: boolean;
  /** What `type` says, 0 when it says nothing. The schema decides. */
  readonly dataType: number;
  readonly kind: 'none' | 'scalars' | 'vectors' | 'struct arrays';
  /** The member of ScalarField or VectorField that is set; 0 when none is. */
  readonly slot: number;
  /**
   * The content of that member: a message, or the bytes of vectors; of struct arrays the whole message. A view on the
   * request where it came in one piece.
   */
  readonly payload: Uint8Array;
  /** `vectors.dim`. */
  readonly dim: bigint;
  /** One byte a row, 1 = has a value; empty when no validity was sent. */
  readonly validity: Uint8Array;
}

/**
 * Reads one `schema.FieldData`.
 * @throws WireError for damaged bytes, or two validities that differ
 */
export function* readFieldData(bytes: Uint8Array): Work<FieldData> {
  const cursor = new WireCursor(bytes);
  const content = new Concatenation();
  let fieldName = '';
  let fieldId = 0n;
  let isDynamic = false;
  let dataType = 0;
  let kind = 'none' as FieldData['kind'];
  const become = (next: FieldData['kind']) => {
    if (kind !== next) content.clear();
    kind = next;
  };
  for (let members = 1; !cursor.isAtEnd; members++) {
    const tag = cursor.uint32();
    switch (tag) {
      case tagOf(FIELD_DATA.type, WIRE_TYPE.varint):
        dataType = cursor.uint32();
        break;
      case tagOf(FIELD_DATA.fieldName, WIRE_TYPE.bytes):
        fieldName = cursor.text();
        break;
      case tagOf(FIELD_DATA.fieldId, WIRE_TYPE.varint):
        fieldId = cursor.int64();
        break;
      case tagOf(FIELD_DATA.isDynamic, WIRE_TYPE.varint):
        isDynamic = cursor.uint32() !== 0;
        break;
      case tagOf(FIELD_DATA.scalars, WIRE_TYPE.bytes):
        become('scalars');
        content.add(cursor.view());
        break;
      case tagOf(FIELD_DATA.vectors, WIRE_TYPE.bytes):
        become('vectors');
        content.add(cursor.view());
        break;
      case tagOf(FIELD_DATA.structArrays, WIRE_TYPE.bytes):
        become('struct arrays');
        content.add(cursor.view());
        break;
      default:
        cursor.skip(tag);
    }
    if (members % SLICE_MEMBERS === 0) yield;
  }
  const legacyValidity = yield* readValidity(bytes, FIELD_DATA.validData);
  const base = { fieldName, fieldId, isDynamic, dataType, kind };
  if (kind === 'struct arrays')
    return { ...base, slot: 0, payload: content.bytes, dim: 0n, validity: legacyValidity };
  const { slot, payload, dim } = yield* readSlot(content.bytes, kind);
  const number = kind === 'scalars' ? SCALARS.validData : VECTORS.validData;
  const ownValidity = yield* readValidity(content.bytes, number);
  const validity = oneValidity(fieldName, legacyValidity, ownValidity);
  return { ...base, slot, payload, dim, validity };
}

/** The sub-fields of struct arrays, each a FieldData of its own. @throws WireError for damaged bytes */
export function* readStructFields({ payload }: FieldData): Work<readonly FieldData[]> {
  const fields: FieldData[] = [];
  for (const cursor = new WireCursor(payload); !cursor.isAtEnd; ) {
    const tag = cursor.uint32();
    if (tag === tagOf(STRUCT_FIELDS, WIRE_TYPE.bytes)) fields.push(yield* readFieldData(cursor.view()));
    else cursor.skip(tag);
  }
  return fields;
}

function* readValidity(message: Uint8Array, member: number): Work<Uint8Array> {
  return yield* decodeBools(yield* packedContent(message, member, 'varint'));
}

/** Old clients write the validity beside the values, new ones with them, and some both. */
function oneValidity(fieldName: string, legacy: Uint8Array, own: Uint8Array): Uint8Array {
  if (own.length === 0) return legacy;
  if (legacy.length === 0 || Buffer.compare(legacy, own) === 0) return own;
  throw new WireError(`field ${fieldName} has different legacy and field-specific valid_data`);
}

/** The member that is set in a ScalarField or a VectorField. */
export function* readSlot(
  message: Uint8Array,
  kind: FieldData['kind'],
): Work<{ readonly slot: number; readonly payload: Uint8Array; readonly dim: bigint }> {
  const cursor = new WireCursor(message);
  const payload = new Concatenation();
  const validData = kind === 'vectors' ? VECTORS.validData : SCALARS.validData;
  let slot = 0;
  let dim = 0n;
  for (let members = 1; !cursor.isAtEnd; members++) {
    const tag = cursor.uint32();
    const member = tag >>> 3;
    if (kind === 'vectors' && tag === tagOf(VECTORS.dim, WIRE_TYPE.varint)) dim = cursor.int64();
    else if ((tag & 7) === WIRE_TYPE.bytes && member !== validData) {
      const replaces = kind === 'vectors' && VECTOR_BYTES.has(member);
      if (member !== slot || replaces) payload.clear();
      slot = member;
      payload.add(cursor.view());
    } else cursor.skip(tag);
    if (members % SLICE_MEMBERS === 0) yield;
  }
  return { slot, payload: payload.bytes, dim };
}
