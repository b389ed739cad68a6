import {
  type ArrayColumn,
  type Column,
  DataType,
  type DenseVectorColumn,
  denseVectorBytes,
  type ElementColumn,
  type FieldId,
  isArray,
  isDenseVector,
  isText,
  type KeyColumn,
  type PartitionId,
  type SegmentId,
  unreachable,
  type VectorArrayColumn,
} from '@elanus/model';

import { isNumeric, NUMERIC_BYTES, type NumericType, numericColumn } from './numeric-type.ts';
import type { KeyPart, RowPart, SegmentPart, WritePart, WriteRecord } from './write-record.ts';
import {
  ALL_PARTITIONS,
  aligned,
  COLUMN_HEADER,
  COLUMNS_MAX,
  DUPLICATES_NUMBER,
  FLAG_VALIDITY,
  KIND_NUMBER,
  LITTLE_ENDIAN,
  PART_HEADER,
  PART_TYPE_NUMBER,
  PARTS_MAX,
  RECORD_HEADER,
  SEGMENT_PART,
  WRITE_RECORD_VERSION,
} from './write-record-format.ts';

/** The bytes are no write record that this version can read. */
export class WriteRecordError extends Error {
  override readonly name = 'WriteRecordError';
}

/**
 * The record that `payload` holds. Its columns are views of `payload`, or of one copy of it when it does not
 * begin at a multiple of 8; every offset in them is checked.
 * @throws WriteRecordError
 */
export function decodeWriteRecord(payload: Uint8Array): WriteRecord {
  const cursor = new Cursor(payload.byteOffset % 8 === 0 ? payload : new Uint8Array(payload));
  const header = cursor.view(RECORD_HEADER.bytes);
  const version = header.getUint16(RECORD_HEADER.versionAt, LITTLE_ENDIAN);
  if (version < WRITE_RECORD_VERSION.lowest || version > WRITE_RECORD_VERSION.newest)
    throw new WriteRecordError(`write record of version ${version}`);
  const kind = wordOf(KIND_NUMBER, header.getUint8(RECORD_HEADER.kindAt), 'kind');
  const duplicates = wordOf(DUPLICATES_NUMBER, header.getUint8(RECORD_HEADER.duplicatesAt), 'duplicates');
  const count = header.getUint32(RECORD_HEADER.partsAt, LITTLE_ENDIAN);
  check(count <= PARTS_MAX, `${count} parts`);
  const parts: WritePart[] = [];
  while (parts.length < count) parts.push(readPart(cursor));
  check(cursor.left === 0, `${cursor.left} bytes behind the last part`);
  return { kind, duplicates, parts };
}

function check(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new WriteRecordError(`damaged write record: ${problem}`);
}

function wordOf<Word extends string>(
  numbers: Readonly<Record<Word, number>>,
  number: number,
  what: string,
): Word {
  const found = (Object.keys(numbers) as Word[]).find((word) => numbers[word] === number);
  check(found !== undefined, `${what} ${number}`);
  return found;
}

function readPart(cursor: Cursor): WritePart {
  const header = cursor.view(PART_HEADER.bytes);
  const type = wordOf(PART_TYPE_NUMBER, header.getUint8(PART_HEADER.typeAt), 'part type');
  const partitions = header.getUint32(PART_HEADER.partitionsAt, LITTLE_ENDIAN);
  const rows = header.getUint32(PART_HEADER.rowsAt, LITTLE_ENDIAN);
  const columns = header.getUint32(PART_HEADER.columnsAt, LITTLE_ENDIAN);
  switch (type) {
    case 'rows':
      return readRowPart(cursor, partitions, rows, columns);
    case 'keys':
      return readKeyPart(cursor, partitions, rows);
    case 'segment':
      return readSegmentPart(cursor, partitions, rows);
    default:
      return unreachable(type);
  }
}

function readSegmentPart(cursor: Cursor, partitions: number, rows: number): SegmentPart {
  check(partitions === 1, `a segment of ${partitions} partitions`);
  const [partitionId] = readPartitionIds(cursor, 1);
  const view = cursor.view(SEGMENT_PART.bytes);
  const bytes = Number(view.getBigUint64(SEGMENT_PART.bytesAt, LITTLE_ENDIAN));
  check(Number.isSafeInteger(bytes), 'a file of more than 2^53 bytes');
  return {
    partitionId: partitionId!,
    segment: {
      id: view.getBigInt64(SEGMENT_PART.idAt, LITTLE_ENDIAN) as SegmentId,
      rows,
      bytes,
      crc32: view.getUint32(SEGMENT_PART.crc32At, LITTLE_ENDIAN),
    },
    takes: 'rows',
  };
}

function readRowPart(cursor: Cursor, partitions: number, length: number, count: number): RowPart {
  check(partitions === 1, `rows of ${partitions} partitions`);
  check(count <= COLUMNS_MAX, `${count} columns`);
  const [partitionId] = readPartitionIds(cursor, 1);
  const columns = new Map<FieldId, Column>();
  for (let i = 0; i < count; i++) {
    const { field, column } = readColumn(cursor, 'field');
    check(column.length === length, `a column of ${column.length} rows among ${length}`);
    check(!columns.has(field), `field ${field} twice`);
    columns.set(field, column);
  }
  return { partitionId: partitionId!, batch: { length, columns } };
}

