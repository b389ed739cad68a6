import { isWordLike, type WordIndex, type WordsLike } from '@elanus/expr';
import { assert } from '@elanus/model';
import { firstAtLeast } from '../first-at-least.ts';
import { type Read, takeTurns } from '../read.ts';
import type { ScalarIndexData } from '../scalar-index/scalar-index.ts';
import { type WordLookup, wordsOfPart } from '../scalar-index/word-lookup.ts';

/** Words that are compared between two looks at the clock. */
const WORDS_PER_TURN = 1024;

/** A text index, which may move to a file while it is used, and what the first row of a chunk is called there. */
interface PlacedIndex {
  readonly index: ScalarIndexData;
}

/** The words of a text field of one chunk, out of a text index. */
export class PieceWords implements WordIndex {
  /** The analyzer's parameters, by which the words were found. */
  readonly analyzedBy: string;
  readonly #piece: PlacedIndex;
  readonly #firstRow: number;

  /** `firstRow`: what the index of the piece, which is one of words, calls the first row of the chunk. */
  constructor(piece: PlacedIndex, firstRow: number) {
    const { spec } = piece.index;
    assert(spec.kind === 'words', 'only an index of words knows words');
    this.analyzedBy = spec.analyzer;
    this.#piece = piece;
    this.#firstRow = firstRow;
  }

  visit(word: string, start: number, end: number, visit: (row: number, position: number) => void): void {
    const words = wordsOfIndex(this.#piece.index);
    this.#visit(words, words.numberOf(word), start, end, visit);
  }

  /** REQUIRES: `prepareLike` for the same filter, or it compares all words at a stretch. */
  visitLike(wanted: WordsLike, start: number, end: number, visit: (row: number) => void): void {
    const words = wordsOfIndex(this.#piece.index);
    for (const number of foundLike(words, wanted)) this.#visit(words, number, start, end, visit);
  }

  /** Finds the words that are like those wanted, in turns. */
  async prepareLike(wanted: WordsLike, read: Read): Promise<void> {
    const words = wordsOfIndex(this.#piece.index);
    const finding = findingLike(words, wanted);
    while (!finding.next().done) await takeTurns(read);
  }

  #visit(
    { part }: WordLookup,
    number: number,
    start: number,
    end: number,
    visit: (row: number, position: number) => void,
  ): void {
    if (number < 0) return;
    const last = part.starts[number + 1]!;
    const endRow = this.#firstRow + end;
    let at = firstAtLeast(part.rows, this.#firstRow + start, part.starts[number]!, last);
    for (; at < last; at++) {
      const row = part.rows[at]!;
      if (row >= endRow) return;
      visit(row - this.#firstRow, part.positions[at]!);
    }
  }
}

function wordsOfIndex({ parts }: ScalarIndexData): WordLookup {
  const [part] = parts;
  assert(part?.kind === 'words', 'an index of words has one part of them');
  return wordsOfPart(part);
}

/** By filter, and by index, the numbers of the words that it wants. */
const found = new WeakMap<WordsLike, WeakMap<WordLookup, readonly number[]>>();

function foundLike(words: WordLookup, wanted: WordsLike): readonly number[] {
  const finding = findingLike(words, wanted);
  while (true) {
    const step = finding.next();
    if (step.done) return step.value;
  }
}

function* findingLike(words: WordLookup, wanted: WordsLike): Generator<undefined, readonly number[]> {
  const byIndex = found.get(wanted) ?? new WeakMap<WordLookup, readonly number[]>();
  found.set(wanted, byIndex);
  const known = byIndex.get(words);
  if (known !== undefined) return known;
  const isWanted = isWordLike(wanted);
  const numbers: number[] = [];
  for (let number = 0; number < words.words; number++) {
    if (number % WORDS_PER_TURN === WORDS_PER_TURN - 1) yield;
    if (isWanted(words.word(number))) numbers.push(number);
  }
  byIndex.set(words, numbers);
  return numbers;
}
