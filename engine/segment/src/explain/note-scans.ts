import type { PartSearch } from '@elanus/rpc';
import type { HitList } from '../hit-list.ts';
import { type Read, takeTurns } from '../read.ts';
import type { RowsToScan } from '../scan-rows.ts';
import type { WeighedSearch } from '../search-shards.ts';
import { countSelected, type SelectedRows } from '../select-rows.ts';
import {
  effortForRecall,
  keptInView,
  type PieceToSearch,
  piecesOfViews,
  type ScanReason,
  scanReason,
  servesPages,
} from '../vector-index/search-piece.ts';
import { bytesOfVectors } from './column-bytes.ts';
import type { ReadTrace, SearchNote } from './read-trace.ts';

/** Queries whose hits are counted between two looks at the clock. */
const QUERIES_PER_TURN = 8;

/** Notes the rows that were compared one by one, those of one chunk and one reason together, and what they brought in. */
export async function noteScans(
  read: Read,
  trace: ReadTrace,
  search: WeighedSearch,
  selected: readonly SelectedRows[],
  parts: readonly RowsToScan[],
  found: HitList,
): Promise<void> {
  const hits = await hitsOfViews(read, found, selected.length);
  const pieces = piecesOfViews(selected, search.field.id);
  for (const part of parts) {
    const reason = whyScanned(search, pieces[part.viewNumber]!, part);
    trace.searches.push(noteOfScan(search, part, reason, hits[part.viewNumber]!));
    // A view that is scanned in two places has its hits in the first.
    hits[part.viewNumber] = 0;
  }
}

async function hitsOfViews(
  read: Read,
  { counts, stride, viewOf }: HitList,
  views: number,
): Promise<Uint32Array> {
  const hits = new Uint32Array(views);
  for (const [query, count] of counts.entries()) {
    if (query % QUERIES_PER_TURN === QUERIES_PER_TURN - 1) await takeTurns(read);
    for (let at = query * stride; at < query * stride + count; at++) hits[viewOf[at]!]! += 1;
  }
  return hits;
}

function noteOfScan(
  { field, queries }: WeighedSearch,
  { selected, from, to }: RowsToScan,
  why: string,
  hits: number,
): SearchNote {
  const { chunk, rows: viewRows } = selected.view;
  // Of a part of a view: as if its rows were spread evenly.
  const rows = Math.round((countSelected(selected) * (to - from)) / Math.max(1, viewRows));
  return {
    parts: [{ view: selected.view, rows: to - from }],
    strategy: 'exact scan',
    why,
    ef: null,
    candidates: rows * queries.count,
    distances: rows * queries.count,
    bytesRead: bytesOfVectors(chunk, field, rows) * queries.count,
    hits,
  };
}

const REASONS: Readonly<Record<ScanReason, (part: PieceToSearch, kept: number) => string>> = {
  'few rows': ({ rows }) => `${rows} rows are left: so few are compared one by one`,
  'many hits': ({ rows }, kept) => `an index would keep ${kept} of ${rows} rows in view: a scan is sooner`,
};

function whyScanned(
  search: WeighedSearch,
  pieces: readonly { readonly part: PieceToSearch; readonly run: number }[],
  { from }: RowsToScan,
): PartSearch['why'] {
  const { walk, limit, recallTarget } = search;
  const covering = pieces.find(({ part, run }) => {
    const rows = part.piece.runs[run]!;
    return rows.from <= from && from < rows.to;
  });
  if (covering === undefined) return 'there is no index over these rows';
  if (walk === null) return 'the answer has to be complete, or the index does not serve this search';
  const effort = recallTarget === undefined ? null : effortForRecall(covering.part, limit, recallTarget);
  const kept = effort === null ? keptInView(search) : Math.max(effort.ef, limit);
  const reason = scanReason(covering.part, kept);
  if (recallTarget !== undefined && effort === null && reason !== 'few rows')
    return `no effort is known yet to reach a recall of ${recallTarget}`;
  if (reason === null && walk.answer === 'page' && !servesPages(covering.part))
    return 'the pages of an iterator are compared row by row where an index has codes, or is on disk';
  return reason === null ? 'there is no index over these rows' : REASONS[reason](covering.part, kept);
}
