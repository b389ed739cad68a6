import type { IndexSearch, SearchEffort } from '@elanus/kernel';
import type { PartSearch } from '@elanus/rpc';
import type { HitList } from '../hit-list.ts';
import type { PieceToSearch } from '../vector-index/search-piece.ts';
import type { ReadTrace } from './read-trace.ts';

interface SearchedPiece {
  readonly search: IndexSearch;
  /** `null`: the index has not counted. */
  readonly effort: SearchEffort | null;
  readonly found: HitList;
}

/** Notes what the index of a piece did. */
export function notePiece(
  trace: ReadTrace,
  part: PieceToSearch,
  { search, effort, found }: SearchedPiece,
): void {
  const { piece, wanted } = part;
  const parts = piece.runs.flatMap(({ from, to }, run) => {
    const view = wanted[run]?.view;
    return view === undefined ? [] : [{ view, rows: Math.min(to, view.rows) - from }];
  });
  trace.searches.push({
    parts,
    ...strategyOf(part, search, effort),
    candidates: effort?.visited ?? null,
    distances: effort?.distances ?? null,
    bytesRead: effort?.bytes ?? null,
    hits: found.counts.reduce((sum, count) => sum + count, 0),
  });
}

function strategyOf(
  { piece, rows }: PieceToSearch,
  { ef, lists }: IndexSearch,
  effort: SearchEffort | null,
): Pick<PartSearch, 'strategy' | 'why' | 'ef'> {
  switch (piece.index.layout) {
    case 'sparse':
      return {
        strategy: 'inverted lists',
        why: 'the index finds what comparing with every row would find, and sooner',
        ef: null,
      };
    case 'hash bands':
      return {
        strategy: 'nearest lists',
        why: 'the index looks through the rows that have a band of hashes in common with the query',
        ef: null,
      };
    case 'lists':
    case 'binary lists':
      return {
        strategy: 'nearest lists',
        why: `the index looks through ${lists?.probes ?? 1} of its lists, the nearest`,
        ef: null,
      };
    case 'disk':
      return {
        strategy: effort !== null && effort.scans > 0 ? 'scan of codes' : 'index walk',
        why: `the index reads vectors and links from the disk, and keeps ${ef} of ${rows} rows in view`,
        ef,
      };
    default:
      if (effort !== null && effort.scans > 0)
        return {
          strategy: 'scan of codes',
          why: `a walk among ${rows} of ${piece.rows} rows would be longer than a scan of their codes`,
          ef,
        };
      return { strategy: 'index walk', why: `the index keeps ${ef} of ${rows} rows in view`, ef };
  }
}
