import { type CollectionInfo, invalidParameter, lastValueOf } from '@elanus/model';
import type { Parameters } from './parameters.ts';

/** The property of a collection whose searches reach this recall unless they say otherwise. */
export const RECALL_TARGET_PROPERTY = 'elanus.recall_target';
const PARAMETER = 'recall_target';
/** Parameters of indexes that say how far a search goes. */
const EFFORTS = ['ef', 'search_list', 'search_list_size', 'nprobe'];

/** Above 0, at most 1; `undefined` for a text that is no such number. */
export function recallTargetOf(text: string): number | undefined {
  const target = text.trim() === '' ? Number.NaN : Number(text);
  return target > 0 && target <= 1 ? target : undefined;
}

/**
 * The share of the true hits that a search wants; `null` when it does not say. Whoever names an effort knows better than
 * the collection.
 * @throws MilvusError 1100 for what is no share, and for a target beside an effort
 */
export function readRecallTarget(
  parameters: Parameters,
  { properties }: Pick<CollectionInfo, 'properties'>,
): number | null {
  const asked = parameters.text(PARAMETER);
  const effort = EFFORTS.find((name) => parameters.value(name) !== undefined);
  if (asked === undefined) {
    const property = lastValueOf(properties, RECALL_TARGET_PROPERTY);
    return property === undefined || effort !== undefined ? null : (recallTargetOf(property) ?? null);
  }
  if (effort !== undefined) throw invalidParameter(`${PARAMETER} and ${effort} exclude one another`);
  const target = recallTargetOf(asked);
  if (target === undefined)
    throw invalidParameter(`${PARAMETER} [${asked}] is invalid, it should be a number above 0 and up to 1`);
  return target;
}
