import type { IndexHits, IndexSearch } from '@elanus/kernel';
import { assert } from '@elanus/model';
import { notePiece } from '../explain/note-piece.ts';
import { emptyHits, type HitList, orderTies } from '../hit-list.ts';
import type { RowOrder } from '../key-order.ts';
import { type Read, takeTurns } from '../read.ts';
import type { WeighedSearch } from '../search-shards.ts';
import type { IndexedPiece } from './indexed-piece.ts';
import { bitsOfElements, rowOfElement } from './piece-elements.ts';
import { effortOf, type PieceToSearch } from './search-piece.ts';

/** Hits whose rows are looked up between two looks at the clock. */
const HITS_PER_TURN = 4096;

/**
 * The best single vectors of lists by the index over all of them: a row may be found as often as it has vectors. The kernel
 * has the search when this returns. REQUIRES: no range, and no `element_filter`.
 */
export async function searchElements(
  read: Read,
  search: WeighedSearch,
  part: PieceToSearch,
  order: RowOrder,
): Promise<HitList> {
  const { piece } = part;
  const { queries, limit, radius, rangeFilter } = search;
  const { signal } = read;
  if (piece.index.rows === 0) return { ...emptyHits(queries.count, limit), elements: new Uint32Array(0) };
  assert(radius === null && rangeFilter === null, 'ranges of elements are searched without an index');
  const pieceSearch: IndexSearch = {
    ...effortOf(search, part, piece.index.rows),
    queries: queries.bytes,
    queryCount: queries.count,
    allowed: bitsOfElements(startsOf(piece), piece.allowed(part.wanted, 'passing')),
    radius,
    rangeFilter,
    isMeasured: read.trace != null,
    ...(signal === undefined ? {} : { signal }),
  };
  const hits = await piece.index.search(pieceSearch);
  const found = await elementsInChunks(read, hits, { stride: pieceSearch.k, limit }, { part, order });
  if (read.trace != null)
    notePiece(read.trace, part, { search: pieceSearch, effort: hits.effort ?? null, found });
  return found;
}

function startsOf({ starts }: IndexedPiece): Uint32Array {
  assert(starts !== null, 'a piece of lists knows where they begin');
  return starts;
}

/** Where the best `limit` hits of each query are: equal scores by the key of their row, then by their place in it. */
async function elementsInChunks(
  read: Read,
  { counts, rows, scores }: IndexHits,
  { stride, limit }: { readonly stride: number; readonly limit: number },
  { part: { piece, viewOfRun }, order }: { readonly part: PieceToSearch; readonly order: RowOrder },
): Promise<HitList> {
  const starts = startsOf(piece);
  const list = {
    ...emptyHits(counts.length, stride),
    counts,
    scores,
    elements: new Uint32Array(rows.length),
  };
  for (let query = 0, done = 0; query < counts.length; query++) {
    if (done >= HITS_PER_TURN) {
      await takeTurns(read);
      done = 0;
    }
    for (let hit = query * stride; hit < query * stride + counts[query]!; hit++) {
      const row = rowOfElement(starts, rows[hit]!);
      const run = piece.runOf(row);
      const { from, firstRow } = piece.runs[run]!;
      list.viewOf[hit] = viewOfRun[run]!;
      list.rows[hit] = row - firstRow + from;
      list.elements[hit] = rows[hit]! - starts[row]!;
    }
    orderTies(list, query, order);
    done += counts[query]!;
    counts[query] = Math.min(counts[query]!, limit);
  }
  return list;
}
