import { DataType } from '@elanus/model';
import { type Draft, encode, type Methods } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { A_BOOST, SCORE_MISTAKES } from './ranking-mistakes.ts';
import { HIDDEN_PARTITIONS, range, UNREADABLE, WRONG_FILTERS, wrongFilter } from './read-mistakes.ts';
import { params, placeholder } from './request-drafts.ts';

type HybridDraft = Draft<Methods['HybridSearch']['request']>;
type LegDraft = Draft<Methods['Search']['request']>;
type Pairs = Readonly<Record<string, string>>;

const ending = ': invalid parameter';

const leg = (rest: LegDraft = {}, parameters: Pairs = {}): LegDraft => ({
  collectionName: 'books',
  dslType: 1,
  nq: 1n,
  placeholderGroup: placeholder([1, 2]),
  searchParams: params({ topk: '3', anns_field: 'vector', ...parameters }),
  ...rest,
});

const hybrid = (rest: HybridDraft = {}, ranking: Pairs = {}): HybridDraft => ({
  collectionName: 'books',
  requests: [leg(), leg()],
  rankParams: params({ strategy: 'rrf', params: '{"k": 60}', limit: '3', ...ranking }),
  ...rest,
});

/** A hybrid search whose second leg is wrong. */
const withLeg = (rest: LegDraft, parameters: Pairs = {}) =>
  hybrid({ requests: [leg(), leg(rest, parameters)] });
const weighted = (weights: string, more = '') =>
  hybrid({}, { strategy: 'weighted', params: `{"weights": ${weights}${more}}` });

const grouped = (pairs: Pairs) => hybrid({}, { group_by_field: 'title', ...pairs });

const MISTAKES: readonly (readonly [what: string, request: HybridDraft, reason: string | RegExp])[] = [
  ['no legs', hybrid({ requests: [] }), 'minimum of ann search requests is 1'],
  [
    'too many legs',
    hybrid({ requests: Array.from({ length: 1025 }, () => leg()) }),
    'maximum of ann search requests is 1024',
  ],
  ['no limit', hybrid({}, { limit: '' }), 'limit not found in rank_params'],
  ['a limit that is no number', hybrid({}, { limit: 'ten' }), 'limit [ten] is invalid'],
  [
    'a window that is too large',
    hybrid({}, { limit: '16384', offset: '1' }),
    'invalid max query result window, (offset+limit) should be in range [1, 16384], but got 16385',
  ],
  [
    'seven decimal places',
    hybrid({}, { round_decimal: '7' }),
    'round_decimal [7] is invalid, should be -1 or an integer in range [0, 6]',
  ],
  ['an unknown strategy', hybrid({}, { strategy: 'vote' }), 'unsupported rank type vote'],
  ...['0', '16384', '-1'].map(
    (k) =>
      [
        `a k of ${k}`,
        hybrid({}, { params: `{"k": ${k}}` }),
        `The rank params k should be in range (0, 16384), but got ${k}`,
      ] as const,
  ),
  [
    'a k that is no number',
    hybrid({}, { params: '{"k": "sixty"}' }),
    'The type of rank param k should be float, but got sixty',
  ],
  ['no weights', hybrid({}, { strategy: 'weighted', params: '{}' }), 'weights not found in rank_params'],
  ['weights that are no list', weighted('0.5'), 'weights [0.5] is invalid, it should be a list'],
  [
    'a weight that is no number',
    weighted('[0.5, "much"]'),
    'The type of rank param weight should be float, but got "much"',
  ],
  [
    'a doubtful normalisation',
    weighted('[1, 1]', ', "norm_score": "maybe"'),
    'norm_score [maybe] is invalid, it should be true or false',
  ],
  [
    'legs with different numbers of queries',
    hybrid({ requests: [leg(), leg({ nq: 2n, placeholderGroup: placeholder([1, 2], [3, 4]) })] }),
    'nq of all sub search requests must be the same, but got 1 and 2',
  ],
  [
    'a leg that is an iterator',
    withLeg({}, { iterator: 'True' }),
    'iterator is not supported in hybrid search',
  ],
  ...['group_by_field', 'group_by_fields', 'order_by_fields'].map(
    (name) =>
      [
        `a leg with ${name}`,
        withLeg({}, { [name]: 'title' }),
        `${name} is not supported in a sub search request of hybrid search`,
      ] as const,
  ),
  [
    'a leg with functions',
    withLeg({ functionScore: A_BOOST }),
    'a sub search request of hybrid search has no functions of its own',
  ],
  [
    'a leg that aggregates',
    withLeg({ searchAggregation: { fields: ['title'] } }),
    'search_aggregation is not supported in hybrid search',
  ],
  ['a leg without a limit', withLeg({}, { topk: '' }), 'topk not found in search_params'],
  [
    'a leg on an unknown field',
    withLeg({}, { anns_field: 'nothing' }),
    'failed to get field schema by name: fieldName(nothing) not found',
  ],
  [
    'a leg on a text without a function',
    withLeg({}, { anns_field: 'title' }),
    'field (title) to search is not of vector type',
  ],
  [
    'a leg of another dimension',
    withLeg({ placeholderGroup: placeholder([1, 2, 3]) }),
    'vector dimension mismatch, expected vector size(byte) 8, actual 12',
  ],
  [
    'a leg of bits on floats',
    withLeg({
      placeholderGroup: encode('common.PlaceholderGroup', {
        placeholders: [{ tag: '$0', type: DataType.BinaryVector, values: [Buffer.alloc(8)] }],
      }),
    }),
    'vector type must be the same, field vector - type FloatVector, search info type BinaryVector',
  ],
  [
    'groups of no field',
    hybrid({ collectionName: 'plain', requests: [leg(), leg()] }, { group_by_field: 'x' }),
    'groupBy field not found in schema',
  ],
  [
    'groups of floats',
    grouped({ group_by_field: 'price' }),
    'unsupported data type for group by operator, field: price',
  ],
  ['groups without rows', grouped({ group_size: '0' }), 'input group size:0 is non-positive'],
  [
    'groups of eleven',
    grouped({ group_size: '11' }),
    'input group size:11 exceeds configured max group size:10',
  ],
  [
    'groups that count by luck',
    grouped({ rank_group_scorer: 'luck' }),
    'input group scorer type: luck is not supported',
  ],
  [
    'groups within a range',
    {
      ...grouped({}),
      requests: [leg(), leg({}, { radius: '5' })],
    },
    'Not allowed to do range-search when doing search-group-by',
  ],
  ['a boost', hybrid({ functionScore: A_BOOST }), 'boost rerank is not supported in hybrid search'],
  ...SCORE_MISTAKES.map(
    ([what, functionScore, reason]) => [what, hybrid({ functionScore }), reason] as const,
  ),
];

