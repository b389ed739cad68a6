import type { IndexHits, IndexSearch, VectorIndex } from '@elanus/kernel';
import { DataType, type FieldId, type FieldSchema } from '@elanus/model';
import { notePiece } from '../explain/note-piece.ts';
import type { HitList } from '../hit-list.ts';
import type { RowOrder } from '../key-order.ts';
import type { Read } from '../read.ts';
import { recallClassOf } from '../recall/recall-class.ts';
import type { CalibratedEffort } from '../recall/recall-curve.ts';
import type { RowsToScan } from '../scan-rows.ts';
import type { WeighedSearch } from '../search-shards.ts';
import type { SelectedRows } from '../select-rows.ts';
import { hitsInChunks } from './hits-in-chunks.ts';
import type { IndexedPiece } from './indexed-piece.ts';
import { hitsAtFirst, PAGED } from './ranked-hits.ts';
import { goesWithOthers, isBrief, isShort, leavesProcessor } from './search-length.ts';
import { listCandidates } from './search-lists.ts';
import type { SegmentIndex } from './segment-index.ts';

/** Rows that a filter leaves are compared one by one up to here: no walk is as short. */
const SCANNED_ROWS_MAX = 1024;
/** Who looks at more than this share of the rows finds them sooner without a walk. */
const HITS_SHARE_MAX = 0.25;
/** Hits of one search of a piece, over all of its queries, for which there is memory at once. */
const KEPT_HITS_MAX = 1024 * 1024;
/** Hits of one query. */
const HITS_MAX = 16_384;

/** Indexes whose effort is how many lists are looked through. */
const LISTS: ReadonlySet<VectorIndex['layout']> = new Set(['lists', 'binary lists']);
/** Indexes whose effort is `ef`. */
const GRAPHS: ReadonlySet<VectorIndex['layout']> = new Set(['fast', 'compact', 'codes', 'disk']);

/** What a read wants of one piece. */
export interface PieceToSearch {
  readonly piece: IndexedPiece;
  /** By run of the piece. */
  readonly wanted: (SelectedRows | undefined)[];
  /** The read's view of each run, where it has one. */
  readonly viewOfRun: Uint32Array;
  /** Rows wanted at most. */
  rows: number;
  /** Bits of the rows wanted, `null` for all, `undefined` as long as nobody has asked. */
  bits: Uint8Array | null | undefined;
  /** What reaches the recall that is wanted; `null` where the search itself says how far to go. */
  effort: CalibratedEffort | null;
}

/** Which of the selected rows are found by an index, and which have to be compared one by one. */
export interface SplitRows {
  readonly indexed: readonly PieceToSearch[];
  readonly plain: readonly RowsToScan[];
}

/** The last split of a list of rows by the indexes of a field, and for how many rows in view it is right. */
const known = new WeakMap<
  readonly SelectedRows[],
  { readonly field: FieldId; readonly keptMax: number; readonly split: SplitRows }
>();

/** Whether the pages of an iterator may be found by the index, of which AUTOINDEX has chosen the kind. */
export function servesPages({ piece }: Pick<PieceToSearch, 'piece'>): boolean {
  return PAGED.has(piece.index.layout);
}

/** Splits the rows of a read; quick when the same list has been split before. */
export function splitByIndex(selected: readonly SelectedRows[], search: WeighedSearch): SplitRows {
  const { walk, field, recallTarget } = search;
  const isExact = isSparse(field);
  if (walk === null && !isExact) return { indexed: [], plain: selected.map(wholeView) };
  if (recallTarget !== undefined && !isExact) return splitByRecall(selected, search, recallTarget);
  const isPage = walk?.answer === 'page';
  const last = isPage ? undefined : known.get(selected);
  const kept = isExact ? 0 : keptInView(search);
  if (last?.field === field.id && kept <= last.keptMax && !last.split.indexed.some(isClosed))
    return last.split;
  const runs = runsOfViews(selected, field.id);
  const pieces = piecesOf(selected, runs);
  const isWalked = (part: PieceToSearch): boolean =>
    isExact || (scanReason(part, kept) === null && (!isPage || servesPages(part)));
  const indexed = pieces.filter(isWalked);
  const split = { indexed, plain: rowsBeside(indexed, selected, runs) };
  if (pieces.every((part) => isWalked(part) || scanReason(part, kept) === 'few rows')) {
    const keptMax = Math.min(...indexed.map(({ rows }) => rows * HITS_SHARE_MAX), Number.MAX_SAFE_INTEGER);
    if (!isPage) known.set(selected, { field: field.id, keptMax, split });
  }
  return split;
}

/** Each index is walked as far as the recall takes; rows whose index is not known well enough are compared one by one. */
function splitByRecall(selected: readonly SelectedRows[], search: WeighedSearch, target: number): SplitRows {
  const runs = runsOfViews(selected, search.field.id);
  const indexed: PieceToSearch[] = [];
  for (const part of piecesOf(selected, runs)) {
    part.effort = effortForRecall(part, search.limit, target);
    if (part.effort !== null && scanReason(part, Math.max(part.effort.ef, search.limit)) === null)
      indexed.push(part);
  }
  return { indexed, plain: rowsBeside(indexed, selected, runs) };
}

