import { FilterError, shorten } from './filter-error.ts';
import { Lexer, type TokenKind } from './lexer.ts';
import { FILTER_LIMITS } from './limits.ts';
import type { BinaryNode, Constant, NameNode, Node, RangeNode, UnaryNode } from './tree.ts';

/** How tightly an infix operator binds: the larger, the tighter. All of them associate to the left. */
const INFIX: Readonly<Partial<Record<TokenKind, number>>> = {
  like: 20,
  '=~': 19,
  '!~': 18,
  '**': 17,
  '*': 15,
  '/': 15,
  '%': 15,
  '+': 14,
  '-': 14,
  '<<': 13,
  '>>': 13,
  in: 12,
  not: 12,
  '<': 10,
  '<=': 10,
  '>': 10,
  '>=': 10,
  '==': 9,
  '!=': 9,
  '&': 8,
  '^': 7,
  '|': 6,
  and: 5,
  or: 4,
};
const LOOSEST = 0;
/** Operands of `+ - ~ not`: looser than LIKE and `**`, tighter than all else. */
const UNARY = 16;
const TIGHTEST = 21;

const INT64_MAX = 0x7fff_ffff_ffff_ffffn;

/** The tree of `text`, which is not blank. @throws FilterError */
export function parse(text: string): Node {
  if (text.length > FILTER_LIMITS.textLengthMax)
    throw new FilterError(`the expression is longer than ${FILTER_LIMITS.textLengthMax} characters`);
  return new Parser(text).parseAll();
}

/** A Pratt parser. `#depth` bounds its own recursion, `height` that of all later passes. */
class Parser {
  readonly #text: string;
  readonly #lexer: Lexer;
  #depth = 0;
  #nodes = 0;
  #listItems = 0;

  constructor(text: string) {
    this.#text = text;
    this.#lexer = new Lexer(text);
  }

