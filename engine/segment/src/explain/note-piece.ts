import type { SearchEffort } from '@elanus/kernel';
import type { HitList } from '../hit-list.ts';
import type { PieceToSearch } from '../vector-index/search-piece.ts';
import type { ReadTrace } from './read-trace.ts';

/** Notes what the index of a piece did. */
export function notePiece(
  trace: ReadTrace,
  { piece, wanted, rows }: PieceToSearch,
  {
    ef,
    effort,
    found,
  }: { readonly ef: number; readonly effort: SearchEffort | null; readonly found: HitList },
): void {
  const isSparse = piece.index.layout === 'sparse';
  const isScan = effort !== null && effort.scans > 0;
  const parts = piece.runs.flatMap(({ from, to }, run) => {
    const view = wanted[run]?.view;
    return view === undefined ? [] : [{ view, rows: Math.min(to, view.rows) - from }];
  });
  trace.searches.push({
    parts,
    strategy: isSparse ? 'inverted lists' : isScan ? 'scan of codes' : 'index walk',
    why: isSparse
      ? 'the index finds what comparing with every row would find, and sooner'
      : isScan
        ? `a walk among ${rows} of ${piece.rows} rows would be longer than a scan of their codes`
        : `the index keeps ${ef} of ${rows} rows in view`,
    ef: isSparse ? null : ef,
    candidates: effort?.visited ?? null,
    distances: effort?.distances ?? null,
    bytesRead: effort?.bytes ?? null,
    hits: found.counts.reduce((sum, count) => sum + count, 0),
  });
}
