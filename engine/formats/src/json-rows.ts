import { type ByteSource, FormatError, pieces } from './byte-source.ts';

/** A row of more bytes than this is none. */
export const ROW_BYTES_MAX = 64 * 1024 * 1024;

const [TAB, LINE_FEED, CARRIAGE_RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20];
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/**
 * The text of each element of a top-level array, or of the array under the key `rows` of a top-level object; as many at a
 * time as a piece of the file completes. Only brackets and quotes are looked at: whether an element is JSON is for its
 * reader to say.
 * @throws FormatError for a file of another shape, and for a row above `ROW_BYTES_MAX`
 */
export async function* jsonRows(source: ByteSource): AsyncGenerator<readonly Buffer[]> {
  const splitter = new ElementSplitter();
  for await (const piece of pieces(source)) {
    splitter.add(piece);
    if (splitter.elements.length > 0) yield splitter.elements.splice(0);
  }
  splitter.end();
}

/**
 * Each line that holds anything, as many at a time as a piece of the file completes.
 * @throws FormatError for a line above `ROW_BYTES_MAX`
 */
export async function* jsonLines(source: ByteSource): AsyncGenerator<readonly Buffer[]> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  const lineOf = (last: Uint8Array): Buffer => {
    const line = Buffer.concat([...rest, last]);
    [rest, restBytes] = [[], 0];
    return line;
  };
  for await (const piece of pieces(source)) {
    const lines: Buffer[] = [];
    let from = 0;
    for (let at = piece.indexOf(LINE_FEED); at >= 0; at = piece.indexOf(LINE_FEED, from)) {
      lines.push(lineOf(piece.subarray(from, at)));
      from = at + 1;
    }
    rest.push(piece.subarray(from));
    restBytes += piece.length - from;
    requireRow(restBytes);
    const full = lines.filter(isFull);
    if (full.length > 0) yield full;
  }
  const last = lineOf(new Uint8Array(0));
  if (isFull(last)) yield [last];
}

function isFull(line: Buffer): boolean {
  return line.some((byte) => !isSpace(byte));
}

function requireRow(bytes: number): void {
  if (bytes > ROW_BYTES_MAX) throw new FormatError(`a row has more than ${ROW_BYTES_MAX} bytes`);
}

function isSpace(byte: number): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === CARRIAGE_RETURN || byte === TAB;
}

/** Where the splitter is, outside of elements. */
type Place = 'start' | 'key' | 'colon' | 'rows' | 'element' | 'behind element' | 'behind rows' | 'end';

/** Cuts a text into the elements of its array as it comes in. */
class ElementSplitter {
  readonly elements: Buffer[] = [];
  #place: Place = 'start';
  #isWrapped = false;
  #key = '';
  /** Brackets open within the element; 0: a number or a word. */
  #depth = 0;
  #isInElement = false;
  #isInText = false;
  #isEscaped = false;
  /** Of the element that has begun, from pieces before. */
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #bytesSeen = 0;

  add(piece: Uint8Array): void {
    let begin = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!;
      if (this.#isInElement) {
        const isOver = this.#passElement(byte);
        if (isOver === 'no') continue;
        const end = isOver === 'with this byte' ? at + 1 : at;
        this.elements.push(Buffer.concat([...this.#parts, piece.subarray(begin, end)]));
        this.#parts = [];
        this.#partBytes = 0;
        this.#isInElement = false;
        this.#place = 'behind element';
        if (isOver === 'before this byte') at--;
        continue;
      }
      if (this.#bytesSeen + at < 3 && byte === BYTE_ORDER_MARK[this.#bytesSeen + at]) continue;
      if (this.#place === 'key' && this.#isInText) {
        this.#passKey(byte);
        continue;
      }
      if (isSpace(byte)) continue;
      if (this.#pass(byte)) begin = at;
    }
    if (this.#isInElement) {
      this.#parts.push(piece.subarray(begin));
      this.#partBytes += piece.length - begin;
      requireRow(this.#partBytes);
    }
    this.#bytesSeen += piece.length;
  }

  /** @throws FormatError when something is missing */
  end(): void {
    if (this.#place !== 'end') throw new FormatError('the file ends within its rows');
  }

  /** One byte outside of elements; true when an element begins with it. */
  #pass(byte: number): boolean {
    switch (this.#place) {
      case 'start':
        this.#isWrapped = byte === OPEN_BRACE;
        if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET) throw unexpected(byte, 'an array of rows');
        this.#place = this.#isWrapped ? 'key' : 'element';
        return false;
      case 'key':
        if (byte !== QUOTE) throw unexpected(byte, 'the key "rows"');
        this.#isInText = true;
        return false;
      case 'colon':
        if (byte !== COLON) throw unexpected(byte, 'a colon');
        this.#place = 'rows';
        return false;
      case 'rows':
        if (byte !== OPEN_BRACKET) throw unexpected(byte, 'an array of rows');
        this.#place = 'element';
        return false;
      case 'element':
        if (byte === CLOSE_BRACKET) {
          this.#close();
          return false;
        }
        this.#isInElement = true;
        this.#isInText = byte === QUOTE;
        this.#depth = byte === OPEN_BRACE || byte === OPEN_BRACKET ? 1 : 0;
        return true;
      case 'behind element':
        if (byte === COMMA) this.#place = 'element';
        else if (byte === CLOSE_BRACKET) this.#close();
        else throw unexpected(byte, 'a comma');
        return false;
      case 'behind rows':
        if (byte !== CLOSE_BRACE) throw unexpected(byte, 'the end of the object');
        this.#place = 'end';
        return false;
      case 'end':
        throw unexpected(byte, 'the end of the file');
    }
  }

  #close(): void {
    this.#place = this.#isWrapped ? 'behind rows' : 'end';
  }

  #passKey(byte: number): void {
    if (byte !== QUOTE) {
      this.#key += String.fromCharCode(byte);
      if (this.#key.length > 4) throw new FormatError('the object has another key than "rows"');
      return;
    }
    if (this.#key !== 'rows') throw new FormatError('the object has another key than "rows"');
    this.#isInText = false;
    this.#place = 'colon';
  }

  /** One byte of an element. */
  #passElement(byte: number): 'no' | 'with this byte' | 'before this byte' {
    if (this.#isInText) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) {
        this.#isInText = false;
        if (this.#depth === 0) return 'with this byte';
      }
      return 'no';
    }
    if (byte === QUOTE) this.#isInText = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++;
    else if (this.#depth === 0) {
      if (byte === COMMA || byte === CLOSE_BRACKET || isSpace(byte)) return 'before this byte';
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      this.#depth--;
      if (this.#depth === 0) return 'with this byte';
    }
    return 'no';
  }
}

function unexpected(byte: number, wanted: string): FormatError {
  return new FormatError(`${JSON.stringify(String.fromCharCode(byte))} where ${wanted} should be`);
}
