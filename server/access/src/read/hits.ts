import { DataType, type KeyColumn } from '@elanus/model';
import type { SearchHits } from '@elanus/rpc';

/** The hits without the first `offset` of each query. */
export function withoutFirst(hits: SearchHits, offset: number): SearchHits {
  if (offset === 0) return hits;
  const kept: number[] = [];
  let first = 0;
  const counts = hits.counts.map((count) => {
    for (let at = first + offset; at < first + count; at += 1) kept.push(at);
    first += count;
    return Math.max(0, count - offset);
  });
  const { segmentIds, segments, rows } = hits.locations;
  return {
    readTimestamp: hits.readTimestamp,
    counts,
    keys: takeKeys(hits.keys, kept),
    scores: Float32Array.from(kept, (at) => hits.scores[at]!),
    locations: {
      segmentIds,
      segments: Uint32Array.from(kept, (at) => segments[at]!),
      rows: Uint32Array.from(kept, (at) => rows[at]!),
    },
  };
}

function takeKeys(keys: KeyColumn, positions: readonly number[]): KeyColumn {
  const length = positions.length;
  if (keys.dataType === DataType.Int64) {
    const values = BigInt64Array.from(positions, (at) => keys.values[at]!);
    return { dataType: DataType.Int64, length, validity: null, values };
  }
  const parts = positions.map((at) => keys.bytes.subarray(keys.offsets[at]!, keys.offsets[at + 1]!));
  const offsets = new Uint32Array(length + 1);
  for (const [at, part] of parts.entries()) offsets[at + 1] = offsets[at]! + part.length;
  return { dataType: DataType.VarChar, length, validity: null, offsets, bytes: Buffer.concat(parts) };
}
