import { DataType, type FieldId, type NumericColumn } from '@elanus/model';
import type { BitEvaluator, Evaluator, Mode } from './evaluator.ts';
import { halvesOf } from './integer-set.ts';
import { integerSetOf, numberSetOf } from './look-ups.ts';
import type {
  ArithmeticOperand,
  ComparisonLeaf,
  ConstantList,
  FieldsLeaf,
  MembershipLeaf,
  RangeLeaf,
} from './plan.ts';
import { adaptiveLoop, type BitLoop } from './rare-loop.ts';
import type { ComparisonOperator, Constant } from './tree.ts';

/**
 * Filters over numeric columns are generated code, one function for each shape (type, operators,
 * nullability, mode) and never for a constant: constants are arguments, so the number of functions is
 * bounded and user text is in none of them. Functions of their own, because a loop shared by all column
 * types would look up the type at every row, which is ten times slower; bit operators instead of `&&`
 * and `?:`, because branches that guess wrong are six times slower (bench/expr.ts).
 */
type NumberLeaf = ComparisonLeaf | RangeLeaf | MembershipLeaf;

/** Alternatives that are compared one by one; longer lists are looked up. */
const UNROLLED_MAX = 4;
/** Beyond these, a result could need more than the 53 bits of a double. */
const ADDEND_MAX = 2n ** 52n;
const FACTOR_MAX = 2n ** 20n;

/** How a row's value is at hand: as `v`, a number or a bigint, or for a look-up as the halves `lo` and `hi`. */
type Form = 'number' | 'bigint' | 'halves';

interface Shape {
  /** Names the types of the columns: a loop over arrays of two types would look up which at every row. */
  readonly types: string;
  readonly load: string;
  readonly test: string;
  readonly constants: readonly unknown[];
}

/** A loop over a column, before it is known what becomes of its answers. */
interface ColumnLoop {
  readonly shape: Shape;
  readonly form: Form;
  readonly fieldId: FieldId;
}

function columnLoop(leaf: NumberLeaf): ColumnLoop {
  const { operand } = leaf;
  const column = operand.kind === 'arithmetic' ? operand.of : operand;
  if (column.kind !== 'column') throw new TypeError('a numeric loop runs over a whole column');
  const type = column.field.dataType;
  const constants: unknown[] = [];
  const { form, load } =
    operand.kind === 'arithmetic'
      ? loadArithmetic(operand, type, constants)
      : loadColumn(type, isLookUp(leaf));
  const test = testOf(leaf, form, constants);
  const shape: Shape = { types: String(type), load, test: leaf.negated ? `(${test}) ^ 1` : test, constants };
  return { shape, form, fieldId: column.field.id };
}

function valuesOf({ values }: NumericColumn, form: Form): Values | Int32Array {
  return form === 'halves' ? halvesOf(values as BigInt64Array) : values;
}

/** The evaluator of a leaf on a whole numeric or Bool column, or on arithmetic of one. */
export function numberEvaluator(leaf: NumberLeaf): Evaluator {
  const { shape, form, fieldId } = columnLoop(leaf);
  const loops = new LoopVariants(shape);
  return (run, out, mode) => {
    const data = run.source.column(fieldId) as NumericColumn;
    const loop = loops.get(mode, data.validity !== null);
    loop(valuesOf(data, form), data.validity, run.start, run.end, out, shape.constants);
  };
}

/** As `numberEvaluator`, writing a bit for each row: 8 rows a byte, so that no second pass has to. */
export function numberBits(leaf: NumberLeaf): BitEvaluator {
  const { shape, form, fieldId } = columnLoop(leaf);
  const loops: (BitLoop | undefined)[] = [];
  return ({ source, start, end }, bits, firstByte) => {
    const data = source.column(fieldId) as NumericColumn;
    const variant = data.validity === null ? 0 : 1;
    loops[variant] ??= bitLoopOf(shape, variant === 1);
    loops[variant](valuesOf(data, form), data.validity, start, end, bits, firstByte, shape.constants);
  };
}

/** The evaluator of a comparison of two numeric columns; mixed types compare exactly, as JavaScript does. */
export function numericFieldsEvaluator(leaf: FieldsLeaf): Evaluator {
  const test = `(v ${leaf.operator} other[row])${leaf.negated ? ' ^ 1' : ''}`;
  const types = `${leaf.left.dataType} ${leaf.right.dataType}`;
  const loops = new LoopVariants({ types, load: 'const v = values[row];', test, constants: [] });
  return ({ source, start, end }, out, mode) => {
    const left = source.column(leaf.left.id) as NumericColumn;
    const right = source.column(leaf.right.id) as NumericColumn;
    const validity = joinValidity(left.validity?.subarray(start, end), right.validity?.subarray(start, end));
    const loop = loops.get(mode, validity !== null);
    loop(
      left.values.subarray(start, end),
      validity,
      0,
      end - start,
      out,
      [],
      right.values.subarray(start, end),
    );
  };
}

