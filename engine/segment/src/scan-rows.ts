import type { BlockKeys, Kernel, VectorBlock } from '@elanus/kernel';
import {
  assert,
  type Column,
  DataType,
  denseVectorBytes,
  isDenseVector,
  type KeyColumn,
} from '@elanus/model';
import { emptyHits, type HitList } from './hit-list.ts';
import type { Read } from './read.ts';
import type { VectorSearch } from './search-shards.ts';
import type { SelectedRows } from './select-rows.ts';

/** Vectors whose lengths one search works out for those that follow: about half a millisecond. */
const NORM_BYTES_PER_SEARCH = 4 * 1024 * 1024;

/** The selected rows `from .. to` of one chunk; `from` is a multiple of 8. */
export interface RowsToScan {
  readonly selected: SelectedRows;
  /** Of the read's view. */
  readonly viewNumber: number;
  readonly from: number;
  readonly to: number;
}

/** The best of these rows by comparing with each of them. The kernel has the search when this returns. */
export async function scanRows(
  read: Read,
  search: VectorSearch,
  kernel: Kernel,
  parts: readonly RowsToScan[],
): Promise<HitList> {
  const { queries, limit, metric, radius, rangeFilter } = search;
  if (parts.length === 0) return emptyHits(queries.count, 0);
  const { counts, blocks, rows, scores } = await kernel.exactSearch({
    dataType: queries.dataType,
    metric,
    dim: queries.dim ?? 0,
    queries: queries.bytes,
    queryOffsets: queries.offsets,
    queryCount: queries.count,
    k: limit,
    blocks: vectorBlocks(search, kernel, parts),
    radius,
    rangeFilter,
    ...(read.signal === undefined ? {} : { signal: read.signal }),
  });
  if (!parts.every(({ viewNumber, from }, block) => viewNumber === block && from === 0))
    blocksToViews(blocks, rows, parts);
  return { counts, stride: limit, viewOf: blocks, rows, scores };
}

/** Where hits are, in place: from the block of each to its view, from the row within the part to that within the chunk. */
function blocksToViews(blocks: Uint32Array, rows: Uint32Array, parts: readonly RowsToScan[]): void {
  for (let i = 0; i < blocks.length; i++) {
    const { viewNumber, from } = parts[blocks[i]!]!;
    blocks[i] = viewNumber;
    rows[i]! += from;
  }
}

function vectorBlocks(
  { field, metric }: VectorSearch,
  kernel: Kernel,
  parts: readonly RowsToScan[],
): VectorBlock[] {
  const { dataType, dim } = field;
  const size = isDenseVector(dataType) && dim !== null ? denseVectorBytes(dataType, dim) : 0;
  const needsNorms = metric === 'COSINE' && size > 0;
  let normRows = needsNorms ? Math.ceil(NORM_BYTES_PER_SEARCH / size) : 0;
  return parts.map(({ selected: { view, allowed }, from, to: rows }) => {
    const { chunk } = view;
    const column = chunk.column(field.id);
    assert(column.dataType === dataType && 'bytes' in column, 'a vector field has a vector column');
    let inverseNorms: Float32Array | null = null;
    if (needsNorms && isDenseVector(dataType)) {
      inverseNorms = chunk.inverseNorms(field.id, rows, normRows, (start, end) => {
        normRows -= end - start;
        const bytes = column.bytes.subarray(start * size, end * size);
        return kernel.inverseNorms(dataType, dim!, bytes, end - start);
      });
    }
    const block = {
      bytes: column.bytes,
      offsets: 'offsets' in column ? column.offsets : null,
      rows,
      allowed: withoutNulls(allowed, column, rows),
      inverseNorms,
      keys: blockKeys(chunk.keys),
    };
    return from === 0 ? block : blockFrom(block, from, size);
  });
}

/** The rows from `from` on of a block of dense vectors. */
function blockFrom(block: VectorBlock, from: number, size: number): VectorBlock {
  const { keys } = block;
  return {
    bytes: block.bytes.subarray(from * size),
    offsets: null,
    rows: block.rows - from,
    allowed: block.allowed?.subarray(from >> 3) ?? null,
    inverseNorms: block.inverseNorms?.subarray(from) ?? null,
    keys:
      keys.type === 'int64'
        ? { type: 'int64', values: keys.values.subarray(from) }
        : { type: 'varchar', offsets: keys.offsets.subarray(from), bytes: keys.bytes },
  };
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
