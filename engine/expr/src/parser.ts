import { FilterError, shorten } from './filter-error.ts';
import { INT64_MAX, Lexer, type TokenKind } from './lexer.ts';
import { FILTER_LIMITS } from './limits.ts';
import { type ReadAhead, readingAhead, readPlainConstant } from './list-reader.ts';
import { ParseBudget, requireLength, tooDeep } from './parse-budget.ts';
import { INFIX, isOrderOperator, LOOSEST, type Order, TIGHTEST, UNARY } from './precedence.ts';
import { KEYWORD_CALLS, OPTION_NAMES, TIME_LITERALS } from './soft-keywords.ts';
import {
  type BinaryNode,
  type CallOption,
  type Constant,
  type ElementNode,
  isRangeMiddle,
  type ListNode,
  type NameNode,
  type Node,
  type RangeNode,
  span,
  type UnaryNode,
} from './tree.ts';
import type { Work } from './work.ts';

/** The tree of `text`, which is not blank. @throws FilterError */
export function parse(text: string): Node {
  requireLength(text);
  return new Parser(text, null).parseAll();
}

/** As `parse`, in slices. */
export function* parsing(text: string): Work<Node> {
  requireLength(text);
  return yield* new Parser(text, yield* readingAhead(text)).parsingAll();
}

/** A Pratt parser. `#depth` bounds its own recursion, `height` that of all later passes. */
class Parser {
  readonly #text: string;
  readonly #lexer: Lexer;
  #depth = 0;
  readonly #lists: ReadAhead | null;
  readonly #budget: ParseBudget;

  /** `lists` is what has been read ahead of a text that is parsed in slices. */
  constructor(text: string, lists: ReadAhead | null) {
    this.#text = text;
    this.#lists = lists;
    this.#budget = new ParseBudget(lists === null ? 'at once' : 'in slices');
    this.#lexer = new Lexer(text);
  }

  parseAll(): Node {
    return this.#finish(this.#expression(LOOSEST));
  }

  *parsingAll(): Work<Node> {
    return this.#finish(yield* this.#slicedExpression(LOOSEST));
  }

  #finish(node: Node): Node {
    if (this.#lexer.kind !== 'end') throw new FilterError(`invalid expression: ${shorten(this.#text)}`);
    return node;
  }

  /** Everything from here that binds at least as tightly as `tightness`. */
  #expression(tightness: number): Node {
    if (++this.#depth > FILTER_LIMITS.heightMax) throw tooDeep();
    const node = this.#infix(this.#prefix(), tightness);
    this.#depth--;
    return node;
  }

