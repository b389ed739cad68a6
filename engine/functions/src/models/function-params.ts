import { invalidParameter, type KeyValue } from '@elanus/model';

/** The parameters of a function, whose names are blind to case. Of a name that comes twice the last counts. */
export class FunctionParams {
  readonly #values: ReadonlyMap<string, string>;

  constructor(params: readonly KeyValue[]) {
    this.#values = new Map(params.map(({ key, value }) => [key.toLowerCase(), value]));
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** @throws MilvusError 1100 for anything but `true` and `false` and their short forms */
  flag(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (['true', 't', '1'].includes(text.toLowerCase())) return true;
    if (['false', 'f', '0'].includes(text.toLowerCase())) return false;
    throw invalidParameter(`[${name} param's value: ${text}] is invalid, only supports: [true/false]`);
  }

  /** A whole number above 0. @throws MilvusError 1100 */
  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^[+-]?\d{1,9}$/.test(text))
      throw invalidParameter(`[${name} param's value: ${text}] is not a valid number`);
    if (Number(text) > 0) return Number(text);
    throw invalidParameter(`[${name} param's value: ${text}] must be greater than 0`);
  }

  /** One of `words`. @throws MilvusError 1100 */
  word(name: string, words: readonly string[]): string | undefined {
    const text = this.text(name);
    if (text === undefined || words.includes(text)) return text;
    throw invalidParameter(`Illegal parameters, ${name} only supports [${words.join(', ')}]`);
  }

  /** A part of an address. @throws MilvusError 1100 for what could lead elsewhere */
  addressPart(name: string): string | undefined {
    const text = this.text(name);
    if (text === undefined || /^[\w-]+$/.test(text)) return text;
    throw invalidParameter(`[${name} param's value: ${text}] is invalid`);
  }
}
