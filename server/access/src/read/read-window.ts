import { invalidInput, invalidParameter } from '@elanus/model';
import type { Parameters } from './parameters.ts';
import type { IteratorPage } from './search-range.ts';

/** Which of the best hits of a query are answered. */
export interface HitWindow {
  readonly limit: number;
  /** Hits to leave out at the front. */
  readonly offset: number;
}

/** `topk` and `offset` of a search. @throws MilvusError 1100 */
export function readHitWindow(
  parameters: Parameters,
  iterator: IteratorPage | null,
  topKMax: number,
): HitWindow {
  const asked = iterator?.batchSize ?? askedTopK(parameters);
  const limit = checkedTopK(iterator ? Math.min(asked, topKMax) : asked, topKMax);
  const offset = readOffset(parameters, topKMax);
  const window = limit + offset;
  if (window > topKMax) {
    throw invalidParameter(
      `offset+topk [${window}] is invalid, it should be in range [1, ${topKMax}], but got ${window}`,
    );
  }
  return { limit, offset };
}

/** `topk` of a hybrid search's leg, whose `offset` clients copy from that of the whole search. @throws MilvusError 1100 */
export function readTopK(parameters: Parameters, topKMax: number): number {
  return checkedTopK(askedTopK(parameters), topKMax);
}

function askedTopK(parameters: Parameters): number {
  const topK = parameters.integer('topk');
  if (topK === undefined) throw invalidParameter('topk not found in search_params');
  return topK;
}

function checkedTopK(topK: number, topKMax: number): number {
  if (topK >= 1 && topK <= topKMax) return topK;
  throw invalidParameter(`topk [${topK}] is invalid, it should be in range [1, ${topKMax}], but got ${topK}`);
}

/** `limit` and `offset` in the `rank_params` of a hybrid search. @throws MilvusError 1100 */
export function readRankWindow(parameters: Parameters, windowMax: number): HitWindow {
  const window = readLimitWindow(parameters, windowMax);
  if (window === null) throw invalidParameter('limit not found in rank_params');
  return window;
}

/** `limit` and `offset`, or nothing when no limit is asked for. @throws MilvusError 1100 */
export function readLimitWindow(parameters: Parameters, windowMax: number): HitWindow | null {
  const limit = parameters.integer('limit');
  if (limit === undefined) return null;
  if (limit < 1 || limit > windowMax) {
    throw invalidParameter(
      `limit [${limit}] is invalid, it should be in range [1, ${windowMax}], but got ${limit}`,
    );
  }
  const offset = readOffset(parameters, windowMax);
  checkResultWindow(limit + offset, windowMax);
  return { limit, offset };
}

/** @throws MilvusError 1100 */
function readOffset(parameters: Parameters, windowMax: number): number {
  const offset = parameters.integer('offset') ?? 0;
  if (offset >= 0 && offset <= windowMax) return offset;
  throw invalidParameter(
    `offset [${offset}] is invalid, it should be in range [0, ${windowMax}], but got ${offset}`,
  );
}

/** @throws MilvusError 1100 when the end of a window, its offset plus its limit, lies too far */
function checkResultWindow(end: number, windowMax: number): void {
  if (end <= windowMax) return;
  throw invalidParameter(
    `invalid max query result window, (offset+limit) should be in range [1, ${windowMax}], but got ${end}`,
  );
}

const ROUND_DECIMAL_MAX = 6;

/** Decimal places of the scores; -1 leaves them as they are. @throws MilvusError 1100 */
export function readRoundDecimal(parameters: Parameters): number {
  const text = parameters.text('round_decimal') ?? '-1';
  const places = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (places >= -1 && places <= ROUND_DECIMAL_MAX) return places;
  throw invalidInput(
    `round_decimal [${text}] is invalid, should be -1 or an integer in range [0, ${ROUND_DECIMAL_MAX}]: invalid parameter`,
  );
}