  /** `first` and all operators behind it that bind at least as tightly as `tightness`. */
  #infix(first: Node, tightness: number): Node {
    const lexer = this.#lexer;
    let left = first;
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
    return left;
  }

  #logic(operator: 'and' | 'or', first: Node, binds: number): Node {
    const operands = [first];
    while (this.#lexer.kind === operator) {
      this.#lexer.advance();
      operands.push(this.#expression(binds + 1));
    }
    return this.#chain(operator, operands);
  }

  #chain(operator: 'and' | 'or', operands: readonly Node[]): Node {
    let height = 0;
    for (const operand of operands) height = Math.max(height, operand.height);
    const { start, end } = span(operands[0]!, operands.at(-1)!);
    return this.#budget.node({ kind: 'logic', operator, operands, start, end, height: height + 1 });
  }

  /** As `#expression`, with pauses between the operands of AND and OR. */
  *#slicedExpression(tightness: number): Work<Node> {
    if (++this.#depth > FILTER_LIMITS.heightMax) throw tooDeep();
    let left = yield* this.#slicedPrefix();
    for (;;) {
      const operator = this.#lexer.kind;
      if ((operator === 'and' || operator === 'or') && INFIX[operator]! >= tightness) {
        const operands = [left];
        while (this.#lexer.kind === operator) {
          this.#lexer.advance();
          operands.push(yield* this.#slicedExpression(INFIX[operator]! + 1));
        }
        left = this.#chain(operator, operands);
      } else {
        const longer = this.#infix(left, Math.max(tightness, INFIX.and! + 1));
        if (longer === left) break;
        left = longer;
      }
    }
    this.#depth--;
    return left;
  }

  *#slicedPrefix(): Work<Node> {
    const lexer = this.#lexer;
    const { kind, start } = lexer;
    if (this.#budget.isPauseDue()) yield;
    if (kind !== '(' && kind !== 'not') return this.#prefix();
    lexer.advance();
    if (kind === 'not') return this.#unary('not', yield* this.#slicedExpression(UNARY), start);
    const inner = yield* this.#slicedExpression(LOOSEST);
    return this.#closeParenthesis(inner, start);
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
    return this.#budget.node({ kind: 'membership', operator, left, right, ...span(left, right) });
  }

  /** Also the range, which is a comparison whose right side is a bare name with the same operator behind it. */
  #binary(operator: BinaryNode['operator'], left: Node, binds: number): Node {
    const lexer = this.#lexer;
    lexer.advance();
    const isOrder = isOrderOperator(operator);
    const startsWithName = lexer.kind === 'name' || lexer.kind === '$';
    const right = this.#expression(isOrder ? INFIX.in! : binds + 1);
    if (isOrder && startsWithName && isRangeMiddle(right) && lexer.kind[0] === operator[0]) {
      const rightOperator = lexer.kind;
      if (isOrderOperator(rightOperator)) return this.#range(left, operator, right, rightOperator);
    }
    return this.#budget.node({ kind: 'binary', operator, left, right, ...span(left, right) });
  }

  #range(left: Node, leftOperator: Order, middle: RangeNode['middle'], rightOperator: Order): Node {
    this.#lexer.advance();
    const right = this.#expression(INFIX.in!);
    return this.#budget.node({
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
        return this.#literal(lexer.int64);
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
    return this.#budget.node({ kind: 'unary', operator, operand, start, end: operand.end, height });
  }

  #literal(value: Constant): Node {
    const { start, end } = this.#lexer;
    this.#lexer.advance();
    return this.#budget.node({ kind: 'literal', value, start, end, height: 1 });
  }

  /** -2^63, whose digits alone are too large. */
  #smallestInteger(start: number): Node | undefined {
    const lexer = this.#lexer;
    if (lexer.integer !== INT64_MAX + 1n) return undefined;
    const { end } = lexer;
    lexer.advance();
    return this.#budget.node({ kind: 'literal', value: -INT64_MAX - 1n, start, end, height: 1 });
  }

  #name(): Node {
    const lexer = this.#lexer;
    const { start, end, string: name, steps } = lexer;
    lexer.advance();
    const next = lexer.kind as TokenKind;
    if (steps.length === 0) {
      if (next === '(') return this.#call(name, start);
      if (next === 'string' && TIME_LITERALS.has(name)) {
        const { string: text, end: textEnd } = lexer;
        lexer.advance();
        return this.#budget.node({ kind: TIME_LITERALS.get(name)!, text, start, end: textEnd, height: 1 });
      }
      if (name === '$meta') throw this.#unexpected();
    }
    const node: NameNode = { kind: 'name', name, steps, start, end, height: 1 };
    if (next !== 'is null' && next !== 'is not null') return this.#budget.node(node);
    const testEnd = lexer.end;
    lexer.advance();
    return this.#budget.node({
      kind: 'null-test',
      operator: next,
      operand: node,
      start,
      end: testEnd,
      height: 1,
    });
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
    return this.#budget.node({ kind: 'element', field, start, end, height: 1 } satisfies ElementNode);
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
    return this.#budget.node({ kind: 'call', name, form, operands, options, start, end, height: height + 1 });
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
    return this.#budget.node({ kind: 'template', name, start, end, height: 1 });
  }

  #list(): Node {
    const lexer = this.#lexer;
    const start = lexer.start;
    const ahead = this.#lists?.get(start);
    if (ahead === undefined) lexer.advance();
    else {
      this.#budget.readAhead(ahead.items.length);
      lexer.returnTo(ahead.end);
    }
    const { items, height } = this.#items(ahead?.items);
    const end = lexer.end;
    this.#expect(']');
    return this.#budget.node({ kind: 'list', items, start, end, height: height + 1 });
  }

  /** All items up to the `]`, those included that have been read already. */
  #items(read: ListNode['items'] | undefined): { items: ListNode['items']; height: number } {
    const lexer = this.#lexer;
    if (lexer.kind === ']') return { items: read ?? [], height: 0 };
    const items: (Constant | Node)[] = [...(read ?? [])];
    let height = 0;
    while ((lexer.kind as TokenKind) !== ']') {
      const item = readPlainConstant(lexer) ?? this.#expression(LOOSEST);
      if (typeof item === 'object') height = Math.max(height, item.height);
      items.push(item);
      this.#budget.listItem();
      if ((lexer.kind as TokenKind) !== ',') break;
      lexer.advance();
    }
    return { items, height };
  }

  #parenthesized(): Node {
    const start = this.#lexer.start;
    this.#lexer.advance();
    return this.#closeParenthesis(this.#expression(LOOSEST), start);
  }

  #closeParenthesis(inner: Node, start: number): Node {
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
}