function readKeyPart(cursor: Cursor, partitions: number, length: number): KeyPart {
  const partitionIds = partitions === ALL_PARTITIONS ? null : readPartitionIds(cursor, partitions);
  const { column } = readColumn(cursor, 'field');
  check(isKeyColumn(column), `keys of type ${column.dataType}`);
  check(column.length === length, `${column.length} keys instead of ${length}`);
  return { partitionIds, keys: column };
}

function isKeyColumn(column: Column): column is KeyColumn {
  const { dataType, validity } = column;
  return (dataType === DataType.Int64 || dataType === DataType.VarChar) && validity === null;
}

function readPartitionIds(cursor: Cursor, count: number): PartitionId[] {
  const view = cursor.view(8 * count);
  return Array.from({ length: count }, (_, i) => view.getBigInt64(8 * i, LITTLE_ENDIAN) as PartitionId);
}

function readColumn(cursor: Cursor, role: 'field' | 'elements'): { field: FieldId; column: Column } {
  const header = cursor.view(COLUMN_HEADER.bytes);
  const field = header.getUint32(COLUMN_HEADER.fieldAt, LITTLE_ENDIAN) as FieldId;
  const dataType = header.getUint8(COLUMN_HEADER.dataTypeAt) as DataType;
  const length = header.getUint32(COLUMN_HEADER.lengthAt, LITTLE_ENDIAN);
  const hasNulls = (header.getUint8(COLUMN_HEADER.flagsAt) & FLAG_VALIDITY) !== 0;
  check(role === 'field' || !hasNulls, 'nulls among the elements of an array');
  const validity = hasNulls ? cursor.bytes(length) : null;
  if (isNumeric(dataType)) return { field, column: readNumbers(cursor, dataType, length, validity) };
  if (isDenseVector(dataType)) {
    const dim = header.getUint32(COLUMN_HEADER.dimAt, LITTLE_ENDIAN);
    return { field, column: readDenseVectors(cursor, { dataType, dim, length, validity }) };
  }
  if (isArray(dataType) && role === 'field')
    return { field, column: readArrays(cursor, dataType, length, validity) };
  const textBytes = header.getUint32(COLUMN_HEADER.textBytesAt, LITTLE_ENDIAN);
  return { field, column: readTexts(cursor, { dataType, length, validity }, textBytes, role) };
}

function readNumbers(
  cursor: Cursor,
  dataType: NumericType,
  length: number,
  validity: Uint8Array | null,
): Column & ElementColumn {
  const bytes = cursor.bytes(length * NUMERIC_BYTES[dataType]);
  const memory = { buffer: bytes.buffer, byteOffset: bytes.byteOffset, capacity: length };
  return numericColumn(dataType, memory, length, validity);
}

function readDenseVectors(cursor: Cursor, column: Omit<DenseVectorColumn, 'bytes'>): Column {
  const size = denseVectorBytes(column.dataType, column.dim);
  check(column.dim > 0 && Number.isInteger(size), `vectors of ${column.dim} dimensions`);
  return { ...column, bytes: cursor.bytes(column.length * size) };
}

function readArrays(
  cursor: Cursor,
  dataType: (ArrayColumn | VectorArrayColumn)['dataType'],
  length: number,
  validity: Uint8Array | null,
): Column {
  const offsets = readOffsets(cursor, length);
  const { column: elements } = readColumn(cursor, 'elements');
  check(elements.length === offsets[length], `${elements.length} elements instead of ${offsets[length]}`);
  const areVectors = isDenseVector(elements.dataType);
  check(areVectors === (dataType === DataType.ArrayOfVector), `arrays of type ${elements.dataType}`);
  return { dataType, length, validity, offsets, elements } as Column;
}

function readTexts(
  cursor: Cursor,
  base: { readonly dataType: DataType; readonly length: number; readonly validity: Uint8Array | null },
  textBytes: number,
  role: 'field' | 'elements',
): Column {
  const { dataType, length, validity } = base;
  const offsets = readOffsets(cursor, length);
  check(offsets[length] === textBytes, `offsets up to ${offsets[length]} of ${textBytes} bytes`);
  const bytes = cursor.bytes(textBytes);
  if (dataType === DataType.VarChar) return { dataType, length, validity, offsets, bytes };
  check(role === 'field', `arrays of type ${dataType}`);
  if (isText(dataType)) return { dataType, length, validity, offsets, bytes } as Column;
  check(dataType === DataType.SparseFloatVector, `column of type ${dataType}`);
  check(
    offsets.every((offset) => offset % 8 === 0),
    'sparse vectors of half a pair',
  );
  return { dataType, length, validity, offsets, bytes };
}

function readOffsets(cursor: Cursor, length: number): Uint32Array {
  const bytes = cursor.bytes(4 * (length + 1));
  const offsets = new Uint32Array(bytes.buffer, bytes.byteOffset, length + 1);
  check(offsets[0] === 0, 'offsets that do not begin at 0');
  for (let row = 0; row < length; row++) check(offsets[row]! <= offsets[row + 1]!, 'offsets that fall');
  return offsets;
}

/** Hands out stretches of the record, one behind the other, none of them beyond its end. */
class Cursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  bytes(length: number): Uint8Array {
    check(length <= this.left, `${length} bytes where ${this.left} are left`);
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at = Math.min(this.#at + aligned(length), this.#bytes.length);
    return taken;
  }

  view(length: number): DataView {
    const { buffer, byteOffset } = this.bytes(length);
    return new DataView(buffer, byteOffset, length);
  }
}
