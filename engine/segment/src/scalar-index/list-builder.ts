import { DataType, type NumericColumn } from '@elanus/model';
import { doubled } from '../doubled.ts';
import { numericColumn } from '../numeric-type.ts';
import { sharedBytes, sharedUint32 } from '../shared-memory.ts';
import { type KeyedRows, sortKeyedRows } from './sort-keys.ts';
import { sortTexts } from './sort-texts.ts';
import type { Dictionary, ValueLists } from './value-lists.ts';

/** From this share of the rows on a bitmap (a bit a row) is shorter than a list (32 bits for each of its rows). */
const COMMON_SHARE = 1 / 32;

/** Distinct values in ascending order, and the rows of each: value i has `rows[starts[i] .. starts[i + 1])`. */
interface SortedLists {
  readonly dictionary: Dictionary;
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
}

/** Where in the end the arrays of an index are: threads share them. */
export function packLists({ dictionary, starts, rows }: SortedLists, rowsOfIndex: number): ValueLists {
  const values = starts.length - 1;
  const common: number[] = [];
  for (let value = 0; value < values; value++)
    if (starts[value + 1]! - starts[value]! > Math.max(64, rowsOfIndex * COMMON_SHARE)) common.push(value);
  const bytes = Math.ceil(rowsOfIndex / 8);
  const commonBits = sharedBytes(common.length * bytes);
  const commonCounts = sharedUint32(common.length);
  const packedStarts = sharedUint32(values + 1);
  const listed = common.reduce((sum, value) => sum - (starts[value + 1]! - starts[value]!), rows.length);
  const packedRows = sharedUint32(listed);
  for (let value = 0, next = 0, used = 0, counted = 0; value < values; value++) {
    const [start, end] = [starts[value]!, starts[value + 1]!];
    if (common[next] === value) {
      const at = next * bytes;
      for (let i = start; i < end; i++) commonBits[at + (rows[i]! >>> 3)]! |= 1 << (rows[i]! & 7);
      counted += end - start;
      commonCounts[next++] = counted;
    } else {
      packedRows.set(rows.subarray(start, end), used);
      used += end - start;
    }
    packedStarts[value + 1] = used;
  }
  const packedCommon = sharedUint32(common.length);
  packedCommon.set(common);
  return {
    dictionary,
    starts: packedStarts,
    rows: packedRows,
    common: packedCommon,
    commonCounts,
    commonBits,
  };
}

/** What numbers of a type look like as unsigned keys of the same order. */
type NumberForm = 'integer' | 'long' | 'float' | 'double';

function formOf(type: DataType): NumberForm {
  if (type === DataType.Float) return 'float';
  if (type === DataType.Double) return 'double';
  return type === DataType.Int64 || type === DataType.Timestamptz ? 'long' : 'integer';
}

const double = new Float64Array(1);
const doubleHalves = new Uint32Array(double.buffer);
const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);
const SIGN = 0x80000000;

/** Gathers numbers of one type with their rows, ascending, then sorts them into lists. */
export class NumberListBuilder {
  readonly #type: NumericColumn['dataType'];
  readonly #form: NumberForm;
  #low: Uint32Array;
  #high: Uint32Array | null;
  #rows: Uint32Array;
  #length = 0;

  constructor(type: NumericColumn['dataType'], capacity = 1024) {
    this.#type = type;
    this.#form = formOf(type);
    this.#low = new Uint32Array(capacity);
    this.#high = this.#form === 'long' || this.#form === 'double' ? new Uint32Array(capacity) : null;
    this.#rows = new Uint32Array(capacity);
  }

