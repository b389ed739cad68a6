import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KeyValue, MilvusError } from '@elanus/model';
import type { GraphWalk } from '@elanus/rpc';
import { Parameters } from './parameters.ts';
import { ReadFixture } from './read-fixture.ts';
import { readWalk, type WalkRequest } from './search-walk.ts';

function walkOf(indexType: string, sent: object, request: Partial<WalkRequest> = {}): GraphWalk | null {
  const pairs: KeyValue[] = Object.entries(sent).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? value : JSON.stringify(value),
  }));
  const fixture = new ReadFixture();
  fixture.indexType = indexType;
  return readWalk(fixture.index, new Parameters(pairs), { hits: 10, answer: 'nearest', ...request });
}

const LISTS_MAX = 65_536;
const AUTO_LISTS = { probes: 64, probesMax: LISTS_MAX, emptyListsMax: 0 };
function inLists(probes: number, probesMax: number, emptyListsMax: number, refineK = 1): GraphWalk {
  return { ef: 1, refineK, lists: { probes, probesMax, emptyListsMax } };
}
const withQueryBits = (walk: GraphWalk, queryBits: number): GraphWalk => ({
  ...walk,
  lists: { ...walk.lists!, queryBits },
});

const walks: readonly [type: string, sent: object, request: Partial<WalkRequest>, walk: GraphWalk | null][] =
  [
    ['FLAT', {}, {}, null],
    ['IVF_FLAT', { ef: 'any' }, {}, inLists(8, LISTS_MAX, 0)],
    ['IVF_FLAT', { params: { nprobe: 20 }, refine_k: '7' }, {}, inLists(20, LISTS_MAX, 0)],
    ['IVF_FLAT', { nprobe: '65536', ensure_topk_full: 'False' }, {}, inLists(65_536, 65_536, 0)],
    ['IVF_FLAT', { nprobe: '4' }, { answer: 'within-radius' }, inLists(4, LISTS_MAX, 0)],
    [
      'IVF_SQ8',
      { params: { max_empty_result_buckets: 9 } },
      { answer: 'within-radius' },
      inLists(8, LISTS_MAX, 9),
    ],
    ['IVF_SQ8', {}, { answer: 'complete' }, null],
    ['IVF_PQ', { params: { nprobe: '3', refine_k: 4 } }, {}, inLists(3, LISTS_MAX, 0, 4)],
    ['IVF_RABITQ', { refine_k: '2.5' }, {}, inLists(8, LISTS_MAX, 0, 2.5)],
    ['IVF_RABITQ', { rbq_bits_query: '6' }, {}, withQueryBits(inLists(8, LISTS_MAX, 0), 6)],
    [
      'IVF_RABITQ_FASTSCAN',
      { rbq_bits_query: '4', refine_k: 3 },
      {},
      withQueryBits(inLists(8, LISTS_MAX, 0, 3), 4),
    ],
    ['IVF_PQ', { rbq_bits_query: '6' }, {}, inLists(8, LISTS_MAX, 0)],
    ['SCANN', {}, {}, inLists(8, 8, 0, 2)],
    ['SCANN', { reorder_k: '55', nprobe: '16' }, {}, inLists(16, 16, 0, 11)],
    ['SCANN', { params: { ensure_topk_full: true, reorder_k: 10 } }, {}, inLists(8, LISTS_MAX, 0, 2)],
    ['BIN_FLAT', { nprobe: 'any' }, {}, null],
    ['BIN_IVF_FLAT', { nprobe: 20 }, {}, inLists(20, LISTS_MAX, 0)],
    ['MINHASH_LSH', { refine_k: 3 }, {}, { ef: 10, refineK: 1 }],
    ['MINHASH_LSH', {}, { answer: 'complete' }, null],
    ['DISKANN', {}, {}, { ef: 16, refineK: 1 }],
    ['DISKANN', { search_list: '40', beamwidth: 4 }, {}, { ef: 40, refineK: 1 }],
    ['DISKANN', { search_list_size: 30 }, {}, { ef: 30, refineK: 1 }],
    ['DISKANN', { filter_threshold: -1, min_k: 100, max_k: '2147483647' }, {}, { ef: 16, refineK: 1 }],
    ['DISKANN', {}, { answer: 'within-radius' }, { ef: 512, refineK: 1 }],
    ['DISKANN', { search_list: 20 }, { answer: 'within-radius', hits: 300 }, { ef: 600, refineK: 1 }],
    ['AISAQ', { search_list: 40, beamwidth: '16', vectors_beamwidth: 4 }, {}, { ef: 40, refineK: 1 }],
    ['AISAQ', { pq_cache_size: 0, pq_read_page_cache_size: 33554432 }, {}, { ef: 16, refineK: 1 }],
    ['HNSW', {}, {}, { ef: 16, refineK: 1 }],
    ['HNSW', {}, { hits: 100 }, { ef: 100, refineK: 1 }],
    ['HNSW', { ef: '10' }, {}, { ef: 10, refineK: 1 }],
    ['HNSW', { ef: '64', params: { ef: 64 } }, {}, { ef: 64, refineK: 1 }],
    ['HNSW', { params: { ef: '100' } }, {}, { ef: 100, refineK: 1 }],
    ['HNSW', { params: { ef: 100 } }, {}, { ef: 100, refineK: 1 }],
    ['HNSW', { ef: '' }, {}, { ef: 16, refineK: 1 }],
    ['HNSW', {}, { answer: 'within-radius' }, { ef: 512, refineK: 1 }],
    ['HNSW', { ef: '5' }, { answer: 'within-radius' }, { ef: 512, refineK: 1 }],
    ['HNSW', { ef: '700' }, { answer: 'within-radius', hits: 300 }, { ef: 700, refineK: 1 }],
    ['AUTOINDEX', { ef: '12' }, { answer: 'within-radius' }, { ef: 512, refineK: 1, lists: AUTO_LISTS }],
    ['HNSW', { ef: '5' }, { answer: 'complete' }, null],
    ['HNSW_SQ', { ef: '20', refine_k: '1.5' }, {}, { ef: 20, refineK: 1.5 }],
    ['HNSW_PQ', { params: { refine_k: 4 } }, {}, { ef: 16, refineK: 4 }],
    ['HNSW_PRQ', {}, {}, { ef: 16, refineK: 1 }],
    ['AUTOINDEX', {}, {}, { ef: 64, refineK: 1, lists: AUTO_LISTS }],
    ['AUTOINDEX', {}, { hits: 100 }, { ef: 200, refineK: 1, lists: AUTO_LISTS }],
    ['AUTOINDEX', { ef: 'any' }, {}, { ef: 64, refineK: 1, lists: AUTO_LISTS }],
    ['AUTOINDEX', { ef: '12' }, {}, { ef: 12, refineK: 1, lists: AUTO_LISTS }],
    ['AUTOINDEX', { ef: '5' }, {}, { ef: 10, refineK: 1, lists: AUTO_LISTS }],
    ['AUTOINDEX', {}, { answer: 'complete' }, null],
    ['AUTOINDEX', {}, { answer: 'page' }, { ef: 64, refineK: 1, lists: AUTO_LISTS, answer: 'page' }],
    ['HNSW', {}, { answer: 'page', hits: 600 }, { ef: 600, refineK: 1, answer: 'page' }],
    ['HNSW', { ef: '5' }, { answer: 'page' }, { ef: 10, refineK: 1, answer: 'page' }],
    ['HNSW_SQ', {}, { answer: 'page' }, null],
  ];
