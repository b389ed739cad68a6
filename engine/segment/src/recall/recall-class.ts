/** Searches that one calibration serves: so many hits, and such a share of the rows allowed. */
export interface RecallClass {
  /** Hits, at most. */
  readonly hits: number;
  /** Half as many rows are allowed with each step: `rows / 2 ** halvings` at most, and more than half of that. */
  readonly halvings: number;
}

/** More hits are found exactly. */
const HITS = [10, 100, 1000] as const;
/** Beyond, so few rows are left that they are compared one by one anyway. */
const HALVINGS_MAX = 12;

/** The class of a search for `hits` of `allowed` among `rows`; `null` for one that no calibration serves. */
export function recallClassOf(hits: number, allowed: number, rows: number): RecallClass | null {
  const hitsMax = HITS.find((most) => hits <= most);
  if (hitsMax === undefined || allowed === 0) return null;
  const halvings = Math.floor(Math.log2(rows / allowed));
  return halvings > HALVINGS_MAX ? null : { hits: hitsMax, halvings };
}

/** Equal for equal classes. */
export function recallClassKey({ hits, halvings }: RecallClass): string {
  return `${hits}/${halvings}`;
}
