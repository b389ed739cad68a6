/** UTF-16 units that any tokenizer cuts in about a millisecond. */
export const PIECE_UNITS = 2048;

/** Longer words are cut: nobody looks for them, and filters take a while for each character. */
export const WORD_UNITS_MAX = 16_384;

/** How a tokenizer may be given a long text in pieces. */
export interface PieceRule {
  /** Whether a word can reach neither into nor over the code unit, which is no part of a surrogate pair. */
  readonly isBreak: (unit: number) => boolean;
  /** Units after which a piece ends even inside a word. */
  readonly unitsMax: number;
}

/** The end of the piece of `text` that begins at `start`: behind a break where there is one, never inside a character. */
export function pieceEnd(text: string, start: number, { isBreak, unitsMax }: PieceRule): number {
  const aim = start + Math.min(PIECE_UNITS, unitsMax);
  if (aim >= text.length) return text.length;
  for (let end = aim; end > start; end--) if (isBreak(text.charCodeAt(end - 1))) return end;
  const last = Math.min(text.length, start + unitsMax);
  for (let end = aim + 1; end <= last; end++) if (isBreak(text.charCodeAt(end - 1))) return end;
  return isHighSurrogate(text.charCodeAt(last - 1)) && last < text.length ? last - 1 : last;
}

function isHighSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xd800;
}
