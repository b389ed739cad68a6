import type { Condition, Constant, Leaf, LikePattern } from '@elanus/expr';
import { DataType, type FieldId, type NumericColumn } from '@elanus/model';
import type { Chunk } from '../chunk.ts';

type Value = number | bigint | string;

/** Where the values of a column lie, nulls left out; a NaN among them may make both NaN, which rules nothing out. */
interface Zone {
  readonly min: Value;
  readonly max: Value;
}

/** Of chunks that do not change any more; found when they are first asked about, by one pass over the column. */
const zones = new WeakMap<Chunk, Map<FieldId, Zone | null>>();

/** Longer lists are not compared with zones. */
const VALUES_MAX = 64;

/** Whether no row of a closed chunk can match: a value is asked for that lies outside of all that the chunk has. */
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
    case 'like':
      return isOutside(condition, chunk);
    default:
      return false;
  }
}

type ValueLeaf = Extract<Leaf, { kind: 'compare' | 'range' | 'in' | 'like' }>;

function isOutside(leaf: ValueLeaf, chunk: Chunk): boolean {
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
    case 'like':
      return missesPrefix(min, max, leaf.pattern);
  }
}

/** Whether no text between the two can begin as the pattern does. */
function missesPrefix(min: Value, max: Value, { segments }: LikePattern): boolean {
  const [segment] = segments as readonly [readonly number[]];
  const wild = segment.findIndex((unit) => unit < 0);
  const prefix = Buffer.from(wild < 0 ? segment : segment.slice(0, wild));
  const low = Buffer.from(min as string);
  const isAbove = low.compare(prefix) > 0 && !low.subarray(0, prefix.length).equals(prefix);
  return isAbove || Buffer.from(max as string).compare(prefix) < 0;
}

/** Whether nothing between the two is `operator` the constant. */
function misses(min: Value, max: Value, operator: string, constant: Constant): boolean {
  const value = typeof constant === 'boolean' ? Number(constant) : constant;
  switch (operator) {
    case '<':
      return isAtLeast(min, value);
    case '<=':
      return isAbove(min, value);
    case '>':
      return isAtLeast(value, max);
    case '>=':
      return isAbove(value, max);
    default:
      return isAbove(min, value) || isAbove(value, max);
  }
}

function isAtLeast(left: Value, right: Value): boolean {
  return typeof left === 'string' ? order(left, right) >= 0 : left >= (right as number | bigint);
}

function isAbove(left: Value, right: Value): boolean {
  return typeof left === 'string' ? order(left, right) > 0 : left > (right as number | bigint);
}

/** By their bytes: the language would compare halves of characters. */
function order(left: string, right: Value): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right as string));
}

/** `undefined` where nothing is known; `null` where there is no value. */
function zoneOf(chunk: Chunk, id: FieldId): Zone | null | undefined {
  let known = zones.get(chunk);
  if (known === undefined) {
    known = new Map();
    zones.set(chunk, known);
  }
  const zone = known.get(id);
  if (zone !== undefined) return zone;
  const column = chunk.column(id);
  if (column.dataType === DataType.VarChar) return zoneInFile(chunk, id);
  if (!('values' in column)) return undefined;
  const found = measured(column, chunk.rows);
  known.set(id, found);
  return found;
}

/** Of all rows of the file that has the chunk's. */
function zoneInFile({ stored }: Chunk, id: FieldId): Zone | null | undefined {
  const statistics = stored?.file.statistics(id);
  if (statistics === undefined) return undefined;
  const { min, max, nulls } = statistics;
  if (min !== null && max !== null) return { min, max };
  return nulls === stored!.file.info.rows ? null : undefined;
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
