/** Integers of so many digits need no bigint on their way into 64 bits. */
const FAST_DIGITS = 18;
const LOW_DIGITS = 9;
const LOW_POWER = 1e9;
const INT64_MAX = 2n ** 63n - 1n;
const DIGITS_MAX = 19;

/** Integers read from a text one behind the other. */
export interface IntegerRun {
  /** How many there are. */
  readonly count: number;
  /** Where the text goes on: behind the last comma, or at what is no integer of the run. */
  readonly end: number;
}

/**
 * Reads decimal integers from `text` at `start`, each followed by a comma or, the last one, by `]`, into
 * `into[first .. first + countMax)`. Stops in front of anything else: other numbers, texts, the `]`. Makes no bigint
 * of what has up to 18 digits, because a million of them would keep the garbage collector busy.
 */
export function readIntegerRun(
  text: string,
  start: number,
  into: BigInt64Array,
  first: number,
  countMax: number,
): IntegerRun {
  const halves = new Int32Array(into.buffer, into.byteOffset, 2 * into.length);
  let count = 0;
  let end = start;
  while (count < countMax) {
    let at = skipBlanks(text, end);
    const isNegative = text.charCodeAt(at) === 0x2d;
    if (isNegative) at = skipBlanks(text, at + 1);
    const digitsAt = at;
    let high = 0;
    let low = 0;
    for (let code = text.charCodeAt(at); code >= 0x30 && code <= 0x39; code = text.charCodeAt(++at)) {
      // The last nine digits are the low part, which moves along.
      if (at - digitsAt >= LOW_DIGITS) {
        const top = Math.floor(low / 1e8);
        high = high * 10 + top;
        low -= top * 1e8;
      }
      low = low * 10 + (code - 0x30);
      if (at - digitsAt >= DIGITS_MAX) return { count, end };
    }
    const digits = at - digitsAt;
    if (digits === 0 || (digits > 1 && text.charCodeAt(digitsAt) === 0x30)) break;
    const next = skipBlanks(text, at);
    const code = text.charCodeAt(next);
    if (code !== 0x2c && code !== 0x5d) break;
    if (digits <= FAST_DIGITS) writeHalves(halves, 2 * (first + count), isNegative, high, low);
    else {
      const value = BigInt(text.slice(digitsAt, at));
      if (value > INT64_MAX) break;
      into[first + count] = isNegative ? -value : value;
    }
    count++;
    end = code === 0x2c ? next + 1 : next;
    if (code === 0x5d) break;
  }
  return { count, end };
}

/** Writes high * 10^9 + low, both below 10^9, in steps that a double takes exactly. */
function writeHalves(halves: Int32Array, at: number, isNegative: boolean, high: number, low: number): void {
  const lower = (high & 0xffff) * LOW_POWER + low;
  const upper = (high >>> 16) * LOW_POWER;
  const lowWord = (lower % 2 ** 32) + (upper % 2 ** 16) * 2 ** 16;
  const highWord = Math.floor(lower / 2 ** 32) + Math.floor(upper / 2 ** 16) + Math.floor(lowWord / 2 ** 32);
  // Two's complement turns all bits and adds one, which goes on into the high word only from zero.
  const word = isNegative ? -(lowWord % 2 ** 32) | 0 : (lowWord % 2 ** 32) | 0;
  halves[at] = word;
  halves[at + 1] = isNegative ? ~highWord + (word === 0 ? 1 : 0) : highWord;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x09 && code !== 0x0d && code !== 0x0a) return at;
    at++;
  }
}
