import { invalidParameter } from '@elanus/model';
import type { GraphWalk, ListProbes } from '@elanus/rpc';
import { flagOf, fractionOf, integerOf } from './engine-parameters.ts';
import type { Parameters } from './parameters.ts';
import type { WalkRequest } from './search-walk.ts';

const LISTS_TYPES = [
  'IVF_FLAT',
  'IVF_SQ8',
  'IVF_PQ',
  'IVF_RABITQ',
  'IVF_RABITQ_FASTSCAN',
  'SCANN',
  'BIN_IVF_FLAT',
] as const;
type ListsType = (typeof LISTS_TYPES)[number];

/** The types that compare codes of one bit with numbers of several. */
const ONE_BIT_TYPES: readonly ListsType[] = ['IVF_RABITQ', 'IVF_RABITQ_FASTSCAN'];

/** Milvus' own, as are the ranges. */
const LISTS_MAX = 65_536;
const PROBES_DEFAULT = 8;
/** Milvus ends after two lists without a hit. Here everything within a radius is found: the next list may have some of it. */
const EMPTY_LISTS_MAX_DEFAULT = 0;
const QUERY_BITS_MAX = 8;
/** Codes of SCANN have half of the digits that Milvus' have, and twice as many rows are compared anew: docs/decisions/0077. */
const REORDERED_PER_ROW = 2;
/** What a search looks through of the 1,024 lists that AUTOINDEX has where memory is short. */
export const CHOSEN_LISTS: ListProbes = {
  probes: 64,
  probesMax: LISTS_MAX,
  emptyListsMax: EMPTY_LISTS_MAX_DEFAULT,
};

/** Whether indexes of this type stand in lists by their nearest centroids. */
export function isListsType(indexType: string): indexType is ListsType {
  return (LISTS_TYPES as readonly string[]).includes(indexType);
}

/**
 * How many lists of such an index a search looks through.
 * @throws MilvusError 1100 for parameters of the index that are out of their range
 */
export function listProbes(
  indexType: ListsType,
  parameters: Parameters,
  { hits, answer }: WalkRequest,
): GraphWalk {
  const probes = integerOf(parameters, 'nprobe', 1, LISTS_MAX) ?? PROBES_DEFAULT;
  const emptyListsMax =
    integerOf(parameters, 'max_empty_result_buckets', 0, LISTS_MAX) ?? EMPTY_LISTS_MAX_DEFAULT;
  const fills = flagOf(parameters, 'ensure_topk_full') ?? indexType !== 'SCANN';
  const refineK = refineKOf(indexType, parameters, hits);
  const queryBits = ONE_BIT_TYPES.includes(indexType)
    ? integerOf(parameters, 'rbq_bits_query', 0, QUERY_BITS_MAX)
    : undefined;
  // Everything within a radius may lie in any list: there Milvus goes on from list to list.
  const lists =
    answer === 'within-radius'
      ? { probes, probesMax: LISTS_MAX, emptyListsMax }
      : { probes, probesMax: fills ? LISTS_MAX : probes, emptyListsMax: 0 };
  return { ef: 1, refineK, lists: queryBits === undefined ? lists : { ...lists, queryBits } };
}

/** How many times the hits wanted are ranked anew. */
function refineKOf(indexType: ListsType, parameters: Parameters, hits: number): number {
  if (indexType === 'IVF_FLAT' || indexType === 'BIN_IVF_FLAT') return 1;
  if (indexType !== 'SCANN') return fractionOf(parameters, 'refine_k', 1) ?? 1;
  const candidates = integerOf(parameters, 'reorder_k', 1) ?? hits;
  if (candidates < hits) throw invalidParameter(`reorder_k(${candidates}) should be larger than k(${hits})`);
  return (REORDERED_PER_ROW * candidates) / hits;
}
