import { invalidParameter, type KeyValue, unexpectedParameter } from '@elanus/model';

/** Requests whose parameters are remembered as they were read, and the characters of each. */
const KEPT_MAX = 64;
const KEPT_LENGTH_MAX = 1024;

/** By the pairs as one text, the oldest first. */
const kept = new Map<string, Parameters>();

/** The parameters of a request: clients ask with the same ones time and again, and nobody changes them. @throws as the constructor */
export function readParameters(pairs: readonly KeyValue[]): Parameters {
  let name = '';
  for (const { key, value } of pairs) name += `${key.length} ${key}${value.length} ${value}`;
  const known = kept.get(name);
  if (known !== undefined) return known;
  const parameters = new Parameters(pairs);
  if (name.length > KEPT_LENGTH_MAX) return parameters;
  if (kept.size === KEPT_MAX) kept.delete(kept.keys().next().value!);
  kept.set(name, parameters);
  return parameters;
}

/**
 * The key-value parameters of a read. Clients put some of them side by side, some into the JSON object `params`
 * and many into both: what stands outside wins.
 */
export class Parameters {
  readonly #outer: ReadonlyMap<string, string>;
  readonly #inner: ReadonlyMap<string, unknown>;

  /** @throws MilvusError 1100 when `params` is not a JSON object */
  constructor(pairs: readonly KeyValue[]) {
    this.#outer = new Map(pairs.map(({ key, value }) => [key, value]));
    this.#inner = innerParameters(this.#outer.get('params'));
  }

  /** The text of a parameter; `undefined` when it was not sent or is empty. */
  text(name: string): string | undefined {
    const outer = this.#outer.get(name);
    if (outer !== undefined && outer !== '') return outer;
    const inner = this.#inner.get(name);
    if (inner === undefined || inner === null || inner === '') return undefined;
    return typeof inner === 'string' ? inner : JSON.stringify(inner);
  }

  /**
   * A parameter as it was sent, `undefined` when it was not or is empty. Clients that repeat the entries of `params`
   * outside of it turn them into texts there, so that what stands inside wins.
   */
  value(name: string): unknown {
    const inner = this.#inner.get(name);
    const value = inner === undefined || inner === null ? this.#outer.get(name) : inner;
    return value === '' ? undefined : value;
  }

  /** @throws MilvusError 1100 `name [value] is invalid` */
  integer(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw invalidParameter(`${name} [${text}] is invalid`);
    return value;
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value))
      throw invalidParameter(`${name} [${text}] is invalid, it should be a number`);
    return value;
  }

  /** `true`, `True` and `1` are true; everything else is false. */
  flag(name: string): boolean {
    return ['true', '1'].includes(this.text(name)?.toLowerCase() ?? '');
  }
}

function innerParameters(text: string | undefined): ReadonlyMap<string, unknown> {
  if (text === undefined || text.trim() === '') return new Map();
  try {
    const parsed: unknown = JSON.parse(text);
    if (parsed === null) return new Map();
    if (typeof parsed === 'object' && !Array.isArray(parsed)) return new Map(Object.entries(parsed));
  } catch {
    // Reported below like every other text that is not an object.
  }
  throw unexpectedParameter('json object', text.slice(0, 100), 'search params');
}