  /** Adds element `at` of `values`, which are of the builder's type and no NaN. */
  add(values: NumericColumn['values'], at: number, row: number): void {
    if (this.#form === 'long') throw new TypeError('integers of 64 bits come by halves');
    this.addNumber(values[at] as number, row);
  }

  /** Adds the integer whose halves are those, each of 32 bits. */
  addHalves(low: number, high: number, row: number): void {
    this.#reserve();
    this.#low[this.#length] = low;
    this.#high![this.#length] = high ^ SIGN;
    this.#rows[this.#length++] = row;
  }

  addNumber(value: number, row: number): void {
    this.#reserve();
    const at = this.#length++;
    this.#rows[at] = row;
    switch (this.#form) {
      case 'integer':
        this.#low[at] = value ^ SIGN;
        return;
      case 'float': {
        // Adding 0 makes -0 a 0.
        float[0] = value + 0;
        const bits = floatBits[0]!;
        this.#low[at] = bits >= SIGN ? ~bits : bits ^ SIGN;
        return;
      }
      default: {
        double[0] = value + 0;
        const isNegative = doubleHalves[1]! >= SIGN;
        this.#low[at] = isNegative ? ~doubleHalves[0]! : doubleHalves[0]!;
        this.#high![at] = isNegative ? ~doubleHalves[1]! : doubleHalves[1]! ^ SIGN;
      }
    }
  }

  finish(rowsOfIndex: number): ValueLists {
    const { low, high, rows } = sortKeyedRows(this.#taken());
    const starts: number[] = [];
    let used = 0;
    for (let i = 0; i < rows.length; i++) {
      const isNew = i === 0 || low[i] !== low[i - 1] || (high !== null && high[i] !== high[i - 1]);
      // An array may hold a value several times.
      if (!isNew && rows[used - 1] === rows[i]) continue;
      if (isNew) {
        low[starts.length] = low[i]!;
        if (high !== null) high[starts.length] = high[i]!;
        starts.push(used);
      }
      rows[used++] = rows[i]!;
    }
    const dictionary = this.#dictionary(low, high, starts.length);
    const lists = { dictionary, starts: Uint32Array.from([...starts, used]), rows: rows.subarray(0, used) };
    return packLists(lists, rowsOfIndex);
  }

  #taken(): KeyedRows {
    const end = this.#length;
    const [low, rows] = [this.#low.subarray(0, end), this.#rows.subarray(0, end)];
    return { low, high: this.#high?.subarray(0, end) ?? null, rows };
  }

  /** The numbers that the keys stand for. */
  #dictionary(low: Uint32Array, high: Uint32Array | null, length: number): Dictionary {
    const type = this.#type;
    const size = high === null ? 4 : 8;
    const words = sharedUint32(high === null ? length : 2 * length);
    for (let i = 0; i < length; i++) {
      const upper = high === null ? low[i]! : high[i]!;
      const isFlipped = (this.#form === 'float' || this.#form === 'double') && upper < SIGN;
      const restored = isFlipped ? ~upper : upper ^ SIGN;
      if (high === null) words[i] = restored;
      else {
        words[2 * i] = isFlipped ? ~low[i]! : low[i]!;
        words[2 * i + 1] = restored;
      }
    }
    // Narrow integers keep 32 bits here: their own type would save little, and cost a form more.
    const kept = this.#form === 'integer' ? DataType.Int32 : type;
    return numericColumn(
      kept,
      { buffer: words.buffer, byteOffset: 0, capacity: (words.length * 4) / size },
      length,
      null,
    );
  }

  #reserve(): void {
    if (this.#length < this.#rows.length) return;
    this.#low = doubled(this.#low);
    this.#rows = doubled(this.#rows);
    if (this.#high !== null) this.#high = doubled(this.#high);
  }
}

/** Gathers texts with their rows, ascending, then sorts them into lists. */
export class TextListBuilder {
  #bytes = new Uint8Array(4096);
  /** Of distinct text i: `#bytes[#offsets[i] .. #offsets[i + 1])`. */
  #offsets = new Uint32Array(1024);
  #lastRow = new Uint32Array(1024);
  #counts = new Uint32Array(1024);
  #distinct = 0;
  /** Each place holds 0, or 1 more than a distinct text; at least half of them are free. */
  #places = new Uint32Array(2048);
  /** Pairs of a distinct text and a row. */
  #texts = new Uint32Array(1024);
  #rows = new Uint32Array(1024);
  #length = 0;
  readonly #seed: number;

  /** `seed`: 32 random bits, so that nobody can write texts that all fall into one place. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  add(bytes: Uint8Array, start: number, end: number, row: number): void {
    const text = this.#numberOf(bytes, start, end);
    if (this.#counts[text]! > 0 && this.#lastRow[text] === row) return;
    this.#counts[text]! += 1;
    this.#lastRow[text] = row;
    if (this.#length === this.#rows.length) {
      this.#texts = doubled(this.#texts);
      this.#rows = doubled(this.#rows);
    }
    this.#texts[this.#length] = text;
    this.#rows[this.#length++] = row;
  }

  finish(rowsOfIndex: number): ValueLists {
    const length = this.#distinct;
    const texts = { bytes: this.#bytes, offsets: this.#offsets, length };
    const order = sortTexts(texts);
    const starts = new Uint32Array(length + 1);
    const next = new Uint32Array(length);
    const offsets = sharedUint32(length + 1);
    const bytes = sharedBytes(this.#offsets[length]!);
    for (let i = 0; i < length; i++) {
      const text = order[i]!;
      const source = this.#bytes.subarray(this.#offsets[text], this.#offsets[text + 1]);
      bytes.set(source, offsets[i]);
      offsets[i + 1] = offsets[i]! + source.length;
      next[text] = starts[i]!;
      starts[i + 1] = starts[i]! + this.#counts[text]!;
    }
    const rows = new Uint32Array(this.#length);
    for (let i = 0; i < this.#length; i++) rows[next[this.#texts[i]!]!++] = this.#rows[i]!;
    const dictionary = { dataType: DataType.VarChar, length, validity: null, offsets, bytes };
    return packLists({ dictionary, starts, rows }, rowsOfIndex);
  }

  /** The number of a text, a new one when it has not come before. */
  #numberOf(bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#places.length - 1;
    let place = hashOf(bytes, start, end, this.#seed) & mask;
    for (; this.#places[place] !== 0; place = (place + 1) & mask) {
      const text = this.#places[place]! - 1;
      if (this.#isText(text, bytes, start, end)) return text;
    }
    this.#places[place] = this.#distinct + 1;
    this.#append(bytes, start, end);
    return this.#distinct - 1;
  }

  #isText(text: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#offsets[text]!;
    if (this.#offsets[text + 1]! - from !== end - start) return false;
    const own = this.#bytes;
    for (let i = 0; i < end - start; i++) if (own[from + i] !== bytes[start + i]) return false;
    return true;
  }

  #append(bytes: Uint8Array, start: number, end: number): void {
    const from = this.#offsets[this.#distinct]!;
    if (from + end - start > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(2 * this.#bytes.length, from + end - start));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    for (let i = 0; i < end - start; i++) this.#bytes[from + i] = bytes[start + i]!;
    this.#distinct += 1;
    if (this.#distinct + 1 >= this.#offsets.length) {
      this.#offsets = doubled(this.#offsets);
      this.#lastRow = doubled(this.#lastRow);
      this.#counts = doubled(this.#counts);
    }
    this.#offsets[this.#distinct] = from + end - start;
    if (2 * this.#distinct > this.#places.length) this.#rehash();
  }

  #rehash(): void {
    this.#places = new Uint32Array(2 * this.#places.length);
    const mask = this.#places.length - 1;
    for (let text = 0; text < this.#distinct; text++) {
      let place = hashOf(this.#bytes, this.#offsets[text]!, this.#offsets[text + 1]!, this.#seed) & mask;
      while (this.#places[place] !== 0) place = (place + 1) & mask;
      this.#places[place] = text + 1;
    }
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed;
  for (let at = start; at < end; at++) {
    hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
    hash ^= hash >>> 15;
  }
  return hash;
}
