import { firstPlace } from '@elanus/model';
/** Which places of the text as it was given belong to a word that is found in a text that was rewritten. */
export type OffsetMode =
  /** A word that has a part of a replacement has all of what was replaced. */
  | 'source_span'
  /** The characters of a replacement stand for those that were replaced, one by one: a word may be empty there. */
  | 'boundary';

/** Numbers of a replacement: where it begins and ends in the new text, and what it replaced in the old one. */
const NUMBERS = 4;
const FIRST_CAPACITY = 16;

/** What one pass over a text has replaced, in UTF-16 units. Replacements are added in their order. */
export class Rewrite {
  readonly #before: string;
  readonly #mode: OffsetMode;
  readonly #parts: string[] = [];
  #length = 0;
  #kept = 0;
  #numbers = new Int32Array(NUMBERS * FIRST_CAPACITY);
  #count = 0;
  #after: string | null = null;

  constructor(before: string, mode: OffsetMode) {
    this.#before = before;
    this.#mode = mode;
  }

  /** Units of the new text up to the last replacement. */
  get length(): number {
    return this.#length;
  }

  /** Puts `replacement` in the place of `[start, end)` of the old text, which lies behind the replacements before it. */
  replace(start: number, end: number, replacement: string): void {
    this.#parts.push(this.#before.slice(this.#kept, start), replacement);
    const from = this.#length + start - this.#kept;
    this.#length = from + replacement.length;
    this.#kept = end;
    if (this.#numbers.length === NUMBERS * this.#count) {
      const grown = new Int32Array(2 * this.#numbers.length);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers.set([from, this.#length, start, end], NUMBERS * this.#count);
    this.#count += 1;
  }

  /** The new text; nothing is replaced after it was asked for. */
  after(): string {
    this.#after ??=
      this.#count === 0 ? this.#before : [...this.#parts, this.#before.slice(this.#kept)].join('');
    return this.#after;
  }

  /** Where a word that begins at `offset` of the new text begins in the old one. */
  startOf(offset: number): number {
    const last = this.#replacementsUpTo(offset) - 1;
    if (last < 0) return offset;
    const [, to, start, end] = this.#numbersOf(last);
    if (offset >= to) return end + offset - to;
    return this.#mode === 'source_span' ? start : this.#boundary(last, offset);
  }

  /** Where a word that is not empty and ends at `offset` of the new text ends in the old one. */
  endOf(offset: number): number {
    if (this.#mode === 'boundary') return this.startOf(offset);
    const last = this.#replacementsUpTo(offset - 1) - 1;
    if (last < 0) return offset;
    const [, to, , end] = this.#numbersOf(last);
    return offset <= to ? end : end + offset - to;
  }

  /** How many replacements begin at `offset` or before it. */
  #replacementsUpTo(offset: number): number {
    return firstPlace(this.#count, (replacement) => this.#numbers[NUMBERS * replacement]! > offset);
  }

  #numbersOf(replacement: number): readonly [from: number, to: number, start: number, end: number] {
    const at = NUMBERS * replacement;
    const numbers = this.#numbers;
    return [numbers[at]!, numbers[at + 1]!, numbers[at + 2]!, numbers[at + 3]!];
  }

  /**
   * The character of what was replaced that the one at `offset`, inside of the replacement, stands for. Of more characters
   * than there were the last ones stand for the last one.
   */
  #boundary(replacement: number, offset: number): number {
    const [from, to, start, end] = this.#numbersOf(replacement);
    const replaced = Array.from(this.#before.slice(start, end));
    const after = this.after();
    const character = charactersOf(after.slice(from, offset));
    const isLonger = charactersOf(after.slice(from, to)) > replaced.length;
    const wanted = Math.min(character, isLonger ? replaced.length - 1 : replaced.length);
    return start + replaced.slice(0, wanted).join('').length;
  }
}

function charactersOf(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
