import { crc32 } from 'node:zlib';
import type { DataType, FieldId } from '@elanus/model';
import { SCALAR_INDEX_FILE as FILE, LITTLE_ENDIAN } from './index-file-format.ts';
import type {
  BoxPart,
  GramPart,
  IndexPart,
  ListedKind,
  NumberedRows,
  ScalarIndexData,
  ScalarIndexSpec,
  ValuePart,
  WordPart,
} from './scalar-index.ts';
import { type Dictionary, isTextDictionary, type ValueLists } from './value-lists.ts';

/** A file that is damaged, or of another version. */
export class ScalarIndexFileError extends Error {
  override readonly name = 'ScalarIndexFileError';
}

interface ArrayTypes {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
}
type ArrayType = keyof ArrayTypes;
type AnyArray = ArrayTypes[ArrayType];

const ARRAY_TYPES = {
  u8: Uint8Array,
  u32: Uint32Array,
  i32: Int32Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

/** Where an array lies, and the sum over its bytes. */
interface StoredArray {
  readonly type: ArrayType;
  readonly at: number;
  readonly length: number;
  readonly crc32: number;
}

/** The whole file of an index, in pieces to be written one behind the other. */
export function encodeScalarIndex(index: ScalarIndexData): readonly Uint8Array[] {
  const arrays = new ArrayWriter();
  const description = describe(index, arrays);
  const text = Buffer.from(JSON.stringify(description));
  const first = aligned(FILE.headBytes + text.length);
  const length = first + arrays.bytes;
  const head = Buffer.alloc(first);
  head.write(FILE.magic, 'latin1');
  text.copy(head, FILE.headBytes);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  view.setUint32(FILE.versionAt, FILE.version, LITTLE_ENDIAN);
  view.setUint32(FILE.descriptionBytesAt, text.length, LITTLE_ENDIAN);
  view.setBigUint64(FILE.lengthAt, BigInt(length), LITTLE_ENDIAN);
  view.setUint32(FILE.checksumAt, crc32(head), LITTLE_ENDIAN);
  return [head, ...arrays.parts];
}

/**
 * The index in a file. Its arrays are views of `bytes`, which begin at a multiple of 8 of their buffer and must not change.
 * `arrays`: whether to add all of them up, which reads the whole file.
 * @throws ScalarIndexFileError when the file is damaged
 */
export function decodeScalarIndex(
  bytes: Uint8Array,
  arrays: 'checked' | 'trusted' = 'checked',
): ScalarIndexData {
  const { description, first } = readHead(bytes);
  try {
    return restore(description as Description, new ArrayReader(bytes, first, arrays));
  } catch (error) {
    throw error instanceof ScalarIndexFileError ? error : damaged('its description makes no sense', error);
  }
}

function readHead(bytes: Uint8Array): { readonly description: unknown; readonly first: number } {
  if (bytes.length < FILE.headBytes) throw damaged('it is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (Buffer.from(bytes.subarray(0, 8)).toString('latin1') !== FILE.magic)
    throw damaged('it is another file');
  const textBytes = view.getUint32(FILE.descriptionBytesAt, LITTLE_ENDIAN);
  const first = aligned(FILE.headBytes + textBytes);
  if (textBytes > FILE.descriptionBytesMax || first > bytes.length) throw damaged('its head is cut');
  const head = Buffer.from(bytes.subarray(0, first));
  head.writeUInt32LE(0, FILE.checksumAt);
  if (crc32(head) !== view.getUint32(FILE.checksumAt, LITTLE_ENDIAN))
    throw damaged('its head does not add up');
  const version = view.getUint32(FILE.versionAt, LITTLE_ENDIAN);
  if (version !== FILE.version) throw damaged(`it has version ${version}`);
  if (view.getBigUint64(FILE.lengthAt, LITTLE_ENDIAN) !== BigInt(bytes.length))
    throw damaged('its length is wrong');
  const text = head.toString('utf8', FILE.headBytes, FILE.headBytes + textBytes);
  try {
    return { description: JSON.parse(text), first };
  } catch (error) {
    throw damaged('its description is no JSON', error);
  }
}

function damaged(reason: string, cause?: unknown): ScalarIndexFileError {
  return new ScalarIndexFileError(`the scalar index can't be read: ${reason}`, { cause });
}

function aligned(at: number): number {
  return Math.ceil(at / FILE.alignment) * FILE.alignment;
}

interface Description {
  readonly spec: Omit<ScalarIndexSpec, 'place'> & {
    readonly fieldId: FieldId;
    readonly steps: readonly string[] | null;
  };
  readonly rows: number;
  readonly blocks: readonly NumberedRows[];
  readonly parts: readonly StoredPart[];
}

type StoredPart =
  | {
      readonly kind: 'values';
      readonly of: ValuePart['of'];
      readonly lists: readonly (readonly [ListedKind, StoredLists])[];
      readonly arrays: StoredArray | null;
      readonly unsure: StoredArray;
    }
  | {
      readonly kind: 'grams';
      readonly gramBytes: number;
      readonly grams: StoredArray;
      readonly starts: StoredArray;
      readonly rows: StoredArray;
    }
  | {
      readonly kind: 'boxes';
      readonly boxes: StoredArray;
      readonly levels: StoredArray;
      readonly rows: StoredArray;
    }
  | ({ readonly kind: 'words' } & Readonly<Record<WordArray, StoredArray>>);

type WordArray = Exclude<keyof WordPart, 'kind'>;

interface StoredLists {
  readonly dataType: DataType;
  readonly length: number;
  readonly values: StoredArray;
  /** Of texts. */
  readonly offsets: StoredArray | null;
  readonly starts: StoredArray;
  readonly rows: StoredArray;
  readonly common: StoredArray;
  readonly commonCounts: StoredArray;
  readonly commonBits: StoredArray;
}

function describe({ spec, rows, blocks, parts }: ScalarIndexData, arrays: ArrayWriter): Description {
  const { place, ...rest } = spec;
  return {
    spec: { ...rest, fieldId: place.fieldId, steps: place.steps },
    rows,
    blocks,
    parts: parts.map((part) => describePart(part, arrays)),
  };
}

function describePart(part: IndexPart, arrays: ArrayWriter): StoredPart {
  switch (part.kind) {
    case 'values':
      return {
        kind: 'values',
        of: part.of,
        lists: Object.entries(part.lists).map(([kind, lists]) => [
          kind as ListedKind,
          describeLists(lists, arrays),
        ]),
        arrays: part.arrays === null ? null : arrays.add(part.arrays),
        unsure: arrays.add(part.unsure),
      };
    case 'grams':
      return {
        kind: 'grams',
        gramBytes: part.gramBytes,
        grams: arrays.add(part.grams),
        starts: arrays.add(part.starts),
        rows: arrays.add(part.rows),
      };
    case 'boxes':
      return {
        kind: 'boxes',
        boxes: arrays.add(part.boxes),
        levels: arrays.add(part.levels),
        rows: arrays.add(part.rows),
      };
    case 'words':
      return {
        kind: 'words',
        bytes: arrays.add(part.bytes),
        offsets: arrays.add(part.offsets),
        starts: arrays.add(part.starts),
        rows: arrays.add(part.rows),
        positions: arrays.add(part.positions),
      };
  }
}

function describeLists(lists: ValueLists, arrays: ArrayWriter): StoredLists {
  const { dictionary } = lists;
  const isText = isTextDictionary(dictionary);
  return {
    dataType: dictionary.dataType,
    length: dictionary.length,
    values: arrays.add(isText ? dictionary.bytes : (dictionary as { values: AnyArray }).values),
    offsets: isText ? arrays.add(dictionary.offsets) : null,
    starts: arrays.add(lists.starts),
    rows: arrays.add(lists.rows),
    common: arrays.add(lists.common),
    commonCounts: arrays.add(lists.commonCounts),
    commonBits: arrays.add(lists.commonBits),
  };
}

/** Lays arrays one behind the other. */
class ArrayWriter {
  readonly parts: Uint8Array[] = [];
  bytes = 0;

  add(array: AnyArray): StoredArray {
    const raw = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const padding = aligned(raw.length) - raw.length;
    const stored = { type: typeOf(array), at: this.bytes, length: array.length, crc32: crc32(raw) };
    this.parts.push(raw);
    if (padding > 0) this.parts.push(new Uint8Array(padding));
    this.bytes += raw.length + padding;
    return stored;
  }
}

function typeOf(array: AnyArray): ArrayType {
  const found = Object.entries(ARRAY_TYPES).find(([, type]) => array instanceof type);
  if (found === undefined) throw new TypeError('no array of a scalar index');
  return found[0] as ArrayType;
}

class ArrayReader {
  readonly #bytes: Uint8Array;
  readonly #first: number;
  readonly #isChecked: boolean;

  constructor(bytes: Uint8Array, first: number, arrays: 'checked' | 'trusted') {
    this.#bytes = bytes;
    this.#first = first;
    this.#isChecked = arrays === 'checked';
  }

  get<Type extends ArrayType>({ type, at, length, crc32: sum }: StoredArray, wanted: Type): ArrayTypes[Type] {
    const start = this.#first + at;
    const Constructor = ARRAY_TYPES[wanted] as unknown as new (
      buffer: ArrayBufferLike,
      offset: number,
      length: number,
    ) => ArrayTypes[Type];
    const size = ARRAY_TYPES[wanted].BYTES_PER_ELEMENT;
    const isInside = at >= 0 && length >= 0 && start + length * size <= this.#bytes.length;
    if (type !== wanted || !isInside || at % FILE.alignment !== 0)
      throw damaged('an array lies outside of it');
    const raw = this.#bytes.subarray(start, start + length * size);
    if (this.#isChecked && crc32(raw) !== sum) throw damaged('an array does not add up');
    return new Constructor(this.#bytes.buffer, this.#bytes.byteOffset + start, length);
  }
}

function restore({ spec, rows, blocks, parts }: Description, arrays: ArrayReader): ScalarIndexData {
  const { fieldId, steps, ...rest } = spec;
  const place = { fieldId, steps };
  return {
    spec: { ...rest, place } as ScalarIndexSpec,
    rows,
    blocks,
    parts: parts.map((part) => restorePart(part, arrays)),
  };
}

function restorePart(part: StoredPart, arrays: ArrayReader): IndexPart {
  switch (part.kind) {
    case 'values':
      return {
        kind: 'values',
        of: part.of,
        lists: Object.fromEntries(part.lists.map(([kind, lists]) => [kind, restoreLists(lists, arrays)])),
        arrays: part.arrays === null ? null : arrays.get(part.arrays, 'u8'),
        unsure: arrays.get(part.unsure, 'u32'),
      };
    case 'grams':
      return {
        kind: 'grams',
        gramBytes: part.gramBytes,
        grams: arrays.get(part.grams, 'u32'),
        starts: arrays.get(part.starts, 'u32'),
        rows: arrays.get(part.rows, 'u32'),
      } satisfies GramPart;
    case 'boxes':
      return {
        kind: 'boxes',
        boxes: arrays.get(part.boxes, 'f64'),
        levels: arrays.get(part.levels, 'u32'),
        rows: arrays.get(part.rows, 'u32'),
      } satisfies BoxPart;
    case 'words':
      return {
        kind: 'words',
        bytes: arrays.get(part.bytes, 'u8'),
        offsets: arrays.get(part.offsets, 'u32'),
        starts: arrays.get(part.starts, 'u32'),
        rows: arrays.get(part.rows, 'u32'),
        positions: arrays.get(part.positions, 'u32'),
      } satisfies WordPart;
    default:
      throw damaged('it has a part of an unknown kind');
  }
}

function restoreLists(stored: StoredLists, arrays: ArrayReader): ValueLists {
  const { dataType, length } = stored;
  const isText = stored.offsets !== null;
  const column = isText
    ? { bytes: arrays.get(stored.values, 'u8'), offsets: arrays.get(stored.offsets, 'u32') }
    : { values: arrays.get(stored.values, stored.values.type) };
  return {
    dictionary: { dataType, length, validity: null, ...column } as Dictionary,
    starts: arrays.get(stored.starts, 'u32'),
    rows: arrays.get(stored.rows, 'u32'),
    common: arrays.get(stored.common, 'u32'),
    commonCounts: arrays.get(stored.commonCounts, 'u32'),
    commonBits: arrays.get(stored.commonBits, 'u8'),
  };
}
