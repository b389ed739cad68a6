import { invalidInput, invalidParameter, unexpectedParameter } from '@elanus/model';
import type { Parameters } from '../parameters.ts';
import { DEFAULT_RANKING, type Ranking, type RrfRanking, type WeightedRanking } from './ranking.ts';

const RRF_K_END = 16_384;

/** The ranking that the `rank_params` of a hybrid search name; reciprocal rank fusion when they name none. */
export function readRankParams(parameters: Parameters, legs: number): Ranking {
  const strategy = parameters.text('strategy') ?? 'rrf';
  switch (strategy.toLowerCase()) {
    case 'rrf':
      return readRrf(parameters);
    case 'weighted':
      return readWeighted(parameters, legs);
    default:
      throw invalidParameter(`unsupported rank type ${strategy}`);
  }
}

/** @throws MilvusError 1100 when `k` is no number or out of its range */
export function readRrf(parameters: Parameters): RrfRanking {
  const text = parameters.text('k');
  if (text === undefined) return DEFAULT_RANKING;
  const k = numberIn(text);
  if (k === null) throw invalidParameter(`The type of rank param k should be float, but got ${text}`);
  if (k > 0 && k < RRF_K_END) return { kind: 'rrf', k };
  throw invalidParameter(`The rank params k should be in range (0, ${RRF_K_END}), but got ${text}`);
}

/** @throws MilvusError 1100 for weights that are missing, of another number than `legs`, or out of range */
export function readWeighted(parameters: Parameters, legs: number): WeightedRanking {
  const weights = listOf(parameters.value('weights'));
  if (weights === undefined) throw invalidParameter('weights not found in rank_params');
  if (weights.length !== legs) {
    throw unexpectedParameter(
      String(legs),
      String(weights.length),
      'the length of weights param mismatch with ann search requests',
    );
  }
  for (const weight of weights) {
    if (typeof weight !== 'number')
      throw invalidParameter(
        `The type of rank param weight should be float, but got ${JSON.stringify(weight)}`,
      );
    if (!(weight >= 0 && weight <= 1)) {
      throw invalidInput(
        `rank param weight should be in range [0, 1]: invalid parameter[expected=[0, 1]][actual=${weight}]`,
      );
    }
  }
  const normalises = readBoolean(parameters, 'norm_score');
  return { kind: 'weighted', weights: weights as number[], normalises };
}

/** Absent is false. @throws MilvusError 1100 */
export function readBoolean(parameters: Parameters, name: string): boolean {
  const text = parameters.text(name)?.trim().toLowerCase();
  if (text === undefined || text === 'false' || text === '0') return false;
  if (text === 'true' || text === '1') return true;
  throw invalidParameter(`${name} [${parameters.text(name)}] is invalid, it should be true or false`);
}

/** A list, or the JSON text of one. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (value === undefined || Array.isArray(value)) return value;
  try {
    const parsed: unknown = JSON.parse(String(value));
    if (Array.isArray(parsed)) return parsed;
  } catch {
    // Refused below like every other value that is no list.
  }
  throw invalidParameter(`weights [${String(value).slice(0, 100)}] is invalid, it should be a list`);
}

/** `null` for what is no finite number. */
export function numberIn(text: string): number | null {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
