import type { BitEvaluator } from './evaluator.ts';
import { numberBits } from './number-loop.ts';
import type { Condition, OperandLeaf } from './plan.ts';
import { isOfShortLiteral, textBits } from './text-scan.ts';
import { kindOfOperand } from './value-type.ts';

/** Deeper trees, and those of more terms, are rare: the usual way takes them. */
const DEPTH_MAX = 8;
const OPERANDS_MAX = 64;
/** Rows that are tested between two joins: the bits in between stay in the cache. */
const RUN_BYTES = 1_024;

/**
 * The evaluator of a filter that asks about nothing but whole numeric columns, and how texts begin or whether they are some
 * text; `null` for every other one. It is compiled by the first run: who looks at single rows never pays for it.
 */
export function bitEvaluator(condition: Condition): BitEvaluator | null {
  if (!isQuick(condition, 0)) return null;
  let evaluate: BitEvaluator | null = null;
  return (run, bits, firstByte) => {
    evaluate ??= compiled(condition);
    evaluate(run, bits, firstByte);
  };
}

type NumberLeaf = Parameters<typeof numberBits>[0];

function isQuick(condition: Condition, depth: number): boolean {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const { operands } = condition;
      if (depth === DEPTH_MAX || operands.length > OPERANDS_MAX) return false;
      return operands.every((operand) => isQuick(operand, depth + 1));
    }
    case 'compare':
      if (isText(condition.operand)) return isOfShortLiteral(condition);
      return typeof condition.value !== 'object' && isNumeric(condition.operand);
    case 'like':
      return isText(condition.operand) && isOfShortLiteral(condition);
    case 'range':
    case 'in':
      return isNumeric(condition.operand);
    default:
      return false;
  }
}

function isNumeric(operand: NumberLeaf['operand']): boolean {
  const column = operand.kind === 'arithmetic' ? operand.of : operand;
  if (column.kind !== 'column') return false;
  const kind = kindOfOperand(column);
  return kind === 'bool' || kind === 'integer' || kind === 'float' || kind === 'instant';
}

function isText(operand: OperandLeaf['operand']): boolean {
  return operand.kind === 'column' && kindOfOperand(operand) === 'string';
}

/** Of a condition that `isQuick`. */
function compiled(condition: Condition): BitEvaluator {
  if (condition.kind === 'and' || condition.kind === 'or')
    return joined(condition.kind, condition.operands.map(compiled));
  const { operand } = condition as OperandLeaf;
  if (operand.kind === 'column' && isText(operand)) return textBits(condition as OperandLeaf, operand.field)!;
  return numberBits(condition as NumberLeaf);
}

function joined(kind: 'and' | 'or', evaluators: readonly BitEvaluator[]): BitEvaluator {
  const [first, ...others] = evaluators as readonly [BitEvaluator, ...BitEvaluator[]];
  const other = new Uint8Array(RUN_BYTES);
  return ({ source, start, end }, bits, firstByte) => {
    for (let from = start, at = firstByte; from < end; from += 8 * RUN_BYTES, at += RUN_BYTES) {
      const run = { source, start: from, end: Math.min(end, from + 8 * RUN_BYTES) };
      const bytes = (run.end - run.start + 7) >> 3;
      first(run, bits, at);
      for (const evaluate of others) {
        evaluate(run, other, 0);
        if (kind === 'and') for (let i = 0; i < bytes; i++) bits[at + i]! &= other[i]!;
        else for (let i = 0; i < bytes; i++) bits[at + i]! |= other[i]!;
      }
    }
  };
}
