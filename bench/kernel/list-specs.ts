/** Our indexes of lists, as the benchmark builds and searches them; `peers/adapters/faiss_lists.py` has the same numbers. */
import type { IndexSpec } from '@elanus/kernel';

/** Candidates ranked anew, for each row asked for, where the codes are not enough. */
export const LISTS_REFINED = 10;
const PROBES = [1, 2, 3, 4, 6, 8, 11, 16, 22, 32, 45, 64, 90, 128, 180, 256, 362, 512, 724, 1024] as const;

/** A power of two, at most four times the root of the number of rows. */
function listsFor(rows: number): number {
  return 2 ** Math.floor(Math.log2(4 * Math.sqrt(rows)));
}

/** How many of the lists are looked through: up to all. */
export function probesFor(rows: number): readonly number[] {
  return PROBES.filter((probes) => probes <= listsFor(rows));
}

/** The index called `name` over so many rows; `null` when it is none of lists. */
export function listsSpecNamed(name: string, rows: number, dim: number): IndexSpec | null {
  const lists = listsFor(rows);
  switch (name) {
    case 'ivf-flat':
      return { type: 'IVF_FLAT', lists };
    case 'ivf-sq8':
      return { type: 'IVF_SQ', lists, sqType: 'SQ8', refine: null };
    case 'ivf-sq8-refined':
      return { type: 'IVF_SQ', lists, sqType: 'SQ8', refine: 'FP32' };
    case 'ivf-pq':
      return { type: 'IVF_PQ', lists, subquantizers: dim / 4, bits: 4, refine: 'FP32' };
    case 'ivf-rabitq':
      return { type: 'IVF_RABITQ', lists, bits: 1, refine: 'FP32' };
    case 'scann':
      return { type: 'SCANN', lists, subquantizers: dim / 2, vectors: 'kept' };
    case 'bin-ivf-flat':
      return { type: 'BIN_IVF_FLAT', lists };
    default:
      return null;
  }
}
