import { dataTypeName } from '@elanus/model';
import { bindShift } from './bind-instant.ts';
import { type BindContext, type Bound, boundTypeName, phaseOf } from './bound.ts';
import { FilterError } from './filter-error.ts';
import { ARITHMETIC_NAMES, foldArithmetic, foldIntegers, requireShift } from './fold.ts';
import type { ArithmeticOperand, Operand, RowOperator } from './plan.ts';
import type { ArithmeticOperator, BinaryNode, Constant } from './tree.ts';
import { kindOfOperand, operandTypeName, typeOfConstant } from './value-type.ts';

const BIT_OPERATORS: ReadonlySet<string> = new Set(['&', '|', '^', '<<', '>>']);
const COMMUTATIVE: ReadonlySet<string> = new Set(['+', '*', '&', '|', '^']);

/** `left operator right`: folded when both are constants, else one operand with one constant. */
export function bindArithmetic(
  context: BindContext,
  node: BinaryNode,
  operator: ArithmeticOperator,
  left: Bound,
  right: Bound,
): Bound {
  if (right.kind === 'interval') {
    const operand = bindShift(left, context.print(node.left), operator, right.interval);
    return { kind: 'operand', operand };
  }
  for (const side of [left, right])
    if (side.kind === 'condition' || side.kind === 'list') throw cannotPerform(operator, left, right);
  if (left.kind === 'constant' && right.kind === 'constant') {
    const phase = phaseOf(left, right);
    return { kind: 'constant', value: foldArithmetic(operator, left.value, right.value), phase };
  }
  if (operator === '**') throw new FilterError(`power can only apply on constants: ${context.print(node)}`);
  if (left.kind === 'operand' && right.kind === 'operand')
    throw new FilterError('not supported to do arithmetic operations between multiple fields');
  if (left.kind === 'operand' && right.kind === 'constant')
    return { kind: 'operand', operand: applyConstant(left.operand, operator, right.value, phaseOf(right)) };
  if (left.kind === 'constant' && right.kind === 'operand' && COMMUTATIVE.has(operator))
    return { kind: 'operand', operand: applyConstant(right.operand, operator, left.value, phaseOf(left)) };
  throw new FilterError('module field is not yet supported');
}

/** `~operand`, which is `operand ^ -1`. */
export function complement(operand: Operand): Operand {
  return applyConstant(operand, '^', -1n, 'parse');
}

function applyConstant(
  operand: Operand,
  operator: RowOperator,
  constant: Constant,
  phase: 'parse' | 'fill',
): Operand {
  if (operand.kind === 'arithmetic') return extendChain(operand, operator, constant);
  if (operand.kind === 'shifted')
    throw new FilterError('complicated arithmetic operations are not supported');
  const kind = kindOfOperand(operand);
  const isNumber = typeof constant === 'bigint' || typeof constant === 'number';
  const isNumeric = kind === 'integer' || kind === 'float' || kind === 'json';
  const isFraction = typeof constant === 'number';
  const needsIntegers = kind === 'integer' || BIT_OPERATORS.has(operator);
  if (isNumeric && isNumber && operator === '%' && (kind === 'float' || isFraction))
    throw new FilterError('modulo can only apply on integer types', phase);
  const isRefusedBitwise = BIT_OPERATORS.has(operator) && kind !== 'integer';
  if (!isNumber || !isNumeric || (needsIntegers && isFraction) || isRefusedBitwise)
    throw new FilterError(
      `'${ARITHMETIC_NAMES[operator]}' cannot perform arithmetic between ${operandTypeName(operand)} field` +
        ` and ${dataTypeName(typeOfConstant(constant))}`,
      phase,
    );
  if ((operator === '/' || operator === '%') && Number(constant) === 0)
    throw new FilterError('division or modulus by zero', phase);
  if ((operator === '<<' || operator === '>>') && typeof constant === 'bigint') requireShift(constant);
  return { kind: 'arithmetic', of: operand, operator, constant };
}

/** `x + 1 - 2` is `x - 1` in integers; chains whose steps don't melt into one are refused. */
function extendChain(operand: ArithmeticOperand, operator: RowOperator, next: Constant): Operand {
  const { operator: before, constant } = operand;
  const isInteger =
    kindOfOperand(operand.of) === 'integer' && typeof constant === 'bigint' && typeof next === 'bigint';
  if (isInteger) {
    const isSum = (candidate: RowOperator) => candidate === '+' || candidate === '-';
    if (isSum(before) && isSum(operator)) {
      const sum = foldIntegers(before === operator ? '+' : '-', constant, next);
      return { ...operand, constant: sum };
    }
    if (before === operator && COMMUTATIVE.has(operator))
      return { ...operand, constant: foldIntegers(operator, constant, next) };
  }
  throw new FilterError('complicated arithmetic operations are not supported');
}

function cannotPerform(operator: ArithmeticOperator, left: Bound, right: Bound): FilterError {
  return new FilterError(
    `'${ARITHMETIC_NAMES[operator]}' cannot perform arithmetic between ${boundTypeName(left)} and ${boundTypeName(right)}`,
    phaseOf(left, right),
  );
}
