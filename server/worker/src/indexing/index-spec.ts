import type { GraphLayout, IndexSpec, Refine, SparseIndexBuild } from '@elanus/kernel';
import { DataType, type FieldSchema, type IndexInfo } from '@elanus/model';
import { chooseIndex } from './choose-index.ts';
import { diskSpec, EF_CONSTRUCTION_MAX } from './disk-spec.ts';

/** Milvus' own, for who names none. */
const GRAPH_DEFAULT = { m: 30, efConstruction: 360 } as const;
const SUBQUANTIZERS_DEFAULT = { HNSW_PQ: 32, HNSW_PRQ: 2 } as const;
const RESIDUALS_DEFAULT = 2;
const BITS_DEFAULT = 8;
const LISTS_DEFAULT = 128;
const SUB_DIM_DEFAULT = 2;
const HASH_BITS_DEFAULT = 8;
const BANDS_DEFAULT = 1;
const BM25_DEFAULT = { k1: 1.2, b: 0.75 } as const;
/** Finer codes would need more rows to learn from than a segment has. */
const BITS_MAX = 12;

/**
 * What to build for an index, of which the coordinator has checked the parameters; of AUTOINDEX while there is memory
 * enough. `null` when nothing is: its kind is searched by comparing with every row.
 */
export function indexSpecOf(info: IndexInfo, field: FieldSchema): IndexSpec | SparseSpec | null {
  if (field.dataType === DataType.ArrayOfVector) return listSpecOf(info, field);
  const { indexType, metricType, params } = info;
  const { dataType } = field;
  const texts = new Map(params.map(({ key, value }) => [key, value.trim()]));
  // Whatever kind and algorithm is named: there is one index, and it is exact.
  if (dataType === DataType.SparseFloatVector) return sparseSpec(metricType, texts);
  const integer = (key: string): number | undefined => (texts.has(key) ? Number(texts.get(key)) : undefined);
  const graph = {
    m: integer('M') ?? GRAPH_DEFAULT.m,
    efConstruction: Math.min(integer('efConstruction') ?? GRAPH_DEFAULT.efConstruction, EF_CONSTRUCTION_MAX),
  };
  const refine = refineOf(texts);
  const bits = Math.min(integer('nbits') ?? BITS_DEFAULT, BITS_MAX);
  const subquantizers = (usual: number): number => integer('m') ?? divisorUpTo(usual, field.dim!);
  switch (indexType) {
    case 'AUTOINDEX':
      if (dataType === DataType.BinaryVector) return null;
      return chooseIndex(field, 0, Number.POSITIVE_INFINITY);
    case 'HNSW':
      return {
        type: 'HNSW',
        ...graph,
        layout: (texts.get('graph_layout')?.toLowerCase() ?? 'auto') as GraphLayout,
      };
    case 'HNSW_SQ':
      return { type: 'HNSW_SQ', ...graph, sqType: scalarCode(texts.get('sq_type')), refine };
    case 'HNSW_PQ':
      return {
        type: 'HNSW_PQ',
        ...graph,
        subquantizers: subquantizers(SUBQUANTIZERS_DEFAULT.HNSW_PQ),
        bits,
        refine,
      };
    case 'HNSW_PRQ':
      return {
        type: 'HNSW_PRQ',
        ...graph,
        subquantizers: subquantizers(SUBQUANTIZERS_DEFAULT.HNSW_PRQ),
        residuals: integer('nrq') ?? RESIDUALS_DEFAULT,
        bits,
        refine,
      };
    case 'IVF_FLAT':
    case 'IVF_SQ8':
    case 'IVF_PQ':
    case 'IVF_RABITQ':
    case 'IVF_RABITQ_FASTSCAN':
    case 'SCANN':
      return listsSpec(indexType, texts, field.dim!);
    case 'BIN_IVF_FLAT':
      return { type: 'BIN_IVF_FLAT', lists: integer('nlist') ?? LISTS_DEFAULT };
    case 'DISKANN':
    case 'AISAQ':
      return diskSpec(texts, field);
    case 'MINHASH_LSH':
      return {
        type: 'MINHASH_LSH',
        hashBytes: (integer('mh_element_bit_width') ?? HASH_BITS_DEFAULT) / 8,
        bands: integer('mh_lsh_band') ?? BANDS_DEFAULT,
      };
    default:
      return null;
  }
}

