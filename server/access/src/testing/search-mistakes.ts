import { DataType } from '@elanus/model';
import { type Draft, encode, type Methods } from '@elanus/proto';
import { GRAPH_SEARCHES } from './graph-index-mistakes.ts';
import { type Mistake, mistakesOf } from './mistake.ts';
import { A_BOOST, A_DECAY, BOOST_MISTAKES, SCORE_MISTAKES } from './ranking-mistakes.ts';
import {
  HIDDEN_PARTITIONS,
  range,
  UNREADABLE,
  UNSERVED,
  WRONG_FILTERS,
  wrongFilter,
} from './read-mistakes.ts';
import { params, placeholder } from './request-drafts.ts';

type SearchDraft = Draft<Methods['Search']['request']>;

const ending = ': invalid parameter';

const search = (rest: SearchDraft, parameters: Readonly<Record<string, string>> = {}): SearchDraft => ({
  collectionName: 'books',
  dslType: 1,
  nq: 1n,
  placeholderGroup: placeholder([1, 2]),
  searchParams: params({ topk: '3', ...parameters }),
  ...rest,
});

/** A search of `shapes` with one query of `type` in these bytes. */
const shaped = (field: string, type: DataType, hex: string) =>
  search(
    {
      collectionName: 'shapes',
      placeholderGroup: encode('common.PlaceholderGroup', {
        placeholders: [{ tag: '$0', type, values: [Buffer.from(hex, 'hex')] }],
      }),
    },
    { anns_field: field },
  );

const V2_PAGE = { iterator: 'True', search_iter_v2: 'true', search_iter_batch_size: '3' };
const NQ = 'nq (number of search vector per search request) should be in range [1, 16384], but got';

/** Query vectors that do not fit their field. */
const VECTORS: readonly (readonly [what: string, request: SearchDraft, reason: string | RegExp])[] = [
  [
    'a vector of another dimension',
    search({ placeholderGroup: placeholder([1, 2, 3]) }),
    `vector dimension mismatch, expected vector size(byte) 8, actual 12${ending}`,
  ],
  [
    'vectors of which one has another dimension',
    search({ nq: 2n, placeholderGroup: placeholder([1, 2], [1]) }),
    `vector dimension mismatch, expected vector size(byte) 8, actual 4${ending}`,
  ],
  [
    'a vector with NaN',
    search({ placeholderGroup: placeholder([1, Number.NaN]) }),
    `query vector 0 holds NaN or infinity${ending}`,
  ],
  [
    'a vector with infinity',
    search({ nq: 2n, placeholderGroup: placeholder([1, 2], [1, Number.NEGATIVE_INFINITY]) }),
    `query vector 1 holds NaN or infinity${ending}`,
  ],
  ['no query', search({ nq: 0n, placeholderGroup: placeholder() }), `nq [0] is invalid, ${NQ} 0${ending}`],
  [
    'too many queries',
    search({ nq: 16_385n, placeholderGroup: placeholder(...Array.from({ length: 16_385 }, () => [1, 2])) }),
    `nq [16385] is invalid, ${NQ} 16385${ending}`,
  ],
  [
    'another number of queries than announced',
    search({ nq: 2n }),
    `nq [2] does not equal the number of placeholder values [1]${ending}`,
  ],
  [
    'no placeholder',
    search({ placeholderGroup: new Uint8Array() }),
    `a search needs exactly one placeholder, got 0${ending}`,
  ],
  [
    'two placeholders',
    search({ placeholderGroup: Buffer.concat([placeholder([1, 2]), placeholder([1, 2])]) }),
    `a search needs exactly one placeholder, got 2${ending}`,
  ],
  [
    'a broken placeholder',
    search({ placeholderGroup: placeholder([1, 2]).subarray(0, -1) }),
    /^cannot read common\.PlaceholderGroup: .*: invalid parameter$/,
  ],
  [
    'bits for a field of floats',
    search({
      placeholderGroup: encode('common.PlaceholderGroup', {
        placeholders: [{ tag: '$0', type: DataType.BinaryVector, values: [Buffer.alloc(8)] }],
      }),
    }),
    `vector type must be the same, field vector - type FloatVector, search info type BinaryVector${ending}`,
  ],
  [
    'floats for a field of bits',
    shaped('bits', DataType.FloatVector, '0000803f'),
    `vector type must be the same, field bits - type BinaryVector, search info type FloatVector${ending}`,
  ],
  [
    'too many bits',
    shaped('bits', DataType.BinaryVector, '0f0f'),
    `vector dimension mismatch, expected vector size(byte) 1, actual 2${ending}`,
  ],
  [
    'a float16 infinity',
    shaped('half', DataType.Float16Vector, '003c007c'),
    `query vector 0 holds NaN or infinity${ending}`,
  ],
  [
    'a bfloat16 NaN',
    shaped('brain', DataType.BFloat16Vector, '803fc07f'),
    `query vector 0 holds NaN or infinity${ending}`,
  ],
  [
    'half a sparse element',
    shaped('sparse', DataType.SparseFloatVector, '01000000'),
    `invalid data length in sparse float vector of query 0: 4${ending}`,
  ],
  [
    'sparse indices that fall',
    shaped('sparse', DataType.SparseFloatVector, '020000000000803f010000000000803f'),
    `unsorted or same indices in sparse float vector of query 0${ending}`,
  ],
];

