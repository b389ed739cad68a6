import type { common_SearchAggregationSpec, Draft, Methods } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { params, placeholder } from './request-drafts.ts';

type Spec = Draft<common_SearchAggregationSpec>;
type SearchDraft = Draft<Methods['Search']['request']>;

const ending = ': invalid parameter';
const LEVEL: Spec = { fields: ['title'], size: 3n };

const search = (
  spec: Spec,
  parameters: Readonly<Record<string, string>> = {},
  rest: SearchDraft = {},
): SearchDraft => ({
  collectionName: 'books',
  dslType: 1,
  nq: 1n,
  placeholderGroup: placeholder([1, 2]),
  searchParams: params({ topk: '3', ...parameters }),
  searchAggregation: { ...LEVEL, ...spec },
  ...rest,
});
const metric = (op: string, fieldName: string) => search({ metrics: new Map([['m', { op, fieldName }]]) });
const order = (key: string, direction = 'asc') => search({ order: [{ key, direction }] });
const top = (fieldName: string, size = 1n) =>
  search({ topHits: { size, sort: [{ fieldName, direction: 'asc' }] } });
const nested = (depth: number): Spec =>
  depth === 1 ? LEVEL : { ...LEVEL, subAggregation: nested(depth - 1) };

type Row = readonly [what: string, request: SearchDraft, reason: string];

/** What no buckets can be. */
const SPECS: readonly Row[] = [
  ['buckets of nothing', search({ fields: [] }), 'fields must not be empty'],
  ['buckets twice by one field', search({ fields: ['title', 'title'] }), 'duplicated field in fields'],
  ['buckets of no field', search({ fields: ['nothing'] }), 'field nothing not exist'],
  ['buckets of floats', search({ fields: ['price'] }), 'field price has a type that makes no buckets'],
  ['buckets of vectors', search({ fields: ['vector'] }), 'field vector has a type that makes no buckets'],
  ['no buckets', search({ size: 0n }), 'size [0] should be in range [1, 16384]'],
  ['too many buckets', search({ size: 16_385n }), 'size [16385] should be in range [1, 16384]'],
  ['five levels of buckets', search(nested(5)), 'at most 4 levels'],
  ['an unknown metric', metric('median', 'level'), 'metric m: unknown op median'],
  ['a sum of hits', metric('sum', '*'), "metric m: '*' is only valid for count"],
  ['a metric of no field', metric('sum', 'nothing'), 'field nothing not exist'],
  ['a sum of texts', metric('sum', 'title'), 'metric m: sum does not support field title'],
  ['the least vector', metric('min', 'vector'), 'metric m: min does not support field vector'],
  ['an order by no metric', order('x'), 'order key x must be a metric alias, _count or _key'],
  ['an order that goes nowhere', order('_key', 'up'), 'direction up must be asc or desc'],
  ['no top hits', top('level', 0n), 'top_hits.size [0] should be in range [1, 16384]'],
  ['top hits by vectors', top('vector'), "field vector has a type that can't be sorted"],
  ['too large a pool', search({ searchSize: 16_385n }), 'search_size [16385] should be in range [1, 16384]'],
];

/** What cannot be asked for beside buckets. */
const CONFLICTS: readonly Row[] = [
  [
    'buckets and groups',
    search({}, { group_by_field: 'title' }),
    `search_aggregation and group_by_field are mutually exclusive`,
  ],
  ['buckets with an offset', search({}, { offset: '1' }), `search_aggregation does not support offset`],
  [
    'buckets in an order',
    search({}, { order_by_fields: 'id' }),
    `search_aggregation does not support order_by_fields`,
  ],
  [
    'buckets in an iterator',
    search({}, { iterator: 'True' }),
    `search_aggregation does not support search iterators`,
  ],
];

/** Buckets that no search can have. */
export const SEARCH_AGGREGATION_MISTAKES: readonly Mistake[] = mistakesOf('Search', [
  ...SPECS.map(
    ([what, request, reason]) => [what, request, 1100, `search_aggregation: ${reason}${ending}`] as const,
  ),
  ...CONFLICTS.map(([what, request, reason]) => [what, request, 1100, `${reason}${ending}`] as const),
]);
