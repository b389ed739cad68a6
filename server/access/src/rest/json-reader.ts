import { isAscii, isUtf8 } from 'node:buffer';
import type { NumberRuns } from '@elanus/kernel';
import type { Work } from '../rows/sliced-work.ts';

/**
 * A JSON value whose integers beyond 2^53 are exact. Objects have no prototype. An array of numbers is a Float64Array where whoever
 * had the text read has asked for that: see `readJson`.
 */
export type Json = null | boolean | number | bigint | string | Json[] | Float64Array | JsonObject;
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
/** An array whose numbers were read before takes about as long as so many values. */
const VALUES_OF_RUN = 4;
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

export interface ReadJsonOptions {
  /** Arrays of numbers that were found in the text before, and are not read again. */
  readonly runs?: NumberRuns;
  /** The member of the outermost object within whose array these stay typed arrays. */
  readonly typedIn?: string;
}

/**
 * The value of a JSON text (RFC 8259), read from its bytes a slice at a time. Of a key that comes twice the last counts.
 * @throws JsonError when it is none, is not UTF-8, or is nested deeper than 128 levels
 */
export function* readJson(bytes: Buffer, options: ReadJsonOptions = {}): Work<Json> {
  if (!isUtf8(bytes)) throw new JsonError('invalid UTF-8');
  const reader = new Reader(bytes, options);
  const value = yield* reader.value(0);
  reader.end();
  return value;
}

const NO_RUNS: NumberRuns = { count: 0, words: new Uint32Array(0), numbers: new Float64Array(0) };

class Reader {
  readonly #bytes: Buffer;
  readonly #isAscii: boolean;
  readonly #runs: NumberRuns;
  readonly #typedIn: string | undefined;
  #at = 0;
  #values = 0;
  #nextRun = 0;
  #isInTyped = false;

  constructor(bytes: Buffer, { runs = NO_RUNS, typedIn }: ReadJsonOptions) {
    this.#bytes = bytes;
    this.#runs = runs;
    this.#typedIn = typedIn;
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
      if (depth === 1) this.#isInTyped = key === this.#typedIn;
      object[key] = yield* this.value(depth);
      if (!this.#goesOn(CLOSE_BRACE)) return object;
    }
  }

  *#array(depth: number): Work<Json[] | Float64Array> {
    const numbers = depth > DEPTH_MAX ? null : this.#runOfNumbers(depth);
    if (numbers !== null) {
      this.#values += VALUES_OF_RUN;
      if (this.#values % VALUES_PER_SLICE < VALUES_OF_RUN) yield;
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

  /** The array that begins here, if it is known to hold nothing but numbers. */
  #runOfNumbers(depth: number): number[] | Float64Array | null {
    const { count, words, numbers } = this.#runs;
    while (this.#nextRun < count && words[4 * this.#nextRun]! < this.#at) this.#nextRun++;
    if (this.#nextRun === count || words[4 * this.#nextRun] !== this.#at) return null;
    const [, end, first, length] = words.subarray(4 * this.#nextRun);
    this.#nextRun++;
    this.#at = end!;
    const own = numbers.subarray(first!, first! + length!);
    return this.#isInTyped && depth > 2 ? own : Array.from(own);
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
