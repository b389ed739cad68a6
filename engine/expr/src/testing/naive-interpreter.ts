import { type CollectionSchema, DataType } from '@elanus/model';
import { parse } from '../parser.ts';
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

/** As `isKept`, of a filter's text. */
export function naiveFilter(text: string, schema: CollectionSchema): (row: Row) => boolean {
  const tree = parse(text);
  return (row) => isKept(tree, row, schema);
}

type Truth = boolean | null;

function truthOf(node: Node, row: Row, schema: CollectionSchema): Truth {
  const value = (child: Node) => evaluate(child, row, schema);
  switch (node.kind) {
    case 'literal':
      return node.value as boolean;
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
      if (node.operator === '=~' || node.operator === '!~') {
        const text = value(node.left);
        if (typeof text !== 'string') return null;
        // Not with the flag u, under which Node 26 finds no [^a]$ in a character beyond U+FFFF.
        return new RegExp(value(node.right) as string, 'v').test(text) === (node.operator === '=~');
      }
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
      if (node.name.startsWith('st_')) return relation(node.name, list, node.operands[1]);
      const option = node.options[0] === undefined ? 1n : (value(node.options[0].value) as bigint);
      if (node.name.startsWith('match_')) {
        if (!Array.isArray(list)) return null;
        const truths = list.map((element) => truthOf(node.operands[1]!, { ...row, $: element }, schema));
        return isEnough(
          node.name,
          truths.filter((isMatch) => isMatch === true).length,
          list.length,
          Number(option),
        );
      }
      if (node.name === 'text_match_fuzzy') {
        if (typeof list !== 'string') return null;
        const tokens = wordsOf(value(node.operands[1]!) as string);
        return wordsOf(list).some((word) =>
          tokens.some((token) => editsBetween(word, token) <= Number(option)),
        );
      }
      if (node.name === 'text_match' || node.name === 'phrase_match') {
        if (typeof list !== 'string') return null;
        const words = wordsOf(list);
        const tokens = wordsOf(value(node.operands[1]!) as string);
        if (node.name === 'text_match') {
          const found = new Set(tokens.filter((token) => words.includes(token)));
          return found.size > 0 && found.size >= Number(option);
        }
        const slop = node.operands[2] === undefined ? 0 : Number(value(node.operands[2]));
        return tokens.length > 0 && phraseCost(words, tokens, 0, null) <= slop;
      }
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

/** Of a point to a rectangle, `POLYGON ((west south, east south, east north, west north, west south))`, or to a point. */
function relation(call: string, shape: unknown, constant: Node | undefined): Truth {
  if (typeof shape !== 'string') return null;
  if (constant === undefined) return true;
  const numbers = (text: string) => (text.match(/-?\d+(\.\d+)?/g) ?? []).map(Number);
  const [x, y] = numbers(shape) as [number, number];
  const [west, south, east = west, , , north = south] = numbers((constant as { value: string }).value);
  const isNear = x >= west! && x <= east! && y >= south! && y <= north!;
  const isInside = x > west! && x < east! && y > south! && y < north!;
  const isPoint = west === east;
  if (call === 'st_intersects') return isNear;
  if (call === 'st_touches') return isNear && !isInside && !isPoint;
  return call === 'st_equals' ? isNear && isPoint : isPoint ? isNear : isInside;
}

function isEnough(call: string, count: number, length: number, threshold: number): boolean {
  const answers: Record<string, boolean> = {
    match_any: count > 0,
    match_all: count === length,
    match_least: count >= threshold,
    match_most: count <= threshold,
    match_exact: count === threshold,
  };
  return answers[call]!;
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** By trying every edit of the first characters. */
function editsBetween(left: string, right: string): number {
  if (left === '' || right === '') return left.length + right.length;
  if (left[0] === right[0]) return editsBetween(left.slice(1), right.slice(1));
  const isSwapped = left.length > 1 && left[0] === right[1] && left[1] === right[0];
  return (
    1 +
    Math.min(
      editsBetween(left.slice(1), right),
      editsBetween(left, right.slice(1)),
      editsBetween(left.slice(1), right.slice(1)),
      isSwapped ? editsBetween(left.slice(2), right.slice(2)) : Number.POSITIVE_INFINITY,
    )
  );
}

/** The least cost of all ways to find the tokens from `index` on, the last one before having been shifted so far. */
function phraseCost(words: string[], tokens: string[], index: number, shift: number | null): number {
  if (index === tokens.length) return 0;
  const costs = words.flatMap((word, place) => {
    if (word !== tokens[index]) return [];
    const step = shift === null ? 0 : Math.abs(place - index - shift);
    return [step + phraseCost(words, tokens, index + 1, place - index)];
  });
  return Math.min(...costs, Number.POSITIVE_INFINITY);
}

/** Months later, on the same day or the last one before it. */
function monthsLater(microseconds: bigint, months: number): bigint {
  const at = new Date(Number(microseconds / 1_000n));
  const later = new Date(at);
  later.setUTCDate(1);
  later.setUTCMonth(later.getUTCMonth() + months);
  const month = later.getUTCMonth();
  later.setUTCDate(at.getUTCDate());
  while (later.getUTCMonth() !== month) later.setUTCDate(0);
  return BigInt(later.getTime()) * 1_000n + (microseconds % 1_000n);
}

function evaluate(node: Node, row: Row, schema: CollectionSchema): unknown {
  switch (node.kind) {
    case 'literal':
      return node.value;
    case 'element':
      return node.field === null ? row.$ : (row.$ as Row)[node.field];
    case 'instant':
      return BigInt(Date.parse(node.text)) * 1_000n;
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
      const structs = structsOf(node.name, row, schema);
      if (structs !== undefined) {
        const [first, second] = node.steps;
        if (first?.form === 'field') return structs?.map((struct) => struct[first.text]) ?? null;
        return walk(structs, second === undefined ? [] : [first!.text, second.text]);
      }
      const field = schema.fields.find(({ name }) => name === node.name);
      const steps = node.steps.map((step) => step.text);
      if (field === undefined) return walk(documentOf(row.$meta), [node.name, ...steps]);
      const value = row[node.name];
      return walk(field.dataType === DataType.JSON ? documentOf(value) : (value ?? null), steps);
    }
    case 'call': {
      const list = evaluate(node.operands[0]!, row, schema);
      return Array.isArray(list) ? BigInt(list.length) : null;
    }
    case 'binary': {
      const left = evaluate(node.left, row, schema);
      if (node.right.kind === 'interval') {
        const [, months, days] = /^P(?:(\d+)M)?(?:(\d+)D)?$/.exec(node.right.text)!;
        const sign = node.operator === '+' ? 1 : -1;
        if (left === null) return null;
        return (
          monthsLater(left as bigint, sign * Number(months ?? 0)) +
          BigInt(sign * Number(days ?? 0)) * 86_400_000_000n
        );
      }
      const right = evaluate(node.right, row, schema);
      return isNumber(left) ? calculate(left, node.operator, right as number | bigint) : null;
    }
    default:
      throw new TypeError(`the naive interpreter does not know ${node.kind}`);
  }
}

/** The structs of an array of them, `null` for none at all; `undefined` when nothing is called so. */
function structsOf(name: string, row: Row, schema: CollectionSchema): readonly Row[] | null | undefined {
  const subs = schema.fields.map((field) => field.name).filter((sub) => sub.startsWith(`${name}[`));
  if (subs.length === 0) return undefined;
  const columns = subs.map((sub) => row[sub] as readonly unknown[] | undefined);
  if (columns[0] === undefined) return null;
  return columns[0].map((_, at) =>
    Object.fromEntries(subs.map((sub, i) => [sub.slice(name.length + 1, -1), columns[i]![at]])),
  );
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
