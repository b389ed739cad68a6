import { FilterError } from './filter-error.ts';
import { unescapePattern, unescapeString } from './string-literal.ts';
import type { PathStep } from './tree.ts';

/** Operators of several spellings have one kind: `&&` is `and`. Keyword calls are `keyword-call`. */
export type TokenKind =
  | 'end'
  | 'integer'
  | 'float'
  | 'string'
  | 'true'
  | 'false'
  | 'name'
  | 'keyword-call'
  | 'and'
  | 'or'
  | 'not'
  | 'in'
  | 'like'
  | 'exists'
  | 'is null'
  | 'is not null'
  | Punctuation;

type Punctuation = (typeof PUNCTUATION)[number];

/** The longer first. */
const PUNCTUATION = [
  ...['==', '!=', '<=', '>=', '<<', '>>', '=~', '!~', '**'],
  ...['<', '>', '=', '+', '-', '*', '/', '%', '&', '|', '^', '~', '(', ')', '[', ']', '{', '}', ',', '$'],
] as const;

const OPERATORS: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ...PUNCTUATION.map((text) => [text, text] as const),
  ['&&', 'and'],
  ['||', 'or'],
  ['!', 'not'],
]);

const KEYWORDS: ReadonlyMap<string, TokenKind> = new Map<string, TokenKind>([
  ...(['and', 'or', 'not', 'in', 'like', 'exists', 'true', 'false'] as const).flatMap((word) => [
    [word, word] as const,
    [word.toUpperCase(), word] as const,
  ]),
  ['True', 'true'],
  ['False', 'false'],
  ...[
    ...['json_contains', 'json_contains_all', 'json_contains_any', 'array_length'],
    ...['array_contains', 'array_contains_all', 'array_contains_any'],
    ...['text_match', 'phrase_match', 'random_sample'],
  ].flatMap((word) => [[word, 'keyword-call'] as const, [word.toUpperCase(), 'keyword-call'] as const]),
]);

/** One token with exactly one blank between its words, in one case. */
const NULL_TESTS: ReadonlyMap<string, TokenKind> = new Map([
  ['is null', 'is null'],
  ['IS NULL', 'is null'],
  ['is not null', 'is not null'],
  ['IS NOT NULL', 'is not null'],
]);

/** By character code, those that no longer operator begins with: most of a list's tokens are one of these. */
const LONE_OPERATORS: readonly (TokenKind | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  const isBeginning = [...OPERATORS.keys()].some((other) => other.length > 1 && other[0] === character);
  return isBeginning ? undefined : OPERATORS.get(character);
});

const STRING_PREFIXES = new Set(['u8', 'u', 'U', 'L', 'r', 'R']);
const INTEGER_DIGITS_MAX = 64;

/** The largest integer of the language; only the smallest one's digits are larger. */
export const INT64_MAX = 2n ** 63n - 1n;

/** Every form of a number, the longest match first; `08` is none and ends after its `0`. */
const FLOAT =
  /(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|0[xX](?:[0-9a-fA-F]*\.[0-9a-fA-F]+|[0-9a-fA-F]+\.?)[pP][+-]?\d+/y;
const INTEGER = /0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9]\d*/y;
const INDEX_STEP = /\[(\d+)\]/y;
const FIELD_STEP = /\[([A-Za-z_][A-Za-z0-9_]*)\]/y;

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;
const isNameStart = (code: number) =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f;

/**
 * Cuts a filter into tokens, one at a time: the members describe the current one. Values are decoded on
 * the way. Throws FilterError at what is no token.
 */
export class Lexer {
  readonly #text: string;
  kind: TokenKind = 'end';
  start = 0;
  end = 0;
  /** Of an integer: its value, which may exceed 64 bits. */
  integer = 0n;
  float = 0;
  /** Of a string: its value. Of a name or call: the name alone, without steps. */
  string = '';
  /** Of a name. */
  steps: readonly PathStep[] = NO_STEPS;

  constructor(text: string) {
    this.#text = text;
    this.advance();
  }

