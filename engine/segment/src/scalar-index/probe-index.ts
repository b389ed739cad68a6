import type { Leaf } from '@elanus/expr';
import { boxesOf } from './probe-boxes.ts';
import { probeGrams } from './probe-grams.ts';
import { type Probe, probeValues } from './probe-values.ts';
import type { ScalarIndexData } from './scalar-index.ts';

export type { Probe };

/** How the index answers a leaf; `null` when it can't, or when it says too little to be worth asking. */
export function probeIndex(index: ScalarIndexData, leaf: Leaf): Probe | null {
  let best: Probe | null = null;
  for (const part of index.parts) {
    const probe =
      part.kind === 'values'
        ? probeValues(index, part, leaf)
        : part.kind === 'grams'
          ? probeGrams(index, part, leaf)
          : boxesOf(index, part, leaf);
    if (probe !== null && (best === null || probe.cost < best.cost)) best = probe;
  }
  return best;
}
