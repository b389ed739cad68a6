import { type MetricType, metricOrder } from '@elanus/model';
import type { SearchHits } from '@elanus/rpc';
import type { Work } from '../../rows/sliced-work.ts';
import { compareKeys, type KeyIdentity, keyReader } from '../hits.ts';
import { normalisedScore, risingScore } from './normalise.ts';
import type { ModelRanking, Ranking } from './ranking.ts';

/** A row that at least one search has found, with what each of them says of it. */
export interface FusedHit {
  readonly key: KeyIdentity;
  /** Per search the place of the hit in its lists; -1: it has not found the row. */
  readonly places: number[];
  /** Per search the place among its hits of this query, from 1; 0: it has not found the row. */
  readonly ranks: number[];
  score: number;
}

/** What a search adds to the score of a row. */
export interface LegScore {
  /** `null`: the search has not found the row. */
  readonly raw: number | null;
  readonly normalised: number | null;
  readonly weight: number;
}

/** The rows of each query that any of the searches has found, best first, equal scores by key. */
export interface Fusion {
  readonly queries: readonly (readonly FusedHit[])[];
  /** `ascending`: the least score is the best. */
  readonly order: 'ascending' | 'descending';
}

/** The hits of searches with the same number of queries, and by what each compares. */
export interface Legs {
  readonly hits: readonly SearchHits[];
  readonly metrics: readonly MetricType[];
}

/** Hits fused between two looks at the clock. */
const HITS_PER_SLICE = 2048;

/**
 * Makes one list of several. `factorOf` says of a row by how much its score counts, `null` for once: decay functions know.
 */
export function* fuseHits(
  legs: Legs,
  ranking: Exclude<Ranking, ModelRanking>,
  factorOf: ((hit: FusedHit) => number) | null = null,
): Work<Fusion> {
  const scoring = legScoring(legs, ranking);
  const order = fusionOrder(legs, ranking);
  const rows = yield* rowsByQuery(legs);
  const sign = order === 'ascending' ? 1 : -1;
  for (const hits of rows) {
    for (const [at, hit] of hits.entries()) {
      hit.score = Math.fround(fusedScore(hit, scoring, ranking) * (factorOf?.(hit) ?? 1));
      if (at % HITS_PER_SLICE === HITS_PER_SLICE - 1) yield;
    }
    hits.sort((a, b) => sign * (a.score - b.score) || compareKeys(a.key, b.key));
    yield;
  }
  return { queries: rows, order };
}

/** Every row of each query once, in the order in which the searches name them. */
export function* rowsByQuery({ hits }: Pick<Legs, 'hits'>): Work<FusedHit[][]> {
  const queries = hits[0]!.counts.length;
  const firsts = hits.map(() => 0);
  const readers = hits.map(({ keys }) => keyReader(keys));
  const fused: FusedHit[][] = [];
  let done = 0;
  for (let query = 0; query < queries; query += 1) {
    const byKey = new Map<KeyIdentity, FusedHit>();
    for (const [leg, { counts }] of hits.entries()) {
      const first = firsts[leg]!;
      for (let rank = 1; rank <= counts[query]!; rank += 1) {
        const place = first + rank - 1;
        const key = readers[leg]!(place);
        let hit = byKey.get(key);
        if (hit === undefined) {
          hit = newHit(key, hits.length);
          byKey.set(key, hit);
        }
        // A key that a collection keeps twice counts by its better row.
        if (hit.ranks[leg] === 0) {
          hit.ranks[leg] = rank;
          hit.places[leg] = place;
        }
        done += 1;
        if (done % HITS_PER_SLICE === 0) yield;
      }
      firsts[leg] = first + counts[query]!;
    }
    fused.push([...byKey.values()]);
  }
  return fused;
}

function newHit(key: KeyIdentity, legs: number): FusedHit {
  return { key, places: new Array<number>(legs).fill(-1), ranks: new Array<number>(legs).fill(0), score: 0 };
}

/** Says what each search adds to the score of a row. */
export function legScoring(legs: Legs, ranking: Ranking): (hit: FusedHit, leg: number) => LegScore {
  const { hits, metrics } = legs;
  const normalise = normalisation(legs, ranking);
  return ({ places, ranks }, leg) => {
    const weight = ranking.kind === 'weighted' ? ranking.weights[leg]! : 1;
    const place = places[leg]!;
    if (place < 0) return { raw: null, normalised: null, weight };
    const raw = hits[leg]!.scores[place]!;
    const normalised = ranking.kind === 'rrf' ? 1 / (ranking.k + ranks[leg]!) : normalise(raw, metrics[leg]!);
    return { raw, normalised, weight };
  };
}

function normalisation(legs: Legs, ranking: Ranking): (score: number, metric: MetricType) => number {
  if (ranking.kind === 'rrf' || (ranking.kind !== 'model' && ranking.normalises)) return normalisedScore;
  return fusionOrder(legs, ranking) === 'ascending' ? (score) => score : risingScore;
}

/** Distances alone that nobody normalises stay distances. */
function fusionOrder({ metrics }: Legs, ranking: Ranking): Fusion['order'] {
  const isPlain = ranking.kind === 'weighted' && !ranking.normalises;
  return isPlain && metrics.every((metric) => metricOrder(metric) === 'ascending')
    ? 'ascending'
    : 'descending';
}

function fusedScore(hit: FusedHit, scoring: ReturnType<typeof legScoring>, ranking: Ranking): number {
  let sum = 0;
  let best = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (let leg = 0; leg < hit.places.length; leg += 1) {
    if (hit.places[leg]! < 0) continue;
    const { normalised, weight } = scoring(hit, leg);
    const score = normalised! * weight;
    sum += score;
    best = Math.max(best, score);
    count += 1;
  }
  if (ranking.kind !== 'decay' || ranking.mode === 'sum') return sum;
  return ranking.mode === 'max' ? best : sum / count;
}
