import { emptyHits, type HitList, orderTies } from '../hit-list.ts';
import type { RowOrder } from '../key-order.ts';
import { type Read, takeTurns } from '../read.ts';
import type { RowsToScan } from '../scan-rows.ts';
import type { VectorSearch } from '../search-shards.ts';
import type { SelectedRows } from '../select-rows.ts';
import type { IndexedPiece, WantedRows } from './indexed-piece.ts';
import type { IndexHits } from './kernel-seam.ts';

/** Rows that a filter leaves are compared one by one up to here: no walk is as short. */
const SCANNED_ROWS_MAX = 1024;
/** Who wants more than this share of the rows finds them sooner without a walk. */
const HITS_SHARE_MAX = 0.25;
/** Hits whose places are looked up between two looks at the clock. */
const HITS_PER_TURN = 4096;

/** What a read wants of one piece. */
export interface PieceToSearch {
  readonly piece: IndexedPiece;
  /** By run of the piece. */
  readonly wanted: (WantedRows | undefined)[];
  /** The read's view of each run, where it has one. */
  readonly viewOfRun: Uint32Array;
  /** Rows wanted at most. */
  rows: number;
}

/** Which of the selected rows are found by an index, and which have to be compared one by one. */
export function splitByIndex(
  selected: readonly SelectedRows[],
  search: VectorSearch,
): { readonly indexed: readonly PieceToSearch[]; readonly plain: readonly RowsToScan[] } {
  const pieces = search.walk === null ? [] : piecesOf(selected, search);
  const indexed = pieces.filter(
    ({ rows }) => rows > SCANNED_ROWS_MAX && search.limit <= rows * HITS_SHARE_MAX,
  );
  const walked = new Set(indexed.map(({ piece }) => piece));
  const plain = selected.flatMap((rows, viewNumber) => restOf(rows, viewNumber, search, walked));
  return { indexed, plain };
}

/** Walks a piece's graph. The kernel has the search when this returns. */
export async function searchPiece(
  read: Read,
  search: VectorSearch,
  { piece, wanted, viewOfRun }: PieceToSearch,
  order: RowOrder,
): Promise<HitList> {
  const { queries, limit, radius, rangeFilter, walk } = search;
  const hits = await piece.index.search({
    queries: queries.bytes,
    queryCount: queries.count,
    k: limit,
    ef: Math.min(Math.max(walk!.ef, limit), piece.rows),
    refineK: walk!.refineK,
    allowed: piece.allowed(wanted, read.selection === null ? 'lasting' : 'passing'),
    radius,
    rangeFilter,
    ...(read.signal === undefined ? {} : { signal: read.signal }),
  });
  return await inChunks(read, hits, limit, { piece, viewOfRun, order });
}

function piecesOf(selected: readonly SelectedRows[], { field }: VectorSearch): readonly PieceToSearch[] {
  const pieces = new Map<IndexedPiece, PieceToSearch>();
  for (const [viewNumber, { view, allowed, count }] of selected.entries()) {
    const { shard, chunk, rows } = view;
    const index = shard.vectorIndexes.find(field.id, chunk.partitionId);
    for (const { piece, run } of index?.runsOf(chunk) ?? []) {
      let found = pieces.get(piece);
      if (found === undefined) {
        const runs = piece.runs.length;
        const wanted = new Array<WantedRows | undefined>(runs).fill(undefined);
        found = { piece, wanted, viewOfRun: new Uint32Array(runs), rows: 0 };
        pieces.set(piece, found);
      }
      const { from, to } = piece.runs[run]!;
      if (rows <= from) continue;
      found.wanted[run] = { rows, allowed };
      found.viewOfRun[run] = viewNumber;
      found.rows += Math.min(to - from, rows - from, count ?? rows);
    }
  }
  return [...pieces.values()];
}

/** The rows of a view that none of the pieces `walked` has. */
function restOf(
  selected: SelectedRows,
  viewNumber: number,
  { field }: VectorSearch,
  walked: ReadonlySet<IndexedPiece>,
): readonly RowsToScan[] {
  const { shard, chunk, rows } = selected.view;
  if (walked.size === 0) return [{ selected, viewNumber, from: 0, to: rows }];
  const rest: RowsToScan[] = [];
  let at = 0;
  for (const { piece, run } of shard.vectorIndexes.find(field.id, chunk.partitionId)?.runsOf(chunk) ?? []) {
    const { from, to } = piece.runs[run]!;
    if (!walked.has(piece) || from >= rows) continue;
    if (from > at) rest.push({ selected, viewNumber, from: at, to: from });
    at = to;
  }
  if (at < rows) rest.push({ selected, viewNumber, from: at, to: rows });
  return rest;
}

/** Where the hits are among the read's views, equal scores by key. */
async function inChunks(
  read: Read,
  { counts, rows, scores }: IndexHits,
  stride: number,
  {
    piece,
    viewOfRun,
    order,
  }: { readonly piece: IndexedPiece; readonly viewOfRun: Uint32Array; readonly order: RowOrder },
): Promise<HitList> {
  const list = { ...emptyHits(counts.length, stride), counts, scores };
  for (let query = 0, done = 0; query < counts.length; query++) {
    if (done >= HITS_PER_TURN) {
      await takeTurns(read);
      done = 0;
    }
    const start = query * stride;
    for (let i = start; i < start + counts[query]!; i++) {
      const run = piece.runOf(rows[i]!);
      const { from, firstRow } = piece.runs[run]!;
      list.viewOf[i] = viewOfRun[run]!;
      list.rows[i] = rows[i]! - firstRow + from;
    }
    orderTies(list, query, order);
    done += counts[query]!;
  }
  return list;
}
