import type { Leaf, OperandLeaf } from '@elanus/expr';
import { firstAtLeast } from '../first-at-least.ts';
import { gramAt } from './gram-builder.ts';
import { isAtPlace, type Probe, ROWS_PER_LISTED } from './probe-values.ts';
import type { GramPart, ScalarIndexData } from './scalar-index.ts';

/** Nanoseconds for each row of a list that is gone through. */
const STEP_COST = 2;

/** Which texts may hold everything that a pattern, or a text to be equal to, spells out. */
export function probeGrams(index: ScalarIndexData, part: GramPart, leaf: Leaf): Probe | null {
  const runs = literalRuns(leaf);
  if (runs === null || !isAtPlace((leaf as OperandLeaf).operand, index.spec.place)) return null;
  const lists: Stretch[] = [];
  for (const gram of gramsOf(runs, part.gramBytes)) {
    const at = firstAtLeast(part.grams, gram);
    // A run that no text has: nothing matches.
    if (part.grams[at] !== gram) return none();
    lists.push({ start: part.starts[at]!, end: part.starts[at + 1]! });
  }
  if (lists.length === 0) return null;
  lists.sort((a, b) => a.end - a.start - (b.end - b.start));
  const shortest = lists[0]!.end - lists[0]!.start;
  // Lists much longer than what is left over after the first ones cost more than they rule out.
  const used = lists.filter(({ start, end }) => end - start <= 16 * shortest).slice(0, 4);
  const rowsOf = ({ start, end }: Stretch): Uint32Array => part.rows.subarray(start, end);
  const [first, ...others] = used as [Stretch, ...Stretch[]];
  const listing = (): Uint32Array =>
    others.reduce<Uint32Array>((rows, list) => inBoth(rows, rowsOf(list)), rowsOf(first).slice());
  return {
    ...(shortest * ROWS_PER_LISTED <= index.rows ? { listing } : {}),
    cost: used.reduce((sum, { start, end }) => sum + (end - start) * STEP_COST, 0),
    rows: shortest,
    isExact: false,
    *marking(bits) {
      let rows = rowsOf(first);
      for (const list of others) {
        rows = inBoth(rows, rowsOf(list));
        yield;
      }
      for (const row of rows) bits[row >>> 3]! |= 1 << (row & 7);
    },
  };
}

/** Where a run's rows are. */
interface Stretch {
  readonly start: number;
  readonly end: number;
}

function none(): Probe {
  return { cost: 0, rows: 0, isExact: true, *marking() {} };
}

/** The bytes that must stand in a text somewhere, run by run; `null` when the leaf spells out none. */
function literalRuns(leaf: Leaf): readonly (readonly number[])[] | null {
  if (leaf.kind === 'compare')
    return leaf.operator === '==' && typeof leaf.value === 'string' && !leaf.negated
      ? [[...Buffer.from(leaf.value)]]
      : null;
  if (leaf.kind !== 'like' || leaf.negated) return null;
  return leaf.pattern.segments.flatMap(splitAtWild);
}

function splitAtWild(segment: readonly number[]): readonly (readonly number[])[] {
  const runs: number[][] = [[]];
  for (const unit of segment)
    if (unit < 0) runs.push([]);
    else runs.at(-1)!.push(unit);
  return runs;
}

function gramsOf(runs: readonly (readonly number[])[], gramBytes: number): ReadonlySet<number> {
  const grams = new Set<number>();
  for (const run of runs)
    for (let at = 0; at + gramBytes <= run.length; at++) grams.add(gramAt(run, at, gramBytes));
  return grams;
}

/** What two ascending lists have in common, of which the second may be much longer: it is gone through by steps that double. */
function inBoth(short: Uint32Array, long: Uint32Array): Uint32Array {
  const both = new Uint32Array(short.length);
  let count = 0;
  for (let i = 0, at = 0; i < short.length && at < long.length; i++) {
    const row = short[i]!;
    let step = 1;
    while (at + step < long.length && long[at + step]! < row) {
      at += step;
      step *= 2;
    }
    at = firstAtLeast(long, row, at, Math.min(long.length, at + step + 1));
    if (long[at] === row) both[count++] = row;
  }
  return both.subarray(0, count);
}
