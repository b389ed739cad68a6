import { DataType, type Int64Column, type KeyColumn, type VarCharColumn } from '@elanus/model';
import type { RowLocations } from '@elanus/rpc';
import type { ChunkView, Shard } from './shard.ts';

/** Rows of several chunks in some order: the i-th is row `rows[i]` of `views[viewOf[i]]`. */
export interface RowList {
  readonly views: readonly ChunkView[];
  readonly viewOf: Uint32Array;
  readonly rows: Uint32Array;
}

export function rowListSlice({ views, viewOf, rows }: RowList, start: number, end: number): RowList {
  return { views, viewOf: viewOf.subarray(start, end), rows: rows.subarray(start, end) };
}

/** The keys of the rows, copied. `type` is the key field's. */
export function keysOfRows({ views, viewOf, rows }: RowList, type: KeyColumn['dataType']): KeyColumn {
  const columns = views.map((view) => view.chunk.keys);
  const length = rows.length;
  if (type === DataType.Int64) {
    const numbers = columns as readonly Int64Column[];
    const values = new BigInt64Array(length);
    for (let i = 0; i < length; i++) values[i] = numbers[viewOf[i]!]!.values[rows[i]!]!;
    return { dataType: DataType.Int64, length, validity: null, values };
  }
  const texts = columns as readonly VarCharColumn[];
  const offsets = new Uint32Array(length + 1);
  for (let i = 0; i < length; i++) {
    const text = texts[viewOf[i]!]!;
    offsets[i + 1] = offsets[i]! + text.offsets[rows[i]! + 1]! - text.offsets[rows[i]!]!;
  }
  const bytes = new Uint8Array(offsets[length]!);
  for (let i = 0; i < length; i++) {
    const text = texts[viewOf[i]!]!;
    bytes.set(text.bytes.subarray(text.offsets[rows[i]!]!, text.offsets[rows[i]! + 1]!), offsets[i]!);
  }
  return { dataType: DataType.VarChar, length, validity: null, offsets, bytes };
}

/** Where the rows are, for a later fetch from the same `shards`. */
export function locationsOfRows({ views, viewOf, rows }: RowList, shards: readonly Shard[]): RowLocations {
  const shardOfView = views.map((view) => shards.indexOf(view.shard));
  const firstOfView = views.map((view) => view.chunk.firstLocation);
  const segments = new Uint32Array(rows.length);
  const locations = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    segments[i] = shardOfView[viewOf[i]!]!;
    locations[i] = firstOfView[viewOf[i]!]! + rows[i]!;
  }
  return { segmentIds: shards.map((shard) => shard.segmentId), segments, rows: locations };
}
