import type { Work } from './work.ts';

/** One word of a text, as an analyzer leaves it. */
export interface Token {
  readonly text: string;
  /** Where it was found, in UTF-16 units of the text: filters change the word and not its place. */
  readonly start: number;
  readonly end: number;
  /** Its place among the words of the text; words that filters drop leave gaps. */
  readonly position: number;
}

/** Cuts a piece of text whose first unit is number `offset` of the whole; its first word has the position `position`. */
export type Tokenizer = (piece: string, offset: number, position: number) => Tokens;

/** What a tokenizer made of a piece, and the position that follows it. */
export interface Tokens {
  readonly tokens: Token[];
  readonly nextPosition: number;
}

/** Changes, drops or adds words. */
export type TokenFilter = (tokens: readonly Token[]) => readonly Token[];

/** Words that go through filters in well under a millisecond, whatever these do. */
const SLICE_TOKENS = 256;

/** What filters, in their order, leave of words; a few at a time, for no filter looks at the words around. */
export function* filtering(
  tokens: readonly Token[],
  filters: readonly TokenFilter[],
): Work<readonly Token[]> {
  if (tokens.length <= SLICE_TOKENS || filters.length === 0) return filtered(tokens, filters);
  const left: Token[] = [];
  for (let start = 0; start < tokens.length; start += SLICE_TOKENS) {
    if (start > 0) yield;
    for (const token of filtered(tokens.slice(start, start + SLICE_TOKENS), filters)) left.push(token);
  }
  return left;
}

function filtered(tokens: readonly Token[], filters: readonly TokenFilter[]): readonly Token[] {
  return filters.reduce((left, filter) => filter(left), tokens);
}

/** A filter that gives each word another text; an unchanged word stays the same object. */
export function mapTexts(change: (text: string) => string): TokenFilter {
  return (tokens) =>
    tokens.map((token) => {
      const text = change(token.text);
      return text === token.text ? token : { ...token, text };
    });
}

/** A filter that keeps the words of which `test` says so. */
export function keepTexts(test: (text: string) => boolean): TokenFilter {
  return (tokens) => tokens.filter(({ text }) => test(text));
}
