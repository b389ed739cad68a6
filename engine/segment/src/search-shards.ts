import type { BlockKeys, ExactHits, Kernel, VectorBlock } from '@elanus/kernel';
import {
  assert,
  type Column,
  DataType,
  denseVectorBytes,
  type FieldSchema,
  isDenseVector,
  type KeyColumn,
  type MetricType,
} from '@elanus/model';
import type { QueryVectors, SearchHits } from '@elanus/rpc';
import type { Read } from './read.ts';
import { keysOfRows, locationsOfRows } from './row-list.ts';
import { type SelectedRows, selectRows } from './select-rows.ts';

/** Vectors whose lengths one search works out for those that follow: about half a millisecond. */
const NORM_BYTES_PER_SEARCH = 4 * 1024 * 1024;

export interface VectorSearch {
  readonly field: FieldSchema;
  readonly metric: MetricType;
  readonly queries: QueryVectors;
  /** Hits wanted per query. */
  readonly limit: number;
  readonly radius: number | null;
  readonly rangeFilter: number | null;
}

/** The best rows of all that the read is about, for each query: by comparing with every one of them. */
export async function searchShards(
  read: Read,
  search: VectorSearch,
  kernel: Kernel,
  keyType: KeyColumn['dataType'],
): Promise<Omit<SearchHits, 'readTimestamp'>> {
  const selected = await selectRows(read);
  const hits = await compareVectors(read, search, kernel, selected);
  const { counts } = hits;
  const viewOf = withoutGaps(hits.blocks, counts, search.limit);
  const rows = withoutGaps(hits.rows, counts, search.limit);
  const list = { views: selected.map(({ view }) => view), viewOf, rows };
  return {
    counts,
    keys: await keysOfRows(read, list, keyType),
    scores: withoutGaps(hits.scores, counts, search.limit),
    locations: await locationsOfRows(read, list),
  };
}

async function compareVectors(
  read: Read,
  search: VectorSearch,
  kernel: Kernel,
  selected: readonly SelectedRows[],
): Promise<ExactHits> {
  const { queries, limit, metric, radius, rangeFilter } = search;
  if (selected.length === 0) return noHits(queries.count);
  return await kernel.exactSearch({
    dataType: queries.dataType,
    metric,
    dim: queries.dim ?? 0,
    queries: queries.bytes,
    queryOffsets: queries.offsets,
    queryCount: queries.count,
    k: limit,
    blocks: vectorBlocks(search, kernel, selected),
    radius,
    rangeFilter,
    ...(read.signal === undefined ? {} : { signal: read.signal }),
  });
}

function noHits(queryCount: number): ExactHits {
  return {
    counts: new Uint32Array(queryCount),
    blocks: new Uint32Array(),
    rows: new Uint32Array(),
    scores: new Float32Array(),
  };
}

function vectorBlocks(
  { field, metric }: VectorSearch,
  kernel: Kernel,
  selected: readonly SelectedRows[],
): VectorBlock[] {
  const { dataType, dim } = field;
  const needsNorms = metric === 'COSINE' && isDenseVector(dataType) && dim !== null;
  let normRows = needsNorms ? Math.ceil(NORM_BYTES_PER_SEARCH / denseVectorBytes(dataType, dim)) : 0;
  return selected.map(({ view, allowed }) => {
    const { chunk, rows } = view;
    const column = chunk.column(field.id);
    assert(column.dataType === dataType && 'bytes' in column, 'a vector field has a vector column');
    let inverseNorms: Float32Array | null = null;
    if (needsNorms) {
      const size = denseVectorBytes(dataType, dim);
      inverseNorms = chunk.inverseNorms(field.id, rows, normRows, (start, end) => {
        normRows -= end - start;
        return kernel.inverseNorms(
          dataType,
          dim,
          column.bytes.subarray(start * size, end * size),
          end - start,
        );
      });
    }
    return {
      bytes: column.bytes,
      offsets: 'offsets' in column ? column.offsets : null,
      rows,
      allowed: withoutNulls(allowed, column, rows),
      inverseNorms,
      keys: blockKeys(chunk.keys),
    };
  });
}

function blockKeys(keys: KeyColumn): BlockKeys {
  if (keys.dataType === DataType.Int64) return { type: 'int64', values: keys.values };
  return { type: 'varchar', offsets: keys.offsets, bytes: keys.bytes };
}

/** A row without a vector is never a hit. */
function withoutNulls(allowed: Uint8Array | null, { validity }: Column, rows: number): Uint8Array | null {
  if (validity === null) return allowed;
  const bits = new Uint8Array(Math.ceil(rows / 8));
  for (let row = 0; row < rows; row++) bits[row >> 3]! |= validity[row]! << (row & 7);
  if (allowed !== null) for (let at = 0; at < bits.length; at++) bits[at]! &= allowed[at]!;
  return bits;
}

/** The first `counts[q]` of every `stride` values, one query after the other. */
function withoutGaps<Values extends Uint32Array | Float32Array>(
  values: Values,
  counts: Uint32Array,
  stride: number,
): Values {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === counts.length * stride) return values;
  const packed = new (values.constructor as new (length: number) => Values)(total);
  let at = 0;
  for (let query = 0; query < counts.length; query++) {
    packed.set(values.subarray(query * stride, query * stride + counts[query]!), at);
    at += counts[query]!;
  }
  return packed;
}
