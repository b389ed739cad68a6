import type { SchemaTree } from 'hyparquet';
import { assembleLists } from 'hyparquet/src/assemble.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import { FormatError } from '../byte-source.ts';
import type { CellValue, FileColumn, NumberArray, NumberLists, NumberMemory } from '../columns.ts';
import type { LeafPage } from './leaf-page.ts';

/** Pages of one leaf as rows: as many at a time as somebody wants, whatever the pages hold. */
export interface LeafRows {
  /** Rows that are complete. */
  readonly rows: number;
  add(page: LeafPage): void;
  /** No page of this row group follows: the last row is complete. */
  end(): void;
  /** The next rows; there are as many. */
  take(rows: number): FileColumn;
}

/** A column of single values. Numbers stay numbers as long as none of them is missing. */
export class FlatRows implements LeafRows {
  #pieces: (NumberArray | readonly CellValue[])[] = [];
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  add(page: LeafPage): void {
    const { definitionLevels } = page;
    const values = page.values();
    const piece =
      definitionLevels === null
        ? (values as NumberArray | readonly CellValue[])
        : withNulls(values, definitionLevels);
    this.#pieces.push(piece);
    this.#rows += piece.length;
  }

  end(): void {}

  take(rows: number): FileColumn {
    const taken: (NumberArray | readonly CellValue[])[] = [];
    for (let left = rows; left > 0; ) {
      const piece = this.#pieces[0]!;
      const own = ArrayBuffer.isView(piece) ? piece.subarray(0, left) : piece.slice(0, left);
      taken.push(own);
      left -= own.length;
      if (own.length === piece.length) this.#pieces.shift();
      else this.#pieces[0] = ArrayBuffer.isView(piece) ? piece.subarray(own.length) : piece.slice(own.length);
    }
    this.#rows -= rows;
    const isOfNumbers = taken.length > 0 && taken.every((piece) => ArrayBuffer.isView(piece));
    if (isOfNumbers) return { kind: 'numbers', values: joined(taken as NumberArray[], rows) };
    return { kind: 'cells', values: taken.flatMap((piece) => [...piece]) };
  }
}

/** Pages of a leaf with one level: 1 for each value. */
function withNulls(values: ArrayLike<unknown>, definitionLevels: Uint8Array): readonly CellValue[] {
  let next = 0;
  return Array.from(definitionLevels, (level) => (level === 1 ? (values[next++] as CellValue) : null));
}

/** A leaf's rows as nested arrays of values, by hyparquet. */
export class NestedRows implements LeafRows {
  readonly #path: SchemaTree[];
  readonly #isRepeated: boolean;
  #rows: unknown[] = [];
  #hasEnded = false;

  constructor(path: SchemaTree[]) {
    this.#path = path;
    this.#isRepeated = getMaxRepetitionLevel(path) > 0;
  }

  get rows(): number {
    return this.#rows.length - (this.#isRepeated && !this.#hasEnded && this.#rows.length > 0 ? 1 : 0);
  }

  add(page: LeafPage): void {
    const { definitionLevels } = page;
    const [values, repetitionLevels] = [page.values(), page.repetitionLevels()];
    this.#hasEnded = false;
    if (!this.#isRepeated && definitionLevels === null) {
      for (const value of values) this.#rows.push(value);
      return;
    }
    if (repetitionLevels?.[0] !== undefined && repetitionLevels[0] > 0 && this.#rows.length === 0)
      throw new FormatError('a column begins within a row');
    const levels = [definitionLevels, repetitionLevels].map((own) => (own === null ? [] : Array.from(own)));
    const [definitions, repetitions] = levels as [number[], number[]];
    if (definitions.length === 0 && repetitions.length === 0) return;
    this.#rows = assembleLists(this.#rows, definitions, repetitions, values, this.#path) as unknown[];
  }

  end(): void {
    this.#hasEnded = true;
  }

  take(rows: number): FileColumn {
    const values = this.#rows.splice(0, rows) as never[];
    return { kind: 'cells', values };
  }
}

/** Lists of numbers, which stay numbers: a vector's elements are never values of their own. */
export class NumberListRows implements LeafRows {
  /** The levels at which an element, and an empty list, are. */
  readonly #elementLevel: number;
  readonly #emptyLevel: number;
  readonly #hasNullElements: boolean;
  /** Where float32s are put; `null`: wherever there is room. */
  readonly #memory: NumberMemory | null;
  /** What becomes of numbers that a page gives one by one. */
  readonly #numbersOf: (values: readonly number[]) => NumberArray;
  #numbers: NumberPiece[] = [];
  /** Elements of each row that has begun. */
  #lengths: number[] = [];
  #nulls: number[] = [];
  #hasEnded = false;

  /** `path` is that of a list of numbers: see `isNumberList`. */
  constructor(path: SchemaTree[], memory: NumberMemory | null = null) {
    this.#memory = memory;
    this.#elementLevel = getMaxDefinitionLevel(path);
    const { repetition_type, type, converted_type } = path.at(-1)!.element;
    this.#hasNullElements = repetition_type === 'OPTIONAL';
    // Whole numbers stay such: bytes of a vector are told from its elements by that.
    const isWhole = type === 'INT32' && converted_type !== 'UINT_32';
    this.#numbersOf = (values) => (isWhole ? Int32Array.from(values) : Float64Array.from(values));
    this.#emptyLevel = this.#elementLevel - (this.#hasNullElements ? 2 : 1);
  }

