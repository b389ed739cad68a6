import { equalBytes } from './text-index.ts';
import { exactNumber } from './value-index.ts';

/** What a value begins like; `broken` when it begins like none, or there is nothing. */
export type JsonKind = 'object' | 'array' | 'text' | 'number' | 'boolean' | 'null' | 'broken';

/** One step of a path, ready to be compared with the bytes of a document. */
export interface JsonStep {
  readonly key: Uint8Array;
  /** What the step means inside an array; -1 when it is no index. */
  readonly index: number;
}

/** `text` names a member of an object, and an element of an array when it is a number. */
export function jsonStep(text: string): JsonStep {
  const isIndex = /^(?:0|[1-9]\d{0,9})$/.test(text);
  return { key: Buffer.from(text), index: isIndex ? Number(text) : -1 };
}

/** Doubles hold every integer of so many digits. */
const EXACT_DIGITS = 15;
/** Powers of ten that a double holds exactly: a short mantissa divided by one is rounded once, hence right. */
const EXACT_POWER = 22;
/** An integer of more digits is read as a double: none of our columns could hold it. */
const INTEGER_DIGITS_MAX = 64;

/**
 * Finds and reads one value of a JSON document in its bytes, without parsing the rest: integers stay
 * exact, texts stay bytes. The document was checked when it was inserted; a broken one has no values,
 * and never makes the reader throw or leave its bounds. The first of equal keys counts.
 */