/** Where both have a value; `null` when nothing is null. */
function joinValidity(left: Uint8Array | undefined, right: Uint8Array | undefined): Uint8Array | null {
  if (left === undefined || right === undefined) return left ?? right ?? null;
  return left.map((isThere, index) => isThere & right[index]!);
}

/** Whether the column is a BigInt64Array. */
function isLong(type: DataType): boolean {
  return type === DataType.Int64 || type === DataType.Timestamptz;
}

const NUMBER_LOAD = 'const v = values[row];';

/** `asIntN` changes nothing, but lets the compiler keep the integer in a register: 1 ms instead of 15 a million. */
function loadColumn(type: DataType, lookUp: boolean): { form: Form; load: string } {
  if (!isLong(type)) return { form: 'number', load: NUMBER_LOAD };
  if (lookUp) return { form: 'halves', load: 'const lo = values[2 * row], hi = values[2 * row + 1];' };
  return { form: 'bigint', load: 'const v = BigInt.asIntN(64, values[row]);' };
}

/** In doubles where they are exact, else in bigints that wrap at 64 bits. */
function loadArithmetic(
  operand: ArithmeticOperand,
  type: DataType,
  constants: unknown[],
): { form: Form; load: string } {
  const { operator, constant } = operand;
  const k = `c[${constants.length}]`;
  if (typeof constant === 'number' || type === DataType.Float || type === DataType.Double) {
    constants.push(Number(constant));
    return { form: 'number', load: `const v = values[row] ${operator} ${k};` };
  }
  if (!isLong(type) && isExactInDouble(operator, constant)) {
    constants.push(Number(constant));
    const result = `values[row] ${operator} ${k}`;
    return { form: 'number', load: `const v = ${operator === '/' ? `Math.trunc(${result})` : result};` };
  }
  constants.push(constant);
  const value = isLong(type) ? 'values[row]' : 'BigInt(values[row])';
  return { form: 'bigint', load: `const v = BigInt.asIntN(64, ${value} ${operator} ${k});` };
}

/** Whether a column of up to 32 bits and this constant stay exact, and within 32 bits for bit operators. */
function isExactInDouble(operator: ArithmeticOperand['operator'], constant: bigint): boolean {
  const size = constant < 0n ? -constant : constant;
  switch (operator) {
    case '+':
    case '-':
    case '/':
    case '%':
      return size <= ADDEND_MAX;
    case '*':
      return size <= FACTOR_MAX;
    case '&':
    case '|':
    case '^':
      return BigInt.asIntN(32, constant) === constant;
    case '>>':
      return size < 32n;
    case '<<':
      return false;
  }
}

function testOf(leaf: NumberLeaf, form: Form, constants: unknown[]): string {
  switch (leaf.kind) {
    case 'compare':
      return compareCode(form, leaf.operator, leaf.value as Constant, constants);
    case 'range': {
      const lower = compareCode(form, leaf.lowerOperator, leaf.lower, constants);
      const upper = compareCode(form, leaf.upperOperator, leaf.upper, constants);
      return `(${lower}) & (${upper})`;
    }
    case 'in':
      return membershipCode(form, leaf.values, constants);
  }
}

function isLookUp(leaf: NumberLeaf): boolean {
  return leaf.kind === 'in' && leaf.values.length > UNROLLED_MAX;
}

function membershipCode(form: Form, values: ConstantList, constants: unknown[]): string {
  if (values.length === 0) return '0';
  if (values.length <= UNROLLED_MAX || typeof values[0] === 'boolean') {
    const distinct = [...new Set<Constant>(values)];
    return distinct.map((value) => `(${compareCode(form, '==', value, constants)})`).join(' | ');
  }
  const set = `c[${constants.length}]`;
  if (typeof values[0] === 'bigint') {
    constants.push(integerSetOf(values as readonly bigint[] | BigInt64Array));
    return form === 'halves' ? `${set}.has(lo, hi) | 0` : `${set}.has(v, v >> 31) | 0`;
  }
  constants.push(numberSetOf(values as readonly number[]));
  return `${set}.has(v) | 0`;
}

