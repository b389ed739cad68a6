import {
  DataType,
  denseVectorBytes,
  type FieldId,
  isArray,
  isDenseVector,
  isText,
  isVector,
} from '@elanus/model';
import { isInt64Like, isNumeric } from '../numeric-type.ts';
import { type BufferRole, packedBytes } from './column-buffers.ts';
import type { ColumnStatistics } from './column-statistics.ts';
import type { FileField } from './file-field.ts';
import { JsonReader } from './json-reader.ts';
import { KeyFilter } from './key-filter.ts';
import { damaged } from './segment-file-error.ts';
import { ALIGNMENT, aligned, ROWS_MAX, TEXT_BYTES_MAX } from './segment-file-format.ts';

/** `rows`: a segment's columns. `deletes`: keys, and when each was deleted. */
export type SegmentFileKind = 'rows' | 'deletes';

/** What a file belongs to, so that a lost catalog can be made anew from the files. */
export interface SegmentFileLabel {
  readonly collectionId: bigint;
  readonly partitionId: bigint;
  readonly segmentId: bigint;
  readonly channel: string;
  /** Anything else that its writer wants to find again, for example the collection's schema. */
  readonly notes: Readonly<Record<string, string>>;
}

/** A run of a file's bytes with its CRC-32. */
export interface FileRegion {
  readonly offset: number;
  readonly bytes: number;
  readonly crc32: number;
}

export interface FileBuffer extends FileRegion {
  readonly role: BufferRole;
}

export interface FileColumn {
  readonly field: FileField;
  /** In the order of the file, with nothing but padding between them. */
  readonly buffers: readonly FileBuffer[];
  /** Of arrays: how many elements there are; otherwise 0. */
  readonly elements: number;
  readonly statistics: ColumnStatistics;
}

/** All that a reader has to know before it reads values. */
export interface SegmentFileFooter {
  readonly kind: SegmentFileKind;
  readonly label: SegmentFileLabel;
  readonly rows: number;
  readonly columns: readonly FileColumn[];
  /** Of the primary keys. */
  readonly keyFilter: FileRegion | null;
  /** The row numbers in the order of their keys, 32 bits each; `null` when the rows lie in this order. */
  readonly keyOrder: FileRegion | null;
}

/** As UTF-8 JSON. Numbers beyond those of JSON are texts. */
export function encodeFooter(footer: SegmentFileFooter): Uint8Array {
  const { label, columns } = footer;
  const json = {
    ...footer,
    label: {
      ...label,
      collectionId: String(label.collectionId),
      partitionId: String(label.partitionId),
      segmentId: String(label.segmentId),
    },
    columns: columns.map(({ statistics, ...column }) => {
      const { min, max } = statistics;
      const bounds = { min: min === null ? null : String(min), max: max === null ? null : String(max) };
      return { ...column, statistics: { ...statistics, ...bounds } };
    }),
  };
  return Buffer.from(JSON.stringify(json));
}

/**
 * The footer in these bytes, of a file whose buffers lie in `dataStart .. dataEnd`. Nothing in it is trusted: types,
 * lengths and places are checked, so that a reader need not.
 * @throws SegmentFileError
 */
export function decodeFooter(bytes: Uint8Array, dataStart: number, dataEnd: number): SegmentFileFooter {
  const reader = JsonReader.parse(bytes);
  const rows = reader.at('rows').wholeNumber(ROWS_MAX);
  const places = new PlaceReader(dataStart, dataEnd);
  const columns = reader
    .at('columns')
    .items()
    .map((column) => readColumn(column, rows, places));
  const ids = new Set(columns.map(({ field }) => field.id));
  if (ids.size < columns.length) throw damaged('a field occurs twice');
  const filter = reader.at('keyFilter');
  const keyFilter = filter.isNull ? null : places.read(filter);
  if (keyFilter !== null && !KeyFilter.isSound(keyFilter.bytes))
    throw damaged('the key filter has a wrong length');
  const order = reader.at('keyOrder');
  const keyOrder = order.isNull ? null : places.read(order);
  if (keyOrder !== null && keyOrder.bytes !== 4 * rows)
    throw damaged('the order of the keys has a wrong length');
  const kind = reader.at('kind').oneOf(['rows', 'deletes'] as const);
  return { kind, label: readLabel(reader.at('label')), rows, columns, keyFilter, keyOrder };
}

function readLabel(reader: JsonReader): SegmentFileLabel {
  return {
    collectionId: reader.at('collectionId').int64(),
    partitionId: reader.at('partitionId').int64(),
    segmentId: reader.at('segmentId').int64(),
    channel: reader.at('channel').text(),
    notes: reader.at('notes').texts(),
  };
}

function readColumn(reader: JsonReader, rows: number, places: PlaceReader): FileColumn {
  const field = readField(reader.at('field'));
  const elements = reader.at('elements').wholeNumber(TEXT_BYTES_MAX);
  const buffers = reader
    .at('buffers')
    .items()
    .map((buffer): FileBuffer => {
      return { role: buffer.at('role').oneOf(ROLES), ...places.read(buffer) };
    });
  const statistics = readStatistics(reader.at('statistics'), field.dataType, rows);
  requireBuffers({ field, buffers, elements, statistics }, rows);
  return { field, buffers, elements, statistics };
}

