import { invalidParameter } from '@elanus/model';
import type { Work } from '../work.ts';

/** A value of UBJSON; arrays of numbers of one type are typed. int64 values are as exact as doubles are. */
export type UbjValue = null | boolean | number | string | Float64Array | readonly UbjValue[] | UbjObject;
export type UbjObject = ReadonlyMap<string, UbjValue>;

const DEPTH_MAX = 128;
/** Values read between two looks at the clock. */
const VALUES_PER_TURN = 4096;
/** An array or an object as a whole: what stands before its elements says how many, and of which type. */
const TYPE = '$';
const COUNT = '#';

/** The numbers of fixed size, big-endian: bytes of each, and how to read one. */
const NUMBERS: Readonly<
  Record<string, readonly [bytes: number, read: (view: DataView, at: number) => number]>
> = {
  i: [1, (view, at) => view.getInt8(at)],
  U: [1, (view, at) => view.getUint8(at)],
  I: [2, (view, at) => view.getInt16(at)],
  l: [4, (view, at) => view.getInt32(at)],
  L: [8, (view, at) => Number(view.getBigInt64(at))],
  d: [4, (view, at) => view.getFloat32(at)],
  D: [8, (view, at) => view.getFloat64(at)],
};
/** Types without bytes of their own. */
const CONSTANTS: Readonly<Record<string, null | boolean>> = { Z: null, T: true, F: false };

/**
 * Reads one value of Universal Binary JSON (draft 12), which must be all that there is.
 * @throws MilvusError 1100 for bytes that are something else
 */
export function* readUbjson(bytes: Uint8Array): Work<UbjValue> {
  const reader = new UbjReader(bytes);
  const value = yield* reader.value(reader.marker(), 0);
  if (!reader.isAtEnd) throw unreadable('there is more behind the last value');
  return value;
}

class UbjReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next type, past what stands for nothing. */
  marker(): string {
    for (;;) {
      const marker = String.fromCharCode(this.#bytes[this.#take(1)]!);
      if (marker !== 'N') return marker;
    }
  }

  *value(marker: string, depth: number): Work<UbjValue> {
    if (depth > DEPTH_MAX) throw unreadable(`it is nested more than ${DEPTH_MAX} deep`);
    this.#values += 1;
    if (this.#values % VALUES_PER_TURN === 0) yield;
    const constant = CONSTANTS[marker];
    if (constant !== undefined) return constant;
    if (marker in NUMBERS) return this.#number(marker);
    switch (marker) {
      case 'C':
        return String.fromCharCode(this.#bytes[this.#take(1)]!);
      case 'S':
      case 'H':
        return this.#text();
      case '[':
        return yield* this.#array(depth);
      case '{':
        return yield* this.#object(depth);
      default:
        throw unreadable(`there is no type ${JSON.stringify(marker)}`);
    }
  }

  *#array(depth: number): Work<UbjValue> {
    const { type, count } = this.#head();
    if (type !== null && type in NUMBERS) return yield* this.#numbers(type, count!);
    const values: UbjValue[] = [];
    while (count === null ? !this.#ends(']') : values.length < count)
      values.push(yield* this.value(type ?? this.marker(), depth + 1));
    return values;
  }

  *#object(depth: number): Work<UbjObject> {
    const { type, count } = this.#head();
    const members = new Map<string, UbjValue>();
    for (let read = 0; count === null ? !this.#ends('}') : read < count; read += 1) {
      const name = this.#text();
      members.set(name, yield* this.value(type ?? this.marker(), depth + 1));
    }
    return members;
  }

  *#numbers(type: string, count: number): Work<Float64Array> {
    const [bytes, read] = NUMBERS[type]!;
    const first = this.#take(bytes * count);
    const numbers = new Float64Array(count);
    for (let i = 0; i < count; i += 1) {
      if (i % VALUES_PER_TURN === VALUES_PER_TURN - 1) yield;
      numbers[i] = read(this.#view, first + i * bytes);
    }
    return numbers;
  }

  /** What is said of all elements: their type, if it is one, and how many there are, if that is known. */
  #head(): { readonly type: string | null; readonly count: number | null } {
    let type: string | null = null;
    if (this.#peek() === TYPE) {
      this.#at += 1;
      type = this.marker();
      if (this.#peek() !== COUNT) throw unreadable('a type of elements has no count');
      // Elements without bytes could be any number.
      if (type in CONSTANTS) throw unreadable('elements have no bytes');
    }
    if (this.#peek() !== COUNT) return { type, count: null };
    this.#at += 1;
    const count = this.#length();
    if (count > this.#bytes.length - this.#at) throw unreadable('it ends too early');
    return { type, count };
  }

  #peek(): string {
    return String.fromCharCode(this.#bytes[this.#at] ?? 0);
  }

  #ends(marker: string): boolean {
    while (this.#peek() === 'N') this.#at += 1;
    if (this.#peek() !== marker) return false;
    this.#at += 1;
    return true;
  }

  #number(type: string): number {
    const [bytes, read] = NUMBERS[type]!;
    return read(this.#view, this.#take(bytes));
  }

  #length(): number {
    const type = this.marker();
    const length = 'iUIlL'.includes(type) ? this.#number(type) : -1;
    if (Number.isSafeInteger(length) && length >= 0) return length;
    throw unreadable('a length is no number');
  }

  #text(): string {
    const length = this.#length();
    const start = this.#take(length);
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, length).toString();
  }

  /** Where the next bytes are, which are passed. */
  #take(bytes: number): number {
    const start = this.#at;
    if (bytes > this.#bytes.length - start) throw unreadable('it ends too early');
    this.#at += bytes;
    return start;
  }
}

function unreadable(why: string): Error {
  return invalidParameter(`xgboost: failed to parse UBJ model: ${why}`);
}
