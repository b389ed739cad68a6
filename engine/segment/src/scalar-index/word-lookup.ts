import type { WordPart } from './scalar-index.ts';

/** Words whose places are remembered: a filter asks for the same ones for each run of rows. */
const REMEMBERED_MAX = 1024;

/** Finds words of an index. */
export class WordLookup {
  readonly part: WordPart;
  readonly #bytes: Buffer;
  readonly #known = new Map<string, number>();

  constructor(part: WordPart) {
    this.part = part;
    const { buffer, byteOffset, byteLength } = part.bytes;
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
  }

  /** How many distinct words there are. */
  get words(): number {
    return this.part.offsets.length - 1;
  }

  /** The number of a word, -1 when no row has it. */
  numberOf(word: string): number {
    const known = this.#known.get(word);
    if (known !== undefined) return known;
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
    const number = this.#find(Buffer.from(word));
    this.#known.set(word, number);
    return number;
  }

  /** The word with a number below `words`. */
  word(number: number): string {
    return this.#bytes.toString('utf8', this.part.offsets[number], this.part.offsets[number + 1]);
  }

  /** How many times the word with this number occurs; 0 for -1. */
  occurrences(number: number): number {
    return number < 0 ? 0 : this.part.starts[number + 1]! - this.part.starts[number]!;
  }

  #find(word: Buffer): number {
    const { offsets } = this.part;
    let low = 0;
    let high = this.words;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#bytes.compare(word, 0, word.length, offsets[middle], offsets[middle + 1]);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }
}

const lookups = new WeakMap<WordPart, WordLookup>();

/** The words of a part; always the same object for the same part. */
export function wordsOfPart(part: WordPart): WordLookup {
  let lookup = lookups.get(part);
  if (lookup === undefined) {
    lookup = new WordLookup(part);
    lookups.set(part, lookup);
  }
  return lookup;
}
