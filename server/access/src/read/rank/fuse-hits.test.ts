import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataType, type MetricType, type SegmentId, type Timestamp } from '@elanus/model';
import type { SearchHits } from '@elanus/rpc';
import fc from 'fast-check';
import { runAtOnce } from '../../rows/sliced-work.ts';
import { decayFactor } from './decay.ts';
import { type FusedHit, fuseHits, type LegScore, type Legs, legScoring, rowsByQuery } from './fuse-hits.ts';
import { hitsOfFusion } from './fused-hits.ts';
import { normalisedScore, risingScore } from './normalise.ts';
import type { DecayRanking, ModelRanking, Ranking, RrfRanking } from './ranking.ts';

type Hit = readonly [key: number, score: number];

/** The hits of one search, one list a query. */
function hitsOf(...queries: readonly (readonly Hit[])[]): SearchHits {
  const flat = queries.flat();
  const values = BigInt64Array.from(flat, ([key]) => BigInt(key));
  return {
    readTimestamp: 1n as Timestamp,
    counts: Uint32Array.from(queries, ({ length }) => length),
    keys: { dataType: DataType.Int64, length: flat.length, validity: null, values },
    scores: Float32Array.from(flat, ([, score]) => score),
    locations: {
      segmentIds: [1n as SegmentId],
      segments: new Uint32Array(flat.length),
      rows: Uint32Array.from(flat, ([key]) => key),
    },
  };
}

function fuse(
  ranking: Exclude<Ranking, ModelRanking>,
  ...legs: readonly (readonly [MetricType, SearchHits])[]
) {
  const lists = { hits: legs.map(([, hits]) => hits), metrics: legs.map(([metric]) => metric) };
  const { queries } = runAtOnce(fuseHits(lists, ranking));
  return queries.map((hits) => hits.map(({ key, score }) => [Number(key), score] as const));
}

const RRF: RrfRanking = { kind: 'rrf', k: 60 };

test('adds up reciprocal ranks, equal sums by key', () => {
  const near = hitsOf([
    [7, 0.1],
    [3, 0.2],
  ]);
  const far = hitsOf([
    [3, 9],
    [7, 8],
  ]);
  const sum = Math.fround(1 / 61 + 1 / 62);
  assert.deepEqual(fuse(RRF, ['L2', near], ['IP', far]), [
    [
      [3, sum],
      [7, sum],
    ],
  ]);
});

test('fuses each query by itself, also where a leg has found nothing', () => {
  const first = hitsOf([[1, 5]], []);
  const second = hitsOf([], [[2, 5]]);
  const score = Math.fround(1 / 61);
  assert.deepEqual(fuse(RRF, ['IP', first], ['IP', second]), [[[1, score]], [[2, score]]]);
});

test('keeps distances as they are when all legs have them and nobody normalises', () => {
  const plain: Ranking = { kind: 'weighted', weights: [1, 0.5], normalises: false };
  const legs = [
    [
      'L2',
      hitsOf([
        [1, 4],
        [2, 6],
      ]),
    ],
    [
      'HAMMING',
      hitsOf([
        [2, 1],
        [1, 10],
      ]),
    ],
  ] as const;
  assert.deepEqual(fuse(plain, ...legs), [
    [
      [2, 6.5],
      [1, 9],
    ],
  ]);
  const mixed = fuse(plain, ['IP', hitsOf([[1, 4]])], ['L2', hitsOf([[1, 1]])]);
  assert.deepEqual(mixed, [[[1, Math.fround(4 + 0.5 * 0.5)]]]);
});

test('a hit of the fusion is found where its leg has found it', () => {
  const legs = {
    hits: [
      hitsOf([[1, 1]]),
      hitsOf([
        [5, 1],
        [1, 0.5],
      ]),
    ],
    metrics: ['IP', 'IP'] as const,
  };
  const { queries } = runAtOnce(fuseHits(legs, RRF));
  const hits = runAtOnce(hitsOfFusion(legs.hits, queries));
  assert.deepEqual([...hits.locations.rows], [1, 5]);
  assert.deepEqual([...hits.counts], [2]);
});

const SCORE = fc.float({ noNaN: true, min: -1000, max: 1000 });
const LEG = fc.uniqueArray(fc.tuple(fc.integer({ min: 0, max: 30 }), SCORE), {
  selector: ([key]) => key,
  maxLength: 20,
});
const CURVE = { kind: 'decay', fieldName: 'f', mode: 'max', normalises: false } as const;
const DECAY = {
  kind: fc.constant('decay' as const),
  fieldName: fc.constant('f'),
  curve: fc.constant('exp' as const),
  origin: fc.constant(0),
  scale: fc.constant(1),
  offset: fc.constant(0),
  decay: fc.constant(0.5),
};
const METRIC = fc.constantFrom<MetricType>('L2', 'IP', 'COSINE', 'BM25', 'JACCARD');

