import { type Mistake, mistakesOf } from './mistake.ts';

/** Whoever polls stops at an end: a compaction that nobody remembers has ended. */
export const COMPACTION_MISTAKES: readonly Mistake[] = [
  ...mistakesOf('ManualCompaction', [
    ['a collection id that nobody has', { collectionID: 7n }, 100, 'collection not found[collection=7]'],
    [
      'a partition id that nobody has',
      { collectionName: 'books', partitionId: 7n },
      200,
      'partition not found[partition=7]',
    ],
  ]),
  ...mistakesOf('GetCompactionState', [['a compaction of nobody', { compactionID: 7n }, 0, '']]),
  ...mistakesOf('GetCompactionStateWithPlans', [['a compaction of nobody', { compactionID: 7n }, 0, '']]),
];
