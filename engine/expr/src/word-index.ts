import { likeWord } from './word-distance.ts';

/** A word of a text, and its place among the words of the text. */
export interface PlacedWord {
  readonly text: string;
  readonly position: number;
}

/** What words are asked for that are near others. Whoever looks them up keeps what it finds by the object. */
export interface WordsLike {
  readonly tokens: readonly string[];
  /** Edits that a word may be away from one of the tokens. */
  readonly editsMax: number;
}

/** Tests whether a word is like one of the tokens. */
export function isWordLike({ tokens, editsMax }: WordsLike): (word: string) => boolean {
  const tests = tokens.map((token) => likeWord(token, editsMax));
  return (word) => tests.some((test) => test(word));
}

/** Where words occur in the texts of a field. */
export interface WordIndex {
  /**
   * Calls `visit` for each time that the word occurs in the rows `start .. end`: rows ascend, and so do the positions
   * within one.
   */
  visit(word: string, start: number, end: number, visit: (row: number, position: number) => void): void;
  /** Calls `visit` with rows among `start .. end` that have a word of those that are wanted, some of them repeatedly. */
  visitLike(wanted: WordsLike, start: number, end: number, visit: (row: number) => void): void;
}
