/** A word of a text, and its place among the words of the text. */
export interface PlacedWord {
  readonly text: string;
  readonly position: number;
}

/** Where words occur in the texts of a field. */
export interface WordIndex {
  /**
   * Calls `visit` for each time that the word occurs in the rows `start .. end`: rows ascend, and so do the positions
   * within one.
   */
  visit(word: string, start: number, end: number, visit: (row: number, position: number) => void): void;
  /** Calls `visit` with rows among `start .. end` that have a word of which `isWanted` is true, some of them repeatedly. */
  visitLike(
    isWanted: (word: string) => boolean,
    start: number,
    end: number,
    visit: (row: number) => void,
  ): void;
}
