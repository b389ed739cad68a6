import { type ElementMatcher, elementMatcher } from '@elanus/expr';
import type { BlockKeys, Kernel, VectorBlock } from '@elanus/kernel';
import type { VectorArrayColumn } from '@elanus/model';
import type { Chunk } from './chunk.ts';
import type { HitList } from './hit-list.ts';
import { type Read, takeTurns } from './read.ts';
import { blockKeys, type RowsToScan } from './scan-rows.ts';
import type { WeighedSearch } from './search-shards.ts';
import { listsOf, rowOfElement } from './vector-index/piece-elements.ts';

/** Rows whose elements are looked at between two looks at the clock; tests of elements take longer. */
const ROWS_PER_TURN = 4_096;
const TESTED_ROWS_PER_TURN = 64;

/**
 * The best elements of lists of vectors, each compared by itself: a row may be found as often as it has elements. Of a filter
 * with an `element_filter` only the elements that match it count. The kernel has the search when the blocks are made.
 */
export async function scanElements(
  read: Read,
  search: WeighedSearch,
  kernel: Pick<Kernel, 'exactSearch'>,
  parts: readonly RowsToScan[],
): Promise<HitList> {
  const { queries, limit, metric, radius, rangeFilter } = search;
  const { predicate } = read.selection ?? {};
  const matcher = predicate === undefined ? null : elementMatcher(predicate);
  const columns = parts.map(({ selected }) => listsOf(selected.view.chunk.column(search.field.id)));
  const blocks: VectorBlock[] = [];
  for (const [at, part] of parts.entries())
    blocks.push(await elementBlock(read, part, columns[at]!, matcher));
  const found = await kernel.exactSearch({
    dataType: queries.dataType,
    metric,
    dim: queries.dim ?? 0,
    queries: queries.bytes,
    queryOffsets: null,
    queryCount: queries.count,
    k: limit,
    blocks,
    radius,
    rangeFilter,
    ...(read.signal === undefined ? {} : { signal: read.signal }),
  });
  const { counts, scores } = found;
  const list = { counts, stride: limit, scores, viewOf: found.blocks, rows: found.rows };
  return { ...list, elements: await elementsToRows(read, list, parts, columns) };
}

/** Every element of the rows as a row of its own. */
async function elementBlock(
  read: Read,
  { selected: { view, allowed }, from, to }: RowsToScan,
  { offsets, validity, elements }: VectorArrayColumn,
  matcher: ElementMatcher | null,
): Promise<VectorBlock> {
  const rows = offsets[to]!;
  return {
    bytes: elements.bytes,
    offsets: null,
    rows,
    allowed:
      matcher !== null
        ? await matchingBits(read, view.chunk, { offsets, validity, allowed, from, to }, matcher)
        : allowed === null && validity === null && from === 0
          ? null
          : await elementBits(read, { offsets, validity, allowed, from, to }),
    inverseNorms: null,
    keys: await keysOfElements(read, view.chunk, offsets, to),
  };
}

/** The rows `from .. to` of a chunk that are allowed and not null; `from` is a multiple of 8. */
interface ListRows {
  readonly offsets: Uint32Array;
  readonly validity: Uint8Array | null;
  readonly allowed: Uint8Array | null;
  readonly from: number;
  readonly to: number;
}

/** Bits of all elements of the allowed rows. */
async function elementBits(read: Read, rows: ListRows): Promise<Uint8Array> {
  const { offsets, from, to } = rows;
  const bits = new Uint8Array(Math.ceil(offsets[to]! / 8));
  for (let row = from; row < to; row++) {
    if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) await takeTurns(read);
    if (!isWanted(rows, row)) continue;
    for (let at = offsets[row]!; at < offsets[row + 1]!; at++) bits[at >> 3]! |= 1 << (at & 7);
  }
  return bits;
}