function compareCode(
  form: Form,
  operator: ComparisonOperator,
  value: Constant,
  constants: unknown[],
): string {
  const index = constants.length;
  constants.push(form === 'bigint' ? value : Number(value));
  return `v ${operator} c[${index}]`;
}

type Values = NumericColumn['values'];
type Loop = (
  values: Values,
  validity: Uint8Array | null,
  start: number,
  end: number,
  out: Uint8Array,
  constants: readonly unknown[],
  other?: Values,
) => void;

const loopsByCode = new Map<string, Loop>();
const ASSIGN = { set: '=', and: '&=', or: '|=' } as const;

/** The loops of one leaf, made when they are first needed and shared with all leaves of its shape. */
class LoopVariants {
  readonly #shape: Shape;
  readonly #loops = new Map<string, Loop>();

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  get(mode: Mode, isNullable: boolean): Loop {
    const variant = isNullable ? `${mode}?` : mode;
    let loop = this.#loops.get(variant);
    if (loop === undefined) {
      loop = loopOf(this.#shape, mode, isNullable);
      this.#loops.set(variant, loop);
    }
    return loop;
  }
}

function loopOf(shape: Shape, mode: Mode, isNullable: boolean): Loop {
  const declarations = shape.constants.map((_, index) => `const c${index} = c[${index}];`).join(' ');
  const body = `${shape.load} out[i] ${ASSIGN[mode]} (${shape.test}) ${isNullable ? '& validity[row]' : '| 0'};`;
  const code = `/* ${shape.types} */ ${declarations}
for (let row = start, i = 0; row < end; row++, i++) { ${body.replace(/c\[(\d+)\]/g, 'c$1')} }`;
  let loop = loopsByCode.get(code);
  if (loop === undefined) {
    loop = new Function('values', 'validity', 'start', 'end', 'out', 'c', 'other', code) as Loop;
    loopsByCode.set(code, loop);
  }
  return loop;
}

const bitLoops = new Map<string, BitLoop>();

/** The loop of a shape, made once. */
function bitLoopOf(shape: Shape, isNullable: boolean): BitLoop {
  const key = `${shape.types} ${shape.load} ${shape.test} ${shape.constants.length} ${isNullable}`;
  let loop = bitLoops.get(key);
  if (loop === undefined) {
    const make = (guard: string | null): BitLoop => {
      const code = bitLoopCode(shape, isNullable, guard);
      return new Function('values', 'validity', 'start', 'end', 'bits', 'firstByte', 'c', code) as BitLoop;
    };
    const guard = guardOf(shape);
    loop = guard === null ? make(null) : adaptiveLoop(make(null), make(guard));
    bitLoops.set(key, loop);
  }
  return loop;
}

/**
 * Whether one of eight rows is equal to a constant, by branches: these are free where hardly any row is, and half as much to
 * do. `null` for other tests, which more rows pass, and for bigints, where branches are no less to do.
 */
function guardOf({ load, test }: Shape): string | null {
  if (load !== NUMBER_LOAD || !/^v == c\[\d+\]$/.test(test)) return null;
  return Array.from({ length: 8 }, (_, i) => test.replace('v', `values[row + ${i}]`)).join(' || ');
}

/** `guard`: which rows are looked at one by one; `null`: all. */
function bitLoopCode(
  { types, load, test, constants }: Shape,
  isNullable: boolean,
  guard: string | null,
): string {
  const declarations = constants.map((_, index) => `const c${index} = c[${index}];`).join(' ');
  const bitOf = (at: string, shift: string): string => {
    const loadAt = load.replaceAll('[row]', `[${at}]`).replaceAll('2 * row', `2 * (${at})`);
    const testAt = isNullable ? `(${test}) & validity[${at}]` : `(${test})`;
    return `{ ${loadAt} byte |= (${testAt}) << ${shift}; }`;
  };
  const eight = Array.from({ length: 8 }, (_, i) => bitOf(`row + ${i}`, String(i))).join('\n');
  const guarded = guard === null ? eight : `if (${guard}) { ${eight} }`;
  const body = `let row = start, at = firstByte;
for (; row + 8 <= end; row += 8, at++) { let byte = 0; ${guarded} bits[at] = byte; }
if (row < end) { let byte = 0; for (let i = 0; row < end; row++, i++) ${bitOf('row', 'i')} bits[at] = byte; }`;
  return `/* ${types} */ ${declarations}\n${body.replace(/c\[(\d+)\]/g, 'c$1')}`;
}
