import {
  assert,
  type Column,
  DataType,
  denseVectorBytes,
  isDenseVector,
  type NumericColumn,
} from '@elanus/model';
import { bytesOfValues, isNumeric } from './numeric-type.ts';
import {
  isRowPart,
  isSegmentPart,
  type KeyPart,
  type RowPart,
  type SegmentPart,
  type WriteRecord,
} from './write-record.ts';
import {
  ALIGNMENT,
  ALL_PARTITIONS,
  aligned,
  COLUMN_HEADER,
  DUPLICATES_NUMBER,
  FLAG_VALIDITY,
  KIND_NUMBER,
  LITTLE_ENDIAN,
  PART_HEADER,
  PART_TYPE_NUMBER,
  RECORD_HEADER,
  SEGMENT_PART,
  WRITE_RECORD_VERSION,
} from './write-record-format.ts';

/** The bytes of a record, in pieces: headers are new, values are views of the columns' own memory. */
export function encodeWriteRecord(record: WriteRecord): readonly Uint8Array[] {
  const pieces = new Pieces();
  const header = pieces.header(RECORD_HEADER.bytes);
  header.setUint16(RECORD_HEADER.versionAt, versionOf(record), LITTLE_ENDIAN);
  header.setUint8(RECORD_HEADER.kindAt, KIND_NUMBER[record.kind]);
  header.setUint8(RECORD_HEADER.duplicatesAt, DUPLICATES_NUMBER[record.duplicates]);
  header.setUint32(RECORD_HEADER.partsAt, record.parts.length, LITTLE_ENDIAN);
  for (const part of record.parts) {
    if (isRowPart(part)) writeRowPart(pieces, part);
    else if (isSegmentPart(part)) writeSegmentPart(pieces, part);
    else writeKeyPart(pieces, part);
  }
  return pieces.list;
}

/** Types that version 1 does not know. */
const NEWER_TYPES: ReadonlySet<DataType> = new Set([
  DataType.Geometry,
  DataType.Text,
  DataType.Timestamptz,
  DataType.ArrayOfVector,
]);

function versionOf({ parts }: WriteRecord): number {
  if (parts.some(isSegmentPart)) return WRITE_RECORD_VERSION.newest;
  for (const part of parts) {
    if (!isRowPart(part)) continue;
    for (const { dataType } of part.batch.columns.values())
      if (NEWER_TYPES.has(dataType)) return WRITE_RECORD_VERSION.ofNewTypes;
  }
  return WRITE_RECORD_VERSION.lowest;
}

function writeRowPart(pieces: Pieces, { partitionId, batch }: RowPart): void {
  const header = pieces.header(PART_HEADER.bytes + 8);
  header.setUint8(PART_HEADER.typeAt, PART_TYPE_NUMBER.rows);
  header.setUint32(PART_HEADER.partitionsAt, 1, LITTLE_ENDIAN);
  header.setUint32(PART_HEADER.rowsAt, batch.length, LITTLE_ENDIAN);
  header.setUint32(PART_HEADER.columnsAt, batch.columns.size, LITTLE_ENDIAN);
  header.setBigInt64(PART_HEADER.bytes, partitionId, LITTLE_ENDIAN);
  for (const [field, column] of batch.columns) writeColumn(pieces, field, column, 0, column.length);
}

function writeSegmentPart(pieces: Pieces, { partitionId, segment }: SegmentPart): void {
  const header = pieces.header(PART_HEADER.bytes + 8);
  header.setUint8(PART_HEADER.typeAt, PART_TYPE_NUMBER.segment);
  header.setUint32(PART_HEADER.partitionsAt, 1, LITTLE_ENDIAN);
  header.setUint32(PART_HEADER.rowsAt, segment.rows, LITTLE_ENDIAN);
  header.setBigInt64(PART_HEADER.bytes, partitionId, LITTLE_ENDIAN);
  const file = pieces.header(SEGMENT_PART.bytes);
  file.setBigInt64(SEGMENT_PART.idAt, segment.id, LITTLE_ENDIAN);
  file.setBigUint64(SEGMENT_PART.bytesAt, BigInt(segment.bytes), LITTLE_ENDIAN);
  file.setUint32(SEGMENT_PART.crc32At, segment.crc32, LITTLE_ENDIAN);
}

function writeKeyPart(pieces: Pieces, { partitionIds, keys }: KeyPart): void {
  const header = pieces.header(PART_HEADER.bytes + 8 * (partitionIds?.length ?? 0));
  header.setUint8(PART_HEADER.typeAt, PART_TYPE_NUMBER.keys);
  header.setUint32(PART_HEADER.partitionsAt, partitionIds?.length ?? ALL_PARTITIONS, LITTLE_ENDIAN);
  header.setUint32(PART_HEADER.rowsAt, keys.length, LITTLE_ENDIAN);
  header.setUint32(PART_HEADER.columnsAt, 1, LITTLE_ENDIAN);
  for (const [i, id] of (partitionIds ?? []).entries())
    header.setBigInt64(PART_HEADER.bytes + 8 * i, id, LITTLE_ENDIAN);
  writeColumn(pieces, 0, keys, 0, keys.length);
}

function writeColumn(pieces: Pieces, field: number, column: Column, start: number, end: number): void {
  const length = end - start;
  const header = pieces.header(COLUMN_HEADER.bytes);
  header.setUint32(COLUMN_HEADER.fieldAt, field, LITTLE_ENDIAN);
  header.setUint8(COLUMN_HEADER.dataTypeAt, column.dataType);
  header.setUint8(COLUMN_HEADER.flagsAt, column.validity === null ? 0 : FLAG_VALIDITY);
  header.setUint32(COLUMN_HEADER.lengthAt, length, LITTLE_ENDIAN);
  if (column.validity !== null) pieces.add(column.validity.subarray(start, end));
  if (isNumeric(column.dataType)) {
    pieces.add(bytesOfValues(column as NumericColumn, start, end));
  } else if ('dim' in column) {
    assert(isDenseVector(column.dataType), 'only dense vectors have dimensions');
    header.setUint32(COLUMN_HEADER.dimAt, column.dim, LITTLE_ENDIAN);
    const size = denseVectorBytes(column.dataType, column.dim);
    pieces.add(column.bytes.subarray(start * size, end * size));
  } else if ('offsets' in column) {
    const from = column.offsets[start]!;
    const to = column.offsets[end]!;
    pieces.add(offsetsFromZero(column.offsets, start, end));
    if ('elements' in column) {
      writeColumn(pieces, 0, column.elements, from, to);
    } else {
      header.setUint32(COLUMN_HEADER.textBytesAt, to - from, LITTLE_ENDIAN);
      pieces.add(column.bytes.subarray(from, to));
    }
  }
}

function offsetsFromZero(offsets: Uint32Array, start: number, end: number): Uint8Array {
  const first = offsets[start]!;
  const own = offsets.subarray(start, end + 1);
  const shifted = first === 0 ? own : own.map((offset) => offset - first);
  return new Uint8Array(shifted.buffer, shifted.byteOffset, shifted.byteLength);
}

const PADDING = new Uint8Array(ALIGNMENT);

/** Gaps up to the alignment are filled behind each piece. */
class Pieces {
  readonly list: Uint8Array[] = [];

  header(length: number): DataView {
    const bytes = new Uint8Array(length);
    this.list.push(bytes);
    return new DataView(bytes.buffer);
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.list.push(bytes);
    const gap = aligned(bytes.length) - bytes.length;
    if (gap > 0) this.list.push(PADDING.subarray(0, gap));
  }
}
