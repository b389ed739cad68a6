import { FilterError, shorten } from './filter-error.ts';
import { Lexer, type TokenKind } from './lexer.ts';
import { FILTER_LIMITS } from './limits.ts';
import { KEYWORD_CALLS, OPTION_NAMES, TIME_LITERALS } from './soft-keywords.ts';
import {
  type BinaryNode,
  type CallOption,
  type Constant,
  type ElementNode,
  isRangeMiddle,
  type NameNode,
  type Node,
  type RangeNode,
  type UnaryNode,
} from './tree.ts';

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
    const startsWithName = lexer.kind === 'name' || lexer.kind === '$';
    const right = this.#expression(isOrder ? INFIX.in! : binds + 1);
    if (isOrder && startsWithName && isRangeMiddle(right) && lexer.kind[0] === operator[0]) {
      const rightOperator = lexer.kind;
      if (isOrderOperator(rightOperator)) return this.#range(left, operator, right, rightOperator);
    }
    return this.#node({ kind: 'binary', operator, left, right, ...span(left, right) });
  }

  #range(left: Node, leftOperator: Order, middle: RangeNode['middle'], rightOperator: Order): Node {
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
        return this.#element();
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
      if (next === 'string' && TIME_LITERALS.has(name))
        return this.#timeLiteral(TIME_LITERALS.get(name)!, start);
      if (name === '$meta') throw this.#unexpected();
    }
    const node: NameNode = { kind: 'name', name, steps, start, end, height: 1 };
    if (next !== 'is null' && next !== 'is not null') return this.#node(node);
    const testEnd = lexer.end;
    lexer.advance();
    return this.#node({ kind: 'null-test', operator: next, operand: node, start, end: testEnd, height: 1 });
  }

  /** The lexer stands on the text. */
  #timeLiteral(kind: 'instant' | 'interval', start: number): Node {
    const { string: text, end } = this.#lexer;
    this.#lexer.advance();
    return this.#node({ kind, text, start, end, height: 1 });
  }

  /** `$` or `$[field]`. */
  #element(): Node {
    const lexer = this.#lexer;
    const start = lexer.start;
    let end = lexer.end;
    let field: string | null = null;
    lexer.advance();
    if ((lexer.kind as TokenKind) === '[' && lexer.start === end) {
      lexer.advance();
      field = lexer.string;
      if ((lexer.kind as TokenKind) !== 'name' || lexer.steps.length > 0) throw this.#unexpected();
      lexer.advance();
      end = lexer.end;
      this.#expect(']');
    }
    return this.#node({ kind: 'element', field, start, end, height: 1 } satisfies ElementNode);
  }

  /** The lexer stands on the keyword, or for a free name on its `(`. */
  #call(free?: string, freeStart?: number): Node {
    const lexer = this.#lexer;
    const start = freeStart ?? lexer.start;
    const name = (free ?? lexer.string).toLowerCase();
    const isKeyword =
      free === undefined || (KEYWORD_CALLS.has(name) && (free === name || free === name.toUpperCase()));
    if (free === undefined) lexer.advance();
    this.#expect('(');
    const operands: Node[] = [];
    const options: CallOption[] = [];
    let height = 0;
    while (lexer.kind !== ')') {
      const option = this.#optionName();
      const operand = this.#expression(LOOSEST);
      if (option === undefined) operands.push(operand);
      else options.push({ name: option, value: operand });
      height = Math.max(height, operand.height);
      if ((lexer.kind as TokenKind) !== ',') break;
      lexer.advance();
    }
    const end = lexer.end;
    this.#expect(')');
    const form = isKeyword ? 'keyword' : 'free';
    return this.#node({ kind: 'call', name, form, operands, options, start, end, height: height + 1 });
  }

  /** `name=` in front of a call's operand; `undefined`, and nothing read, when there is none. */
  #optionName(): string | undefined {
    const lexer = this.#lexer;
    const { start, string: name, kind } = lexer;
    if (kind !== 'name' || !OPTION_NAMES.has(name.toLowerCase())) return undefined;
    lexer.advance();
    if ((lexer.kind as TokenKind) !== '=') {
      lexer.returnTo(start);
      return undefined;
    }
    lexer.advance();
    return name.toLowerCase();
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
