import { type IndexInfo, lastValueOf, type MetricType } from '@elanus/model';
import type { MinHashScoring } from '@elanus/rpc';
import { flagOf } from './engine-parameters.ts';
import type { Parameters } from './parameters.ts';

/** Those of Milvus, where the index names none. */
const HASH_BITS_USUAL = 8;
const BANDS_USUAL = 1;
/** Of AUTOINDEX: what the MinHash function makes. */
const HASH_BITS_CHOSEN = 32;

/**
 * How a search compares vectors that are hashes; `null` with any other metric.
 * @throws MilvusError 1100 for a flag that is none
 */
export function readMinHashScoring(
  metric: MetricType,
  index: IndexInfo | undefined,
  parameters: Parameters,
): MinHashScoring | null {
  if (metric !== 'MHJACCARD') return null;
  const built = (key: string): string | undefined => lastValueOf(index?.params ?? [], key);
  const isRanked = flagOf(parameters, 'mh_search_with_jaccard');
  flagOf(parameters, 'mh_lsh_batch_search');
  const bitsUsual =
    index === undefined || index.indexType === 'AUTOINDEX' ? HASH_BITS_CHOSEN : HASH_BITS_USUAL;
  return {
    hashBytes: Number(built('mh_element_bit_width') ?? bitsUsual) / 8,
    bands: Number(built('mh_lsh_band') ?? BANDS_USUAL),
    // Without bands there is nothing else to go by.
    rank: isRanked || index?.indexType !== 'MINHASH_LSH' ? 'share' : 'none',
  };
}