const ROLES = ['validity', 'values', 'offsets', 'bytes', 'elementOffsets', 'elements'] as const;

function readField(reader: JsonReader): FileField {
  const dataType = readType(reader.at('dataType'));
  const element = reader.at('elementType');
  const elementType = element.isNull ? null : readType(element);
  if (!isElementOf(dataType, elementType)) throw damaged('an array has a wrong element type');
  const dim = reader.at('dim').isNull ? null : reader.at('dim').wholeNumber(DIM_MAX);
  const valueType = elementType ?? dataType;
  if (isDenseVector(valueType) !== (dim !== null)) throw damaged('a vector has no dimension');
  if (valueType === DataType.BinaryVector && dim! % 8 !== 0)
    throw damaged('a binary vector has no whole bytes');
  return {
    id: reader.at('id').wholeNumber(2 ** 31) as FieldId,
    name: reader.at('name').text(),
    dataType,
    elementType,
    dim,
    nullable: reader.at('nullable').flag(),
    isPrimaryKey: reader.at('isPrimaryKey').flag(),
  };
}

function isElementOf(dataType: DataType, elementType: DataType | null): boolean {
  if (!isArray(dataType)) return elementType === null;
  if (elementType === null) return false;
  if (dataType === DataType.ArrayOfVector) return isDenseVector(elementType);
  return isNumeric(elementType) || elementType === DataType.VarChar;
}

/** Bits of a binary vector: eight times what any other has. */
const DIM_MAX = 8 * 65_536;

function readType(reader: JsonReader): DataType {
  const number = reader.wholeNumber(1_000) as DataType;
  if (isNumeric(number) || isText(number) || isArray(number) || isVector(number)) return number;
  throw damaged(`there is no column of type ${number}`);
}

function readStatistics(reader: JsonReader, dataType: DataType, rows: number): ColumnStatistics {
  const bound = (name: 'min' | 'max') => {
    const value = reader.at(name);
    if (value.isNull) return null;
    if (isInt64Like(dataType)) return value.int64();
    if (isNumeric(dataType)) return value.numberInText();
    return value.text();
  };
  const distinct = reader.at('distinct');
  return {
    nulls: reader.at('nulls').wholeNumber(rows),
    min: bound('min'),
    max: bound('max'),
    distinct: distinct.isNull ? null : distinct.wholeNumber(Number.MAX_SAFE_INTEGER),
  };
}

/** Checks that the column has the buffers of its type, of the lengths that its rows need. */
function requireBuffers({ field, buffers, elements, statistics }: FileColumn, rows: number): void {
  const expected = expectedBuffers(field, rows, elements, statistics.nulls);
  const isRight =
    expected.length === buffers.length &&
    expected.every(([role, bytes], index) => {
      const buffer = buffers[index]!;
      return (
        buffer.role === role && (bytes === null ? buffer.bytes <= TEXT_BYTES_MAX : buffer.bytes === bytes)
      );
    });
  if (!isRight) throw damaged(`field ${field.name} has the wrong buffers`);
  for (const [index, { offset }] of buffers.entries()) {
    const before = buffers[index - 1];
    if (before !== undefined && offset !== before.offset + aligned(before.bytes)) {
      throw damaged(`field ${field.name} is not in one place`);
    }
  }
}

type ExpectedBuffer = readonly [role: BufferRole, bytes: number | null];

/** The buffers that a column has in the file; of those with `null` bytes the length depends on the values. */
function expectedBuffers(
  field: FileField,
  rows: number,
  elements: number,
  nulls: number,
): readonly ExpectedBuffer[] {
  const { dataType, elementType, dim } = field;
  const validity: readonly ExpectedBuffer[] = nulls === 0 ? [] : [['validity', Math.ceil(rows / 8)]];
  const offsets: ExpectedBuffer = ['offsets', 4 * (rows + 1)];
  if (isArray(dataType) && elementType !== null) {
    if (isDenseVector(elementType)) {
      return [...validity, offsets, ['elements', elements * denseVectorBytes(elementType, dim ?? 0)]];
    }
    if (isNumeric(elementType)) {
      return [...validity, offsets, ['elements', packedBytes(elementType, elements)]];
    }
    return [...validity, offsets, ['elementOffsets', 4 * (elements + 1)], ['elements', null]];
  }
  if (isDenseVector(dataType)) return [...validity, ['values', rows * denseVectorBytes(dataType, dim ?? 0)]];
  if (isNumeric(dataType)) return [...validity, ['values', packedBytes(dataType, rows)]];
  return [...validity, offsets, ['bytes', null]];
}

class PlaceReader {
  readonly #start: number;
  readonly #end: number;

  constructor(start: number, end: number) {
    this.#start = start;
    this.#end = end;
  }

  /** A region that lies between the head and the footer. */
  read(reader: JsonReader): FileRegion {
    const offset = reader.at('offset').wholeNumber(this.#end);
    const bytes = reader.at('bytes').wholeNumber(this.#end);
    const crc32 = reader.at('crc32').wholeNumber(0xffff_ffff);
    if (offset < this.#start || offset % ALIGNMENT !== 0 || offset + bytes > this.#end) {
      throw damaged('a buffer lies outside of the file’s data');
    }
    return { offset, bytes, crc32 };
  }
}
