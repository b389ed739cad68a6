import { invalidParameter } from '@elanus/model';
import type { Parameters } from './parameters.ts';

/** The largest whole number that the engine of Milvus takes. */
export const INT32_MAX = 2_147_483_647;
const FLOAT32_MAX = 3.4028234663852886e38;

/**
 * A whole number as the engine of Milvus reads it: out of a JSON number or out of a text. `undefined`: not given.
 * @throws MilvusError 1100 for another value, and for one out of range
 */
export function integerOf(
  parameters: Parameters,
  name: string,
  min: number,
  max: number = INT32_MAX,
): number | undefined {
  const value = parameters.value(name);
  if (value === undefined) return undefined;
  if (typeof value === 'string') {
    if (!/^[+-]?\d+$/.test(value.trim())) {
      throw invalidParameter(`invalid integer value, key: '${name}', value: '${value}'`);
    }
    if (Math.abs(Number(value)) > INT32_MAX) {
      throw invalidParameter(`integer value out of range, key: '${name}', value: '${value}'`);
    }
  } else if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw invalidParameter(`Type conflict in json: param '${name}' (${shown(value)}) should be integer`);
  } else if (value > INT32_MAX) {
    throw invalidParameter(
      `Arithmetic overflow: param '${name}' (${value}) should not bigger than ${INT32_MAX}`,
    );
  }
  const number = Number(value);
  if (number >= min && number <= max) return number;
  throw invalidParameter(
    `Out of range in json: param '${name}' (${number}) should be in range [${min}, ${max}]`,
  );
}

/** The same of a number. @throws MilvusError 1100 */
export function fractionOf(
  parameters: Parameters,
  name: string,
  min: number,
  max: number = FLOAT32_MAX,
): number | undefined {
  const value = parameters.value(name);
  if (value === undefined) return undefined;
  if (typeof value === 'string' && (value.trim() === '' || !Number.isFinite(Number(value)))) {
    throw invalidParameter(`invalid float value, key: '${name}', value: '${value}'`);
  }
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw invalidParameter(`Type conflict in json: param '${name}' (${shown(value)}) should be a number`);
  }
  const number = Number(value);
  if (number >= min && number <= max) return number;
  const most = max === FLOAT32_MAX ? `${BigInt(max)}.000000` : max.toFixed(6);
  const range = `[${min.toFixed(6)}, ${most}]`;
  throw invalidParameter(`Out of range in json: param '${name}' (${number}) should be in range ${range}`);
}

/** Yes or no, of JSON or as a text. @throws MilvusError 1100 */
export function flagOf(parameters: Parameters, name: string): boolean | undefined {
  const value = parameters.value(name);
  if (value === undefined || typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? value.trim().toLowerCase() : null;
  if (text === 'true' || text === 'false') return text === 'true';
  throw invalidParameter(`Type conflict in json: param '${name}' (${shown(value)}) should be a boolean`);
}

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
