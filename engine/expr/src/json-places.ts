import type { Condition, Operand, PathOperand } from './plan.ts';

/**
 * Where in its document the value at some path begins, row by row: a byte offset and 1 more. Whoever looks for a value that
 * is not known yet writes down where it was, also beside others who do the same.
 */
export type JsonPlaces = Uint16Array;

/** There is no such value. */
export const NO_PLACE = 0;
/** Nobody has looked for the value, or it begins too far behind: it has to be looked for. */
export const UNKNOWN_PLACE = 0xffff;

/** Names the path, the same text for the same field and steps alone. */
export function pathName({ field, steps }: PathOperand): string {
  return JSON.stringify([field.id, ...steps]);
}

/** The paths that a condition asks about, each as often as it does; those within elements of arrays aside. */
export function pathsOf(condition: Condition): readonly PathOperand[] {
  const paths: PathOperand[] = [];
  const left: Condition[] = [condition];
  for (let next = left.pop(); next !== undefined; next = left.pop())
    if (next.kind === 'and' || next.kind === 'or') for (const operand of next.operands) left.push(operand);
    else if ('operand' in next) {
      const path = pathIn(next.operand);
      if (path !== null) paths.push(path);
    }
  return paths;
}

function pathIn(operand: Operand): PathOperand | null {
  let inner = operand;
  while ('of' in inner) inner = inner.of;
  return inner.kind === 'path' ? inner : null;
}