  /** Moves to the next token; the last one is `end`, for ever. */
  advance(): void {
    const text = this.#text;
    let at = this.end;
    let code = text.charCodeAt(at);
    while (code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a) code = text.charCodeAt(++at);
    this.start = at;
    if (at >= text.length) {
      this.end = at;
      this.kind = 'end';
    } else if (isNameStart(code)) this.#readWord();
    else if (isDigit(code) || (code === 0x2e && isDigit(text.charCodeAt(at + 1)))) this.#readNumber();
    else if (code === 0x22 || code === 0x27) this.#readString(at, 'escaped');
    else if (code === 0x24 && text.startsWith('$meta', at)) this.#readName('$meta');
    else this.#readOperator();
  }

  /** Goes back to the token that began at `start`, which is no string behind `=~`. */
  returnTo(start: number): void {
    this.kind = 'end';
    this.end = start;
    this.advance();
  }

  /** The current token as written. */
  get text(): string {
    return this.kind === 'end' ? '<EOF>' : this.#text.slice(this.start, this.end);
  }

  /** Of an integer: its value. @throws FilterError when that is too large */
  get int64(): bigint {
    if (this.integer <= INT64_MAX) return this.integer;
    throw new FilterError(`parsing "${this.text}": value out of range`);
  }

  /** A complaint about the text at `at`, worded as Milvus' parser generator does. */
  error(message: string, at = this.start): FilterError {
    const before = this.#text.slice(0, at).split('\n');
    return new FilterError(`line ${before.length}:${before.at(-1)!.length} ${message}`);
  }

