import { DataType, type KeyColumn, type MetricType, metricOrder, type SegmentId } from '@elanus/model';
import type { RowLocations, SearchHits } from '@elanus/rpc';
import { inSlices, type Work } from '../rows/sliced-work.ts';

/** The hits without the first `offset` of each query. */
export function withoutFirst(hits: SearchHits, offset: number): SearchHits {
  return offset === 0 ? hits : hitsBetween(hits, offset, Number.POSITIVE_INFINITY);
}

/** Of each query the hits from `start` to before `end`. */
export function hitsBetween(hits: SearchHits, start: number, end: number): SearchHits {
  const kept: number[] = [];
  let first = 0;
  const counts = hits.counts.map((count) => {
    const last = Math.min(count, end);
    for (let at = start; at < last; at += 1) kept.push(first + at);
    first += count;
    return Math.max(0, last - start);
  });
  return takeHits(hits, counts, Uint32Array.from(kept));
}

/** The hits at `positions`, of which each query has so many as `counts` say. */
export function takeHits(hits: SearchHits, counts: Uint32Array, positions: Uint32Array): SearchHits {
  return {
    readTimestamp: hits.readTimestamp,
    counts,
    keys: takeKeys(hits.keys, positions),
    scores: Float32Array.from(positions, (at) => hits.scores[at]!),
    locations: takeLocations(hits.locations, positions),
    recalls: hits.recalls,
    elements: hits.elements && Uint32Array.from(positions, (at) => hits.elements![at]!),
  };
}

export function takeKeys(keys: KeyColumn, positions: Uint32Array): KeyColumn {
  const length = positions.length;
  if (keys.dataType === DataType.Int64) {
    const values = new BigInt64Array(length);
    for (let i = 0; i < length; i += 1) values[i] = keys.values[positions[i]!]!;
    return { dataType: DataType.Int64, length, validity: null, values };
  }
  const parts = Array.from(positions, (at) => keys.bytes.subarray(keys.offsets[at]!, keys.offsets[at + 1]!));
  return joinTexts(parts);
}

function joinTexts(parts: readonly Uint8Array[]): KeyColumn {
  const offsets = new Uint32Array(parts.length + 1);
  for (const [at, part] of parts.entries()) offsets[at + 1] = offsets[at]! + part.length;
  const bytes = Buffer.concat(parts);
  return { dataType: DataType.VarChar, length: parts.length, validity: null, offsets, bytes };
}

export function takeLocations(locations: RowLocations, positions: Uint32Array): RowLocations {
  const { segmentIds, segments, rows } = locations;
  return {
    segmentIds,
    segments: Uint32Array.from(positions, (at) => segments[at]!),
    rows: Uint32Array.from(positions, (at) => rows[at]!),
  };
}

/** Equal for equal keys and for no others. */
export type KeyIdentity = bigint | string;

/** Reads keys by their place: numbers as they are, texts by their bytes. */
export function keyReader(keys: KeyColumn): (at: number) => KeyIdentity {
  if (keys.dataType === DataType.Int64) {
    const { values } = keys;
    return (at) => values[at]!;
  }
  const { offsets, bytes } = keys;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (at) => buffer.toString('latin1', offsets[at]!, offsets[at + 1]!);
}

/** One key as a filter writes it. */
export function keyAt(keys: KeyColumn, at: number): bigint | string {
  if (keys.dataType === DataType.Int64) return keys.values[at]!;
  const { offsets, bytes } = keys;
  const start = offsets[at]!;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, offsets[at + 1]! - start).toString();
}

/** The order of keys: numbers ascending, texts by their bytes. */
export function compareKeys(a: KeyIdentity, b: KeyIdentity): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares hits by their places: better scores first, equal ones by key. */
export function bestHitFirst(
  { keys, scores }: Pick<SearchHits, 'keys' | 'scores'>,
  metric: MetricType,
): (a: number, b: number) => number {
  const sign = metricOrder(metric) === 'ascending' ? 1 : -1;
  const key = keyReader(keys);
  return (a, b) => sign * (scores[a]! - scores[b]!) || compareKeys(key(a), key(b));
}

/**
 * Hits of several searches side by side, so that one fetch can bring the columns of all: those of `lists[i]` begin at
 * `starts[i]`. The lists must have the same type of key; counts are those of nobody.
 */
export function* joinHits(
  lists: readonly SearchHits[],
): Work<{ readonly hits: SearchHits; readonly starts: readonly number[] }> {
  const starts: number[] = [];
  let total = 0;
  for (const { keys } of lists) {
    starts.push(total);
    total += keys.length;
  }
  const scores = new Float32Array(total);
  for (const [at, list] of lists.entries()) scores.set(list.scores, starts[at]);
  const hits = {
    readTimestamp: lists[0]!.readTimestamp,
    counts: Uint32Array.of(total),
    keys: yield* joinKeys(lists.map(({ keys }) => keys)),
    scores,
    locations: yield* joinLocations(lists.map(({ locations }) => locations)),
    // Of further looks nothing was measured by itself.
    recalls: lists[0]!.recalls,
    elements: joinElements(lists, total),
  };
  return { hits, starts };
}

/** Of searches for single elements, which all of them are or none. */
function joinElements(lists: readonly SearchHits[], total: number): Uint32Array | undefined {
  if (lists[0]!.elements === undefined) return undefined;
  const joined = new Uint32Array(total);
  let at = 0;
  for (const { elements } of lists) {
    joined.set(elements!, at);
    at += elements!.length;
  }
  return joined;
}

function* joinKeys(lists: readonly KeyColumn[]): Work<KeyColumn> {
  const length = lists.reduce((sum, list) => sum + list.length, 0);
  if (lists[0]!.dataType === DataType.Int64) {
    const values = new BigInt64Array(length);
    let at = 0;
    for (const list of lists) {
      if (list.dataType === DataType.Int64) values.set(list.values.subarray(0, list.length), at);
      at += list.length;
    }
    return { dataType: DataType.Int64, length, validity: null, values };
  }
  const parts: Uint8Array[] = [];
  for (const list of lists) {
    if (list.dataType !== DataType.VarChar) continue;
    yield* inSlices(list.length, (begin, end) => {
      for (let row = begin; row < end; row += 1)
        parts.push(list.bytes.subarray(list.offsets[row]!, list.offsets[row + 1]!));
    });
  }
  return joinTexts(parts);
}

function* joinLocations(lists: readonly RowLocations[]): Work<RowLocations> {
  const length = lists.reduce((sum, { rows }) => sum + rows.length, 0);
  const segmentIds: SegmentId[] = [];
  const segments = new Uint32Array(length);
  const rows = new Uint32Array(length);
  let first = 0;
  for (const list of lists) {
    const numbers = list.segmentIds.map((id) => {
      const known = segmentIds.indexOf(id);
      return known >= 0 ? known : segmentIds.push(id) - 1;
    });
    rows.set(list.rows, first);
    yield* inSlices(list.rows.length, (begin, end) => {
      for (let at = begin; at < end; at += 1) segments[first + at] = numbers[list.segments[at]!]!;
    });
    first += list.rows.length;
  }
  return { segmentIds, segments, rows };
}
