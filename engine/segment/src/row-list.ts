import { DataType, type Int64Column, type KeyColumn, type VarCharColumn } from '@elanus/model';
import type { RowLocations } from '@elanus/rpc';
import { wordsOf } from './key-order.ts';
import { inPieces, type Read } from './read.ts';
import type { ChunkView } from './shard.ts';

/** Rows of several chunks in some order: the i-th is row `rows[i]` of `views[viewOf[i]]`. */
export interface RowList {
  readonly views: readonly ChunkView[];
  readonly viewOf: Uint32Array;
  readonly rows: Uint32Array;
  /** The keys of the rows, ascending, where whoever found the rows had them at hand. */
  readonly keys?: Int64Column;
}

export function rowListSlice(list: RowList, start: number, end: number): RowList {
  const { views, viewOf, rows, keys } = list;
  if (start === 0 && end >= rows.length) return list;
  const slice = { views, viewOf: viewOf.subarray(start, end), rows: rows.subarray(start, end) };
  if (keys === undefined) return slice;
  const values = keys.values.subarray(start, end);
  return { ...slice, keys: { ...keys, values, length: values.length } };
}

/** The keys of the rows, copied. `type` is the key field's. */
export function keysOfRows(read: Read, list: RowList, type: KeyColumn['dataType']): Promise<KeyColumn> {
  if (list.keys !== undefined) return Promise.resolve(list.keys);
  const columns = list.views.map((view) => view.chunk.keys);
  return type === DataType.Int64
    ? numbersOfRows(read, list, columns as readonly Int64Column[])
    : textsOfRows(read, list, columns as readonly VarCharColumn[]);
}

async function numbersOfRows(
  read: Read,
  { viewOf, rows }: RowList,
  columns: readonly Int64Column[],
): Promise<KeyColumn> {
  const values = new BigInt64Array(rows.length);
  // By halves: reading a bigint makes an object.
  const copied = new Int32Array(values.buffer);
  const words = columns.map((column) => wordsOf(column.values));
  const copying = inPieces(read, rows.length, (start, end) => {
    for (let i = start; i < end; i++) {
      const keys = words[viewOf[i]!]!;
      copied[2 * i] = keys[2 * rows[i]!]!;
      copied[2 * i + 1] = keys[2 * rows[i]! + 1]!;
    }
  });
  if (copying !== null) await copying;
  return { dataType: DataType.Int64, length: rows.length, validity: null, values };
}

async function textsOfRows(
  read: Read,
  { viewOf, rows }: RowList,
  columns: readonly VarCharColumn[],
): Promise<KeyColumn> {
  const offsets = new Uint32Array(rows.length + 1);
  await inPieces(read, rows.length, (start, end) => {
    for (let i = start; i < end; i++) {
      const text = columns[viewOf[i]!]!;
      offsets[i + 1] = offsets[i]! + text.offsets[rows[i]! + 1]! - text.offsets[rows[i]!]!;
    }
  });
  const bytes = new Uint8Array(offsets[rows.length]!);
  await inPieces(read, rows.length, (start, end) => {
    for (let i = start; i < end; i++) {
      const text = columns[viewOf[i]!]!;
      bytes.set(text.bytes.subarray(text.offsets[rows[i]!]!, text.offsets[rows[i]! + 1]!), offsets[i]!);
    }
  });
  return { dataType: DataType.VarChar, length: rows.length, validity: null, offsets, bytes };
}

/** Where the rows are, for a later fetch from the read's shards. */
export async function locationsOfRows(read: Read, { views, viewOf, rows }: RowList): Promise<RowLocations> {
  const { shards } = read;
  const shardOfView = views.map((view) => shards.indexOf(view.shard));
  const firstOfView = views.map((view) => view.chunk.firstLocation);
  const segments = new Uint32Array(rows.length);
  const locations = new Uint32Array(rows.length);
  const placing = inPieces(read, rows.length, (start, end) => {
    for (let i = start; i < end; i++) {
      segments[i] = shardOfView[viewOf[i]!]!;
      locations[i] = firstOfView[viewOf[i]!]! + rows[i]!;
    }
  });
  if (placing !== null) await placing;
  return { segmentIds: shards.map((shard) => shard.segmentId), segments, rows: locations };
}
