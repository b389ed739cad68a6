import type { Leaf } from '@elanus/expr';
import { boxesOf } from './probe-boxes.ts';
import { probeGrams } from './probe-grams.ts';
import { type Probe, probeValues } from './probe-values.ts';
import { probeWords } from './probe-words.ts';
import type { IndexPart, ScalarIndexData } from './scalar-index.ts';

export type { Probe };

/** How the index answers a leaf; `null` when it can't, or when it says too little to be worth asking. */
export function probeIndex(index: ScalarIndexData, leaf: Leaf): Probe | null {
  let best: Probe | null = null;
  for (const part of index.parts) {
    const probe = probePart(index, part, leaf);
    if (probe !== null && (best === null || probe.cost < best.cost)) best = probe;
  }
  return best;
}

function probePart(index: ScalarIndexData, part: IndexPart, leaf: Leaf): Probe | null {
  switch (part.kind) {
    case 'values':
      return probeValues(index, part, leaf);
    case 'grams':
      return probeGrams(index, part, leaf);
    case 'boxes':
      return boxesOf(index, part, leaf);
    case 'words':
      return probeWords(index, part, leaf);
  }
}
