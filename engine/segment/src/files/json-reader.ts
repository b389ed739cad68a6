import { damaged } from './segment-file-error.ts';

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n } as const;

/** A value of parsed JSON that is asked for what it should be. All calls throw `SegmentFileError` when it is not. */
export class JsonReader {
  readonly #value: unknown;
  /** Where it is, for messages. */
  readonly #path: string;

  private constructor(value: unknown, path: string) {
    this.#value = value;
    this.#path = path;
  }

  static parse(bytes: Uint8Array): JsonReader {
    try {
      return new JsonReader(JSON.parse(Buffer.from(bytes).toString()), 'footer');
    } catch {
      throw damaged('its footer is no JSON');
    }
  }

  get isNull(): boolean {
    return this.#value === null;
  }

  /** The member of this name; one that is not there is `undefined`, which nothing accepts. */
  at(name: string): JsonReader {
    const object = this.#object();
    return new JsonReader(Object.hasOwn(object, name) ? object[name] : undefined, `${this.#path}.${name}`);
  }

  items(): readonly JsonReader[] {
    if (!Array.isArray(this.#value)) throw this.#wrong('a list');
    return this.#value.map((item, index) => new JsonReader(item, `${this.#path}[${index}]`));
  }

  text(): string {
    if (typeof this.#value !== 'string') throw this.#wrong('a text');
    return this.#value;
  }

  flag(): boolean {
    if (typeof this.#value !== 'boolean') throw this.#wrong('true or false');
    return this.#value;
  }

  /** From 0 to `max`. */
  wholeNumber(max: number): number {
    const value = this.#value;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
      throw this.#wrong(`a whole number up to ${max}`);
    }
    return value;
  }

  /** In a text. */
  int64(): bigint {
    const text = this.text();
    if (!/^-?\d{1,19}$/.test(text)) throw this.#wrong('a whole number');
    const value = BigInt(text);
    if (value < INT64.min || value > INT64.max) throw this.#wrong('a number of 64 bits');
    return value;
  }

  /** In a text; infinite ones, too. */
  numberInText(): number {
    const value = Number(this.text());
    if (Number.isNaN(value)) throw this.#wrong('a number');
    return value;
  }

  oneOf<Word extends string>(words: readonly Word[]): Word {
    const word = words.find((candidate) => candidate === this.#value);
    if (word === undefined) throw this.#wrong(`one of ${words.join(', ')}`);
    return word;
  }

  texts(): Readonly<Record<string, string>> {
    const entries = Object.keys(this.#object()).map((name) => [name, this.at(name).text()] as const);
    return Object.fromEntries(entries);
  }

  #object(): Readonly<Record<string, unknown>> {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.#wrong('an object');
    return value as Readonly<Record<string, unknown>>;
  }

  #wrong(expected: string): Error {
    return damaged(`${this.#path} is not ${expected}`);
  }
}
