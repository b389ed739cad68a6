import type { CollectionSchema } from '@elanus/model';
import type { Constant, Node } from '../tree.ts';
import type { Row } from './demo-rows.ts';

/**
 * What a filter means, said in the plainest way: one row at a time, three truth values, no plan. `null` is
 * UNKNOWN for conditions and "no value" for values. Speaks the part of the language that the random
 * filters of the tests are made of, and assumes that the types fit.
 */
export function isKept(node: Node, row: Row, schema: CollectionSchema): boolean {
  return truthOf(node, row, schema) === true;
}

type Truth = boolean | null;

function truthOf(node: Node, row: Row, schema: CollectionSchema): Truth {
  const value = (child: Node) => evaluate(child, row, schema);
  switch (node.kind) {
    case 'logic': {
      const truths = node.operands.map((operand) => truthOf(operand, row, schema));
      const decisive = node.operator === 'or';
      if (truths.includes(decisive)) return decisive;
      return truths.includes(null) ? null : !decisive;
    }
    case 'unary': {
      if (node.operator === 'exists') return value(node.operand) !== null;
      const truth = truthOf(node.operand, row, schema);
      return truth === null ? null : !truth;
    }
    case 'binary':
      if (node.operator === 'like') return like(value(node.left), value(node.right) as string);
      return compare(value(node.left), node.operator, value(node.right));
    case 'range': {
      const middle = value(node.middle);
      const left = compare(value(node.left), node.leftOperator, middle);
      const right = compare(middle, node.rightOperator, value(node.right));
      if (left === null || right === null) return null;
      return left && right;
    }
    case 'membership': {
      const tested = value(node.left);
      const items = value(node.right) as readonly unknown[];
      if (tested === null || (items.length > 0 && !items.some((item) => kindOf(item) === kindOf(tested))))
        return null;
      return items.some((item) => compare(tested, '==', item) === true) === (node.operator === 'in');
    }
    case 'null-test':
      return (value(node.operand) === null) === (node.operator === 'is null');
    case 'call': {
      const list = value(node.operands[0]!);
      const wanted = value(node.operands[1]!);
      if (!Array.isArray(list)) return null;
      const has = (item: unknown) => list.some((element) => compare(element, '==', item) === true);
      if (node.name.endsWith('_all')) return (wanted as unknown[]).every(has);
      return node.name.endsWith('_any') ? (wanted as unknown[]).some(has) : has(wanted);
    }
    default:
      throw new TypeError(`the naive interpreter does not know ${node.kind}`);
  }
}

function evaluate(node: Node, row: Row, schema: CollectionSchema): unknown {
  switch (node.kind) {
    case 'literal':
      return node.value;
    case 'list':
      return Array.from<Constant | Node, unknown>(node.items, (item) =>
        typeof item === 'object' ? evaluate(item, row, schema) : item,
      );
    case 'unary': {
      const operand = evaluate(node.operand, row, schema);
      return typeof operand === 'bigint' ? -operand : -(operand as number);
    }
    case 'name': {
      if (node.name === '$meta')
        return walk(
          documentOf(row.$meta),
          node.steps.map((step) => step.text),
        );
      const isField = schema.fields.some((field) => field.name === node.name);
      const steps = node.steps.map((step) => step.text);
      return isField
        ? walk(fieldValue(row[node.name]), steps)
        : walk(documentOf(row.$meta), [node.name, ...steps]);
    }
    case 'call': {
      const list = evaluate(node.operands[0]!, row, schema);
      return Array.isArray(list) ? BigInt(list.length) : null;
    }
    case 'binary': {
      const left = evaluate(node.left, row, schema);
      const right = evaluate(node.right, row, schema);
      return isNumber(left) ? calculate(left, node.operator, right as number | bigint) : null;
    }
    default:
      throw new TypeError(`the naive interpreter does not know ${node.kind}`);
  }
}

function fieldValue(value: unknown): unknown {
  if (value === undefined) return null;
  return typeof value === 'string' && /^\s*[[{]/.test(value) ? documentOf(value) : value;
}

/** Integers as bigints, so that none is rounded. */
function documentOf(text: unknown): unknown {
  if (typeof text !== 'string') return null;
  const parse = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ) => unknown;
  return parse(text, (_, value, { source }) =>
    typeof value === 'number' && /^-?\d+$/.test(source ?? '') ? BigInt(source!) : value,
  );
}

function walk(value: unknown, steps: readonly string[]): unknown {
  let at = value;
  for (const step of steps) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return null;
    at = (at as Record<string, unknown>)[step];
  }
  return at ?? null;
}

function isNumber(value: unknown): value is number | bigint {
  return kindOf(value) === 'number';
}

function calculate(left: number | bigint, operator: string, right: number | bigint): unknown {
  const isInteger = typeof left === 'bigint' || Number.isInteger(left);
  if (typeof right === 'bigint' && isInteger) {
    const a = BigInt(left);
    const results: Record<string, () => bigint> = {
      '+': () => a + right,
      '-': () => a - right,
      '*': () => a * right,
      '/': () => a / right,
      '%': () => a % right,
      '&': () => a & right,
      '|': () => a | right,
      '^': () => a ^ right,
    };
    return BigInt.asIntN(64, results[operator]!());
  }
  const [a, b] = [Number(left), Number(right)];
  return operator === '+' ? a + b : operator === '-' ? a - b : operator === '*' ? a * b : a / b;
}

function kindOf(value: unknown): string {
  return typeof value === 'bigint' ? 'number' : typeof value;
}

function compare(left: unknown, operator: string, right: unknown): Truth {
  if (left === null || right === null || kindOf(left) !== kindOf(right) || typeof left === 'object')
    return null;
  const order =
    typeof left === 'string'
      ? Buffer.compare(Buffer.from(left), Buffer.from(right as string))
      : (left as Constant) < (right as Constant)
        ? -1
        : (left as Constant) > (right as Constant)
          ? 1
          : 0;
  const answers: Record<string, boolean> = {
    '==': order === 0,
    '!=': order !== 0,
    '<': order < 0,
    '<=': order <= 0,
    '>': order > 0,
    '>=': order >= 0,
  };
  return answers[operator]!;
}

/** By a regular expression that is written out of the pattern. */
function like(value: unknown, pattern: string): Truth {
  if (typeof value !== 'string') return null;
  let source = '';
  const units = [...pattern];
  for (let i = 0; i < units.length; i++) {
    const isEscaped = units[i] === '\\' && i + 1 < units.length;
    const unit = isEscaped ? units[++i]! : units[i]!;
    if (!isEscaped && unit === '%') source += '[^]*';
    else if (!isEscaped && unit === '_') source += '[^]';
    else source += `\\u{${unit.codePointAt(0)!.toString(16)}}`;
  }
  return new RegExp(`^${source}$`, 'u').test(value);
}