  get rows(): number {
    return Math.max(0, this.#lengths.length - (this.#hasEnded ? 0 : 1));
  }

  add(page: LeafPage): void {
    this.#hasEnded = false;
    this.#numbers.push(pieceOf(page, this.#numbersOf));
    const starts = page.rowStarts();
    if (page.definitionLevels === null) this.#addFull(starts, page.count);
    else this.#addSparse(starts, page.definitionLevels);
  }

  /** Each level is one of an element: rows are as long as it is from one start to the next. */
  #addFull(starts: Uint32Array, count: number): void {
    const first = starts[0] ?? count;
    if (first > 0) this.#lengths[this.#lastRow()]! += first;
    for (let at = 0; at < starts.length; at++) {
      this.#lengths.push((starts[at + 1] ?? count) - starts[at]!);
      this.#nulls.push(0);
    }
  }

  #addSparse(starts: Uint32Array, definitions: Uint8Array): void {
    let next = 0;
    for (let at = 0; at < definitions.length; at++) {
      const level = definitions[at]!;
      if (starts[next] === at) {
        next += 1;
        this.#lengths.push(0);
        this.#nulls.push(level < this.#emptyLevel ? 1 : 0);
      }
      const row = this.#lastRow();
      if (level === this.#elementLevel) this.#lengths[row]! += 1;
      else if (level > this.#emptyLevel)
        throw new FormatError('a list of numbers has an element that is null');
    }
  }

  #lastRow(): number {
    if (this.#lengths.length === 0) throw new FormatError('a column begins within a row');
    return this.#lengths.length - 1;
  }

  end(): void {
    this.#hasEnded = true;
  }

  take(rows: number): NumberLists {
    const offsets = new Uint32Array(rows + 1);
    for (let row = 0; row < rows; row++) offsets[row + 1] = offsets[row]! + this.#lengths[row]!;
    const nulls = this.#nulls.slice(0, rows);
    this.#lengths.splice(0, rows);
    this.#nulls.splice(0, rows);
    return {
      kind: 'lists',
      offsets,
      numbers: this.#takeNumbers(offsets[rows]!),
      nulls: nulls.includes(1) ? Uint8Array.from(nulls) : null,
    };
  }

  #takeNumbers(count: number): NumberArray {
    if (count === 0) return new Float32Array(0);
    const taken: NumberPiece[] = [];
    let bytes = 0;
    for (let left = count; left > 0; ) {
      const piece = this.#numbers[0]!;
      const size = piece.kind.BYTES_PER_ELEMENT;
      const own = piece.bytes.subarray(0, left * size);
      const isWhole = own.length === piece.bytes.length;
      taken.push({ ...piece, bytes: own, page: isWhole ? piece.page : null });
      left -= own.length / size;
      bytes += own.length;
      if (isWhole) this.#numbers.shift();
      else this.#numbers[0] = { ...piece, bytes: piece.bytes.subarray(own.length) };
    }
    const [{ kind }] = taken as [NumberPiece];
    if (!taken.every((piece) => piece.kind === kind)) return joined(taken.map(alignedNumbers), count);
    const memory = kind === Float32Array ? this.#memory : null;
    const whole = memory?.take(bytes) ?? new Uint8Array(bytes);
    let end = 0;
    for (const piece of taken) {
      whole.set(piece.bytes, end);
      end += piece.bytes.length;
      piece.page?.release();
    }
    return new kind(whole.buffer as ArrayBuffer, whole.byteOffset, count);
  }
}

type NumberKind = (new (
  buffer: ArrayBuffer,
  offset: number,
  length: number,
) => NumberArray) & { readonly BYTES_PER_ELEMENT: number };

/** Numbers of one type as their bytes, which may begin anywhere. */
interface NumberPiece {
  readonly kind: NumberKind;
  readonly bytes: Uint8Array;
  /** Whose memory that is. */
  readonly page: LeafPage | null;
}

function pieceOf(page: LeafPage, numbersOf: (values: readonly number[]) => NumberArray): NumberPiece {
  const floats = page.floatBytes();
  if (floats !== null) return { kind: Float32Array, bytes: floats, page };
  const values = page.values();
  const numbers = Array.isArray(values) ? numbersOf(values) : (values as NumberArray);
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return { kind: numbers.constructor as NumberKind, bytes, page: null };
}

function alignedNumbers({ kind: Kind, bytes, page }: NumberPiece): NumberArray {
  const numbers = new Kind(Uint8Array.from(bytes).buffer, 0, bytes.length / Kind.BYTES_PER_ELEMENT);
  page?.release();
  return numbers;
}

/** Numbers, one after the other, as those of the first; a single piece as it is. */
function joined(pieces: readonly NumberArray[], count: number): NumberArray {
  const [first] = pieces as [NumberArray];
  if (pieces.length === 1) return first;
  const whole = new (first.constructor as new (length: number) => NumberArray)(count);
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece as never, end);
    end += piece.length;
  }
  return whole;
}

/** Whether the leaf at the end of `path` holds the elements of one list of numbers for each row. */
export function isNumberList(path: SchemaTree[]): boolean {
  const { type, converted_type, logical_type } = path.at(-1)!.element;
  const isNumber = type === 'INT32' || type === 'FLOAT' || type === 'DOUBLE';
  const isPlain =
    converted_type === undefined || converted_type.startsWith('INT') || converted_type.startsWith('UINT');
  const isInteger = logical_type === undefined || logical_type.type === 'INTEGER';
  // The root, the list, what repeats, the element.
  const isList = path.length === 4 && path[2]!.element.repetition_type === 'REPEATED';
  return isNumber && isPlain && isInteger && isList && getMaxRepetitionLevel(path) === 1;
}
