import { assert } from '@elanus/model';
import type { LinderaCut } from './lindera-library.ts';

/** Most UTF-16 units of a piece: those of its words are not more. */
export const UNITS_MAX = 256;

/** Places of the 32-bit words at the beginning. */
const ASKED = 0;
const ANSWERED = 1;
const LENGTH = 2;
const WORDS = 3;
const HEAD_BYTES = 16;
const PART_BYTES = 2 * UNITS_MAX;

/** Of words that the library could not make. */
const FAILED = -1;
/** Whoever asks looks so often before it sleeps: mostly the answer takes less than falling asleep. */
const LOOKS = 2_000;
/** A piece takes three milliseconds at most; a thread that has ended never answers. */
const PATIENCE_MS = 5_000;

/**
 * One piece of text at a time, cut in another thread while the one that asks waits for it: units of the question, lengths of
 * the words, units of the words, in shared memory.
 */
export class LinderaMailbox {
  readonly memory: SharedArrayBuffer;
  readonly #head: Int32Array;
  readonly #question: Uint16Array;
  readonly #lengths: Uint16Array;
  readonly #answer: Uint16Array;

  constructor(memory = new SharedArrayBuffer(HEAD_BYTES + 3 * PART_BYTES)) {
    this.memory = memory;
    this.#head = new Int32Array(memory, 0, HEAD_BYTES / 4);
    this.#question = new Uint16Array(memory, HEAD_BYTES, UNITS_MAX);
    this.#lengths = new Uint16Array(memory, HEAD_BYTES + PART_BYTES, UNITS_MAX);
    this.#answer = new Uint16Array(memory, HEAD_BYTES + 2 * PART_BYTES, UNITS_MAX);
  }

  /** The words of a piece of at most `UNITS_MAX` units. @throws Error when the other thread does not answer, or could not */
  ask(piece: string): readonly string[] {
    assert(piece.length <= UNITS_MAX, 'a piece fits');
    for (let at = 0; at < piece.length; at++) this.#question[at] = piece.charCodeAt(at);
    this.#head[LENGTH] = piece.length;
    const number = (Atomics.add(this.#head, ASKED, 1) + 1) | 0;
    Atomics.notify(this.#head, ASKED);
    this.#await(number);
    const count = this.#head[WORDS]!;
    if (count === FAILED) throw new Error('Lindera could not cut a text');
    const words: string[] = [];
    for (let at = 0, start = 0; at < count; at++) {
      const end = start + this.#lengths[at]!;
      words.push(String.fromCharCode(...this.#answer.subarray(start, end)));
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
      const words = cut(String.fromCharCode(...this.#question.subarray(0, this.#head[LENGTH]!)));
      let start = 0;
      for (const [at, word] of words.entries()) {
        if (start + word.length > UNITS_MAX) return FAILED;
        this.#lengths[at] = word.length;
        for (let unit = 0; unit < word.length; unit++) this.#answer[start + unit] = word.charCodeAt(unit);
        start += word.length;
      }
      return words.length;
    } catch {
      return FAILED;
    }
  }
}
