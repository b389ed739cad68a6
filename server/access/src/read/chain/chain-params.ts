import { invalidParameter } from '@elanus/model';
import type { schema_FunctionParamValue } from '@elanus/proto';

type Values = ReadonlyMap<string, schema_FunctionParamValue>;

/** The typed parameters of a step or an expression, which is called `owner` where one of them is wrong. */
export class ChainParams {
  readonly #owner: string;
  readonly #values: Values;

  constructor(owner: string, values: Values) {
    this.#owner = owner;
    this.#values = values;
  }

  get names(): Iterable<string> {
    return this.#values.keys();
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    if (value === undefined || value.stringValue !== undefined) return value?.stringValue;
    throw this.#refusal(name, 'a string');
  }

  flag(name: string): boolean | undefined {
    const value = this.#values.get(name);
    if (value === undefined || value.boolValue !== undefined) return value?.boolValue;
    throw this.#refusal(name, 'a bool');
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name);
    const number = value === undefined ? undefined : numberIn(value);
    if (number === null) throw this.#refusal(name, 'a number');
    return number;
  }

  /** A whole number. */
  integer(name: string): number | undefined {
    const value = this.number(name);
    if (value === undefined || Number.isSafeInteger(value)) return value;
    throw this.#refusal(name, 'an integer');
  }

  numbers(name: string): readonly number[] | undefined {
    return this.#values.get(name)?.arrayValue?.values.map((value) => {
      const number = numberIn(value);
      if (number === null) throw this.#refusal(name, 'a list of numbers');
      return number;
    });
  }

  texts(name: string): readonly string[] | undefined {
    return this.#values.get(name)?.arrayValue?.values.map(({ stringValue }) => {
      if (stringValue === undefined) throw this.#refusal(name, 'a list of strings');
      return stringValue;
    });
  }

  /** All of them but lists and objects, as texts. */
  pairs(): { readonly key: string; readonly value: string }[] {
    const pairs: { key: string; value: string }[] = [];
    for (const [key, { stringValue, boolValue, int64Value, doubleValue }] of this.#values) {
      const value = stringValue ?? boolValue ?? int64Value ?? doubleValue;
      if (value !== undefined) pairs.push({ key, value: String(value) });
    }
    return pairs;
  }

  #refusal(name: string, kind: string): Error {
    return invalidParameter(`${this.#owner}: param ${name} must be ${kind}`);
  }
}

/** `null` for what is no finite number. */
function numberIn({ int64Value, doubleValue }: schema_FunctionParamValue): number | null {
  const number = int64Value === undefined ? doubleValue : Number(int64Value);
  return number !== undefined && Number.isFinite(number) ? number : null;
}
