import type { FusedHit, Fusion } from '../rank/fuse-hits.ts';
import type { HitWindow } from '../read-window.ts';

/** How the scores of its rows become the score of a group. */
export type GroupScorer = 'max' | 'sum' | 'avg';

export interface Arrangement {
  /** Equal for rows of the same group. */
  readonly identityOf: (hit: FusedHit) => string;
  /** Rows of a group at most. */
  readonly size: number;
  readonly scorer: GroupScorer;
  /** Which of the groups are answered. */
  readonly window: HitWindow;
}

/** The rows of each query group after group, the best group first and in it the best row. */
export function arrangeGroups(
  { queries, order }: Fusion,
  { identityOf, size, scorer, window: { offset, limit } }: Arrangement,
): readonly (readonly FusedHit[])[] {
  const sign = order === 'ascending' ? 1 : -1;
  return queries.map((hits) => {
    // Groups come in the order of their best rows, which decides between equal scores.
    const groups = [...Map.groupBy(hits, identityOf).values()].map((rows) => ({
      rows,
      score: scoreOf(rows, scorer),
    }));
    groups.sort((a, b) => sign * (a.score - b.score));
    return groups.slice(offset, offset + limit).flatMap(({ rows }) => rows.slice(0, size));
  });
}

/** REQUIRES: the best row is the first. */
function scoreOf(rows: readonly FusedHit[], scorer: GroupScorer): number {
  const sum = () => rows.reduce((total, { score }) => total + score, 0);
  switch (scorer) {
    case 'max':
      return rows[0]!.score;
    case 'sum':
      return sum();
    case 'avg':
      return sum() / rows.length;
  }
}