export class JsonReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;
  #at = 0;
  /** The text that `readText` found: `textBytes[textStart .. textEnd)`. */
  textBytes: Uint8Array = this.#bytes;
  textStart = 0;
  textEnd = 0;
  /** Whether the number that `readNumber` returned was written without fraction and exponent. */
  isInteger = false;

  /** Turns to the document `bytes[start .. end)`. */
  open(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.#skipBlanks();
  }

  /** Goes to the value at `steps`; `false` when there is none. */
  find(steps: readonly JsonStep[]): boolean {
    for (const step of steps) {
      const byte = this.#peek();
      const isFound =
        byte === 0x7b ? this.#findMember(step.key) : byte === 0x5b && this.#findElement(step.index);
      if (!isFound) return false;
    }
    return this.#at < this.#end;
  }

  /** Where the value that the reader stands on begins in `bytes`. */
  get at(): number {
    return this.#at;
  }

  /** Of the value that the reader stands on. */
  kind(): JsonKind {
    const byte = this.#peek();
    if (byte === 0x22) return 'text';
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return 'number';
    if (byte === 0x7b) return 'object';
    if (byte === 0x5b) return 'array';
    if (byte === 0x74 || byte === 0x66) return 'boolean';
    return byte === 0x6e ? 'null' : 'broken';
  }

  readBoolean(): boolean {
    return this.#peek() === 0x74;
  }

  /** The number that the reader stands on, exactly where it is an integer. */
  readNumber(): number | bigint {
    const bytes = this.#bytes;
    const start = this.#at;
    const isNegative = bytes[start] === 0x2d;
    let at = isNegative ? start + 1 : start;
    const digitsAt = at;
    let mantissa = 0;
    for (let digit = this.#digit(at); digit >= 0; digit = this.#digit(++at)) mantissa = mantissa * 10 + digit;
    let digits = at - digitsAt;
    let fraction = 0;
    this.isInteger = true;
    if (at < this.#end && bytes[at] === 0x2e) {
      this.isInteger = false;
      for (let digit = this.#digit(++at); digit >= 0; digit = this.#digit(++at)) {
        mantissa = mantissa * 10 + digit;
        fraction++;
      }
      digits += fraction;
    }
    const hasExponent = at < this.#end && (bytes[at]! | 0x20) === 0x65;
    if (hasExponent || digits > EXACT_DIGITS || fraction > EXACT_POWER) return this.#readLongNumber(start);
    const size = fraction === 0 ? mantissa : mantissa / 10 ** fraction;
    return isNegative ? -size : size;
  }

  /** Makes the text that the reader stands on the current one; `false` when its escapes are broken. */
  readText(): boolean {
    const start = this.#at;
    const end = this.#closingQuote(start);
    if (end < 0) return false;
    if (!this.#hasEscape) {
      this.textBytes = this.#bytes;
      this.textStart = start + 1;
      this.textEnd = end;
      return true;
    }
    return this.#readEscapedText(start, end + 1);
  }

  /** Calls `visit` standing on each element of the array until it answers `false`. Moves past the array. */
  forEachElement(visit: () => boolean): void {
    if (!this.#enter(0x5d)) return;
    for (;;) {
      const at = this.#at;
      if (!visit()) return;
      this.#at = at;
      if (!this.#skipValue() || !this.#next()) return;
    }
  }

  /** What `look` answers from here; the reader is then back where it was. */
  peekAt<Answer>(look: () => Answer): Answer {
    const at = this.#at;
    const answer = look();
    this.#at = at;
    return answer;
  }

  /** Elements of the array that the reader stands on. */
  countElements(): number {
    let count = 0;
    this.forEachElement(() => {
      count++;
      return true;
    });
    return count;
  }

  #findMember(key: Uint8Array): boolean {
    if (!this.#enter(0x7d)) return false;
    do {
      const isWanted = this.#readKey(key);
      if (isWanted === undefined) return false;
      if (isWanted) return true;
    } while (this.#skipValue() && this.#next());
    return false;
  }

  /** Reads a member's key and its colon; `undefined` when there is none. */
  #readKey(key: Uint8Array): boolean | undefined {
    if (this.#peek() !== 0x22) return undefined;
    const start = this.#at;
    const end = this.#closingQuote(start);
    if (end < 0) return undefined;
    const isWanted = this.#hasEscape
      ? this.#readEscapedText(start, end + 1) && equalBytes(this.textBytes, this.textStart, this.textEnd, key)
      : equalBytes(this.#bytes, start + 1, end, key);
    this.#at = end + 1;
    this.#skipBlanks();
    if (this.#peek() !== 0x3a) return undefined;
    this.#at++;
    this.#skipBlanks();
    return isWanted;
  }

  #findElement(index: number): boolean {
    if (index < 0 || !this.#enter(0x5d)) return false;
    for (let i = 0; i < index; i++) if (!this.#skipValue() || !this.#next()) return false;
    return true;
  }

  /** Steps into a container; `false` when it is empty. */
  #enter(close: number): boolean {
    this.#at++;
    this.#skipBlanks();
    return this.#at < this.#end && this.#bytes[this.#at] !== close;
  }

  /** Steps over a comma; `false` when there is none. */
  #next(): boolean {
    this.#skipBlanks();
    if (this.#peek() !== 0x2c) return false;
    this.#at++;
    this.#skipBlanks();
    return true;
  }

  #skipValue(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    let depth = 0;
    while (this.#at < end) {
      const byte = bytes[this.#at]!;
      if (byte === 0x22) {
        const close = this.#closingQuote(this.#at);
        if (close < 0) return false;
        this.#at = close + 1;
        if (depth === 0) return true;
      } else if (byte === 0x7b || byte === 0x5b) {
        depth++;
        this.#at++;
      } else if (byte === 0x7d || byte === 0x5d) {
        if (depth === 0) return true;
        this.#at++;
        if (--depth === 0) return true;
      } else {
        if (depth === 0 && byte === 0x2c) return true;
        this.#at++;
      }
    }
    return depth === 0;
  }

  #hasEscape = false;

  /** The end of the text that begins at `open`; notes whether it has escapes. -1 when it has no end. */
  #closingQuote(open: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    this.#hasEscape = false;
    for (let at = open + 1; at < end; at++) {
      const byte = bytes[at];
      if (byte === 0x22) return at;
      if (byte === 0x5c) {
        this.#hasEscape = true;
        at++;
      }
    }
    return -1;
  }

  #readEscapedText(start: number, end: number): boolean {
    try {
      const text: unknown = JSON.parse(this.#slice(start, end));
      if (typeof text !== 'string') return false;
      this.textBytes = Buffer.from(text);
    } catch {
      return false;
    }
    this.textStart = 0;
    this.textEnd = this.textBytes.length;
    return true;
  }

  #readLongNumber(start: number): number | bigint {
    let end = start;
    while (end < this.#end && isNumberByte(this.#bytes[end]!)) end++;
    const text = this.#slice(start, end);
    const isReadable = this.isInteger && text.length <= INTEGER_DIGITS_MAX && /^-?\d+$/.test(text);
    this.isInteger = isReadable;
    return isReadable ? exactNumber(BigInt(text)) : Number(text);
  }

  #slice(start: number, end: number): string {
    const { buffer, byteOffset } = this.#bytes;
    return Buffer.from(buffer, byteOffset + start, end - start).toString();
  }

  #digit(at: number): number {
    if (at >= this.#end) return -1;
    const digit = this.#bytes[at]! - 0x30;
    return digit >= 0 && digit <= 9 ? digit : -1;
  }

  #peek(): number {
    return this.#at < this.#end ? this.#bytes[this.#at]! : -1;
  }

  #skipBlanks(): void {
    const bytes = this.#bytes;
    while (this.#at < this.#end) {
      const byte = bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at++;
    }
  }
}

function isNumberByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e ||
    (byte | 0x20) === 0x65
  );
}
