import { type BitEvaluator, type Evaluator, RUN_ROWS_MAX, type Run } from './evaluator.ts';
import { filledEvaluator } from './filled-answers.ts';

/**
 * Writes into `found` which rows of a run pass, ascending and counted from `run.start`, and returns how many. `found` has
 * room for all of them; nulls and negation are not the finder's business. Quicker than an answer for each row, where few
 * rows pass.
 */
export type RowFinder = (run: Run, found: Uint16Array) => number;

type ValidityOf = (run: Run) => Uint8Array | null;

const found = new Uint16Array(RUN_ROWS_MAX);

/** The evaluator that sets what a finder finds. */
export function findingEvaluator(find: RowFinder, validityOf: ValidityOf, negated: boolean): Evaluator {
  const fill = (run: Run, answers: Uint8Array): void => {
    answers.fill(0);
    const count = find(run, found);
    for (let i = 0; i < count; i++) answers[found[i]!] = 1;
  };
  return filledEvaluator(fill, validityOf, negated);
}

/** The same in bits. */
export function findingBits(find: RowFinder, validityOf: ValidityOf, negated: boolean): BitEvaluator {
  return ({ source, start, end }, bits, firstByte) => {
    const bytes = (end - start + 7) >> 3;
    bits.fill(negated ? 0xff : 0, firstByte, firstByte + bytes);
    for (let from = start; from < end; from += RUN_ROWS_MAX) {
      const run = { source, start: from, end: Math.min(end, from + RUN_ROWS_MAX) };
      const firstBit = 8 * firstByte + from - start;
      const count = find(run, found);
      for (let i = 0; i < count; i++) flip(bits, firstBit + found[i]!);
      const validity = validityOf(run);
      if (validity !== null) clearNulls(bits, firstBit, validity.subarray(run.start, run.end));
    }
    const rest = (end - start) & 7;
    if (rest !== 0) bits[firstByte + bytes - 1]! &= (1 << rest) - 1;
  };
}

function flip(bits: Uint8Array, bit: number): void {
  bits[bit >> 3]! ^= 1 << (bit & 7);
}

function clearNulls(bits: Uint8Array, firstBit: number, validity: Uint8Array): void {
  for (let i = 0, bit = firstBit; i < validity.length; i++, bit++)
    if (validity[i] === 0) bits[bit >> 3]! &= ~(1 << (bit & 7));
}

/** The row in `row .. rows` whose texts or elements hold place `at`, which is in none of the rows before `row`. */
export function rowOfPlace(offsets: Uint32Array, at: number, row: number, rows: number): number {
  let first = row;
  let step = 1;
  while (first + step < rows && offsets[first + step]! <= at) {
    first += step;
    step *= 2;
  }
  for (; step > 0; step >>= 1) if (first + step < rows && offsets[first + step]! <= at) first += step;
  return first;
}