  #readWord(): void {
    const text = this.#text;
    let end = this.start + 1;
    for (let code = text.charCodeAt(end); isNameStart(code) || isDigit(code); ) code = text.charCodeAt(++end);
    const word = text.slice(this.start, end);
    const quote = text[end];
    if ((quote === '"' || quote === "'") && STRING_PREFIXES.has(word)) {
      this.#readString(end, word === 'r' || word === 'R' ? 'raw' : 'escaped');
      return;
    }
    if (word === 'is' || word === 'IS') {
      const test = /(?:is(?: not)? null|IS(?: NOT)? NULL)(?![A-Za-z0-9_])/y;
      test.lastIndex = this.start;
      const match = test.exec(text);
      if (match !== null) {
        this.kind = NULL_TESTS.get(match[0])!;
        this.end = test.lastIndex;
        return;
      }
    }
    const keyword = KEYWORDS.get(word);
    if (keyword === undefined) {
      this.#readName(word);
      return;
    }
    this.kind = keyword;
    this.string = word;
    this.end = end;
  }

  /** A name takes the steps that follow without a blank; what is no step is left for the next token. */
  #readName(name: string): void {
    const text = this.#text;
    let end = this.start + name.length;
    this.kind = 'name';
    this.steps = NO_STEPS;
    if (text.charCodeAt(end) === 0x5b) {
      const steps: PathStep[] = [];
      while (text.charCodeAt(end) === 0x5b) {
        const step = this.#readStep(end);
        if (step === undefined) break;
        steps.push(step.step);
        end = step.end;
      }
      this.steps = steps;
    }
    this.string = name;
    this.end = end;
  }

  #readStep(open: number): { step: PathStep; end: number } | undefined {
    INDEX_STEP.lastIndex = open;
    const index = INDEX_STEP.exec(this.#text);
    if (index !== null) return { step: { text: index[1]!, form: 'index' }, end: INDEX_STEP.lastIndex };
    FIELD_STEP.lastIndex = open;
    const field = FIELD_STEP.exec(this.#text);
    if (field !== null) return { step: { text: field[1]!, form: 'field' }, end: FIELD_STEP.lastIndex };
    const raw = /[rR]/.test(this.#text[open + 1] ?? '');
    const quoteAt = open + (raw ? 2 : 1);
    if (!/["']/.test(this.#text[quoteAt] ?? '')) return undefined;
    const close = this.#closingQuote(quoteAt, raw ? 'raw' : 'escaped');
    if (close < 0 || this.#text[close + 1] !== ']') return undefined;
    const inside = this.#text.slice(quoteAt + 1, close);
    return { step: { text: raw ? inside : unescapeString(inside), form: 'key' }, end: close + 2 };
  }

  #readString(quoteAt: number, form: 'raw' | 'escaped'): void {
    const close = this.#closingQuote(quoteAt, form);
    if (close < 0)
      throw this.error(`token recognition error at: '${this.#text.slice(this.start, this.start + 64)}'`);
    const inside = this.#text.slice(quoteAt + 1, close);
    const read = this.kind === '=~' || this.kind === '!~' ? unescapePattern : unescapeString;
    this.kind = 'string';
    this.string = form === 'raw' ? inside : read(inside);
    this.end = close + 1;
  }

  #closingQuote(quoteAt: number, form: 'raw' | 'escaped'): number {
    const text = this.#text;
    const quote = text.charCodeAt(quoteAt);
    for (let at = quoteAt + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === quote) return at;
      if (code === 0x0a || code === 0x0d) return -1;
      if (code === 0x5c && form === 'escaped') at++;
    }
    return -1;
  }

  #readNumber(): void {
    const text = this.#text;
    if (this.#readPlainInteger()) return;
    INTEGER.lastIndex = this.start;
    FLOAT.lastIndex = this.start;
    const float = FLOAT.exec(text)?.[0];
    const integer = INTEGER.exec(text)?.[0];
    if (float !== undefined && float.length > (integer?.length ?? 0)) {
      this.kind = 'float';
      this.end = FLOAT.lastIndex;
      this.float = parseFloatLiteral(float);
      if (!Number.isFinite(this.float)) throw new FilterError(`${float.slice(0, 64)}: value out of range`);
      return;
    }
    if (integer === undefined) throw this.#unknown();
    this.kind = 'integer';
    this.end = INTEGER.lastIndex;
    this.integer = parseIntegerLiteral(integer);
  }

  /** Nearly every number of a long list is one of these: digits, the first not 0, and no fraction. */
  #readPlainInteger(): boolean {
    const text = this.#text;
    let code = text.charCodeAt(this.start);
    if (!isDigit(code) || code === 0x30) return false;
    let end = this.start;
    let value = 0;
    for (; isDigit(code); code = text.charCodeAt(++end)) value = value * 10 + (code - 0x30);
    const isFloat = code === 0x2e || code === 0x65 || code === 0x45;
    if (isFloat || end - this.start > INTEGER_DIGITS_MAX) return false;
    this.kind = 'integer';
    this.integer = end - this.start <= 15 ? BigInt(value) : BigInt(text.slice(this.start, end));
    this.end = end;
    return true;
  }

  #readOperator(): void {
    const lone = LONE_OPERATORS[this.#text.charCodeAt(this.start)];
    if (lone !== undefined) {
      this.kind = lone;
      this.end = this.start + 1;
      return;
    }
    const two = this.#text.slice(this.start, this.start + 2);
    const operator = OPERATORS.has(two) ? two : two.slice(0, 1);
    const kind = OPERATORS.get(operator);
    if (kind === undefined) throw this.#unknown();
    this.kind = kind;
    this.end = this.start + operator.length;
  }

  #unknown(): FilterError {
    const character = String.fromCodePoint(this.#text.codePointAt(this.start)!);
    return this.error(`token recognition error at: '${character}'`);
  }
}

const NO_STEPS: readonly PathStep[] = [];

function parseIntegerLiteral(text: string): bigint {
  if (text.length > INTEGER_DIGITS_MAX + 2)
    throw new FilterError(`${text.slice(0, 64)}...: value out of range`);
  const isOctal = text.length > 1 && text[0] === '0' && isDigit(text.charCodeAt(1));
  return BigInt(isOctal ? `0o${text.slice(1)}` : text);
}

function parseFloatLiteral(text: string): number {
  if (!/^0[xX]/.test(text)) return Number(text);
  const [mantissa, exponent] = text.slice(2).split(/[pP]/) as [string, string];
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = Number.parseInt(`${whole}${fraction}`, 16);
  return digits * 2 ** (Number(exponent) - 4 * fraction.length);
}
