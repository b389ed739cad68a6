import { type Mistake, mistakesOf } from './mistake.ts';

const ending = ': invalid parameter';
const EMPTY_FILTER = 'invalid expression: invalid parameter[expected=valid expr][actual=empty expr]';
const wrongFilter = (filter: string) =>
  new RegExp(
    `^failed to create delete plan: cannot parse expression: ${RegExp.escape(filter.slice(0, 50))}.*, error: .*: invalid parameter$`,
  );

/** Deletes that name nothing that could be deleted. */
export const DELETE_MISTAKES: readonly Mistake[] = mistakesOf('Delete', [
  ['no filter', { collectionName: 'books' }, 1100, EMPTY_FILTER],
  ['a blank filter', { collectionName: 'books', expr: ' ' }, 1100, EMPTY_FILTER],
  ...['id >', 'nothing', 'id', "id == 'one'", 'id in [1, "a"]', `(${'('.repeat(5_000)}id > 0`].map(
    (expr) =>
      [
        `the filter ${expr.slice(0, 20)}`,
        { collectionName: 'books', expr },
        1100,
        wrongFilter(expr),
      ] as const,
  ),
  ['a field that is not there', { collectionName: 'plain', expr: 'size > 1' }, 1100, wrongFilter('size > 1')],
  [
    'a variable without a value',
    { collectionName: 'books', expr: 'id in {ids}' },
    1100,
    `failed to create delete plan: the value of expression template variable name {ids} is not found${ending}`,
  ],
  [
    'a variable with a value of no type',
    { collectionName: 'books', expr: 'id == {one}', exprTemplateValues: new Map([['one', {}]]) },
    1100,
    `failed to create delete plan: the value of expression template variable {one} has no type${ending}`,
  ],
  [
    'an unknown partition',
    { collectionName: 'books', expr: 'id == 1', partitionName: 'old' },
    200,
    'partition not found[partition=old]',
  ],
  [
    'a partition name that is none',
    { collectionName: 'books', expr: 'id == 1', partitionName: 'a b' },
    1100,
    `Invalid partition name: a b. Partition name can only contain numbers, letters and underscores.${ending}`,
  ],
  [
    'a partition by name where the partition key decides',
    { collectionName: 'shelved', expr: 'id == 1', partitionName: '_default_0' },
    1100,
    `not support manually specifying the partition names if partition key mode is used${ending}`,
  ],
  [
    'a filter on rows that are not loaded',
    { collectionName: 'asleep', expr: 'pages > 300' },
    101,
    'collection not loaded[collection=asleep]',
  ],
  [
    'a filter on a partition that is not loaded',
    { collectionName: 'plain', expr: 'id > 0', partitionName: 'other' },
    201,
    'partition not loaded[partition=other]',
  ],
  [
    'a filter on a field that is not loaded',
    { collectionName: 'plain', expr: 'isbn > 0' },
    1100,
    `field isbn is not loaded${ending}`,
  ],
]);
