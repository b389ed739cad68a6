import type { FieldId } from '@elanus/model';
import { compileCondition } from './compile.ts';
import type { Evaluator } from './evaluator.ts';
import { matchingElements } from './match-leaf.ts';
import type { ColumnSource, Predicate } from './predicate.ts';

/** Finds the elements of rows that an `element_filter` asks for. */
export interface ElementMatcher {
  /** The arrays that it reads. */
  readonly fieldIds: readonly FieldId[];
  /** Of each row in `start .. end`, at most some thousand, the positions of the elements that match, in ascending order. */
  matches(source: ColumnSource, start: number, end: number): readonly (readonly number[])[];
}

/** The matcher of the predicate's `element_filter`; `null` when it has none. */
export function elementMatcher({ elementFilter }: Predicate): ElementMatcher | null {
  if (elementFilter === null) return null;
  const filter = compileCondition(elementFilter.condition);
  const evaluate: Evaluator = ({ source, start, end }, out) => filter(source, start, end, out);
  return {
    fieldIds: [...new Set([elementFilter.array, ...elementFilter.fields])].map(({ id }) => id),
    matches: (source, start, end) => matchingElements(elementFilter, evaluate, { source, start, end }),
  };
}