const scores = [...SCORE_MISTAKES, ...BOOST_MISTAKES].map(
  ([what, functionScore, reason]) => [what, search({ functionScore }), reason] as const,
);
const grouped = (parameters: Readonly<Record<string, string>>, rest: SearchDraft = {}) =>
  search(rest, { group_by_field: 'title', ...parameters });

/** Iterators, groups, orders and functions that no search can have, or not together. */
const FORMS: readonly (readonly [what: string, request: SearchDraft, reason: string])[] = [
  [
    'an iterator with an offset',
    search({}, { ...V2_PAGE, offset: '1' }),
    'offset is not supported for search iterator v2',
  ],
  [
    'an iterator without a page size',
    search({}, { ...V2_PAGE, search_iter_batch_size: '' }),
    'batch size is required for search iterator v2',
  ],
  [
    'the page of an iterator by a token that is none',
    search({}, { ...V2_PAGE, search_iter_id: 'next', search_iter_last_bound: '1' }),
    'invalid token format',
  ],
  [
    'an iterator that is none',
    search({}, { search_iter_v2: 'true' }),
    'search_iter_v2 requires iterator to be true',
  ],
  [
    'groups of no field',
    search({ collectionName: 'plain' }, { group_by_field: 'x' }),
    'groupBy field not found in schema',
  ],
  [
    'groups of vectors',
    grouped({ group_by_field: 'vector' }),
    'unsupported data type for group by operator, field: vector',
  ],
  [
    'groups of floats',
    grouped({ group_by_field: 'price' }),
    'unsupported data type for group by operator, field: price',
  ],
  [
    'groups of lists',
    grouped({ group_by_field: 'tags' }),
    'unsupported data type for group by operator, field: tags',
  ],
  [
    'groups of whole JSON values',
    grouped({ group_by_field: 'notes' }),
    'unsupported data type for group by operator, field: notes',
  ],
  [
    'groups of JSON of an unknown type',
    grouped({ group_by_field: 'notes["a"]', json_type: 'Double' }),
    'unsupported data type Double for group by operator',
  ],
  [
    'groups of JSON along no path',
    grouped({ group_by_field: 'notes', json_path: 'a.b' }),
    'json_path [a.b] is invalid',
  ],
  [
    'groups twice by one field',
    grouped({ group_by_field: '', group_by_fields: 'title, level,title' }),
    'duplicated field in group_by_fields: title,level,title',
  ],
  ['groups without rows', grouped({ group_size: '0' }), 'input group size:0 is non-positive'],
  ['groups of a size that is no number', grouped({ group_size: 'few' }), 'group_size [few] is invalid'],
  [
    'groups of eleven',
    grouped({ group_size: '11' }),
    'input group size:11 exceeds configured max group size:10',
  ],
  ['groups in an iterator', grouped(V2_PAGE), 'GroupBy is not permitted when using a search iterator'],
  [
    'groups in an old iterator',
    grouped({ iterator: 'True' }),
    'Not allowed to do groupBy when doing iteration',
  ],
  [
    'groups within a range',
    grouped({ radius: '5' }),
    'Not allowed to do range-search when doing search-group-by',
  ],
  [
    'groups of bits',
    {
      ...shaped('bits', DataType.BinaryVector, '0f'),
      searchParams: params({ topk: '3', anns_field: 'bits', group_by_field: 'id' }),
    },
    'not support search_group_by operation based on binary vector column',
  ],
  [
    'groups and a boost',
    grouped({}, { functionScore: A_BOOST }),
    "don't support use segment scorer with group_by or search_iterator",
  ],
  [
    'a boost in an iterator',
    search({ functionScore: A_BOOST }, V2_PAGE),
    "don't support use segment scorer with group_by or search_iterator",
  ],
  [
    'a reranker in an iterator',
    search({ functionScore: A_DECAY }, V2_PAGE),
    'rerank is not supported in a search iterator',
  ],
  [
    'functions and chains of them',
    search({ functionScore: A_DECAY, functionChains: [{}] }),
    'function_score and function_chains cannot be used together',
  ],
  [
    'an order by no field',
    search({}, { order_by_fields: 'nothing' }),
    'order_by field nothing does not exist',
  ],
  [
    'an order of vectors',
    search({}, { order_by_fields: 'vector:desc' }),
    "order_by field vector has a type that can't be sorted",
  ],
  [
    'an order and a reranker',
    search({ functionScore: A_DECAY }, { order_by_fields: 'id' }),
    'order_by is not supported together with rerank',
  ],
  [
    'an order in an iterator',
    search({}, { ...V2_PAGE, order_by_fields: 'id' }),
    'order_by is not supported in a search iterator',
  ],
];

