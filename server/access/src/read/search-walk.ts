import { type IndexInfo, invalidParameter } from '@elanus/model';
import type { GraphWalk } from '@elanus/rpc';
import { fractionOf, integerOf } from './engine-parameters.ts';
import type { Parameters } from './parameters.ts';
import { CHOSEN_LISTS, isListsType, listProbes } from './search-lists.ts';

/** The index types whose vectors lie in a graph; those without graph and lists are searched by comparing with every row. */
const GRAPH_TYPES = ['HNSW', 'HNSW_SQ', 'HNSW_PQ', 'HNSW_PRQ'];
const MINHASH_LSH = 'MINHASH_LSH';
const DISKANN = 'DISKANN';
const AISAQ = 'AISAQ';
const BEAM_WIDTH_MAX = 128;
/** Of AISAQ, as are the next two. */
const AISAQ_BEAM_WIDTH_MAX = 16;
const VECTORS_BEAM_WIDTH_MAX = 4;
const PAGE_CACHE_BYTES_MAX = 32 * 1024 * 1024;
const AUTOINDEX = 'AUTOINDEX';
/** Those of them whose scores are the vectors' own, not those of codes; of AUTOINDEX the segments know. */
const PAGED_TYPES = ['HNSW', AUTOINDEX];

/** Milvus' own: of a search, and, at least, of one that asks for everything within a radius. */
const EF_MIN = 16;
const EF_OF_RANGE = 512;
/** Who chose no index wants the rows that are nearest: recall@10 is above 0.95 also on the Debian packages, which are hard. */
const AUTO_EF_MIN = 64;
const AUTO_EF_PER_HIT = 2;
/** Milvus' own. */
const LIST_RATIO = 3;

/** What of a search decides how its index is used. */
export interface WalkRequest {
  /** Hits wanted, those of the offset included. */
  readonly hits: number;
  /** `complete`: the answer must not lack a row that belongs to it. `page`: of an iterator. */
  readonly answer: 'nearest' | 'within-radius' | 'complete' | 'page';
  /** Whether queries and rows are lists of vectors. */
  readonly ofLists?: boolean;
}

/**
 * How far the search goes through `index`. `null` where it has none, and where no row may be missed.
 * @throws MilvusError 1100 for parameters of the index that are out of their range
 */
export function readWalk(
  index: IndexInfo | undefined,
  parameters: Parameters,
  request: WalkRequest,
): GraphWalk | null {
  const ofRows = index === undefined ? null : walkOf(index.indexType, parameters, request);
  const walk = ofRows !== null && request.ofLists ? { ...ofRows, listRatio: listRatio(parameters) } : ofRows;
  if (request.answer !== 'page' || walk === null) return request.answer === 'complete' ? null : walk;
  return PAGED_TYPES.includes(index!.indexType) ? { ...walk, answer: 'page' } : null;
}

/** How many times the hits wanted each vector of a list finds. @throws MilvusError 1100 */
function listRatio(parameters: Parameters): number {
  return fractionOf(parameters, 'retrieval_ann_ratio', 0) ?? LIST_RATIO;
}

function walkOf(indexType: string, parameters: Parameters, request: WalkRequest): GraphWalk | null {
  const { hits, answer } = request;
  if (isListsType(indexType)) return listProbes(indexType, parameters, request);
  if (indexType === AUTOINDEX) {
    // Milvus takes no parameter of the index that it has chosen itself as a mistake.
    const asked = Number(parameters.text('ef'));
    const usual = Math.max(AUTO_EF_MIN, AUTO_EF_PER_HIT * hits);
    const isAsked = Number.isInteger(asked) && asked > 0;
    const ef = Math.max(isAsked ? asked : usual, leastEf(request));
    return { ef, refineK: 1, lists: CHOSEN_LISTS, ...askedFor(isAsked) };
  }
  if (indexType === MINHASH_LSH) {
    integerOf(parameters, 'refine_k', 1);
    // What has a band in common is found, however many there are.
    return { ef: hits, refineK: 1 };
  }
  if (indexType === AISAQ) checkAisaq(parameters);
  if (indexType === DISKANN || indexType === AISAQ) return diskWalk(parameters, request);
  if (!GRAPH_TYPES.includes(indexType)) return null;
  const asked = integerOf(parameters, 'ef', 1);
  const refineK = fractionOf(parameters, 'refine_k', 1) ?? 1;
  if (asked !== undefined && asked < hits && answer === 'nearest') {
    throw invalidParameter(`ef(${asked}) should be larger than k(${hits})`);
  }
  const usual = answer === 'nearest' ? Math.max(hits, EF_MIN) : EF_OF_RANGE;
  const ef = Math.max(asked ?? usual, leastEf(request));
  return { ef, refineK: indexType === 'HNSW' ? 1 : refineK, ...askedFor(asked !== undefined) };
}

/** Whatever is asked for: everything within a radius is wanted, and a walk that has little more than that in view misses some of it. */
function leastEf({ hits, answer }: WalkRequest): number {
  return answer === 'within-radius' ? Math.max(EF_OF_RANGE, 2 * hits) : hits;
}

function askedFor(isAsked: boolean): Pick<GraphWalk, 'isAskedFor'> {
  return isAsked ? { isAskedFor: true } : {};
}

/** How far a search goes through a graph on disk; its beam is as wide as the disk likes, whatever is asked for. */
function diskWalk(parameters: Parameters, request: WalkRequest): GraphWalk {
  const { hits, answer } = request;
  const asked = integerOf(parameters, 'search_list', 1) ?? integerOf(parameters, 'search_list_size', 1);
  integerOf(parameters, 'beamwidth', 1, BEAM_WIDTH_MAX);
  checkDiskFilters(parameters);
  if (asked !== undefined && asked < hits && answer === 'nearest')
    throw invalidParameter(`search_list_size(${asked}) should be larger than k(${hits})`);
  const usual = answer === 'nearest' ? Math.max(hits, EF_MIN) : EF_OF_RANGE;
  return { ef: Math.max(asked ?? usual, leastEf(request)), refineK: 1, ...askedFor(asked !== undefined) };
}

/** What tells Milvus when to compare all that a filter leaves, and how far to look for what is within a radius: the index sees that. */
function checkDiskFilters(parameters: Parameters): void {
  fractionOf(parameters, 'filter_threshold', -1, 1);
  integerOf(parameters, 'min_k', 1);
  integerOf(parameters, 'max_k', 1);
}

/** What says how AISAQ reads codes and vectors from the disk: our codes are in memory, and vectors lie with the links. */
function checkAisaq(parameters: Parameters): void {
  integerOf(parameters, 'beamwidth', 1, AISAQ_BEAM_WIDTH_MAX);
  integerOf(parameters, 'vectors_beamwidth', 1, VECTORS_BEAM_WIDTH_MAX);
  integerOf(parameters, 'pq_cache_size', 0);
  integerOf(parameters, 'pq_read_page_cache_size', 0, PAGE_CACHE_BYTES_MAX);
}
