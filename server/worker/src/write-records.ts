import type { LogEntry } from '@elanus/message-log';
import {
  AssertionError,
  assert,
  type ChannelName,
  type CollectionSchema,
  type Column,
  DataType,
  type DuplicateKeyPolicy,
  fieldById,
  type KeyColumn,
  type PartitionId,
  type StagedSegment,
} from '@elanus/model';
import type { WriteRequest } from '@elanus/rpc';
import { isRowPart, isSegmentPart, type WritePart, type WriteRecord } from '@elanus/segment';
import type { RecordsByChannel } from './served-collection.ts';

/** The request as one record for each channel that it touches, its parts in their order. */
export function writeRecordsOf(
  request: WriteRequest,
  policy: DuplicateKeyPolicy,
): ReadonlyMap<ChannelName, WriteRecord> {
  const parts = new Map<ChannelName, WritePart[]>();
  const add = (channel: ChannelName, part: WritePart): void => {
    if (rowsOfPart(part) === 0) return;
    const known = parts.get(channel);
    if (known === undefined) parts.set(channel, [part]);
    else known.push(part);
  };
  if (request.kind === 'delete') {
    for (const { channel, partitionIds, keys } of request.parts) add(channel, { partitionIds, keys });
  } else {
    for (const { channel, partitionId, batch } of request.parts) add(channel, { partitionId, batch });
  }
  const duplicates = request.kind === 'insert' && policy === 'keep' ? 'keep' : 'replace';
  return new Map(
    [...parts].map(([channel, list]) => [channel, { kind: request.kind, duplicates, parts: list }]),
  );
}

/** Files as one record for each channel: an insert of their rows. */
export function adoptionRecordsOf(
  segments: readonly StagedSegment[],
  policy: DuplicateKeyPolicy,
): ReadonlyMap<ChannelName, WriteRecord> {
  const byChannel = Map.groupBy(segments, ({ channel }) => channel);
  return new Map(
    [...byChannel].map(([channel, own]) => [
      channel,
      {
        kind: 'insert',
        duplicates: policy === 'keep' ? 'keep' : 'replace',
        parts: own.map(({ partitionId, id, rows, bytes, crc32 }) => ({
          partitionId,
          segment: { id, rows, bytes, crc32 },
          takes: 'rows',
        })),
      },
    ]),
  );
}

export function rowsOfPart(part: WritePart): number {
  if (isRowPart(part)) return part.batch.length;
  return isSegmentPart(part) ? part.segment.rows : part.keys.length;
}

export function rowsOf(records: RecordsByChannel): number {
  let rows = 0;
  for (const { parts } of records.values()) for (const part of parts) rows += rowsOfPart(part);
  return rows;
}

/** Of the payloads. */
export function bytesOf(entries: readonly LogEntry[]): number {
  return entries.reduce((sum, { payload }) => payload.reduce((own, { length }) => own + length, sum), 0);
}

/**
 * Asserts that the columns of a record are those of the schema: their types, dimensions and lengths. Fields
 * may be missing, they get their defaults, and others may be there, they were dropped; the key must be. What a file holds
 * is looked at when it is opened.
 * @throws AssertionError
 */
export function assertFits(record: WriteRecord, schema: CollectionSchema): void {
  const { primaryKey } = schema;
  for (const part of record.parts) {
    if (isSegmentPart(part)) continue;
    if (!isRowPart(part)) {
      assert(part.keys.dataType === primaryKey.dataType, 'keys have the type of the key field');
      continue;
    }
    const { columns, length } = part.batch;
    const keys = columns.get(primaryKey.id);
    assert(keys !== undefined && keys.validity === null, 'every row has a key');
    for (const [id, column] of columns) {
      const field = fieldById(schema, id);
      assert(column.length === length, `column ${id} has one value a row`);
      if (field === undefined) continue;
      assert(column.dataType === field.dataType, `field ${field.name} keeps its type`);
      const vectors = column.dataType === DataType.ArrayOfVector ? column.elements : column;
      assert(!('dim' in vectors) || vectors.dim === field.dim, `field ${field.name} keeps its dimension`);
      assert(elementType(column) === field.elementType, `field ${field.name} keeps the type of its elements`);
    }
  }
}

function elementType(column: Column): number | null {
  return 'elements' in column ? column.elements.dataType : null;
}

/** Whether a record of the log was written for another schema than this; anything else that goes wrong is thrown. */
export function misfitOf(record: WriteRecord, schema: CollectionSchema): AssertionError | null {
  try {
    assertFits(record, schema);
    return null;
  } catch (error) {
    if (error instanceof AssertionError) return error;
    throw error;
  }
}

/**
 * What a record of the log still means when only `partitions` are left: rows of the others are gone, but
 * those that they replaced stay gone as well.
 */
export function withoutDroppedPartitions(
  record: WriteRecord,
  partitions: ReadonlySet<PartitionId>,
  schema: CollectionSchema,
): WriteRecord {
  const parts = record.parts.flatMap((part): WritePart[] => {
    if (!('partitionId' in part) || partitions.has(part.partitionId)) return [part];
    if (record.duplicates === 'keep') return [];
    if (isSegmentPart(part)) return [{ ...part, takes: 'keys' }];
    // A record that fits has keys of the key field's type.
    return [{ partitionIds: null, keys: part.batch.columns.get(schema.primaryKey.id) as KeyColumn }];
  });
  return { ...record, parts };
}
