import type { Work } from '../rows/sliced-work.ts';
import type { Json } from './json-reader.ts';

/** How int64 values are written: as numbers, exact to the last digit, or as decimal strings. */
export type Int64Form = 'number' | 'string';

/** Characters after which a text goes on as a piece of its own. */
const PIECE_LENGTH = 32 * 1024;

/**
 * A JSON text in pieces, with a yield after each. bigints are int64 values of rows and take `int64`'s form; what has to
 * stay a number whatever the client wants (counts, ids of collections) is a `number`, or a `DigitsOf`.
 */
export function* jsonPieces(value: JsonOut, int64: Int64Form): Work<readonly string[]> {
  const writer = new Writer(int64);
  yield* writer.write(value);
  return writer.pieces();
}

/** A bigint that is written as a number always. */
export class DigitsOf {
  readonly value: bigint;

  constructor(value: bigint) {
    this.value = value;
  }
}

export type JsonOut =
  | Json
  | DigitsOf
  | Float32Array
  | undefined
  | readonly JsonOut[]
  | { readonly [key: string]: JsonOut };

class Writer {
  readonly #int64: Int64Form;
  readonly #pieces: string[] = [];
  #text = '';

  constructor(int64: Int64Form) {
    this.#int64 = int64;
  }

  pieces(): readonly string[] {
    if (this.#text !== '') this.#pieces.push(this.#text);
    this.#text = '';
    return this.#pieces;
  }

  *write(value: JsonOut): Work<void> {
    if (this.#text.length > PIECE_LENGTH) {
      this.pieces();
      yield;
    }
    if (value === null || value === undefined) this.#text += 'null';
    else if (typeof value === 'bigint') this.#text += this.#int64 === 'number' ? value : `"${value}"`;
    else if (typeof value !== 'object') this.#text += scalarText(value);
    else if (value instanceof DigitsOf) this.#text += value.value;
    else if (value instanceof Float32Array) this.#text += floatsText(value);
    else if (value instanceof Float64Array) this.#text += JSON.stringify(Array.from(value));
    else if (Array.isArray(value)) yield* this.#writeArray(value);
    else yield* this.#writeObject(value as { readonly [key: string]: JsonOut });
  }

  *#writeArray(values: readonly JsonOut[]): Work<void> {
    this.#text += '[';
    for (let at = 0; at < values.length; at++) {
      if (at > 0) this.#text += ',';
      yield* this.write(values[at]);
    }
    this.#text += ']';
  }

  *#writeObject(object: { readonly [key: string]: JsonOut }): Work<void> {
    this.#text += '{';
    let isFirst = true;
    for (const key in object) {
      const value = object[key];
      if (value === undefined) continue;
      this.#text += `${isFirst ? '' : ','}${JSON.stringify(key)}:`;
      isFirst = false;
      yield* this.write(value);
    }
    this.#text += '}';
  }
}

/** JSON has no infinity and no NaN: they are null, as `JSON.stringify` has it. */
function scalarText(value: string | number | boolean): string {
  return JSON.stringify(value);
}

function floatsText(values: Float32Array): string {
  let text = '[';
  for (let at = 0; at < values.length; at++)
    text += (at > 0 ? ',' : '') + scalarText(shortestDouble(values[at]!));
  return `${text}]`;
}

/** Of one digit less than every float32 holds, as the place of the first digit may be told wrongly by one. */
const LEAST_DIGITS = 5;
const POWERS_OF_TEN = Array.from({ length: 16 }, (_, power) => 10 ** power);

/** Of the doubles that are this float32 when rounded, the one of the fewest decimal digits. */
export function shortestDouble(float: number): number {
  if (!Number.isFinite(float)) return float;
  // A quotient of two integers that doubles hold is the double nearest to its decimal digits (Clinger 1990).
  const firstDigit = Math.floor(Math.log10(Math.abs(float)));
  for (let digits = LEAST_DIGITS; digits < 9; digits++) {
    const scale = POWERS_OF_TEN[digits - 1 - firstDigit];
    if (scale === undefined) break;
    const short = Math.round(float * scale) / scale;
    if (Math.fround(short) === float) return short;
  }
  for (let digits = LEAST_DIGITS; digits < 9; digits++) {
    const short = Number(float.toPrecision(digits));
    if (Math.fround(short) === float) return short;
  }
  return Number(float.toPrecision(9));
}