/** Hybrid searches that cannot be answered. */
export const HYBRID_SEARCH_MISTAKES: readonly Mistake[] = mistakesOf('HybridSearch', [
  ...UNREADABLE.map(
    ([what, { collectionName, partitionNames, outputFields }, code, reason]) =>
      [what, hybrid(defined({ collectionName, partitionNames, outputFields })), code, reason] as const,
  ),
  [
    'partitions of a partition key',
    hybrid({ collectionName: 'shelved', partitionNames: ['_default_0'] }),
    65535,
    HIDDEN_PARTITIONS,
  ],
  ...WRONG_FILTERS.slice(0, 4).map(
    (dsl) => [`a leg with the filter ${dsl.slice(0, 30)}`, withLeg({ dsl }), 1100, wrongFilter(dsl)] as const,
  ),
  ...['0', '-1', '16385'].map(
    (limit) => [`a limit of ${limit}`, hybrid({}, { limit }), 1100, range('limit', limit)] as const,
  ),
  ...['-1', '16385'].map(
    (offset) => [`an offset of ${offset}`, hybrid({}, { offset }), 1100, range('offset', offset, 0)] as const,
  ),
  ['a leg with too large a limit', withLeg({}, { topk: '16385' }), 1100, range('topk', 16_385)],
  [
    'another number of weights than of legs',
    weighted('[1]'),
    1100,
    'the length of weights param mismatch with ann search requests: invalid parameter[expected=2][actual=1]',
  ],
  ...['-0.1', '1.5'].map(
    (weight) =>
      [
        `a weight of ${weight}`,
        weighted(`[1, ${weight}]`),
        1100,
        `rank param weight should be in range [0, 1]: invalid parameter[expected=[0, 1]][actual=${weight}]`,
      ] as const,
  ),
  [
    'a leg with another metric than its index',
    withLeg({}, { metric_type: 'IP' }),
    1100,
    'metric type not match: invalid parameter[expected=L2][actual=IP]',
  ],
  ...MISTAKES.map(
    ([what, request, reason]) =>
      [what, request, 1100, typeof reason === 'string' ? `${reason}${ending}` : reason] as const,
  ),
]);

/** Without the members that are not there. */
function defined<Members extends object>(
  members: Members,
): { [Name in keyof Members]?: NonNullable<Members[Name]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Members]?: NonNullable<Members[Name]>;
  };
}
