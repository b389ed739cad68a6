import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IndexSpec } from '@elanus/kernel';
import { type CollectionId, DataType, type FieldId, type IndexId, type Timestamp } from '@elanus/model';
import { fieldFixture } from '@elanus/model/testing';
import { indexSpecOf } from './index-spec.ts';

const GRAPH = { m: 30, efConstruction: 360 };
const CASES: readonly [
  type: string,
  params: Readonly<Record<string, string>>,
  dim: number,
  IndexSpec | null,
][] = [
  ['FLAT', {}, 8, null],
  ['IVF_FLAT', { nlist: '8' }, 8, { type: 'IVF_FLAT', lists: 8 }],
  ['IVF_FLAT', {}, 8, { type: 'IVF_FLAT', lists: 128 }],
  ['IVF_SQ8', { refine_type: 'fp16' }, 8, { type: 'IVF_SQ', lists: 128, sqType: 'SQ8', refine: null }],
  [
    'IVF_SQ8',
    { sq_type: 'sq4', refine: 'true', nlist: '1024' },
    8,
    { type: 'IVF_SQ', lists: 1024, sqType: 'SQ4U', refine: 'FP32' },
  ],
  [
    'IVF_PQ',
    { m: '4', nbits: '24' },
    8,
    { type: 'IVF_PQ', lists: 128, subquantizers: 4, bits: 12, refine: null },
  ],
  ['IVF_RABITQ', {}, 8, { type: 'IVF_RABITQ', lists: 128, bits: 1, refine: null }],
  [
    'IVF_RABITQ',
    { rbq_bits: '5', refine: 'true', refine_type: 'SQ8' },
    8,
    { type: 'IVF_RABITQ', lists: 128, bits: 5, refine: 'SQ8' },
  ],
  [
    'IVF_RABITQ_FASTSCAN',
    { rbq_bits: '5', refine: 'true', refine_type: 'flat' },
    8,
    { type: 'IVF_RABITQ', lists: 128, bits: 1, refine: 'FP32' },
  ],
  ['SCANN', {}, 8, { type: 'SCANN', lists: 128, subquantizers: 4, vectors: 'kept' }],
  ['SCANN', {}, 7, { type: 'SCANN', lists: 128, subquantizers: 7, vectors: 'kept' }],
  [
    'SCANN',
    { sub_dim: '4', with_raw_data: 'False' },
    8,
    { type: 'SCANN', lists: 128, subquantizers: 2, vectors: 'left out' },
  ],
  ['DISKANN', {}, 128, { type: 'DISKANN', m: 28, efConstruction: 100, codeBytes: 64, cacheBytes: 51 }],
  [
    'DISKANN',
    { max_degree: '3', search_list_size: '99999', pq_code_budget_gb_ratio: '0.001' },
    8,
    { type: 'DISKANN', m: 2, efConstruction: 4096, codeBytes: 1, cacheBytes: 3 },
  ],
  ['AUTOINDEX', {}, 8, { type: 'HNSW', m: 16, efConstruction: 200, layout: 'auto' }],
  ['HNSW', {}, 8, { type: 'HNSW', ...GRAPH, layout: 'auto' }],
  [
    'HNSW',
    { M: '16', efConstruction: '200', graph_layout: 'Compact' },
    8,
    { type: 'HNSW', m: 16, efConstruction: 200, layout: 'compact' },
  ],
  ['HNSW_SQ', {}, 8, { type: 'HNSW_SQ', ...GRAPH, sqType: 'SQ8', refine: null }],
  [
    'HNSW_SQ',
    { sq_type: 'sq6', refine: 'True', refine_type: 'fp16' },
    8,
    { type: 'HNSW_SQ', ...GRAPH, sqType: 'SQ6', refine: 'FP16' },
  ],
  [
    'HNSW_SQ',
    { refine: 'false', refine_type: 'fp16' },
    8,
    { type: 'HNSW_SQ', ...GRAPH, sqType: 'SQ8', refine: null },
  ],
  ['HNSW_PQ', {}, 768, { type: 'HNSW_PQ', ...GRAPH, subquantizers: 32, bits: 8, refine: null }],
  ['HNSW_PQ', {}, 100, { type: 'HNSW_PQ', ...GRAPH, subquantizers: 25, bits: 8, refine: null }],
  [
    'HNSW_PQ',
    { m: '4', nbits: '24', refine: 'true' },
    8,
    { type: 'HNSW_PQ', ...GRAPH, subquantizers: 4, bits: 12, refine: 'FP32' },
  ],
  [
    'HNSW_PRQ',
    { refine: 'true', refine_type: 'FLAT' },
    7,
    { type: 'HNSW_PRQ', ...GRAPH, subquantizers: 1, residuals: 2, bits: 8, refine: 'FP32' },
  ],
  [
    'HNSW_PRQ',
    { m: '2', nrq: '3', nbits: '6', refine: 'true', refine_type: 'sq4u' },
    8,
    { type: 'HNSW_PRQ', ...GRAPH, subquantizers: 2, residuals: 3, bits: 6, refine: 'SQ6' },
  ],
];
for (const [indexType, params, dim, spec] of CASES) {
  test(`${indexType} of ${dim} dimensions with ${JSON.stringify(params)}`, () => {
    const info = {
      id: 1n as IndexId,
      collectionId: 1n as CollectionId,
      fieldId: 101 as FieldId,
      name: 'vector',
      indexType,
      metricType: 'L2' as const,
      params: Object.entries(params).map(([key, value]) => ({ key, value })),
      createdTimestamp: 1n as Timestamp,
    };
    assert.deepEqual(indexSpecOf(info, fieldFixture(101, 'vector', DataType.FloatVector, { dim })), spec);
  });
}

