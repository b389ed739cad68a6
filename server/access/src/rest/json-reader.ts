import { isAscii, isUtf8 } from 'node:buffer';
import type { Work } from '../rows/sliced-work.ts';

/** A JSON value whose integers beyond 2^53 are exact. Objects have no prototype. */
export type Json = null | boolean | number | bigint | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** Text that is not JSON; the message says where. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

const DEPTH_MAX = 128;
/** Values between two yields: about a quarter of a millisecond. */
const VALUES_PER_SLICE = 4_096;
/** Decimal digits that a double holds whatever they are. */
const SAFE_DIGITS = 15;
/** Arrays that are worth a call of their own, and those that take well under a millisecond. */
const RUN_BYTES_MIN = 64;
const RUN_BYTES_MAX = 64 * 1024;
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, power) => 10 ** power);

const [TAB, LINE_FEED, CARRIAGE_RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20];
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];
const [MINUS, PLUS, POINT, ZERO, NINE, UPPER_E, LOWER_E] = [0x2d, 0x2b, 0x2e, 0x30, 0x39, 0x45, 0x65];
const [LOWER_T, LOWER_F, LOWER_N] = [0x74, 0x66, 0x6e];
const WORDS = [
  { first: LOWER_T, text: 'true', value: true },
  { first: LOWER_F, text: 'false', value: false },
  { first: LOWER_N, text: 'null', value: null },
] as const;

/**
 * The value of a JSON text (RFC 8259), read from its bytes a slice at a time. Of a key that comes twice the last counts.
 * @throws JsonError when it is none, is not UTF-8, or is nested deeper than 128 levels
 */