/** Rows that a search by index looks at more closely, of each query. REQUIRES: it has a walk. */
export function keptInView(search: Pick<WeighedSearch, 'walk' | 'limit' | 'queries'>): number {
  const { walk, limit, queries } = search;
  return queries.lists === undefined ? Math.max(walk!.ef, limit) : listCandidates(search);
}

/** `null`: it is not known, or no effort is enough. */
export function effortForRecall(
  { piece, rows }: PieceToSearch,
  limit: number,
  target: number,
): CalibratedEffort | null {
  const wanted = GRAPHS.has(piece.index.layout) ? recallClassOf(limit, rows, piece.rows) : null;
  // So few rows are compared one by one whatever is known.
  if (wanted === null || rows <= SCANNED_ROWS_MAX) return null;
  return piece.recalls.effortFor(wanted, target);
}

/** The share of true hits that was measured for such a search, those that are compared one by one all found. */
export function expectedRecall({ indexed, plain }: SplitRows): number {
  let rows = 0;
  let found = 0;
  for (const part of indexed) {
    rows += part.rows;
    found += part.rows * (part.effort?.recall ?? 1);
  }
  for (const { selected, from, to } of plain) {
    const compared = Math.min(to - from, selected.count ?? to - from);
    rows += compared;
    found += compared;
  }
  return rows === 0 ? 1 : found / rows;
}

/** Why a piece is compared row by row although it has an index. */
export type ScanReason = 'few rows' | 'many hits';

/** `null`: a walk that keeps so many rows in view is sooner. */
export function scanReason({ rows }: Pick<PieceToSearch, 'rows'>, kept: number): ScanReason | null {
  if (rows <= SCANNED_ROWS_MAX) return 'few rows';
  return kept > rows * HITS_SHARE_MAX ? 'many hits' : null;
}

/** Of each view the pieces that have rows of it, and the run that they call them. */
export function piecesOfViews(
  selected: readonly SelectedRows[],
  field: FieldId,
): readonly (readonly { readonly part: PieceToSearch; readonly run: number }[])[] {
  const runs = runsOfViews(selected, field);
  const partOf = new Map(piecesOf(selected, runs).map((part) => [part.piece, part]));
  return runs.map((ofView) =>
    ofView.flatMap(({ piece, run }) => {
      const part = partOf.get(piece);
      return part === undefined ? [] : [{ part, run }];
    }),
  );
}

/** An index over sparse vectors finds what a comparison with every row finds, and sooner. */
function isSparse({ dataType }: FieldSchema): boolean {
  return dataType === DataType.SparseFloatVector;
}

/** Its index may have been freed since the split. */
function isClosed({ piece }: PieceToSearch): boolean {
  return piece.isClosed;
}

/** What of the selected rows none of the pieces has. */
function rowsBeside(
  pieces: readonly PieceToSearch[],
  selected: readonly SelectedRows[],
  runs: readonly Runs[],
): readonly RowsToScan[] {
  if (pieces.length === 0) return selected.map(wholeView);
  const walked = new Set(pieces.map(({ piece }) => piece));
  const rest: RowsToScan[] = [];
  for (let view = 0; view < selected.length; view++)
    addRest(rest, selected[view]!, view, runs[view]!, walked);
  return rest;
}

function wholeView(selected: SelectedRows, viewNumber: number): RowsToScan {
  return { selected, viewNumber, from: 0, to: selected.view.rows };
}

/**
 * Everything that a walk has in view is compared exactly, however few hits were asked for: with the same parameters the
 * first hits are the same, whatever the limit.
 */
function keptHits(ef: number, { queries, limit }: WeighedSearch): number {
  return ef <= HITS_MAX && ef * queries.count <= KEPT_HITS_MAX ? Math.max(ef, limit) : limit;
}

/** Whether a query has no more hits than `k`, of which the last ones and the one at the limit have the same score. */
function endsInTie({ counts, scores }: IndexHits, k: number, limit: number): boolean {
  return counts.some(
    (count, query) => count === k && scores[query * k + limit - 1] === scores[query * k + k - 1],
  );
}

/** How far a piece is searched whose index is over `rows` vectors. */
export function effortOf(
  search: WeighedSearch,
  { piece: { index }, effort }: PieceToSearch,
  rows: number,
): Pick<IndexSearch, 'k' | 'ef' | 'refineK' | 'sparse' | 'lists' | 'byShare'> {
  const { walk, limit, queries, bm25 } = search;
  if (queries.offsets !== null)
    return { k: limit, ef: 1, refineK: 1, sparse: { offsets: queries.offsets, bm25: bm25 ?? null } };
  if (search.minHash !== undefined)
    return { k: limit, ef: 1, refineK: 1, byShare: search.minHash.rank === 'share' };
  const { refineK } = walk!;
  if (LISTS.has(index.layout)) return { k: limit, ef: 1, refineK, lists: walk!.lists ?? null };
  const ef = Math.min(Math.max(effort?.ef ?? walk!.ef, limit), rows);
  const k = walk!.answer === 'page' ? limit : keptHits(ef, search);
  return { k, ef, refineK };
}

