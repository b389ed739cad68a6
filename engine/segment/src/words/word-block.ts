import { ownText } from '@elanus/functions';
import { doubled } from '../doubled.ts';
import { firstAtLeast } from '../first-at-least.ts';

/** Where the words of some rows that follow each other occur; it never changes. */
export interface WordBlock {
  readonly firstRow: number;
  /** The row behind the last one. */
  readonly endRow: number;
  /** Words by number. */
  readonly words: ReadonlyMap<string, number>;
  /** Word w occurs at `starts[w] .. starts[w + 1]` of the lists below, by row and then by position. */
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
  readonly positions: Uint32Array;
}

/** Words of one block at most, but for those of its last text. */
export const BLOCK_WORDS_MAX = 32_768;
export const BLOCK_ROWS_MAX = 2_048;

const FIRST_CAPACITY = 256;

/** The rows behind the last block, in the order in which their words were found. */
export class OpenBlock {
  readonly firstRow: number;
  endRow: number;
  readonly #words = new Map<string, number>();
  #numbers = new Uint32Array(FIRST_CAPACITY);
  #rows = new Uint32Array(FIRST_CAPACITY);
  #positions = new Uint32Array(FIRST_CAPACITY);
  #used = 0;

  constructor(firstRow: number) {
    this.firstRow = firstRow;
    this.endRow = firstRow;
  }

  get isFull(): boolean {
    return this.#used >= BLOCK_WORDS_MAX || this.endRow - this.firstRow >= BLOCK_ROWS_MAX;
  }

  /** Adds a word of the row `endRow`. */
  add(word: string, position: number): void {
    let number = this.#words.get(word);
    if (number === undefined) {
      number = this.#words.size;
      this.#words.set(ownText(word), number);
    }
    if (this.#used === this.#rows.length) this.#grow();
    this.#numbers[this.#used] = number;
    this.#rows[this.#used] = this.endRow;
    this.#positions[this.#used] = position;
    this.#used += 1;
  }

  visit(word: string, start: number, end: number, visit: (row: number, position: number) => void): void {
    const number = this.#words.get(word);
    if (number === undefined) return;
    for (let at = 0; at < this.#used; at++) {
      const row = this.#rows[at]!;
      if (this.#numbers[at] === number && row >= start && row < end) visit(row, this.#positions[at]!);
    }
  }

  visitLike(
    isWanted: (word: string) => boolean,
    start: number,
    end: number,
    visit: (row: number) => void,
  ): void {
    const wanted = new Set<number>();
    for (const [word, number] of this.#words) if (isWanted(word)) wanted.add(number);
    if (wanted.size === 0) return;
    for (let at = 0; at < this.#used; at++) {
      const row = this.#rows[at]!;
      if (row >= start && row < end && wanted.has(this.#numbers[at]!)) visit(row);
    }
  }

  /** The same, word by word. */
  close(): WordBlock {
    const starts = new Uint32Array(this.#words.size + 1);
    for (let at = 0; at < this.#used; at++) starts[this.#numbers[at]! + 1]! += 1;
    for (let word = 0; word < this.#words.size; word++) starts[word + 1]! += starts[word]!;
    const next = starts.slice();
    const rows = new Uint32Array(this.#used);
    const positions = new Uint32Array(this.#used);
    for (let at = 0; at < this.#used; at++) {
      const place = next[this.#numbers[at]!]!++;
      rows[place] = this.#rows[at]!;
      positions[place] = this.#positions[at]!;
    }
    const { firstRow, endRow } = this;
    return { firstRow, endRow, words: this.#words, starts, rows, positions };
  }

  #grow(): void {
    this.#numbers = doubled(this.#numbers);
    this.#rows = doubled(this.#rows);
    this.#positions = doubled(this.#positions);
  }
}

/** As `WordIndex.visit`, of the rows that the block has. */
export function visitBlock(
  block: WordBlock,
  word: string,
  start: number,
  end: number,
  visit: (row: number, position: number) => void,
): void {
  const number = block.words.get(word);
  if (number === undefined) return;
  const last = block.starts[number + 1]!;
  for (let at = firstAtLeast(block.rows, start, block.starts[number]!, last); at < last; at++) {
    const row = block.rows[at]!;
    if (row >= end) return;
    visit(row, block.positions[at]!);
  }
}

/** As `WordIndex.visitLike`, of the rows that the block has. */
export function visitBlockLike(
  block: WordBlock,
  isWanted: (word: string) => boolean,
  start: number,
  end: number,
  visit: (row: number) => void,
): void {
  for (const word of block.words.keys()) if (isWanted(word)) visitBlock(block, word, start, end, visit);
}
