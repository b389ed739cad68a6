import { FilterError } from './filter-error.ts';

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/**
 * The value of a string literal's inside. `\xHH` and `\NNN` are bytes: a run of them from 0x80 up is
 * read as UTF-8.
 * @throws FilterError `invalid syntax` for an escape that Go does not know, as Milvus does
 */
export function unescapeString(inside: string): string {
  let at = inside.indexOf('\\');
  if (at < 0) return inside;
  let value = '';
  let copied = 0;
  let bytes: number[] = [];
  while (at >= 0) {
    if (at > copied) {
      value += decodeBytes(bytes) + inside.slice(copied, at);
      bytes = [];
    }
    const escaped = readEscape(inside, at + 1);
    if (escaped.byte >= 0x80) bytes.push(escaped.byte);
    else {
      value += decodeBytes(bytes) + escaped.text;
      bytes = [];
    }
    copied = escaped.end;
    at = inside.indexOf('\\', copied);
  }
  return value + decodeBytes(bytes) + inside.slice(copied);
}

/** The same for the operand of `=~`: a backslash is the pattern's own, unless a second one or a quote follows. */
export function unescapePattern(inside: string): string {
  return inside.replace(/\\([\\"'])/g, '$1');
}

interface Escape {
  readonly end: number;
  readonly text: string;
  /** The byte that it names when that is no character by itself, else 0. */
  readonly byte: number;
}

function readEscape(inside: string, at: number): Escape {
  const letter = inside[at] ?? '';
  const simple = SIMPLE_ESCAPES[letter];
  if (simple !== undefined) return { end: at + 1, text: simple, byte: 0 };
  if (letter >= '0' && letter <= '7') return byteEscape(inside.slice(at, at + 3), 8, at + 3);
  const digits = HEX_DIGITS[letter];
  if (digits === undefined) throw invalidSyntax();
  const end = at + 1 + digits;
  const text = inside.slice(at + 1, end);
  if (letter === 'x') return byteEscape(text, 16, end);
  const point = /^[0-9a-fA-F]+$/.test(text) && text.length === digits ? Number.parseInt(text, 16) : -1;
  const isSurrogate = point >= 0xd800 && point < 0xe000;
  if (point < 0 || point > 0x10ffff || isSurrogate) throw invalidSyntax();
  return { end, text: String.fromCodePoint(point), byte: 0 };
}

function byteEscape(digits: string, base: 8 | 16, end: number): Escape {
  const isComplete = base === 8 ? /^[0-3][0-7]{2}$/.test(digits) : /^[0-9a-fA-F]{2}$/.test(digits);
  if (!isComplete) throw invalidSyntax();
  const byte = Number.parseInt(digits, base);
  return byte < 0x80 ? { end, text: String.fromCharCode(byte), byte: 0 } : { end, text: '', byte };
}

function decodeBytes(bytes: number[]): string {
  return bytes.length === 0 ? '' : new TextDecoder().decode(Uint8Array.from(bytes));
}

function invalidSyntax(): FilterError {
  return new FilterError('invalid syntax');
}