for (const [type, sent, request, walk] of walks) {
  test(`${type} searched with ${JSON.stringify(sent)} for ${JSON.stringify(request)}`, () => {
    const { isAskedFor, ...got } = walkOf(type, sent, request) ?? {};
    assert.deepEqual(got, walk ?? {});
    assert.equal(isAskedFor ?? false, walk !== null && isEffortNamed(type, sent));
  });
}

/** Whether the client has said how many candidates a graph keeps in view. */
function isEffortNamed(type: string, sent: object): boolean {
  const names = ['DISKANN', 'AISAQ'].includes(type) ? ['search_list', 'search_list_size'] : ['ef'];
  const { params = {}, ...outer } = sent as { readonly params?: object };
  const values = Object.entries({ ...params, ...outer }).filter(([name]) => names.includes(name));
  return !type.includes('IVF') && values.some(([, value]) => Number(value) > 0);
}

test('a field without an index is searched by comparing', () => {
  assert.equal(readWalk(undefined, new Parameters([]), { hits: 10, answer: 'nearest' }), null);
});

const outOfRange = (name: string, value: string, range: string) =>
  `Out of range in json: param '${name}' (${value}) should be in range ${range}: invalid parameter`;
const refused: readonly [type: string, sent: object, reason: string][] = [
  ['HNSW', { ef: '5' }, 'ef(5) should be larger than k(10): invalid parameter'],
  ['HNSW_SQ', { params: { ef: 9 } }, 'ef(9) should be larger than k(10): invalid parameter'],
  ['DISKANN', { search_list: 9 }, 'search_list_size(9) should be larger than k(10): invalid parameter'],
  ['DISKANN', { filter_threshold: '1.5' }, outOfRange('filter_threshold', '1.5', '[-1.000000, 1.000000]')],
  ['DISKANN', { min_k: 0 }, outOfRange('min_k', '0', '[1, 2147483647]')],
  ['AISAQ', { max_k: '0' }, outOfRange('max_k', '0', '[1, 2147483647]')],
  ['DISKANN', { beamwidth: 129 }, outOfRange('beamwidth', '129', '[1, 128]')],
  ['AISAQ', { beamwidth: 17 }, outOfRange('beamwidth', '17', '[1, 16]')],
  ['AISAQ', { vectors_beamwidth: '0' }, outOfRange('vectors_beamwidth', '0', '[1, 4]')],
  [
    'AISAQ',
    { pq_read_page_cache_size: 33_554_433 },
    outOfRange('pq_read_page_cache_size', '33554433', '[0, 33554432]'),
  ],
  ['AISAQ', { search_list: 9 }, 'search_list_size(9) should be larger than k(10): invalid parameter'],
  ['BIN_IVF_FLAT', { nprobe: '0' }, outOfRange('nprobe', '0', '[1, 65536]')],
  ['MINHASH_LSH', { refine_k: 0 }, outOfRange('refine_k', '0', '[1, 2147483647]')],
  ['IVF_FLAT', { nprobe: '0' }, outOfRange('nprobe', '0', '[1, 65536]')],
  ['IVF_PQ', { params: { nprobe: 65_537 } }, outOfRange('nprobe', '65537', '[1, 65536]')],
  ['SCANN', { nprobe: 'few' }, "invalid integer value, key: 'nprobe', value: 'few': invalid parameter"],
  ['SCANN', { reorder_k: '9' }, 'reorder_k(9) should be larger than k(10): invalid parameter'],
  ['IVF_RABITQ', { rbq_bits_query: '9' }, outOfRange('rbq_bits_query', '9', '[0, 8]')],
  ['IVF_SQ8', { max_empty_result_buckets: '-1' }, outOfRange('max_empty_result_buckets', '-1', '[0, 65536]')],
  [
    'IVF_SQ8',
    { params: { ensure_topk_full: 'perhaps' } },
    "Type conflict in json: param 'ensure_topk_full' (perhaps) should be a boolean: invalid parameter",
  ],
  ['HNSW', { ef: '0' }, outOfRange('ef', '0', '[1, 2147483647]')],
  ['HNSW', { params: { ef: -3 } }, outOfRange('ef', '-3', '[1, 2147483647]')],
  ['HNSW', { ef: 'many' }, "invalid integer value, key: 'ef', value: 'many': invalid parameter"],
  ['HNSW', { ef: '16.5' }, "invalid integer value, key: 'ef', value: '16.5': invalid parameter"],
  [
    'HNSW',
    { ef: '99999999999' },
    "integer value out of range, key: 'ef', value: '99999999999': invalid parameter",
  ],
  [
    'HNSW',
    { params: { ef: 16.5 } },
    "Type conflict in json: param 'ef' (16.5) should be integer: invalid parameter",
  ],
  [
    'HNSW',
    { ef: 'True', params: { ef: true } },
    "Type conflict in json: param 'ef' (true) should be integer: invalid parameter",
  ],
  [
    'HNSW_PQ',
    { params: { ef: 4_294_967_296 } },
    "Arithmetic overflow: param 'ef' (4294967296) should not bigger than 2147483647: invalid parameter",
  ],
  [
    'HNSW_SQ',
    { refine_k: '0.5' },
    outOfRange('refine_k', '0.5', '[1.000000, 340282346638528859811704183484516925440.000000]'),
  ],
  ['HNSW_SQ', { refine_k: 'two' }, "invalid float value, key: 'refine_k', value: 'two': invalid parameter"],
  [
    'HNSW_PRQ',
    { params: { refine_k: [2] } },
    "Type conflict in json: param 'refine_k' ([2]) should be a number: invalid parameter",
  ],
];
for (const [type, sent, reason] of refused) {
  test(`${type} refuses to be searched with ${JSON.stringify(sent)}`, () => {
    assert.throws(
      () => walkOf(type, sent),
      (error) => error instanceof MilvusError && error.message === reason && error.code === 1100,
    );
  });
}
