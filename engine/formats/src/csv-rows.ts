import { type ByteSource, FormatError, pieces } from './byte-source.ts';
import { ROW_BYTES_MAX } from './json-rows.ts';

/** A value of a record; quotes say that it is a text even when it is empty. */
export interface CsvCell {
  readonly text: string;
  readonly isQuoted: boolean;
}

/**
 * The records of a CSV file (RFC 4180, any line ends), the header among them, as many at a time as a piece completes.
 * Empty lines are none. `separator` is one character.
 * @throws FormatError for text that is not UTF-8, an open quote at the end, and a record above `ROW_BYTES_MAX`
 */
export async function* csvRows(
  source: ByteSource,
  { separator }: { readonly separator: string },
): AsyncGenerator<readonly (readonly CsvCell[])[]> {
  const splitter = new RecordSplitter(separator);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decoded = (piece: Uint8Array, stream: boolean): string => {
    try {
      return decoder.decode(piece, { stream });
    } catch {
      throw new FormatError('the file is not UTF-8');
    }
  };
  for await (const piece of pieces(source)) {
    splitter.add(decoded(piece, true));
    if (splitter.records.length > 0) yield splitter.records.splice(0);
  }
  splitter.add(decoded(new Uint8Array(0), false));
  splitter.end();
  if (splitter.records.length > 0) yield splitter.records.splice(0);
}

type Place = 'cell begins' | 'in cell' | 'in quotes' | 'behind quote';

class RecordSplitter {
  readonly records: (readonly CsvCell[])[] = [];
  readonly #separator: string;
  #place: Place = 'cell begins';
  #cells: CsvCell[] = [];
  #cell = '';
  #isQuoted = false;
  #length = 0;

  constructor(separator: string) {
    this.#separator = separator;
  }

  add(text: string): void {
    // Runs of plain characters are taken at once.
    let from = 0;
    const take = (to: number): void => {
      if (to > from) this.#cell += text.slice(from, to);
      this.#length += to - from;
      if (this.#length > ROW_BYTES_MAX) throw new FormatError(`a row has more than ${ROW_BYTES_MAX} bytes`);
    };
    for (let at = 0; at < text.length; at++) {
      const character = text[at]!;
      if (this.#place === 'in quotes') {
        if (character !== '"') continue;
        take(at);
        from = at + 1;
        this.#place = 'behind quote';
        continue;
      }
      if (character === '"') {
        if (this.#place === 'in cell')
          throw new FormatError('a quote within a cell that does not begin with one');
        take(at);
        if (this.#place === 'behind quote') this.#cell += '"';
        from = at + 1;
        this.#isQuoted = true;
        this.#place = 'in quotes';
      } else if (character === this.#separator) {
        take(at);
        from = at + 1;
        this.#endCell();
      } else if (character === '\n' || character === '\r') {
        take(at);
        from = at + 1;
        this.#endRecord();
      } else if (this.#place === 'behind quote') {
        throw new FormatError('text behind a closing quote');
      } else this.#place = 'in cell';
    }
    take(text.length);
  }

  /** @throws FormatError within quotes */
  end(): void {
    if (this.#place === 'in quotes') throw new FormatError('the file ends within quotes');
    this.#endRecord();
  }

  #endCell(): void {
    this.#cells.push({ text: this.#cell, isQuoted: this.#isQuoted });
    this.#cell = '';
    this.#isQuoted = false;
    this.#place = 'cell begins';
  }

  #endRecord(): void {
    const isEmpty = this.#cells.length === 0 && this.#cell === '' && !this.#isQuoted;
    this.#length = 0;
    if (isEmpty) {
      this.#place = 'cell begins';
      return;
    }
    this.#endCell();
    this.records.push(this.#cells);
    this.#cells = [];
  }
}
