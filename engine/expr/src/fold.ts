import { FilterError } from './filter-error.ts';
import type { ArithmeticOperator, Constant } from './tree.ts';

/** What Milvus calls the operators in its messages. */
export const ARITHMETIC_NAMES: Readonly<Record<ArithmeticOperator, string>> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '%': 'modulo',
  '**': 'power',
  '<<': 'shift',
  '>>': 'shift',
  '&': 'bitand',
  '|': 'bitor',
  '^': 'bitxor',
};

const INT64_BITS = 64;

/** `left operator right` of two constants: integers in Int64 with wrap-around, all else in Double. */
export function foldArithmetic(
  operator: ArithmeticOperator,
  left: Constant,
  right: Constant,
): bigint | number {
  const name = ARITHMETIC_NAMES[operator];
  if (typeof left === 'boolean' || typeof right === 'boolean')
    throw new FilterError(`${name} cannot apply on bool field`);
  if (typeof left === 'string' || typeof right === 'string')
    throw new FilterError(`${name} can only apply on number`);
  if (operator === '**') return finite(Number(left) ** Number(right));
  if (typeof left === 'bigint' && typeof right === 'bigint') return foldIntegers(operator, left, right);
  return finite(foldNumbers(operator, Number(left), Number(right)));
}

/** `left operator right` in Int64, modulo 2^64. */
export function foldIntegers(operator: ArithmeticOperator, left: bigint, right: bigint): bigint {
  if (right === 0n && operator === '/') throw new FilterError('cannot divide by zero');
  if (right === 0n && operator === '%') throw new FilterError('cannot modulo by zero');
  if (operator === '<<' || operator === '>>') requireShift(right);
  switch (operator) {
    case '+':
      return wrap(left + right);
    case '-':
      return wrap(left - right);
    case '*':
      return wrap(left * right);
    case '/':
      return wrap(left / right);
    case '%':
      return left % right;
    case '&':
      return left & right;
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '<<':
      return wrap(left << right);
    case '>>':
      return left >> right;
    case '**':
      throw new FilterError('power can only apply on doubles');
  }
}

function foldNumbers(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0) throw new FilterError('cannot divide by zero');
      return left / right;
    case '%':
      throw new FilterError('modulo can only apply on integer');
    default:
      throw new FilterError(`${ARITHMETIC_NAMES[operator]} can only apply on integer`);
  }
}

/** A shift by more bits than there are has no meaning that two machines agree on. */
export function requireShift(bits: bigint): void {
  if (bits < 0n || bits >= BigInt(INT64_BITS))
    throw new FilterError(`shift amount should be between 0 and ${INT64_BITS - 1}, but got: ${bits}`);
}

/** `value` modulo 2^64, as a signed integer. */
export function wrap(value: bigint): bigint {
  return BigInt.asIntN(INT64_BITS, value);
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new FilterError('the value of a constant expression is out of range');
  return value;
}

/** `+x`, `-x` and `~x` of a constant. */
export function foldSign(operator: '+' | '-' | '~', value: Constant, printed: string): bigint | number {
  const isNumber = typeof value === 'bigint' || typeof value === 'number';
  if (operator === '~' && typeof value === 'bigint') return ~value;
  if (!isNumber || operator === '~') throw new FilterError(`unsupported expression: ${printed}`);
  if (operator === '+') return value;
  return typeof value === 'bigint' ? wrap(-value) : -value;
}
