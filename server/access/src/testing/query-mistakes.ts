import type { Draft, Methods } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { HIDDEN_PARTITIONS, range, UNREADABLE, WRONG_FILTERS, wrongFilter } from './read-mistakes.ts';
import { params } from './request-drafts.ts';

type QueryDraft = Draft<Methods['Query']['request']>;

const ending = ': invalid parameter';

const query = (rest: QueryDraft, parameters: Readonly<Record<string, string>> = {}): QueryDraft => ({
  collectionName: 'books',
  expr: 'id > 0',
  queryParams: params(parameters),
  ...rest,
});

/** Queries that cannot be answered. */
export const QUERY_MISTAKES: readonly Mistake[] = mistakesOf('Query', [
  ...UNREADABLE.map(
    ([what, request, code, reason]) =>
      [what, query({ expr: '', ...request }, { limit: '1' }), code, reason] as const,
  ),
  [
    'partitions of a partition key',
    query({ collectionName: 'shelved', partitionNames: ['_default_0'] }),
    1100,
    `${HIDDEN_PARTITIONS}${ending}`,
  ],
  ...WRONG_FILTERS.map(
    (expr) => [`the filter ${expr.slice(0, 30)}`, query({ expr }), 1100, wrongFilter(expr)] as const,
  ),
  [
    'a filter on a field that is not loaded',
    query({ collectionName: 'plain', expr: 'isbn > 0' }),
    1100,
    `failed to create query plan: field isbn is not loaded${ending}`,
  ],
  [
    'a variable with a value of no type',
    query({ expr: 'id == {one}', exprTemplateValues: new Map([['one', {}]]) }),
    1100,
    `failed to create query plan: the value of expression template variable {one} has no type${ending}`,
  ],
  [
    'neither filter nor limit',
    query({ expr: ' ' }),
    1100,
    `empty expression should be used with limit${ending}`,
  ],
  [
    'a count of pages',
    query({ outputFields: ['count(*)'] }, { limit: '3' }),
    1100,
    `count entities with pagination is not allowed${ending}`,
  ],
  [
    'an aggregate that there is not',
    query({ outputFields: ['median(id)'] }),
    65535,
    'parse output field name failed: median(id)',
  ],
  ...['0', '-1', '16385', '9007199254740991'].map(
    (limit) => [`a limit of ${limit}`, query({}, { limit }), 1100, range('limit', limit)] as const,
  ),
  ['a limit that is no number', query({}, { limit: 'ten' }), 1100, `limit [ten] is invalid${ending}`],
  [
    'a limit that no number holds',
    query({}, { limit: '99999999999999999999' }),
    1100,
    `limit [99999999999999999999] is invalid${ending}`,
  ],
  ...['-1', '16385'].map(
    (offset) =>
      [
        `an offset of ${offset}`,
        query({}, { limit: '1', offset }),
        1100,
        range('offset', offset, 0),
      ] as const,
  ),
  [
    'a window that is too large',
    query({}, { limit: '16384', offset: '2' }),
    1100,
    `invalid max query result window, (offset+limit) should be in range [1, 16384], but got 16386${ending}`,
  ],
  [
    'params that are no object',
    query({}, { params: '[1]' }),
    1100,
    'search params: invalid parameter[expected=json object][actual=[1]]',
  ],
  [
    'the next page of a collection that has taken the name of another',
    query({}, { iterator: 'True', collection_id: '8' }),
    1100,
    `Input collection id is not consistent to collectionID in the context,alias or database may have changed${ending}`,
  ],
]);
