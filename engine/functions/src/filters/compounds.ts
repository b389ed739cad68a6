import type { Token, TokenFilter } from '../token.ts';

/** Longer words are left whole: looking for their parts takes time that grows with the length. */
const COMPOUND_UNITS_MAX = 256;

/** A filter that replaces a word by its parts where words of the list, longest first, cover all of it. */
export function decompounder(words: readonly string[]): TokenFilter {
  const known = new Set(words.filter((word) => word !== ''));
  const lengths = [...new Set(Array.from(known, ({ length }) => length))].sort((a, b) => b - a);
  const partsOf = (text: string): readonly string[] | null => {
    const parts: string[] = [];
    for (let at = 0; at < text.length; at += parts.at(-1)!.length) {
      const length = lengths.find((length) => known.has(text.slice(at, at + length)));
      if (length === undefined) return null;
      parts.push(text.slice(at, at + length));
    }
    return parts;
  };
  return (tokens) =>
    tokens.flatMap((token): readonly Token[] => {
      if (token.text.length > COMPOUND_UNITS_MAX) return [token];
      const parts = partsOf(token.text);
      return parts === null ? [token] : parts.map((text) => ({ ...token, text }));
    });
}
