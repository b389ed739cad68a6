import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMPACTION_LIMITS_DEFAULT, planCompactions, type SegmentFacts } from './compaction-policy.ts';

const limits = { ...COMPACTION_LIMITS_DEFAULT, bytesMax: 1_000, smallShare: 0.5, segmentsMin: 4 };

interface Named extends SegmentFacts {
  readonly name: string;
}

const segment = (name: string, bytes: number, deletedRows = 0): Named => ({
  name,
  bytes,
  rows: 100,
  deletedRows,
});

const CASES: readonly {
  readonly what: string;
  readonly segments: readonly Named[];
  readonly asked: readonly string[];
  readonly automatic: readonly string[];
}[] = [
  { what: 'nothing', segments: [], asked: [], automatic: [] },
  { what: 'one sound segment', segments: [segment('a', 100)], asked: [], automatic: [] },
  { what: 'one with a deleted row', segments: [segment('a', 100, 1)], asked: ['a'], automatic: [] },
  { what: 'one with many deleted rows', segments: [segment('a', 100, 20)], asked: ['a'], automatic: ['a'] },
  { what: 'a large one with many', segments: [segment('a', 900, 30)], asked: ['a'], automatic: ['a'] },
  { what: 'one without any row left', segments: [segment('a', 900, 100)], asked: ['a'], automatic: ['a'] },
  {
    what: 'two small ones',
    segments: [segment('a', 100), segment('b', 100)],
    asked: ['ab'],
    automatic: [],
  },
  {
    what: 'many small ones, and a large one between',
    segments: [...'abc'].map((name) => segment(name, 300)).concat(segment('L', 600), segment('d', 50)),
    asked: ['abcd'],
    automatic: ['abcd'],
  },
  {
    what: 'more than fit into one',
    segments: [...'abcdefgh'].map((name) => segment(name, 240)),
    asked: ['abcd', 'efgh'],
    automatic: ['abcd', 'efgh'],
  },
  {
    what: 'few small ones, some of them with many deleted rows',
    segments: [segment('a', 100), segment('b', 100, 50), segment('c', 100, 60)],
    asked: ['abc'],
    automatic: ['bc'],
  },
];

for (const { what, segments, asked, automatic } of CASES) {
  test(`puts together what it should of ${what}`, () => {
    const names = (reason: 'asked' | 'automatic') =>
      planCompactions(segments, limits, reason).map((group) => group.map(({ name }) => name).join(''));
    assert.deepEqual(names('asked'), asked);
    assert.deepEqual(names('automatic'), automatic);
  });
}