test('one index over sparse vectors, whatever it is called', () => {
  const about = {
    id: 1n as IndexId,
    collectionId: 1n as CollectionId,
    fieldId: 101 as FieldId,
    name: 'vector',
    createdTimestamp: 1n as Timestamp,
  };
  const field = fieldFixture(101, 'vector', DataType.SparseFloatVector);
  const params = [
    { key: 'inverted_index_algo', value: 'TAAT_NAIVE' },
    { key: 'bm25_k1', value: '1.6' },
  ];
  for (const indexType of ['SPARSE_INVERTED_INDEX', 'SPARSE_WAND', 'AUTOINDEX']) {
    const byWords = { ...about, indexType, metricType: 'BM25' as const, params };
    assert.deepEqual(indexSpecOf(byWords, field), { type: 'SPARSE', bm25: { k1: 1.6, b: 0.75 } });
    const byProduct = { ...about, indexType, metricType: 'IP' as const, params };
    assert.deepEqual(indexSpecOf(byProduct, field), { type: 'SPARSE', bm25: null });
  }
});

const ON_BITS: readonly [type: string, params: Readonly<Record<string, string>>, IndexSpec | null][] = [
  ['AUTOINDEX', {}, null],
  ['BIN_FLAT', {}, null],
  ['BIN_IVF_FLAT', {}, { type: 'BIN_IVF_FLAT', lists: 128 }],
  ['BIN_IVF_FLAT', { nlist: '7' }, { type: 'BIN_IVF_FLAT', lists: 7 }],
  ['MINHASH_LSH', {}, { type: 'MINHASH_LSH', hashBytes: 1, bands: 1 }],
  [
    'MINHASH_LSH',
    { mh_element_bit_width: '32', mh_lsh_band: '16', with_raw_data: 'true' },
    { type: 'MINHASH_LSH', hashBytes: 4, bands: 16 },
  ],
];
for (const [indexType, params, spec] of ON_BITS) {
  test(`${indexType} of bits with ${JSON.stringify(params)}`, () => {
    const info = {
      id: 1n as IndexId,
      collectionId: 1n as CollectionId,
      fieldId: 101 as FieldId,
      name: 'bits',
      indexType,
      metricType: 'HAMMING' as const,
      createdTimestamp: 1n as Timestamp,
      params: Object.entries(params).map(([key, value]) => ({ key, value })),
    };
    assert.deepEqual(indexSpecOf(info, fieldFixture(101, 'bits', DataType.BinaryVector, { dim: 512 })), spec);
  });
}