test('the score of every hit can be worked out again of what its legs say', () => {
  const rankings = fc.oneof(
    fc.record({ kind: fc.constant('rrf' as const), k: fc.integer({ min: 1, max: 100 }) }),
    fc.record({
      kind: fc.constant('weighted' as const),
      weights: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
      normalises: fc.boolean(),
    }),
    fc.record({
      ...DECAY,
      mode: fc.constantFrom<DecayRanking['mode']>('max', 'sum', 'avg'),
      normalises: fc.boolean(),
    }),
  );
  const legs = fc.array(fc.tuple(METRIC, LEG), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(rankings, legs, (ranking, drawn) => {
      // Rows in the middle count most, some not at all.
      const factorOf = ({ key }: FusedHit) => Math.max(0, 1 - Math.abs(Number(key) - 15) / 13);
      const lists = { hits: drawn.map(([, leg]) => hitsOf(leg)), metrics: drawn.map(([metric]) => metric) };
      const scoring = legScoring(lists, ranking);
      const isDecay = ranking.kind === 'decay';
      const [hits] = runAtOnce(fuseHits(lists, ranking, isDecay ? factorOf : null)).queries;
      assert.equal(hits!.length, new Set(drawn.flatMap(([, leg]) => leg.map(([key]) => key))).size);
      for (const hit of hits!) {
        assert.equal(hit.score, scoreSaidBy(scoring(hit)));
        if (isDecay) assert.equal(hit.score, decayedScore(hit, ranking, lists, factorOf(hit)));
      }
    }),
  );
});

/** What whoever is told of the legs works out. */
function scoreSaidBy(legs: readonly LegScore[]): number {
  const sum = legs.reduce((total, { normalised, weight }) => total + (normalised ?? 0) * weight, 0);
  return Math.fround(sum);
}

/** By the words of the documentation. */
function decayedScore(
  { places }: FusedHit,
  { mode, normalises }: DecayRanking,
  { hits, metrics }: Legs,
  factor: number,
): number {
  const scores = places.flatMap((place, leg) => {
    if (place < 0) return [];
    const metric = metrics[leg]!;
    const raw = hits[leg]!.scores[place]!;
    return [normalises ? normalisedScore(raw, metric) : risingScore(raw, metric)];
  });
  switch (mode) {
    case 'max':
      // A sum is never the negative zero.
      return Math.fround(0 + Math.max(...scores) * factor);
    case 'sum':
      return Math.fround(scores.reduce((sum, score) => sum + score * factor, 0));
    case 'avg':
      return Math.fround(scores.reduce((sum, score) => sum + score * (factor / scores.length), 0));
  }
}

test('a model says the score, whichever legs have found the row', () => {
  const near = hitsOf([
    [7, 0.1],
    [3, 0.2],
  ]);
  const legs: Legs = { hits: [near, hitsOf([[3, 9]]), hitsOf([[5, 4]])], metrics: ['L2', 'IP', 'IP'] };
  const [rows] = runAtOnce(rowsByQuery(legs));
  const scoring = legScoring(legs, { kind: 'model' } as ModelRanking);
  for (const [at, hit] of rows!.entries()) {
    hit.score = Math.fround(0.3 + at);
    assert.equal(scoreSaidBy(scoring(hit)), hit.score);
  }
  const none = { raw: null, normalised: null, weight: 0 };
  const score = Math.fround(1.3);
  assert.deepEqual(scoring(rows![1]!), [
    { raw: Math.fround(0.2), normalised: score, weight: 1 },
    { raw: 9, normalised: score, weight: 0 },
    none,
  ]);
});

test('of a row that decays the best leg counts by the factor', () => {
  const legs: Legs = { hits: [hitsOf([[3, 0.5]]), hitsOf([[3, 0.75]])], metrics: ['IP', 'COSINE'] };
  const ranking: DecayRanking = { ...CURVE, curve: 'exp', origin: 0, scale: 1, offset: 0, decay: 0.5 };
  const [[hit]] = runAtOnce(fuseHits(legs, ranking, () => 0.25)).queries as [[FusedHit]];
  assert.equal(hit.score, 0.1875);
  assert.deepEqual(legScoring(legs, ranking)(hit), [
    { raw: 0.5, normalised: 0.5, weight: 0 },
    { raw: 0.75, normalised: 0.75, weight: 0.25 },
  ]);
});

test('normalised scores lie between 0 and 1, the better the larger', () => {
  fc.assert(
    fc.property(
      METRIC,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (metric, a, b) => {
        const [x, y] = [normalisedScore(a, metric), normalisedScore(b, metric)];
        assert.ok(x >= 0 && x <= 1);
        const isDistance = metric === 'L2' || metric === 'JACCARD';
        if (a < b) assert.ok(isDistance ? x >= y : x <= y);
      },
    ),
  );
});

const FACTORS: readonly (readonly [DecayRanking['curve'], value: number, factor: number])[] = [
  ['gauss', 100, 1],
  ['gauss', 110, 1],
  ['gauss', 130, 0.3],
  ['gauss', 70, 0.3],
  ['gauss', 150, 0.3 ** 4],
  ['exp', 130, 0.3],
  ['exp', 150, 0.3 ** 2],
  ['linear', 120, 0.65],
  ['linear', 130, 0.3],
  ['linear', 1000, 0.3],
];
for (const [curve, value, factor] of FACTORS) {
  test(`${curve} makes ${factor} of a distance of ${Math.abs(value - 100)}`, () => {
    const ranking = { ...CURVE, curve, origin: 100, scale: 20, offset: 10, decay: 0.3 };
    assert.ok(Math.abs(decayFactor(value, ranking) - factor) < 1e-12);
  });
}