  parseAll(): Node {
    const node = this.#expression(LOOSEST);
    if (this.#lexer.kind !== 'end') throw new FilterError(`invalid expression: ${shorten(this.#text)}`);
    return node;
  }

  /** Everything from here that binds at least as tightly as `tightness`. */
  #expression(tightness: number): Node {
    if (++this.#depth > FILTER_LIMITS.heightMax) throw tooDeep();
    const lexer = this.#lexer;
    let left = this.#prefix();
    for (;;) {
      const kind = lexer.kind;
      const binds = INFIX[kind];
      if (binds === undefined || binds < tightness) break;
      if (kind === 'and' || kind === 'or') left = this.#logic(kind, left, binds);
      else if (kind === 'in' || kind === 'not') {
        const membership = this.#membership(kind, left, binds);
        if (membership === undefined) break;
        left = membership;
      } else left = this.#binary(kind as BinaryNode['operator'], left, binds);
    }
    this.#depth--;
    return left;
  }

  #logic(operator: 'and' | 'or', first: Node, binds: number): Node {
    const operands = [first];
    while (this.#lexer.kind === operator) {
      this.#lexer.advance();
      operands.push(this.#expression(binds + 1));
    }
    let height = 0;
    for (const operand of operands) height = Math.max(height, operand.height);
    return this.#node({
      kind: 'logic',
      operator,
      operands,
      ...span(first, operands.at(-1)!),
      height: height + 1,
    });
  }

  /** `undefined`, and nothing read, when this `not` is not followed by `in`. */
  #membership(kind: 'in' | 'not', left: Node, binds: number): Node | undefined {
    const lexer = this.#lexer;
    const start = lexer.start;
    lexer.advance();
    if (kind === 'not') {
      if ((lexer.kind as TokenKind) !== 'in') {
        lexer.returnTo(start);
        return undefined;
      }
      lexer.advance();
    }
    const right = this.#expression(binds + 1);
    const operator = kind === 'in' ? 'in' : 'not in';
    return this.#node({ kind: 'membership', operator, left, right, ...span(left, right) });
  }

  /** Also the range, which is a comparison whose right side is a bare name with the same operator behind it. */
  #binary(operator: BinaryNode['operator'], left: Node, binds: number): Node {
    const lexer = this.#lexer;
    lexer.advance();
    const isOrder = operator === '<' || operator === '<=' || operator === '>' || operator === '>=';
    const startsWithName = lexer.kind === 'name';
    const right = this.#expression(isOrder ? INFIX.in! : binds + 1);
    if (isOrder && startsWithName && right.kind === 'name' && lexer.kind[0] === operator[0]) {
      const rightOperator = lexer.kind;
      if (isOrderOperator(rightOperator)) return this.#range(left, operator, right, rightOperator);
    }
    return this.#node({ kind: 'binary', operator, left, right, ...span(left, right) });
  }

  #range(left: Node, leftOperator: Order, middle: NameNode, rightOperator: Order): Node {
    this.#lexer.advance();
    const right = this.#expression(INFIX.in!);
    return this.#node({
      kind: 'range',
      left,
      leftOperator,
      middle,
      rightOperator,
      right,
      ...span(left, right),
    });
  }

  #prefix(): Node {
    const lexer = this.#lexer;
    const { kind, start } = lexer;
    switch (kind) {
      case '+':
      case '-':
      case '~':
      case 'not':
      case 'exists': {
        lexer.advance();
        if (kind === '-' && (lexer.kind as TokenKind) === 'integer') {
          const smallest = this.#smallestInteger(start);
          if (smallest !== undefined) return smallest;
        }
        return this.#unary(kind, this.#expression(kind === 'exists' ? TIGHTEST : UNARY), start);
      }
      case 'true':
      case 'false':
        return this.#literal(kind === 'true');
      case 'integer':
        return this.#literal(this.#integer());
      case 'float':
        return this.#literal(lexer.float);
      case 'string':
        return this.#literal(lexer.string);
      case 'name':
        return this.#name();
      case 'keyword-call':
        return this.#call();
      case '{':
        return this.#template();
      case '[':
        return this.#list();
      case '(':
        return this.#parenthesized();
      case '$':
        throw new FilterError('$[x] syntax can only be used inside ElementFilter or MATCH_*');
      default:
        throw this.#unexpected();
    }
  }

  #unary(operator: UnaryNode['operator'], operand: Node, start: number): Node {
    const height = operand.height + 1;
    return this.#node({ kind: 'unary', operator, operand, start, end: operand.end, height });
  }

  #literal(value: Constant): Node {
    const { start, end } = this.#lexer;
    this.#lexer.advance();
    return this.#node({ kind: 'literal', value, start, end, height: 1 });
  }

  #integer(): bigint {
    const value = this.#lexer.integer;
    if (value <= INT64_MAX) return value;
    throw new FilterError(`parsing "${this.#lexer.text}": value out of range`);
  }

  /** -2^63, whose digits alone are too large. */
  #smallestInteger(start: number): Node | undefined {
    const lexer = this.#lexer;
    if (lexer.integer !== INT64_MAX + 1n) return undefined;
    const { end } = lexer;
    lexer.advance();
    return this.#node({ kind: 'literal', value: -INT64_MAX - 1n, start, end, height: 1 });
  }

  #name(): Node {
    const lexer = this.#lexer;
    const { start, end, string: name, steps } = lexer;
    lexer.advance();
    const next = lexer.kind as TokenKind;
    if (steps.length === 0) {
      if (next === '(') return this.#call(name, start);
      if (next === 'string' && /^(?:iso|ISO|interval|INTERVAL)$/.test(name))
        throw new FilterError(`${name.toUpperCase()} literals of Timestamptz fields are not supported yet`);
      if (next === '[' && lexer.start === end) this.#refuseStructField(name);
      if (name === '$meta') throw this.#unexpected();
    }
    const node: NameNode = { kind: 'name', name, steps, start, end, height: 1 };
    if (next !== 'is null' && next !== 'is not null') return this.#node(node);
    const testEnd = lexer.end;
    lexer.advance();
    return this.#node({ kind: 'null-test', operator: next, operand: node, start, end: testEnd, height: 1 });
  }

  /** `s[sub]`: returns when it is something else that follows the name. */
  #refuseStructField(name: string): void {
    const lexer = this.#lexer;
    const open = lexer.start;
    lexer.advance();
    if (lexer.kind === 'name') {
      const subField = lexer.string;
      lexer.advance();
      if ((lexer.kind as TokenKind) === ']')
        throw new FilterError(`struct field not found: ${name}[${subField}]`);
    }
    lexer.returnTo(open);
  }

  /** The lexer stands on the keyword, or for a free name on its `(`. */
  #call(free?: string, freeStart?: number): Node {
    const lexer = this.#lexer;
    const start = freeStart ?? lexer.start;
    const name = (free ?? lexer.string).toLowerCase();
    if (free === undefined) lexer.advance();
    refuseCall(free ?? name, name);
    this.#expect('(');
    const operands: Node[] = [];
    let height = 0;
    while (lexer.kind !== ')') {
      const operand = this.#expression(LOOSEST);
      operands.push(operand);
      height = Math.max(height, operand.height);
      if ((lexer.kind as TokenKind) !== ',') break;
      lexer.advance();
    }
    const end = lexer.end;
    this.#expect(')');
    return this.#node({ kind: 'call', name, operands, start, end, height: height + 1 });
  }

  #template(): Node {
    const lexer = this.#lexer;
    const start = lexer.start;
    lexer.advance();
    const name = lexer.string;
    if ((lexer.kind as TokenKind) !== 'name' || lexer.steps.length > 0) throw this.#unexpected();
    lexer.advance();
    const end = lexer.end;
    this.#expect('}');
    return this.#node({ kind: 'template', name, start, end, height: 1 });
  }

  #list(): Node {
    const lexer = this.#lexer;
    const start = lexer.start;
    const items: (Constant | Node)[] = [];
    let height = 0;
    lexer.advance();
    while ((lexer.kind as TokenKind) !== ']') {
      if (++this.#listItems > FILTER_LIMITS.listItemsMax)
        throw new FilterError(`more than ${FILTER_LIMITS.listItemsMax} list elements`);
      const item = this.#plainConstant() ?? this.#expression(LOOSEST);
      if (typeof item === 'object') height = Math.max(height, item.height);
      items.push(item);
      if ((lexer.kind as TokenKind) !== ',') break;
      lexer.advance();
    }
    const end = lexer.end;
    this.#expect(']');
    return this.#node({ kind: 'list', items, start, end, height: height + 1 });
  }

  /** A literal, perhaps negative, that is a whole list element; `undefined`, and nothing read, for all else. */
  #plainConstant(): Constant | undefined {
    const lexer = this.#lexer;
    const start = lexer.start;
    const isNegative = lexer.kind === '-';
    if (isNegative) lexer.advance();
    let value: Constant | undefined;
    if (lexer.kind === 'integer' && lexer.integer <= INT64_MAX)
      value = isNegative ? -lexer.integer : lexer.integer;
    else if (lexer.kind === 'float') value = isNegative ? -lexer.float : lexer.float;
    else if (lexer.kind === 'string' && !isNegative) value = lexer.string;
    if (value !== undefined) {
      lexer.advance();
      if ((lexer.kind as TokenKind) === ',' || (lexer.kind as TokenKind) === ']') return value;
    }
    if (lexer.start !== start) lexer.returnTo(start);
    return undefined;
  }

  #parenthesized(): Node {
    const start = this.#lexer.start;
    this.#lexer.advance();
    const inner = this.#expression(LOOSEST);
    const end = this.#lexer.end;
    this.#expect(')');
    return { ...inner, start, end };
  }

  #expect(kind: TokenKind): void {
    if (this.#lexer.kind !== kind) throw this.#unexpected();
    this.#lexer.advance();
  }

  #unexpected(): FilterError {
    return this.#lexer.error(`mismatched input '${this.#lexer.text.slice(0, 64)}'`);
  }

  #node<Made extends Node>(node: Made): Made {
    if (node.height > FILTER_LIMITS.heightMax) throw tooDeep();
    if (++this.#nodes > FILTER_LIMITS.nodesMax)
      throw new FilterError(`the expression has more than ${FILTER_LIMITS.nodesMax} parts`);
    return node;
  }
}

