import { DataType } from '@elanus/model';
import { encode } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { params, placeholder } from './request-drafts.ts';

const ending = ': invalid parameter';
const FLOAT_LISTS = 301;
const INT8_LISTS = 305;

const lists = (type: number, ...values: readonly (readonly number[])[]) =>
  encode('common.PlaceholderGroup', {
    placeholders: [
      { tag: '$0', type, values: values.map((floats) => new Uint8Array(new Float32Array(floats).buffer)) },
    ],
  });

const search = (placeholderGroup: Uint8Array, searchParams: Readonly<Record<string, string>> = {}) => ({
  collectionName: 'places',
  placeholderGroup,
  nq: 1n,
  searchParams: params({ anns_field: 'parts[spot]', topk: '3', ...searchParams }),
});
const good = lists(FLOAT_LISTS, [1, 2, 3, 4]);
const notOfLists = (wish: string) =>
  `${wish} is not supported for vector array (embedding list) fields, fieldName:->parts[spot]${ending}`;

/** What can be wrong with a search by lists of vectors. */
export const LIST_SEARCH_MISTAKES: readonly Mistake[] = mistakesOf('Search', [
  ['a range of lists', search(good, { params: '{"radius": 1}' }), 1100, notOfLists('range search')],
  ['groups of lists', search(good, { group_by_field: 'id' }), 1100, notOfLists('group by search')],
  [
    'an iterator over lists',
    search(good, { iterator: 'True', search_iter_v2: 'True', search_iter_batch_size: '2' }),
    1100,
    notOfLists('search iterator'),
  ],
  [
    'a list of nothing',
    search(lists(FLOAT_LISTS, [])),
    1100,
    `query 0 is an embedding list without a vector${ending}`,
  ],
  [
    'a list whose vectors have another length',
    search(lists(FLOAT_LISTS, [1, 2, 3])),
    1100,
    `vector dimension mismatch, expected vector size(byte) 8, actual 12${ending}`,
  ],
  [
    'a list of more vectors than are compared',
    search(lists(FLOAT_LISTS, new Array(2 * 16_385).fill(1))),
    1100,
    `query 0 is an embedding list of 16385 vectors, at most 16384 are compared${ending}`,
  ],
  ['no number in a list', search(lists(FLOAT_LISTS, [1, 2, 3, Number.NaN])), 1100, /holds NaN or infinity/],
  [
    'a list of other vectors',
    search(lists(INT8_LISTS, [1, 2])),
    1100,
    /^vector type must be the same, field parts\[spot\] - type ArrayOfVector/,
  ],
  [
    'a single vector for lists',
    search(placeholder([1, 2])),
    1100,
    `vector type must be the same, field parts[spot] - type ArrayOfVector, search info type FloatVector${ending}`,
  ],
  [
    'groups of several elements',
    search(placeholder([1, 2]), { metric_type: 'L2', group_by_field: 'id', group_size: '2' }),
    1100,
    `group_size above 1 is not supported in a search for elements of parts[spot]${ending}`,
  ],
  [
    'a list for single vectors',
    search(lists(DataType.FloatVector + 200, [1, 2]), { anns_field: 'vector' }),
    1100,
    /^vector type must be the same, field vector - type FloatVector/,
  ],
  [
    'a metric of single vectors',
    search(good, { metric_type: 'L2' }),
    1100,
    `metric type L2 of field parts[spot] does not compare embedding lists, only those that begin with MAX_SIM do${ending}`,
  ],
]);