export function* readJson(bytes: Buffer): Work<Json> {
  if (!isUtf8(bytes)) throw new JsonError('invalid UTF-8');
  const reader = new Reader(bytes);
  const value = yield* reader.value(0);
  reader.end();
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  readonly #isAscii: boolean;
  #at = 0;
  #values = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#isAscii = isAscii(bytes);
  }

  *value(depth: number): Work<Json> {
    if (++this.#values % VALUES_PER_SLICE === 0) yield;
    const byte = this.#skipSpace();
    switch (byte) {
      case OPEN_BRACE:
        return yield* this.#object(depth + 1);
      case OPEN_BRACKET:
        return yield* this.#array(depth + 1);
      default:
        return this.#scalar(byte);
    }
  }

  end(): void {
    if (this.#skipSpace() !== undefined) throw this.#unexpected();
  }

  *#object(depth: number): Work<JsonObject> {
    this.#enter(depth);
    const object = Object.create(null) as JsonObject;
    if (this.#skipSpace() === CLOSE_BRACE) {
      this.#at++;
      return object;
    }
    for (;;) {
      if (this.#skipSpace() !== QUOTE) throw this.#unexpected();
      const key = this.#text();
      if (this.#skipSpace() !== COLON) throw this.#unexpected();
      this.#at++;
      object[key] = yield* this.value(depth);
      if (!this.#goesOn(CLOSE_BRACE)) return object;
    }
  }

  *#array(depth: number): Work<Json[]> {
    const numbers = this.#runOfNumbers();
    if (numbers !== null) {
      if (this.#values % VALUES_PER_SLICE < numbers.length) yield;
      return numbers;
    }
    this.#enter(depth);
    const array: Json[] = [];
    if (this.#skipSpace() === CLOSE_BRACKET) {
      this.#at++;
      return array;
    }
    for (;;) {
      const byte = this.#skipSpace();
      // Numbers, which vectors are made of, without a generator each.
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) array.push(yield* this.value(depth));
      else {
        if (++this.#values % VALUES_PER_SLICE === 0) yield;
        array.push(this.#scalar(byte));
      }
      if (!this.#goesOn(CLOSE_BRACKET)) return array;
    }
  }

  /**
   * A vector: an array of nothing but numbers, none of which JavaScript would round. `JSON.parse` reads those that have more
   * digits than `#number` can add up several times as fast. `null`: anything else, or something wrong, which is looked at one by
   * one.
   */
  #runOfNumbers(): number[] | null {
    const bytes = this.#bytes;
    const begin = this.#at;
    const end = endOfNumbers(bytes, begin + 1);
    if (end - begin < RUN_BYTES_MIN) return null;
    try {
      const numbers = JSON.parse(bytes.toString('latin1', begin, end)) as number[];
      this.#at = end;
      this.#values += numbers.length;
      return numbers;
    } catch {
      return null;
    }
  }

  #enter(depth: number): void {
    if (depth > DEPTH_MAX) throw new JsonError(`nested deeper than ${DEPTH_MAX} levels`);
    this.#at++;
  }

  /** Steps over the comma before another member (true) or over the end. */
  #goesOn(end: number): boolean {
    const byte = this.#skipSpace();
    if (byte !== COMMA && byte !== end) throw this.#unexpected();
    this.#at++;
    return byte === COMMA;
  }

  #scalar(byte: number | undefined): Json {
    if (byte === QUOTE) return this.#text();
    if (byte === MINUS || (byte !== undefined && byte >= ZERO && byte <= NINE)) return this.#number();
    const word = WORDS.find(({ first }) => first === byte);
    if (word === undefined || !this.#follows(word.text)) throw this.#unexpected();
    this.#at += word.text.length;
    return word.value;
  }

  #follows(text: string): boolean {
    return this.#bytes.toString('latin1', this.#at, this.#at + text.length) === text;
  }

  #text(): string {
    const bytes = this.#bytes;
    const begin = this.#at;
    let at = begin + 1;
    let isPlain = true;
    for (;;) {
      const byte = bytes[at];
      if (byte === QUOTE) break;
      if (byte === undefined || byte < SPACE) {
        this.#at = at;
        throw this.#unexpected();
      }
      if (byte === BACKSLASH) {
        isPlain = false;
        at++;
      }
      at++;
    }
    this.#at = at + 1;
    if (isPlain) return this.#slice(begin + 1, at);
    try {
      return JSON.parse(this.#slice(begin, at + 1)) as string;
    } catch {
      this.#at = begin;
      throw this.#unexpected();
    }
  }

  #slice(begin: number, end: number): string {
    return this.#isAscii
      ? this.#bytes.toString('latin1', begin, end)
      : this.#bytes.toString('utf8', begin, end);
  }

  /** Digits up to fifteen and a small power of ten are exact as they are (Clinger 1990); all else `Number` reads. */
  #number(): number | bigint {
    const bytes = this.#bytes;
    const begin = this.#at;
    const isNegative = bytes[begin] === MINUS;
    let at = isNegative ? begin + 1 : begin;
    const integerAt = at;
    let digits = 0;
    let byte = bytes[at]!;
    while (byte >= ZERO && byte <= NINE) {
      digits = 10 * digits + (byte - ZERO);
      byte = bytes[++at]!;
    }
    const integerLength = at - integerAt;
    if (integerLength === 0) throw this.#unexpected(at);
    if (integerLength > 1 && bytes[integerAt] === ZERO) throw this.#unexpected(integerAt);
    let fractionLength = 0;
    if (byte === POINT) {
      const fractionAt = ++at;
      byte = bytes[at]!;
      while (byte >= ZERO && byte <= NINE) {
        digits = 10 * digits + (byte - ZERO);
        byte = bytes[++at]!;
      }
      fractionLength = at - fractionAt;
      if (fractionLength === 0) throw this.#unexpected(at);
    }
    let hasExponent = false;
    if (byte === LOWER_E || byte === UPPER_E) {
      hasExponent = true;
      byte = bytes[++at]!;
      if (byte === PLUS || byte === MINUS) byte = bytes[++at]!;
      const exponentAt = at;
      while (byte >= ZERO && byte <= NINE) byte = bytes[++at]!;
      if (at === exponentAt) throw this.#unexpected(at);
    }
    this.#at = at;
    if (!hasExponent && integerLength + fractionLength <= SAFE_DIGITS) {
      const magnitude = digits / POWERS_OF_TEN[fractionLength]!;
      return isNegative ? -magnitude : magnitude;
    }
    const text = bytes.toString('latin1', begin, at);
    const number = Number(text);
    return hasExponent || fractionLength > 0 || Number.isSafeInteger(number) ? number : BigInt(text);
  }

  #skipSpace(): number | undefined {
    const bytes = this.#bytes;
    let byte = bytes[this.#at];
    while (byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB)
      byte = bytes[++this.#at];
    return byte;
  }

  #unexpected(at = this.#at): JsonError {
    if (at >= this.#bytes.length) return new JsonError('unexpected end of JSON input');
    return new JsonError(
      `unexpected ${JSON.stringify(this.#bytes.toString('utf8', at, at + 1))} at byte ${at}`,
    );
  }
}

/**
 * The end of the array whose first element is at `from`, when all of it is numbers that doubles hold: fractions, and integers
 * of fifteen digits at most. 0: it is not.
 */
function endOfNumbers(bytes: Buffer, from: number): number {
  const limit = Math.min(bytes.length, from + RUN_BYTES_MAX);
  let digits = 0;
  let isFraction = false;
  for (let at = from; at < limit; at++) {
    const byte = bytes[at]!;
    if (byte >= ZERO && byte <= NINE) {
      if (!isFraction && ++digits > SAFE_DIGITS) return 0;
    } else if (byte === COMMA) {
      digits = 0;
      isFraction = false;
    } else if (byte === POINT || byte === LOWER_E || byte === UPPER_E) isFraction = true;
    else if (byte === CLOSE_BRACKET) return at + 1;
    else if (byte !== MINUS && byte !== PLUS && byte !== SPACE && byte !== LINE_FEED) return 0;
  }
  return 0;
}