type Order = RangeNode['leftOperator'];

function isOrderOperator(kind: TokenKind): kind is Order {
  return kind === '<' || kind === '<=' || kind === '>' || kind === '>=';
}

function span(first: Node, last: Node) {
  return { start: first.start, end: last.end, height: Math.max(first.height, last.height) + 1 };
}

function tooDeep(): FilterError {
  return new FilterError(`the expression is nested deeper than ${FILTER_LIMITS.heightMax} levels`);
}

/** Calls of the language that this server does not answer yet: refused by name, in either spelling. */
const REFUSED_CALLS: ReadonlyMap<string, string> = new Map([
  ['text_match', 'text_match'],
  ['text_match_fuzzy', 'text_match_fuzzy'],
  ['phrase_match', 'phrase_match'],
  ['random_sample', 'random_sample'],
  ['membership_match', 'membership_match'],
  ...['element_filter', 'match_all', 'match_any', 'match_least', 'match_most', 'match_exact'].map(
    (name) => [name, `${name} on struct arrays`] as const,
  ),
]);

function refuseCall(spelling: string, name: string): void {
  const isOperator = spelling === name || spelling === name.toUpperCase();
  const feature = name.startsWith('st_') ? `${name} on geometry` : REFUSED_CALLS.get(name);
  if (isOperator && feature !== undefined) throw new FilterError(`${feature} is not supported yet`);
}
