import { crc32 } from '@elanus/kernel';
import { assert, type Column, DataType, isArray, type KeyColumn } from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import { type ArrowBuffer, arrowFooter, arrowHead, endOfStream } from './arrow-message.ts';
import { arrowSchema } from './arrow-schema.ts';
import { type PlannedBuffer, type PlannedColumn, planColumn } from './column-buffers.ts';
import { type ColumnStatistics, statisticsBuilder } from './column-statistics.ts';
import { type FileField, TIMESTAMP_FIELD } from './file-field.ts';
import { KeyFilter } from './key-filter.ts';
import { keyOrderOf } from './key-order.ts';
import {
  encodeFooter,
  type FileBuffer,
  type FileColumn,
  type FileRegion,
  type SegmentFileKind,
  type SegmentFileLabel,
} from './segment-file-footer.ts';
import {
  ALIGNMENT,
  aligned,
  LITTLE_ENDIAN,
  ROWS_MAX,
  SEGMENT_FILE_VERSION,
  TRAILER,
  TRAILER_MAGIC,
} from './segment-file-format.ts';

/** The rows of a column in one piece or several, one behind the other. The arrays of a piece may be longer than it. */
export interface WrittenColumn {
  readonly field: FileField;
  readonly pieces: readonly Column[];
}

export interface SegmentFileContent {
  readonly kind: SegmentFileKind;
  readonly label: SegmentFileLabel;
  /** All of the same number of rows; nothing in them changes until the file is written. */
  readonly columns: readonly WrittenColumn[];
  /** Of each row, in pieces as the columns are. */
  readonly timestamps: readonly BigInt64Array[];
}

export interface WriteSegmentFileOptions {
  readonly share: LoopShare;
  readonly signal?: AbortSignal;
}

/** Rows whose statistics are gathered at a stretch. */
const STATISTICS_STRETCH = 4_096;
/** Bytes whose checksum is computed at a stretch. */
const REGION_STRETCH = 1024 * 1024;

/**
 * The bytes of a segment file, piece by piece: an Arrow IPC file of one batch, with our footer in front of Arrow's.
 * The same content gives the same bytes. Pieces may be views of the columns; each counts until the next is asked for.
 * Gives up the thread between pieces as `share` has it.
 * @throws the signal's reason when it has aborted
 */
export async function* encodeSegmentFile(
  content: SegmentFileContent,
  { share, signal }: WriteSegmentFileOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const takeTurns = async () => {
    if (share.isSpent()) await share.nextTurn(signal);
  };
  const { kind, label, columns, timestamps } = content;
  const times = timestamps.map((values): Column => {
    return { dataType: DataType.Int64, length: values.length, validity: null, values };
  });
  const planned: PlannedColumn[] = [];
  for (const { field, pieces } of [...columns, { field: TIMESTAMP_FIELD, pieces: times }]) {
    planned.push(planColumn(field, pieces));
    await takeTurns();
  }
  const rows = planned.at(-1)!.rows;
  assert(rows <= ROWS_MAX, 'the rows of a segment fit 31 bits');
  for (const column of planned)
    assert(column.rows === rows, `field ${column.field.name} has a value for each row`);

  const schema = arrowSchema(
    planned.map(({ field }) => field),
    schemaMetadata(kind, label),
  );
  const body = layOutBody(planned);
  const head = arrowHead(schema, { rows, nodes: planned.flatMap(({ nodes }) => nodes), ...body });
  const file = new FilePosition();
  yield file.passed(head.bytes);

  const fileColumns: FileColumn[] = [];
  for (const column of planned) {
    const buffers: FileBuffer[] = [];
    for (const buffer of column.buffers) {
      if (buffer === null || (buffer.bytes === 0 && buffer.role === 'validity')) continue;
      const offset = file.offset;
      let sum = 0;
      for (const piece of buffer.pieces()) {
        sum = crc32(piece, sum);
        yield file.passed(piece);
        await takeTurns();
      }
      assert(file.offset === offset + buffer.bytes, 'a buffer has the length that was planned');
      buffers.push({ role: buffer.role, offset, bytes: buffer.bytes, crc32: sum });
      yield file.padding(ALIGNMENT);
    }
    const elements = isArray(column.field.dataType) ? column.nodes[1]!.length : 0;
    const statistics = await gatherStatistics(column, takeTurns);
    fileColumns.push({ field: ownField(column.field), buffers, elements, statistics });
  }
  yield file.passed(endOfStream());
  yield file.padding(ALIGNMENT);

  const keys = kind === 'rows' ? planned.find(({ field }) => field.isPrimaryKey) : undefined;
  const filter = keys === undefined ? null : await filterOf(keys, takeTurns);
  const keyFilter = filter && { offset: file.offset, bytes: filter.length, crc32: crc32(filter) };
  if (filter !== null) yield file.passed(filter);
  const turns = { share, ...(signal !== undefined && { signal }) };
  const order = keys === undefined ? null : await keyOrderOf(keys.pieces as readonly KeyColumn[], turns);
  let keyOrder: FileRegion | null = null;
  if (order !== null) {
    yield file.padding(ALIGNMENT);
    const bytes = new Uint8Array(order.buffer, order.byteOffset, order.byteLength);
    const offset = file.offset;
    let sum = 0;
    for (let at = 0; at < bytes.length; at += REGION_STRETCH) {
      const piece = bytes.subarray(at, at + REGION_STRETCH);
      sum = crc32(piece, sum);
      yield file.passed(piece);
      await takeTurns();
    }
    keyOrder = { offset, bytes: bytes.length, crc32: sum };
  }

  const footer = encodeFooter({ kind, label, rows, columns: fileColumns, keyFilter, keyOrder });
  yield file.paddingBefore(footer.length + TRAILER.bytes, ALIGNMENT);
  yield file.passed(footer);
  const arrow = arrowFooter(schema, head.block);
  yield file.passed(trailer(head.bytes, footer, arrow.footer));
  yield arrow.footer;
  yield arrow.tail;
}

