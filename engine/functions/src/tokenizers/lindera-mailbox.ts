import { assert } from '@elanus/model';
import type { LinderaCut, LinderaWord } from './lindera-library.ts';

/** Most UTF-16 units of a piece: those of its words are not more. */
export const UNITS_MAX = 256;

/** Places of the 32-bit words at the beginning. */
const ASKED = 0;
const ANSWERED = 1;
const LENGTH = 2;
const WORDS = 3;
const TAGS = 4;
const HEAD_BYTES = 32;
/** Of words and their tags: four levels of Japanese take 30. */
const ANSWER_UNITS = 64 * UNITS_MAX;

/** Of words that the library could not make. */
const FAILED = -1;
/** Whoever asks looks so often before it sleeps: mostly the answer takes less than falling asleep. */
const LOOKS = 2_000;
/** A piece takes three milliseconds at most; a thread that has ended never answers. */
const PATIENCE_MS = 5_000;

/**
 * One piece of text at a time, cut in another thread while the one that asks waits for it: units of the question, lengths of
 * each word and its tag, units of these, in shared memory.
 */
export class LinderaMailbox {
  readonly memory: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #question: Uint16Array;
  readonly #lengths: Uint16Array;
  readonly #answer: Uint16Array;

  constructor(memory = new SharedArrayBuffer(HEAD_BYTES + 2 * (3 * UNITS_MAX + ANSWER_UNITS))) {
    this.memory = memory;
    this.#head = new Int32Array(memory, 0, HEAD_BYTES / 4);
    this.#question = new Uint16Array(memory, HEAD_BYTES, UNITS_MAX);
    this.#lengths = new Uint16Array(memory, HEAD_BYTES + 2 * UNITS_MAX, 2 * UNITS_MAX);
    this.#answer = new Uint16Array(memory, HEAD_BYTES + 6 * UNITS_MAX, ANSWER_UNITS);
  }

  /** The words of a piece of at most `UNITS_MAX` units. @throws Error when the other thread does not answer, or could not */
  ask(piece: string, tags?: 'tags'): readonly LinderaWord[] {
    assert(piece.length <= UNITS_MAX, 'a piece fits');
    for (let at = 0; at < piece.length; at++) this.#question[at] = piece.charCodeAt(at);
    this.#head[LENGTH] = piece.length;
    this.#head[TAGS] = tags === undefined ? 0 : 1;
    const number = (Atomics.add(this.#head, ASKED, 1) + 1) | 0;
    Atomics.notify(this.#head, ASKED);
    this.#await(number);
    const count = this.#head[WORDS]!;
    if (count === FAILED) throw new Error('Lindera could not cut a text');
    const words: LinderaWord[] = [];
    for (let at = 0, start = 0; at < count; at++) {
      const middle = start + this.#lengths[2 * at]!;
      const end = middle + this.#lengths[2 * at + 1]!;
      words.push({ text: this.#read(start, middle), tag: this.#read(middle, end) });
      start = end;
    }
    return words;
  }

  /** Answers for ever; never returns. */
  serve(cut: LinderaCut): never {
    for (let answered = 0; ; answered = (answered + 1) | 0) {
      while (Atomics.load(this.#head, ASKED) === answered) Atomics.wait(this.#head, ASKED, answered);
      this.#head[WORDS] = this.#answered(cut);
      Atomics.add(this.#head, ANSWERED, 1);
      Atomics.notify(this.#head, ANSWERED);
    }
  }

  #await(number: number): void {
    for (let look = 0; look < LOOKS; look++) if (Atomics.load(this.#head, ANSWERED) === number) return;
    if (Atomics.wait(this.#head, ANSWERED, (number - 1) | 0, PATIENCE_MS) === 'timed-out')
      throw new Error('the thread of Lindera does not answer');
  }

  /** Writes the words of the question, and says how many there are. */
  #answered(cut: LinderaCut): number {
    try {
      const piece = String.fromCharCode(...this.#question.subarray(0, this.#head[LENGTH]!));
      const words = this.#head[TAGS] === 0 ? cut(piece) : cut(piece, 'tags');
      let used = 0;
      for (const [at, { text, tag }] of words.entries()) {
        if (used + text.length + tag.length > ANSWER_UNITS) return FAILED;
        this.#lengths[2 * at] = text.length;
        this.#lengths[2 * at + 1] = tag.length;
        this.#write(text, used);
        this.#write(tag, used + text.length);
        used += text.length + tag.length;
      }
      return words.length;
    } catch {
      return FAILED;
    }
  }

  #write(text: string, at: number): void {
    for (let unit = 0; unit < text.length; unit++) this.#answer[at + unit] = text.charCodeAt(unit);
  }

  #read(start: number, end: number): string {
    return start === end ? '' : String.fromCharCode(...this.#answer.subarray(start, end));
  }
}
