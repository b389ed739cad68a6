import { type MetricType, metricOrder } from '@elanus/model';
import type { SearchHits } from '@elanus/rpc';
import type { Work } from '../../rows/sliced-work.ts';
import { compareKeys, type KeyIdentity, keyReader } from '../hits.ts';
import { normalisedScore, risingScore } from './normalise.ts';
import type { DecayRanking, ModelRanking, Ranking, WeightedRanking } from './ranking.ts';

/** A row that at least one search has found, with what each of them says of it. */
export interface FusedHit {
  readonly key: KeyIdentity;
  /** Per search the place of the hit in its lists; -1: it has not found the row. */
  readonly places: number[];
  /** Per search the place among its hits of this query, from 1; 0: it has not found the row. */
  readonly ranks: number[];
  /** By how much its score counts: decay functions know. */
  factor: number;
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
  const scoreOf = fusedScoring(legs, ranking);
  const order = fusionOrder(legs, ranking);
  const rows = yield* rowsByQuery(legs);
  const sign = order === 'ascending' ? 1 : -1;
  for (const hits of rows) {
    for (const [at, hit] of hits.entries()) {
      if (factorOf !== null) hit.factor = factorOf(hit);
      hit.score = Math.fround(scoreOf(hit));
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
  const places = new Array<number>(legs).fill(-1);
  return { key, places, ranks: new Array<number>(legs).fill(0), factor: 1, score: 0 };
}

/**
 * Says of a row what each search adds to its score: the sum of `normalised` times `weight`, in the order of the searches, is
 * the score, once it is rounded to float32.
 */
export function legScoring(legs: Legs, ranking: Ranking): (hit: FusedHit) => readonly LegScore[] {
  const normalised = normalising(legs, ranking);
  return (hit) => {
    const scores = scoresOfLegs(hit, normalised);
    const weights = weightsOfLegs(hit, scores, ranking);
    return scores.map((score, leg) => ({
      raw: score === null ? null : legs.hits[leg]!.scores[hit.places[leg]!]!,
      normalised: score,
      weight: weights[leg]!,
    }));
  };
}

type LegNormalising = (hit: FusedHit, leg: number) => number;

/** What a ranking makes of the score that a row has in one of the searches. REQUIRES: it has found the row. */
function normalising(legs: Legs, ranking: Ranking): LegNormalising {
  if (ranking.kind === 'rrf') return ({ ranks }, leg) => 1 / (ranking.k + ranks[leg]!);
  // Whoever has found the row, the model says the same of it.
  if (ranking.kind === 'model') return ({ score }) => score;
  const { hits, metrics } = legs;
  const normalise = normalisation(legs, ranking);
  return ({ places }, leg) => normalise(hits[leg]!.scores[places[leg]!]!, metrics[leg]!);
}

function scoresOfLegs(hit: FusedHit, normalised: LegNormalising): readonly (number | null)[] {
  return hit.places.map((place, leg) => (place < 0 ? null : normalised(hit, leg)));
}

/** Of each search by how much its score counts; 0 where only the best of them does, or the first, and it is another. */
function weightsOfLegs(
  { factor }: FusedHit,
  scores: readonly (number | null)[],
  ranking: Ranking,
): readonly number[] {
  const only = (one: number, weight: number) => scores.map((_, leg) => (leg === one ? weight : 0));
  switch (ranking.kind) {
    case 'rrf':
      return scores.map(() => 1);
    case 'weighted':
      return ranking.weights;
    case 'model':
      return only(
        scores.findIndex((score) => score !== null),
        1,
      );
    case 'decay': {
      const found = scores.filter((score) => score !== null);
      if (ranking.mode === 'max')
        return only(scores.indexOf(found.reduce((best, score) => Math.max(best, score))), factor);
      return scores.map(() => (ranking.mode === 'sum' ? factor : factor / found.length));
    }
  }
}

function normalisation(
  legs: Legs,
  ranking: WeightedRanking | DecayRanking,
): (score: number, metric: MetricType) => number {
  if (ranking.normalises) return normalisedScore;
  return fusionOrder(legs, ranking) === 'ascending' ? (score) => score : risingScore;
}

/** Distances alone that nobody normalises stay distances. */
function fusionOrder({ metrics }: Legs, ranking: Ranking): Fusion['order'] {
  const isPlain = ranking.kind === 'weighted' && !ranking.normalises;
  return isPlain && metrics.every((metric) => metricOrder(metric) === 'ascending')
    ? 'ascending'
    : 'descending';
}

/** The sum that `legScoring` explains. */
function fusedScoring(legs: Legs, ranking: Exclude<Ranking, ModelRanking>): (hit: FusedHit) => number {
  const normalised = normalising(legs, ranking);
  if (ranking.kind === 'decay')
    return (hit) => {
      const scores = scoresOfLegs(hit, normalised);
      const weights = weightsOfLegs(hit, scores, ranking);
      // What does not count may be infinite.
      return scores.reduce<number>(
        (sum, score, leg) => (weights[leg] === 0 ? sum : sum + (score ?? 0) * weights[leg]!),
        0,
      );
    };
  const weights = ranking.kind === 'weighted' ? ranking.weights : null;
  return (hit) => {
    let sum = 0;
    for (let leg = 0; leg < hit.places.length; leg += 1)
      if (hit.places[leg]! >= 0) sum += normalised(hit, leg) * (weights?.[leg] ?? 1);
    return sum;
  };
}
