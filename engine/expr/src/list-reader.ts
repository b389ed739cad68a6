import { FilterError } from './filter-error.ts';
import { readIntegerRun } from './integer-run.ts';
import { INT64_MAX, Lexer, type TokenKind } from './lexer.ts';
import { FILTER_LIMITS } from './limits.ts';
import type { Constant } from './tree.ts';
import { SLICE_ITEMS, type Work } from './work.ts';

/** No node takes more tokens than that, its share of commas and brackets included. */
const TOKENS_PER_NODE = 8;

/** A literal, perhaps negative, that is a whole list element; `undefined`, and nothing read, for all else. */
export function readPlainConstant(lexer: Lexer): Constant | undefined {
  const { start } = lexer;
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

/** The plain constants that a list begins with, and where it goes on: mostly at its end. */
interface ListBeginning {
  readonly items: readonly Constant[] | BigInt64Array;
  readonly end: number;
}

/** By the place of the `[`. */
export type ReadAhead = ReadonlyMap<number, ListBeginning>;

/**
 * Reads the lists of a long text ahead of the parser, in slices: a million keys take far longer than the event loop
 * may be held, and the parser, which recurses, can't pause among them.
 */
export function* readingAhead(text: string): Work<ReadAhead> {
  const lists = new Map<number, ListBeginning>();
  const lexer = new Lexer(text);
  let items = 0;
  for (let tokens = 0; lexer.kind !== 'end'; tokens++) {
    if (tokens % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
    if (tokens > TOKENS_PER_NODE * FILTER_LIMITS.nodesMax)
      throw new FilterError(`the expression has more than ${FILTER_LIMITS.nodesMax} parts`);
    if (lexer.kind === '[') {
      const { start } = lexer;
      const list = yield* readingList(lexer, text, FILTER_LIMITS.listItemsMax - items);
      items += list.items.length;
      lists.set(start, list);
    } else lexer.advance();
  }
  return lists;
}

function* readingList(lexer: Lexer, text: string, itemsMax: number): Work<ListBeginning> {
  const integers = yield* readingIntegers(text, lexer.end, itemsMax);
  lexer.returnTo(integers.end);
  if (lexer.kind === ']' && integers.items.length > SLICE_ITEMS) return integers;
  const items: Constant[] = [];
  for (const integer of integers.items) if (items.push(integer) % SLICE_ITEMS === 0) yield;
  for (;;) {
    const item = readPlainConstant(lexer);
    if (item === undefined) break;
    if (items.push(item) > itemsMax) throw tooManyItems();
    if (items.length % SLICE_ITEMS === 0) yield;
    if (lexer.kind === ',') lexer.advance();
  }
  return { items, end: lexer.start };
}

/** The integers that a list begins with. */
function* readingIntegers(
  text: string,
  start: number,
  itemsMax: number,
): Work<{ readonly items: BigInt64Array; readonly end: number }> {
  let items = new BigInt64Array(SLICE_ITEMS);
  let length = 0;
  let end = start;
  for (;;) {
    const asked = Math.min(SLICE_ITEMS, items.length - length);
    const run = readIntegerRun(text, end, items, length, asked);
    length += run.count;
    end = run.end;
    if (length > itemsMax) throw tooManyItems();
    if (run.count < asked) return { items: items.subarray(0, length), end };
    yield;
    if (length === items.length) {
      // As if the rest of the text went on like this: copying a long list would take longer than a slice.
      const charactersEach = (end - start) / length;
      const more = Math.min((1.05 * (text.length - end)) / charactersEach, itemsMax - length);
      const longer = new BigInt64Array(length + Math.ceil(more) + SLICE_ITEMS);
      longer.set(items);
      items = longer;
    }
  }
}

/** The refusal of lists that are longer in all than memory is meant for. */
export function tooManyItems(): FilterError {
  return new FilterError(`more than ${FILTER_LIMITS.listItemsMax} list elements`);
}