/** Bits of the elements of the allowed rows that the matcher takes. */
async function matchingBits(
  read: Read,
  chunk: Chunk,
  rows: ListRows,
  matcher: ElementMatcher,
): Promise<Uint8Array> {
  const { offsets, allowed, from, to } = rows;
  const bits = new Uint8Array(Math.ceil(offsets[to]! / 8));
  for (let start = from; start < to; start += TESTED_ROWS_PER_TURN) {
    const end = Math.min(to, start + TESTED_ROWS_PER_TURN);
    if (!areSomeAllowed(allowed, start, end)) continue;
    await takeTurns(read);
    for (const [i, matching] of matcher.matches(chunk, start, end).entries()) {
      if (!isWanted(rows, start + i)) continue;
      for (const element of matching) {
        const at = offsets[start + i]! + element;
        bits[at >> 3]! |= 1 << (at & 7);
      }
    }
  }
  return bits;
}

function isWanted({ allowed, validity }: ListRows, row: number): boolean {
  if (validity?.[row] === 0) return false;
  return allowed === null || ((allowed[row >> 3]! >> (row & 7)) & 1) === 1;
}

/** `start` is a multiple of 8. */
function areSomeAllowed(allowed: Uint8Array | null, start: number, end: number): boolean {
  return allowed === null || allowed.subarray(start >> 3, (end + 7) >> 3).some((bits) => bits !== 0);
}

/** Those of closed chunks, by the number of their rows. */
const known = new WeakMap<Chunk, { readonly rows: number; readonly keys: BlockKeys }>();

/** The key of its row for each element. */
async function keysOfElements(
  read: Read,
  chunk: Chunk,
  offsets: Uint32Array,
  to: number,
): Promise<BlockKeys> {
  const before = known.get(chunk);
  if (before?.rows === to) return before.keys;
  const own = blockKeys(chunk.keys);
  const keys =
    own.type === 'int64' ? await numbersOf(read, own, offsets, to) : await textsOf(read, own, offsets, to);
  if (chunk.isClosed) known.set(chunk, { rows: to, keys });
  return keys;
}

async function numbersOf(
  read: Read,
  { values }: Extract<BlockKeys, { readonly type: 'int64' }>,
  offsets: Uint32Array,
  to: number,
): Promise<BlockKeys> {
  const own = new BigInt64Array(offsets[to]!);
  for (let row = 0; row < to; row++) {
    if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) await takeTurns(read);
    own.fill(values[row]!, offsets[row]!, offsets[row + 1]!);
  }
  return { type: 'int64', values: own };
}

async function textsOf(
  read: Read,
  texts: Extract<BlockKeys, { readonly type: 'varchar' }>,
  offsets: Uint32Array,
  to: number,
): Promise<BlockKeys> {
  const own = new Uint32Array(offsets[to]! + 1);
  for (let row = 0; row < to; row++) {
    if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) await takeTurns(read);
    const length = texts.offsets[row + 1]! - texts.offsets[row]!;
    for (let at = offsets[row]!; at < offsets[row + 1]!; at++) own[at + 1] = own[at]! + length;
  }
  const bytes = new Uint8Array(own.at(-1)!);
  for (let row = 0; row < to; row++) {
    if (row % ROWS_PER_TURN === ROWS_PER_TURN - 1) await takeTurns(read);
    const text = texts.bytes.subarray(texts.offsets[row]!, texts.offsets[row + 1]!);
    for (let at = offsets[row]!; at < offsets[row + 1]!; at++) bytes.set(text, own[at]!);
  }
  return { type: 'varchar', offsets: own, bytes };
}

/** From the number of each hit's element in its block to its row, in place, and which of the row it is. */
async function elementsToRows(
  read: Read,
  { counts, stride, viewOf, rows }: HitList,
  parts: readonly RowsToScan[],
  columns: readonly VectorArrayColumn[],
): Promise<Uint32Array> {
  const elements = new Uint32Array(rows.length);
  for (const [query, count] of counts.entries()) {
    await takeTurns(read);
    for (let hit = query * stride; hit < query * stride + count; hit++) {
      const block = viewOf[hit]!;
      const row = rowOfElement(columns[block]!.offsets.subarray(0, parts[block]!.to + 1), rows[hit]!);
      elements[hit] = rows[hit]! - columns[block]!.offsets[row]!;
      viewOf[hit] = parts[block]!.viewNumber;
      rows[hit] = row;
    }
  }
  return elements;
}
