import type { NumericColumn } from '@elanus/model';
import { bitsOfWord } from './bits-of-word.ts';

/** Answers with a bit for each row: 8 rows a byte. */
export type BitLoop = (
  values: NumericColumn['values'] | Int32Array,
  validity: Uint8Array | null,
  start: number,
  end: number,
  bits: Uint8Array,
  firstByte: number,
  constants: readonly unknown[],
) => void;

/** Rows of a run that say whether few of it pass, a multiple of 8, and how many those are at most. */
const SAMPLED_ROWS = 512;
const PASSED_MAX = SAMPLED_ROWS / 64;

/**
 * The loop for tests that few rows pass mostly: `rare` wherever few of the first rows of a run do, which `dense` has to say.
 * Both give the same answers.
 */
export function adaptiveLoop(dense: BitLoop, rare: BitLoop): BitLoop {
  return (values, validity, start, end, bits, firstByte, constants) => {
    const sampled = start + SAMPLED_ROWS;
    if (end < 2 * SAMPLED_ROWS + start) {
      dense(values, validity, start, end, bits, firstByte, constants);
      return;
    }
    const nextByte = firstByte + SAMPLED_ROWS / 8;
    dense(values, validity, start, sampled, bits, firstByte, constants);
    let passed = 0;
    for (let at = firstByte; at < nextByte; at++) passed += bitsOfWord(bits[at]!);
    const rest = passed <= PASSED_MAX ? rare : dense;
    rest(values, validity, sampled, end, bits, nextByte, constants);
  };
}