/** Searches that cannot be answered. */
export const SEARCH_MISTAKES: readonly Mistake[] = mistakesOf('Search', [
  ...UNREADABLE.map(([what, request, code, reason]) => [what, search(request), code, reason] as const),
  [
    'partitions of a partition key',
    search({ collectionName: 'shelved', partitionNames: ['_default_0'] }),
    65535,
    HIDDEN_PARTITIONS,
  ],
  ...[...VECTORS, ...GRAPH_SEARCHES].map(([what, request, reason]) => [what, request, 1100, reason] as const),
  ...WRONG_FILTERS.map(
    (dsl) => [`the filter ${dsl.slice(0, 30)}`, search({ dsl }), 1100, wrongFilter(dsl)] as const,
  ),
  [
    'a filter on a field that is not loaded',
    search({ collectionName: 'plain', dsl: 'isbn > 0' }),
    1100,
    `failed to create query plan: field isbn is not loaded${ending}`,
  ],
  [
    'two vector fields and none named',
    search({ collectionName: 'double' }),
    1100,
    `multiple anns_fields exist, please specify a anns_field in search_params${ending}`,
  ],
  [
    'an unknown vector field',
    search({}, { anns_field: 'x' }),
    1100,
    `failed to get field schema by name: fieldName(x) not found${ending}`,
  ],
  [
    'a field that is no vector',
    search({}, { anns_field: 'title' }),
    1100,
    `field (title) to search is not of vector type${ending}`,
  ],
  ['no limit', search({}, { topk: '' }), 1100, `topk not found in search_params${ending}`],
  ...['0', '-1', '16385', '9007199254740991'].map(
    (topk) => [`a limit of ${topk}`, search({}, { topk }), 1100, range('topk', topk)] as const,
  ),
  ['a limit that is no number', search({}, { topk: 'ten' }), 1100, `topk [ten] is invalid${ending}`],
  ...['-1', '16385'].map(
    (offset) => [`an offset of ${offset}`, search({}, { offset }), 1100, range('offset', offset, 0)] as const,
  ),
  [
    'a window that is too large',
    search({}, { topk: '16384', offset: '1' }),
    1100,
    range('offset+topk', 16_385),
  ],
  ...['-2', '7'].map(
    (places) =>
      [
        `${places} decimal places`,
        search({}, { round_decimal: places }),
        1100,
        `round_decimal [${places}] is invalid, should be -1 or an integer in range [0, 6]${ending}`,
      ] as const,
  ),
  [
    'another metric than the index has',
    search({}, { metric_type: 'IP' }),
    1100,
    'metric type not match: invalid parameter[expected=L2][actual=IP]',
  ],
  [
    'a metric that there is not',
    search({}, { metric_type: 'MANHATTAN' }),
    1100,
    'metric type not match: invalid parameter[expected=L2][actual=MANHATTAN]',
  ],
  [
    'a range that holds nothing',
    search({}, { params: '{"radius": 1, "range_filter": 2}' }),
    1100,
    `metric type 'L2', range_filter(2) must be less than radius(1)${ending}`,
  ],
  [
    'a range filter alone',
    search({}, { range_filter: '2' }),
    1100,
    `range_filter is specified, but radius is not${ending}`,
  ],
  [
    'a radius that is no number',
    search({}, { radius: 'far' }),
    1100,
    `radius [far] is invalid, it should be a number${ending}`,
  ],
  [
    'params that are no object',
    search({}, { params: '[1]' }),
    1100,
    'search params: invalid parameter[expected=json object][actual=[1]]',
  ],
  [
    'params that are no JSON',
    search({}, { params: '{' }),
    1100,
    'search params: invalid parameter[expected=json object][actual={]',
  ],
  [
    'the next page of a collection that has taken the name of another',
    search({}, { iterator: 'True', collection_id: '8' }),
    1100,
    `Input collection id is not consistent to collectionID in the context,alias or database may have changed${ending}`,
  ],
  [
    'two queries of one iterator',
    search({ nq: 2n, placeholderGroup: placeholder([1, 2], [3, 4]) }, V2_PAGE),
    1100,
    `a search iterator takes one query vector, but got 2${ending}`,
  ],
  ...[...FORMS, ...scores].map(
    ([what, request, reason]) => [what, request, 1100, `${reason}${ending}`] as const,
  ),
  [
    'keys of another type',
    search({ ids: { strId: { data: ['1'] } }, placeholderGroup: undefined }),
    1100,
    `the type of ids does not match the primary key id${ending}`,
  ],
  [
    'no keys',
    search({ ids: { intId: { data: [] } }, placeholderGroup: undefined }),
    1100,
    `ids must not be empty${ending}`,
  ],
  ['sub-requests', search({ subReqs: [{}] }), 10, `sub-requests of a search: ${UNSERVED}`],
]);
