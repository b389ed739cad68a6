import { type PieceRule, pieceEnd } from './pieces.ts';
import { filtering, type Token, type TokenFilter, type Tokenizer } from './token.ts';
import { runAtOnce, type Work } from './work.ts';

/** Makes words of texts. The same text gives the same words, also after a restart. */
export interface Analyzer {
  /** The words of a text in the order in which they were cut. For texts that are known to be short. */
  analyze(text: string): readonly Token[];
  /** As `analyze`, in slices. */
  analyzing(text: string): Work<readonly Token[]>;
}

/** Pieces whose words are put together between two yields. */
const PIECES_JOINED = 8;

/** One tokenizer and what filters leave of its words, in their order. */
export class Pipeline implements Analyzer {
  readonly #tokenize: Tokenizer;
  readonly #pieces: PieceRule;
  readonly #filters: readonly TokenFilter[];

  constructor(tokenize: Tokenizer, pieces: PieceRule, filters: readonly TokenFilter[]) {
    this.#tokenize = tokenize;
    this.#pieces = pieces;
    this.#filters = filters;
  }

  analyze(text: string): readonly Token[] {
    return runAtOnce(this.analyzing(text));
  }

  *analyzing(text: string): Work<readonly Token[]> {
    const whole = text.toWellFormed();
    const found: (readonly Token[])[] = [];
    let position = 0;
    for (let start = 0; start < whole.length; ) {
      if (start > 0) yield;
      const end = pieceEnd(whole, start, this.#pieces);
      const piece = start === 0 && end === whole.length ? whole : whole.slice(start, end);
      const { tokens, nextPosition } = this.#tokenize(piece, start, position);
      found.push(yield* filtering(tokens, this.#filters));
      position = nextPosition;
      start = end;
    }
    if (found.length === 1) return found[0]!;
    const all: Token[] = [];
    for (const [number, tokens] of found.entries()) {
      if (number % PIECES_JOINED === PIECES_JOINED - 1) yield;
      all.push(...tokens);
    }
    return all;
  }
}

/** Finds out the language of each text and leaves it to the analyzer for that. */
export class LanguageChoice implements Analyzer {
  readonly #analyzerFor: (text: string) => Analyzer;
  readonly #filters: readonly TokenFilter[];

  constructor(analyzerFor: (text: string) => Analyzer, filters: readonly TokenFilter[]) {
    this.#analyzerFor = analyzerFor;
    this.#filters = filters;
  }

  analyze(text: string): readonly Token[] {
    return runAtOnce(this.analyzing(text));
  }

  *analyzing(text: string): Work<readonly Token[]> {
    const tokens = yield* this.#analyzerFor(text).analyzing(text);
    return yield* filtering(tokens, this.#filters);
  }
}
