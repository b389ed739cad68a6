import type { BitEvaluator } from './evaluator.ts';
import { numberBits } from './number-loop.ts';
import type { Condition } from './plan.ts';
import { kindOfOperand } from './value-type.ts';

/** Deeper trees, and those of more terms, are rare: the usual way takes them. */
const DEPTH_MAX = 8;
const OPERANDS_MAX = 64;
/** Rows that are tested between two joins: the bits in between stay in the cache. */
const RUN_BYTES = 1_024;

/** The evaluator of a filter that asks about nothing but whole numeric columns; `null` for every other one. */
export function bitEvaluator(condition: Condition, depth = 0): BitEvaluator | null {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return joined(condition.kind, condition.operands, depth);
    case 'compare':
      return typeof condition.value !== 'object' && isNumeric(condition.operand)
        ? numberBits(condition)
        : null;
    case 'range':
    case 'in':
      return isNumeric(condition.operand) ? numberBits(condition) : null;
    default:
      return null;
  }
}

type Operand = Extract<Condition, { kind: 'range' }>['operand'];

function isNumeric(operand: Operand): boolean {
  const column = operand.kind === 'arithmetic' ? operand.of : operand;
  if (column.kind !== 'column') return false;
  const kind = kindOfOperand(column);
  return kind === 'bool' || kind === 'integer' || kind === 'float' || kind === 'instant';
}

function joined(kind: 'and' | 'or', operands: readonly Condition[], depth: number): BitEvaluator | null {
  if (depth === DEPTH_MAX || operands.length > OPERANDS_MAX) return null;
  const evaluators: BitEvaluator[] = [];
  for (const operand of operands) {
    const evaluate = bitEvaluator(operand, depth + 1);
    if (evaluate === null) return null;
    evaluators.push(evaluate);
  }
  const other = new Uint8Array(RUN_BYTES);
  return ({ source, start, end }, bits, firstByte) => {
    for (let from = start, at = firstByte; from < end; from += 8 * RUN_BYTES, at += RUN_BYTES) {
      const run = { source, start: from, end: Math.min(end, from + 8 * RUN_BYTES) };
      const bytes = (run.end - run.start + 7) >> 3;
      evaluators[0]!(run, bits, at);
      for (const evaluate of evaluators.slice(1)) {
        evaluate(run, other, 0);
        if (kind === 'and') for (let i = 0; i < bytes; i++) bits[at + i]! &= other[i]!;
        else for (let i = 0; i < bytes; i++) bits[at + i]! |= other[i]!;
      }
    }
  };
}
