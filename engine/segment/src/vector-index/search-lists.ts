import type { IndexSearch } from '@elanus/kernel';
import { assert } from '@elanus/model';
import type { QueryVectors } from '@elanus/rpc';
import { notePiece } from '../explain/note-piece.ts';
import { emptyHits, type HitList } from '../hit-list.ts';
import { type Read, takeTurns } from '../read.ts';
import { type RowsToScan, type ScanTools, scanRows } from '../scan-rows.ts';
import type { WeighedSearch } from '../search-shards.ts';
import { bitsOfElements, rowOfElement } from './piece-elements.ts';
import type { PieceToSearch } from './search-piece.ts';

/** Rows that each vector of a query finds at least. */
const NEAREST_MIN = 1;
/** Vectors that are found for all queries together, for which there is memory at once. */
const FOUND_MAX = 1024 * 1024;

/** Rows that one query has in view at most, by the vectors nearest to each of its own; infinitely many are too many. */
export function listCandidates({
  walk,
  limit,
  queries: { lists },
}: Pick<WeighedSearch, 'walk' | 'limit' | 'queries'>): number {
  assert(walk?.listRatio !== undefined && lists !== undefined, 'lists are found by their vectors');
  const nearest = nearestOf(limit, walk.listRatio);
  if (lists.at(-1)! * nearest > FOUND_MAX) return Number.POSITIVE_INFINITY;
  let longest = 0;
  for (let query = 0; query + 1 < lists.length; query++)
    longest = Math.max(longest, lists[query + 1]! - lists[query]!);
  return longest * nearest;
}

function nearestOf(limit: number, ratio: number): number {
  return Math.max(NEAREST_MIN, Math.floor(limit * ratio));
}

/**
 * The best rows of a piece for queries that are lists: the vectors nearest to each of a query's own name the rows that are
 * then compared with it as wholes. The kernel has the first search when this returns.
 */
export async function searchLists(
  read: Read,
  search: WeighedSearch,
  part: PieceToSearch,
  tools: ScanTools,
): Promise<HitList> {
  const { piece } = part;
  const { queries, limit, walk } = search;
  const { starts } = piece;
  assert(starts !== null && queries.lists !== undefined, 'a piece of lists is searched for lists');
  // All of its lists are empty.
  if (piece.index.rows === 0) return emptyHits(queries.count, limit);
  const nearest = Math.min(nearestOf(limit, walk!.listRatio!), piece.index.rows);
  const pieceSearch: IndexSearch = {
    queries: queries.bytes,
    queryCount: queries.lists.at(-1)!,
    k: nearest,
    ef: Math.min(Math.max(walk!.ef, nearest), piece.index.rows),
    refineK: walk!.refineK,
    lists: walk!.lists ?? null,
    allowed: bitsOfElements(starts, piece.allowed(part.wanted, 'passing')),
    radius: null,
    rangeFilter: null,
    isMeasured: read.trace != null,
    ...(read.signal === undefined ? {} : { signal: read.signal }),
  };
  const { counts, rows, effort } = await piece.index.search(pieceSearch);
  const found = emptyHits(queries.count, limit);
  for (let query = 0; query < queries.count; query++) {
    await takeTurns(read);
    const candidates = new Candidates(part);
    for (let vector = queries.lists[query]!; vector < queries.lists[query + 1]!; vector++)
      for (let hit = vector * nearest; hit < vector * nearest + counts[vector]!; hit++)
        candidates.add(rowOfElement(starts, rows[hit]!));
    const best = await scanRows(
      read,
      { ...search, queries: oneList(queries, query) },
      tools,
      candidates.parts,
    );
    const [count] = best.counts;
    found.counts[query] = count!;
    for (const name of ['viewOf', 'rows', 'scores'] as const)
      found[name].set(best[name].subarray(0, count), query * limit);
  }
  if (read.trace != null) notePiece(read.trace, part, { search: pieceSearch, effort: effort ?? null, found });
  return found;
}

function oneList(queries: QueryVectors, query: number): QueryVectors {
  const lists = queries.lists!;
  const [from, to] = [lists[query]!, lists[query + 1]!];
  const size = queries.bytes.length / lists.at(-1)!;
  const bytes = queries.bytes.subarray(from * size, to * size);
  return { ...queries, count: 1, bytes, lists: Uint32Array.of(0, to - from) };
}

/** Rows of a piece, as the parts of views that they are in. */
class Candidates {
  readonly #part: PieceToSearch;
  readonly #parts = new Map<number, RowsToScan & { readonly selected: { count: number } }>();

  constructor(part: PieceToSearch) {
    this.#part = part;
  }

  /** In the order of the views. */
  get parts(): readonly RowsToScan[] {
    return [...this.#parts.values()].sort((a, b) => a.viewNumber - b.viewNumber);
  }

  add(row: number): void {
    const { piece, viewOfRun, wanted } = this.#part;
    const run = piece.runOf(row);
    const viewNumber = viewOfRun[run]!;
    let part = this.#parts.get(viewNumber);
    if (part === undefined) {
      const { view } = wanted[run]!;
      const allowed = new Uint8Array(Math.ceil(view.rows / 8));
      part = { selected: { view, allowed, count: 0 }, viewNumber, from: 0, to: view.rows };
      this.#parts.set(viewNumber, part);
    }
    const { from, firstRow } = piece.runs[run]!;
    const inChunk = row - firstRow + from;
    const allowed = part.selected.allowed!;
    const bit = 1 << (inChunk & 7);
    if ((allowed[inChunk >> 3]! & bit) !== 0) return;
    allowed[inChunk >> 3]! |= bit;
    part.selected.count += 1;
  }
}