function schemaMetadata(kind: SegmentFileKind, label: SegmentFileLabel): Readonly<Record<string, string>> {
  return {
    'elanus.version': String(SEGMENT_FILE_VERSION),
    'elanus.kind': kind,
    'elanus.collection_id': String(label.collectionId),
    'elanus.partition_id': String(label.partitionId),
    'elanus.segment_id': String(label.segmentId),
    'elanus.channel': label.channel,
  };
}

/** Where Arrow finds each buffer, empty ones included. */
function layOutBody(columns: readonly PlannedColumn[]): {
  buffers: readonly ArrowBuffer[];
  bodyBytes: number;
} {
  let offset = 0;
  const buffers = columns
    .flatMap((column) => column.buffers)
    .map((buffer: PlannedBuffer | null): ArrowBuffer => {
      const bytes = buffer?.bytes ?? 0;
      const place = { offset, bytes };
      offset += aligned(bytes);
      return place;
    });
  return { buffers, bodyBytes: offset };
}

async function gatherStatistics(
  { field, pieces, nulls }: PlannedColumn,
  takeTurns: () => Promise<void>,
): Promise<ColumnStatistics> {
  const builder = statisticsBuilder(field.dataType);
  for (const piece of pieces) {
    for (let start = 0; start < piece.length; start += STATISTICS_STRETCH) {
      builder.add(piece, start, Math.min(start + STATISTICS_STRETCH, piece.length));
      await takeTurns();
    }
  }
  return builder.finish(nulls);
}

async function filterOf(
  { pieces, rows }: PlannedColumn,
  takeTurns: () => Promise<void>,
): Promise<Uint8Array> {
  const filter = KeyFilter.forKeys(rows);
  for (const piece of pieces as readonly KeyColumn[]) {
    for (let start = 0; start < piece.length; start += STATISTICS_STRETCH) {
      filter.add(piece, start, Math.min(start + STATISTICS_STRETCH, piece.length));
      await takeTurns();
    }
  }
  return filter.bytes;
}

/** A field as the file keeps it, whatever else the caller's object has. */
function ownField({ id, name, dataType, elementType, dim, nullable, isPrimaryKey }: FileField): FileField {
  return { id, name, dataType, elementType, dim, nullable, isPrimaryKey };
}

function trailer(head: Uint8Array, footer: Uint8Array, arrow: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(TRAILER.bytes);
  const view = new DataView(bytes.buffer);
  bytes.set(TRAILER_MAGIC, TRAILER.magicAt);
  view.setUint32(TRAILER.versionAt, SEGMENT_FILE_VERSION, LITTLE_ENDIAN);
  view.setUint32(TRAILER.footerChecksumAt, crc32(footer), LITTLE_ENDIAN);
  view.setUint32(TRAILER.footerBytesAt, footer.length, LITTLE_ENDIAN);
  view.setUint32(TRAILER.arrowFooterChecksumAt, crc32(arrow), LITTLE_ENDIAN);
  view.setUint32(TRAILER.headBytesAt, head.length, LITTLE_ENDIAN);
  view.setUint32(TRAILER.headChecksumAt, crc32(head), LITTLE_ENDIAN);
  view.setUint32(TRAILER.checksumAt, crc32(bytes.subarray(0, TRAILER.checksumAt)), LITTLE_ENDIAN);
  return bytes;
}

/** Counts what has been handed on. */
class FilePosition {
  offset = 0;

  passed(bytes: Uint8Array): Uint8Array {
    this.offset += bytes.length;
    return bytes;
  }

  /** Zeros up to the next multiple of `alignment`. */
  padding(alignment: number): Uint8Array {
    return this.paddingBefore(0, alignment);
  }

  /** Zeros such that what follows, of this many bytes, ends at a multiple of `alignment`. */
  paddingBefore(bytes: number, alignment: number): Uint8Array {
    const rest = (this.offset + bytes) % alignment;
    return this.passed(new Uint8Array(rest === 0 ? 0 : alignment - rest));
  }
}
