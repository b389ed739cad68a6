import { DataType, type FieldSchema, fieldByName, invalidParameter } from '@elanus/model';
import type { schema_FunctionSchema } from '@elanus/proto';
import type { Parameters } from '../parameters.ts';
import { type ReadTarget, requireLoaded } from '../read-target.ts';
import { numberIn } from './read-rank-params.ts';

/** Changes of the scores of rows that filters name. */
export interface Boosting {
  readonly boosts: readonly Boost[];
  /** How the boosts of a row become one. */
  readonly among: Combination;
  /** How that one and the score become the new score. */
  readonly withScore: Combination;
}

export type Combination = 'multiply' | 'sum';

export interface Boost {
  readonly weight: number;
  /** Empty: every row. */
  readonly filter: string;
  /** Multiplies the weight of each row by a number in 0 … 1 that depends on the seed and on its value; `null`: by none. */
  readonly random: { readonly seed: bigint; readonly field: FieldSchema } | null;
}

/** @throws MilvusError 1100 */
export function readBoosting(
  target: ReadTarget,
  functions: readonly { readonly schema: schema_FunctionSchema; readonly parameters: Parameters }[],
  modes: Parameters,
): Boosting {
  return {
    boosts: functions.map(({ schema, parameters }) => readBoost(target, schema, parameters)),
    among: readCombination(modes, 'function_mode'),
    withScore: readCombination(modes, 'boost_mode'),
  };
}

function readCombination(modes: Parameters, name: string): Combination {
  const text = modes.text(name) ?? 'multiply';
  const mode = text.toLowerCase();
  if (mode === 'multiply' || mode === 'sum') return mode;
  throw invalidParameter(`unknown ${name.replace('_', ' ')}: ${text}`);
}

function readBoost(target: ReadTarget, schema: schema_FunctionSchema, parameters: Parameters): Boost {
  if (schema.inputFieldNames.length > 0)
    throw invalidParameter('boost function does not support input fields');
  const text = parameters.text('weight');
  if (text === undefined) throw invalidParameter('must set weight params for weight scorer');
  const weight = numberIn(text);
  if (weight === null) throw invalidParameter(`parse function param weight failed: ${text}`);
  return { weight, filter: parameters.text('filter') ?? '', random: readRandom(target, parameters) };
}

function readRandom(target: ReadTarget, parameters: Parameters): Boost['random'] {
  const text = parameters.text('random_score');
  if (text === undefined) return null;
  const { schema } = target.collection;
  const { seed, field: name } = objectIn(text);
  if (seed !== undefined && !Number.isSafeInteger(Number(seed)))
    throw invalidParameter(`random seed must be an integer, but got ${JSON.stringify(seed)}`);
  const field = name === undefined ? schema.primaryKey : fieldByName(schema, String(name));
  if (field === undefined) throw invalidParameter(`not found random score field: ${String(name)}`);
  if (name !== undefined && field.dataType !== DataType.Int64)
    throw invalidParameter(`only support int64 field as random field, but got ${field.name}`);
  requireLoaded(target, [field.id]);
  return { seed: BigInt(Number(seed ?? 0)), field };
}

function objectIn(text: string): { readonly seed?: unknown; readonly field?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Refused below like every other text that is no object.
  }
  throw invalidParameter(`parse random_score failed: ${text.slice(0, 100)}`);
}
