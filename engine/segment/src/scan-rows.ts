import {
  type BlockKeys,
  CODE_FACTORS,
  type ExactSearch,
  type Kernel,
  type VectorBlock,
  type VectorCodes,
} from '@elanus/kernel';
import {
  assert,
  type Column,
  DataType,
  type DenseVectorColumn,
  denseVectorBytes,
  isDenseVector,
  type KeyColumn,
  metricOfVectors,
} from '@elanus/model';
import type { MinHashScoring } from '@elanus/rpc';
import { emptyHits, type HitList } from './hit-list.ts';
import { listBlocks } from './list-blocks.ts';
import type { Read } from './read.ts';
import { scanElements } from './scan-elements.ts';
import type { WeighedSearch } from './search-shards.ts';
import type { SelectedRows } from './select-rows.ts';
import type { VectorCoder } from './vector-coder.ts';

/** What rows are compared with. */
export interface ScanTools {
  readonly kernel: Kernel;
  readonly coder: VectorCoder;
  /** Bytes of vectors that are scanned for a page of an iterator though there is an index; left out: as measured. */
  readonly pageScanBytesMax?: number;
}

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
  search: WeighedSearch,
  { kernel, coder }: ScanTools,
  parts: readonly RowsToScan[],
): Promise<HitList> {
  const { field, queries, limit, metric, radius, rangeFilter } = search;
  if (parts.length === 0) return emptyHits(queries.count, 0);
  if (field.dataType === DataType.ArrayOfVector && queries.lists === undefined)
    return await scanElements(read, search, kernel, parts);
  const { counts, blocks, rows, scores } = await kernel.exactSearch({
    dataType: queries.dataType,
    metric: metricOfVectors(metric),
    dim: queries.dim ?? 0,
    queries: queries.bytes,
    queryOffsets: queries.offsets,
    ...(queries.lists === undefined ? {} : { queryLists: queries.lists }),
    queryCount: queries.count,
    k: limit,
    blocks:
      queries.lists === undefined ? vectorBlocks(search, { kernel, coder }, parts) : listBlocks(field, parts),
    radius,
    rangeFilter,
    ...(search.bm25 == null ? {} : { bm25: search.bm25 }),
    ...(search.minHash === undefined ? {} : { minHash: scannedBy(search.minHash) }),
    ...(read.signal === undefined ? {} : { signal: read.signal }),
  });
  if (!parts.every(({ viewNumber, from }, block) => viewNumber === block && from === 0))
    blocksToViews(blocks, rows, parts);
  return { counts, stride: limit, viewOf: blocks, rows, scores };
}

/** Whoever compares with every row needs no bands to find those that are to be ranked. */
function scannedBy({ hashBytes, bands, rank }: MinHashScoring): NonNullable<ExactSearch['minHash']> {
  return { hashBytes, bands: rank === 'share' ? 0 : bands };
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
  { field, metric }: WeighedSearch,
  { kernel, coder }: ScanTools,
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
    const codes = isDenseColumn(column) ? coder.codesOf(chunk, field, column, rows) : undefined;
    let inverseNorms: Float32Array | null = null;
    // The few rows that their codes do not rule out are measured on the way.
    if (needsNorms && isDenseVector(dataType) && codes?.rows !== rows) {
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
      ...(codes === undefined ? {} : { codes }),
      keys: blockKeys(chunk.keys),
    };
    return from === 0 ? block : blockFrom(block, from, size);
  });
}

/** The rows from `from` on of a block; dense vectors are `size` bytes each. */
function blockFrom(block: VectorBlock, from: number, size: number): VectorBlock {
  const { keys } = block;
  return {
    // Offsets count from the beginning of the bytes.
    bytes: block.offsets === null ? block.bytes.subarray(from * size) : block.bytes,
    offsets: block.offsets?.subarray(from) ?? null,
    rows: block.rows - from,
    allowed: block.allowed?.subarray(from >> 3) ?? null,
    inverseNorms: block.inverseNorms?.subarray(from) ?? null,
    ...(block.codes === undefined ? {} : { codes: codesFrom(block.codes, from, size / 4) }),
    keys: keysFrom(keys, from),
  };
}

/** Those of the rows from `from` on. */
export function keysFrom(keys: BlockKeys, from: number): BlockKeys {
  if (keys.type === 'int64') return { type: 'int64', values: keys.values.subarray(from) };
  return { type: 'varchar', offsets: keys.offsets.subarray(from), bytes: keys.bytes };
}

function codesFrom({ rows, values, factors }: VectorCodes, from: number, dim: number): VectorCodes {
  return {
    rows: Math.max(rows - from, 0),
    values: values.subarray(from * dim),
    factors: factors.subarray(from * CODE_FACTORS),
  };
}

function isDenseColumn(column: Column): column is DenseVectorColumn {
  return isDenseVector(column.dataType);
}

/** The keys of a chunk's rows, as the kernel takes them. */
export function blockKeys(keys: KeyColumn): BlockKeys {
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
