import { decidedValue, type Evaluator } from './evaluator.ts';
import type { SampleLeaf } from './plan.ts';

/** The evaluator of a sample: each row that is not decided yet is drawn by itself. */
export function sampleEvaluator({ probability, seed }: SampleLeaf): Evaluator {
  const draw = numbersFrom(seed);
  const limit = probability * 2 ** 32;
  return (_, out, mode) => {
    const decided = decidedValue(mode);
    for (let i = 0; i < out.length; i++) if (out[i] !== decided) out[i] = draw() < limit ? 1 : 0;
  };
}

/** Whole numbers below 2^32, evenly spread: a stepped hash of a counter. */
function numbersFrom(seed: number): () => number {
  let state = Math.imul(seed, 0x85ebca6b);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}