/** What to build over the vectors in lists. None over bits: such searches compare all of them. */
function listSpecOf(info: IndexInfo, field: FieldSchema): IndexSpec | null {
  if (field.elementType === DataType.BinaryVector || info.metricType === null) return null;
  return indexSpecOf(info, { ...field, dataType: field.elementType! }) as IndexSpec | null;
}

type ListsType = 'IVF_FLAT' | 'IVF_SQ8' | 'IVF_PQ' | 'IVF_RABITQ' | 'IVF_RABITQ_FASTSCAN' | 'SCANN';

function listsSpec(indexType: ListsType, texts: ReadonlyMap<string, string>, dim: number): IndexSpec {
  const integer = (key: string, usual: number): number => Number(texts.get(key) ?? usual);
  const lists = integer('nlist', LISTS_DEFAULT);
  const refine = refineOf(texts);
  switch (indexType) {
    case 'IVF_FLAT':
      return { type: 'IVF_FLAT', lists };
    case 'IVF_SQ8':
      return { type: 'IVF_SQ', lists, sqType: listCode(texts.get('sq_type')), refine };
    case 'IVF_PQ': {
      const bits = Math.min(integer('nbits', BITS_DEFAULT), BITS_MAX);
      return { type: 'IVF_PQ', lists, subquantizers: integer('m', 1), bits, refine };
    }
    case 'IVF_RABITQ':
      return { type: 'IVF_RABITQ', lists, bits: integer('rbq_bits', 1), refine };
    // Codes of one bit are scanned fast by whatever name.
    case 'IVF_RABITQ_FASTSCAN':
      return { type: 'IVF_RABITQ', lists, bits: 1, refine };
    case 'SCANN': {
      // Of an odd dimension that nobody has said how to cut, each part is one number.
      const subDim = integer('sub_dim', dim % SUB_DIM_DEFAULT === 0 ? SUB_DIM_DEFAULT : 1);
      const vectors = texts.get('with_raw_data')?.toLowerCase() === 'false' ? 'left out' : 'kept';
      return { type: 'SCANN', lists, subquantizers: dim / subDim, vectors };
    }
  }
}

function listCode(text: string | undefined): 'SQ4U' | 'SQ6' | 'SQ8' {
  const name = text?.toUpperCase() ?? 'SQ8';
  return name === 'SQ4' ? 'SQ4U' : (name as 'SQ6' | 'SQ8');
}

/** What to build over sparse vectors. */
export type SparseSpec = SparseIndexBuild['spec'];

function sparseSpec(metric: IndexInfo['metricType'], texts: ReadonlyMap<string, string>): SparseSpec {
  if (metric !== 'BM25') return { type: 'SPARSE', bm25: null };
  const number = (key: string, usual: number): number => (texts.has(key) ? Number(texts.get(key)) : usual);
  const { k1, b } = BM25_DEFAULT;
  return { type: 'SPARSE', bm25: { k1: number('bm25_k1', k1), b: number('bm25_b', b) } };
}

type ScalarCode = Extract<IndexSpec, { type: 'HNSW_SQ' }>['sqType'];

function scalarCode(text: string | undefined): ScalarCode {
  return (text?.toUpperCase() ?? 'SQ8') as ScalarCode;
}

/** The better copy that candidates are compared again by; who asks for it and names none gets the vectors themselves. */
function refineOf(texts: ReadonlyMap<string, string>): Refine | null {
  if (texts.get('refine')?.toLowerCase() !== 'true') return null;
  const type = texts.get('refine_type')?.toUpperCase() ?? 'FP32';
  if (type === 'FLAT') return 'FP32';
  // Four bits are no better than the codes of the index.
  return type === 'SQ4U' ? 'SQ6' : (type as Refine);
}

/** The largest number of equal parts up to `most` that `dim` can be cut into. */
function divisorUpTo(most: number, dim: number): number {
  let parts = Math.min(most, dim);
  while (dim % parts !== 0) parts -= 1;
  return parts;
}