/** Searches a piece by its index. The kernel has the search when this returns. */
export async function searchPiece(
  read: Read,
  search: WeighedSearch,
  part: PieceToSearch,
  order: RowOrder,
): Promise<HitList> {
  const { piece, viewOfRun } = part;
  const { queries, limit, radius, rangeFilter } = search;
  if (part.bits === undefined)
    part.bits = piece.allowed(part.wanted, read.selection === null ? 'lasting' : 'passing');
  const wanted: IndexSearch = {
    ...effortOf(search, part, piece.rows),
    queries: queries.bytes,
    queryCount: queries.count,
    allowed: part.bits,
    radius,
    rangeFilter,
    isMeasured: read.trace != null,
  };
  const k = search.radius === null ? hitsAtFirst(wanted.k, limit, piece.index) : wanted.k;
  let pieceSearch = { ...wanted, k };
  let hits = await hitsOf(read, search, part, pieceSearch);
  // Keys decide then, and those of all that the walk had in view.
  if (pieceSearch.k < wanted.k && endsInTie(hits, pieceSearch.k, limit) && !piece.isClosed) {
    pieceSearch = wanted;
    hits = await hitsOf(read, search, part, wanted);
  }
  const found = await hitsInChunks(read, hits, { stride: pieceSearch.k, limit }, { piece, viewOfRun, order });
  if (read.trace != null)
    notePiece(read.trace, part, { search: pieceSearch, effort: hits.effort ?? null, found });
  return found;
}

async function hitsOf(
  read: Read,
  search: WeighedSearch,
  part: PieceToSearch,
  pieceSearch: IndexSearch,
): Promise<IndexHits> {
  const { piece } = part;
  if (PAGED.has(piece.index.layout) && goesWithOthers(pieceSearch, search, read, part.rows)) {
    const share = isBrief(pieceSearch, search) ? read.share : null;
    const isOfCrowd = leavesProcessor(pieceSearch, search);
    return await piece.gathered.search({ ...pieceSearch, isOfCrowd }, share);
  }
  if (isShort(pieceSearch, search, read, piece) && !read.share.isSpent())
    return piece.index.searchSync(pieceSearch);
  const { signal } = read;
  return await piece.index.search(signal === undefined ? pieceSearch : { ...pieceSearch, signal });
}

type Runs = ReturnType<SegmentIndex['runsOf']>;
const NO_RUNS: Runs = [];

/** Of each view the runs that have an index. */
function runsOfViews(selected: readonly SelectedRows[], field: FieldId): readonly Runs[] {
  let last: SelectedRows['view'] | null = null;
  let index: SegmentIndex | undefined;
  return selected.map(({ view }) => {
    const { shard, chunk } = view;
    // Views of one segment follow each other.
    if (last?.shard !== shard || last.chunk.partitionId !== chunk.partitionId)
      index = shard.vectorIndexes.find(field, chunk.partitionId);
    last = view;
    return index?.runsOf(chunk) ?? NO_RUNS;
  });
}

function piecesOf(selected: readonly SelectedRows[], runs: readonly Runs[]): readonly PieceToSearch[] {
  const pieces: PieceToSearch[] = [];
  let found: PieceToSearch | undefined;
  for (let viewNumber = 0; viewNumber < selected.length; viewNumber++) {
    const rows = selected[viewNumber]!;
    for (const { piece, run } of runs[viewNumber]!) {
      if (found?.piece !== piece) found = pieces.find((known) => known.piece === piece);
      if (found === undefined) {
        found = nothingWanted(piece);
        pieces.push(found);
      }
      const { from, to } = piece.runs[run]!;
      if (rows.view.rows <= from) continue;
      found.wanted[run] = rows;
      found.viewOfRun[run] = viewNumber;
      found.rows += Math.min(to - from, rows.count ?? rows.view.rows);
    }
  }
  return pieces;
}

function nothingWanted(piece: IndexedPiece): PieceToSearch {
  const runs = piece.runs.length;
  return {
    piece,
    wanted: new Array(runs).fill(undefined),
    viewOfRun: new Uint32Array(runs),
    rows: 0,
    bits: undefined,
    effort: null,
  };
}

/** Adds the rows of a view that none of the pieces `walked` has. */
function addRest(
  rest: RowsToScan[],
  selected: SelectedRows,
  viewNumber: number,
  runs: Runs,
  walked: ReadonlySet<IndexedPiece>,
): void {
  const { rows } = selected.view;
  let at = 0;
  for (const { piece, run } of runs) {
    const { from, to } = piece.runs[run]!;
    if (!walked.has(piece) || from >= rows) continue;
    if (from > at) rest.push({ selected, viewNumber, from: at, to: from });
    at = to;
  }
  if (at < rows) rest.push({ selected, viewNumber, from: at, to: rows });
}
