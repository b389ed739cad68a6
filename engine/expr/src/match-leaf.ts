import type { ArrayColumn, Column, ElementColumn, FieldId } from '@elanus/model';
import { type Evaluator, RUN_ROWS_MAX, type Run, rowEvaluator } from './evaluator.ts';
import type { MatchLeaf } from './plan.ts';
import type { ColumnSource } from './predicate.ts';

/** The evaluator of `match_any` and its kin: `evaluate` tests the elements, which are counted row by row. */
export function matchEvaluator(leaf: MatchLeaf, evaluate: Evaluator): Evaluator {
  const isEnough = countTest(leaf);
  return rowEvaluator((run) => {
    const { offsets, validity } = run.source.column(leaf.array.id) as ArrayColumn;
    const counts = countMatches(leaf, run, offsets, evaluate);
    return (row) => {
      if (validity !== null && validity[row] === 0) return false;
      const length = offsets[row + 1]! - offsets[row]!;
      return isEnough(counts[row - run.start]!, length) !== leaf.negated;
    };
  });
}

/** The positions within their row of the elements that match, of each row in `start .. end`. */
export function matchingElements(leaf: MatchLeaf, evaluate: Evaluator, run: Run): readonly number[][] {
  const { offsets, validity } = run.source.column(leaf.array.id) as ArrayColumn;
  const found: number[][] = Array.from({ length: run.end - run.start }, () => []);
  visitMatches(leaf, run, offsets, evaluate, (row, position) => {
    if (validity === null || validity[row] === 1) found[row - run.start]!.push(position);
  });
  return found;
}

function countTest({ mode, threshold }: MatchLeaf): (count: number, length: number) => boolean {
  switch (mode) {
    case 'any':
      return (count) => count > 0;
    case 'all':
      return (count, length) => count === length;
    case 'least':
      return (count) => count >= threshold;
    case 'most':
      return (count) => count <= threshold;
    case 'exact':
      return (count) => count === threshold;
  }
}

const matchesOfElements = new Uint8Array(RUN_ROWS_MAX);

/** How many elements of each row of the run match. */
function countMatches(leaf: MatchLeaf, run: Run, offsets: Uint32Array, evaluate: Evaluator): Uint32Array {
  const counts = new Uint32Array(run.end - run.start);
  visitMatches(leaf, run, offsets, evaluate, (row) => {
    counts[row - run.start]! += 1;
  });
  return counts;
}

/** Calls `visit` with each element that matches: its row, and its position there. */
function visitMatches(
  leaf: MatchLeaf,
  run: Run,
  offsets: Uint32Array,
  evaluate: Evaluator,
  visit: (row: number, position: number) => void,
): void {
  const source = elementsOf(leaf, run);
  const first = offsets[run.start]!;
  const length = offsets[run.end]! - first;
  let row = run.start;
  for (let start = 0; start < length; start += RUN_ROWS_MAX) {
    const end = Math.min(start + RUN_ROWS_MAX, length);
    const matches = matchesOfElements.subarray(0, end - start);
    evaluate({ source, start, end }, matches, 'set');
    for (let i = 0; i < matches.length; i++) {
      if (matches[i] === 0) continue;
      const at = first + start + i;
      while (at >= offsets[row + 1]!) row++;
      visit(row, at - offsets[row]!);
    }
  }
}

/** The elements of the run's rows as columns that begin at 0: sub-fields may lie at different offsets. */
function elementsOf({ fields }: MatchLeaf, { source, start, end }: Run): ColumnSource {
  const columns = new Map<FieldId, Column>();
  for (const { id } of fields) {
    const { offsets, elements } = source.column(id) as ArrayColumn;
    columns.set(id, part(elements, offsets[start]!, offsets[end]!));
  }
  return { column: (id) => columns.get(id)! };
}

function part(elements: ElementColumn, start: number, end: number): Column {
  const length = end - start;
  if ('offsets' in elements)
    return { ...elements, length, offsets: elements.offsets.subarray(start, end + 1) };
  return { ...elements, length, values: elements.values.subarray(start, end) } as Column;
}
