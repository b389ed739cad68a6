import type { TokenKind } from './lexer.ts';
import type { RangeNode } from './tree.ts';

/** How tightly an infix operator binds: the larger, the tighter. All of them associate to the left. */
export const INFIX: Readonly<Partial<Record<TokenKind, number>>> = {
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

/** Takes every operator. */
export const LOOSEST = 0;

/** Operands of `+ - ~ not`: looser than LIKE and `**`, tighter than all else. */
export const UNARY = 16;

/** Takes none. */
export const TIGHTEST = 21;

/** What may stand on the sides of a range. */
export type Order = RangeNode['leftOperator'];

/** Whether `kind` orders values. */
export function isOrderOperator(kind: TokenKind): kind is Order {
  return kind === '<' || kind === '<=' || kind === '>' || kind === '>=';
}
