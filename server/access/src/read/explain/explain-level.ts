import { type CollectionInfo, invalidParameter, lastValueOf } from '@elanus/model';
import type { ExplainLevel } from '@elanus/rpc';
import type { Parameters } from '../parameters.ts';

/** The property of a collection whose reads are explained unless they say otherwise. */
export const EXPLAIN_PROPERTY = 'elanus.explain';
const PARAMETER = 'explain';

const LEVELS: ReadonlyMap<string, ExplainLevel | null> = new Map([
  ['true', 'explain'],
  ['1', 'explain'],
  ['analyze', 'analyze'],
  ['false', null],
  ['0', null],
]);

/** What a text asks for; `undefined` for one that says nothing of the kind. */
export function explainLevelOf(text: string): ExplainLevel | null | undefined {
  return LEVELS.get(text.trim().toLowerCase());
}

/**
 * What a read is to tell of itself; `null`: nothing.
 * @throws MilvusError 1100 for a word that is none of those that there are
 */
export function readExplainLevel(
  parameters: Parameters,
  { properties }: Pick<CollectionInfo, 'properties'>,
): ExplainLevel | null {
  const asked = parameters.text(PARAMETER);
  if (asked === undefined) {
    const property = lastValueOf(properties, EXPLAIN_PROPERTY);
    return property === undefined ? null : (explainLevelOf(property) ?? null);
  }
  const level = explainLevelOf(asked);
  if (level === undefined)
    throw invalidParameter(`${PARAMETER} [${asked}] is invalid, it should be true, false or analyze`);
  return level;
}
