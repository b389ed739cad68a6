import type { Condition, Constant, Leaf } from '@elanus/expr';
import type { FieldId, NumericColumn } from '@elanus/model';
import type { Chunk } from '../chunk.ts';

/** Where the values of a column lie, nulls left out; a NaN among them may make both NaN, which rules nothing out. */
interface Zone {
  readonly min: number | bigint;
  readonly max: number | bigint;
}

/** Of chunks that do not change any more; found when they are first asked about, by one pass over the column. */
const zones = new WeakMap<Chunk, Map<FieldId, Zone | null>>();

/** Longer lists are not compared with zones. */
const VALUES_MAX = 64;

/** Whether no row of a closed chunk can match: a number is asked for that lies outside of all that the chunk has. */
export function isRuledOut(condition: Condition, chunk: Chunk): boolean {
  switch (condition.kind) {
    case 'never':
      return true;
    case 'and':
      return condition.operands.some((operand) => isRuledOut(operand, chunk));
    case 'or':
      return condition.operands.every((operand) => isRuledOut(operand, chunk));
    case 'compare':
    case 'range':
    case 'in':
      return isOutside(condition, chunk);
    default:
      return false;
  }
}

type NumberLeaf = Extract<Leaf, { kind: 'compare' | 'range' | 'in' }>;

function isOutside(leaf: NumberLeaf, chunk: Chunk): boolean {
  if (leaf.negated || leaf.operand.kind !== 'column') return false;
  if (leaf.kind === 'compare' && (leaf.operator === '!=' || typeof leaf.value === 'object')) return false;
  if (leaf.kind === 'in' && leaf.values.length > VALUES_MAX) return false;
  const zone = zoneOf(chunk, leaf.operand.field.id);
  if (zone === undefined) return false;
  if (zone === null) return true;
  const { min, max } = zone;
  switch (leaf.kind) {
    case 'range':
      return (
        misses(min, max, leaf.lowerOperator, leaf.lower) || misses(min, max, leaf.upperOperator, leaf.upper)
      );
    case 'in':
      return Array.from<Constant>(leaf.values).every((value) => misses(min, max, '==', value));
    case 'compare':
      return misses(min, max, leaf.operator, leaf.value as Constant);
  }
}

/** Whether nothing between the two is `operator` the constant. */
function misses(min: number | bigint, max: number | bigint, operator: string, constant: Constant): boolean {
  const value = typeof constant === 'boolean' ? Number(constant) : (constant as number | bigint);
  switch (operator) {
    case '<':
      return min >= value;
    case '<=':
      return min > value;
    case '>':
      return max <= value;
    case '>=':
      return max < value;
    default:
      return value < min || value > max;
  }
}

/** `undefined` for a column that is not numeric. */
function zoneOf(chunk: Chunk, id: FieldId): Zone | null | undefined {
  let known = zones.get(chunk);
  if (known === undefined) {
    known = new Map();
    zones.set(chunk, known);
  }
  const zone = known.get(id);
  if (zone !== undefined) return zone;
  const column = chunk.column(id);
  if (!('values' in column)) return undefined;
  const found = measured(column, chunk.rows);
  known.set(id, found);
  return found;
}

function measured({ values, validity }: NumericColumn, rows: number): Zone | null {
  let min: number | bigint | undefined;
  let max: number | bigint | undefined;
  if (values instanceof BigInt64Array) {
    for (let row = 0; row < rows; row++) {
      if (validity !== null && validity[row] === 0) continue;
      const value = BigInt.asIntN(64, values[row]!);
      if (min === undefined || value < min) min = value;
      if (max === undefined || value > max) max = value;
    }
  } else {
    for (let row = 0; row < rows; row++) {
      if (validity !== null && validity[row] === 0) continue;
      const value = values[row]!;
      if (min === undefined || value < min) min = value;
      if (max === undefined || value > max) max = value;
    }
  }
  return min === undefined ? null : { min, max: max! };
}
