import {
  DataType,
  type FieldId,
  type FieldSchema,
  type Int64Column,
  type KeyColumn,
  type VarCharColumn,
} from '@elanus/model';
import { halvesOf, IntegerSet } from './integer-set.ts';
import type { Condition, ConstantList } from './plan.ts';
import type { Predicate } from './predicate.ts';
import { packingTexts, TextIndex } from './text-index.ts';
import type { ComparisonOperator, Constant } from './tree.ts';
import { runAtOnce, SLICE_ITEMS, type Work } from './work.ts';

/**
 * The keys that a filter lists when it says nothing else, `pk == v` or `pk in [...]`: as written, in that
 * order, duplicates kept. `null` for every other filter.
 */
export function primaryKeysOf(predicate: Predicate): KeyColumn | null {
  const values = listedValues(predicate.condition, predicate.primaryKey.id);
  if (values === null) return null;
  return listedKeys.get(values) ?? runAtOnce(packingKeys(values, predicate.primaryKey.dataType));
}

/**
 * Keys outside of which no row can match, each once: what a filter lists, alone or beside other terms of
 * a top-level AND. Rows with these keys are still to be tested. `null` when the filter has no such term.
 */
export function requiredKeys(predicate: Predicate): KeyColumn | null {
  return requiredValues(predicate, predicate.primaryKey);
}

/**
 * As `requiredKeys`, of any Int64 or VarChar field: the fewest values that some term allows. Of a partition
 * key they tell which partitions have to be read.
 */
export function requiredValues({ condition }: Predicate, field: FieldSchema): KeyColumn | null {
  let fewest = listedValues(condition, field.id);
  if (condition.kind === 'and')
    for (const operand of condition.operands) {
      const values = listedValues(operand, field.id);
      if (values !== null && (fewest === null || values.length < fewest.length)) fewest = values;
    }
  if (fewest === null) return null;
  return distinctKeys.get(fewest) ?? runAtOnce(packingDistinct(fewest, field.dataType));
}

/** A key that all keys of matching rows lie behind, or before. */
export interface KeyBound {
  readonly side: 'lower' | 'upper';
  /** One row. */
  readonly key: KeyColumn;
  readonly isIncluded: boolean;
}

/** What the terms of a top-level AND say of where keys lie; in no order, the same side may have several. */
export function keyBounds({ condition, primaryKey }: Predicate): readonly KeyBound[] {
  const terms = condition.kind === 'and' ? condition.operands : [condition];
  return terms.flatMap((term) => boundsOf(term, primaryKey));
}

function boundsOf(term: Condition, { id, dataType }: FieldSchema): readonly KeyBound[] {
  if (term.kind !== 'compare' && term.kind !== 'range') return [];
  if (term.negated || term.operand.kind !== 'column' || term.operand.field.id !== id) return [];
  const bound = (value: Constant, operator: ComparisonOperator): KeyBound => ({
    side: operator.startsWith('>') ? 'lower' : 'upper',
    key: runAtOnce(packingKeys([value], dataType)),
    isIncluded: operator.endsWith('='),
  });
  if (term.kind === 'range')
    return [bound(term.lower, term.lowerOperator), bound(term.upper, term.upperOperator)];
  const { value, operator } = term;
  return typeof value === 'object' || operator === '==' || operator === '!=' ? [] : [bound(value, operator)];
}

/** Makes `primaryKeysOf` and `requiredValues` of `fields` cheap, in slices, as far as the filter's lists are long. */
export function* preparingKeys(predicate: Predicate, fields: readonly FieldSchema[]): Work<void> {
  const { condition } = predicate;
  const terms = condition.kind === 'and' ? condition.operands : [condition];
  for (const { id, dataType } of fields)
    for (const term of terms) {
      const values = listedValues(term, id);
      if (values === null || values.length <= SLICE_ITEMS) continue;
      if (term === condition) listedKeys.set(values, yield* packingKeys(values, dataType));
      distinctKeys.set(values, yield* packingDistinct(values, dataType));
    }
}

/** Keys of long lists that were packed ahead; they live as long as the lists. */
const listedKeys = new WeakMap<ConstantList, KeyColumn>();
const distinctKeys = new WeakMap<ConstantList, KeyColumn>();

function listedValues(condition: Condition, field: FieldId): ConstantList | null {
  if (condition.kind !== 'in' && condition.kind !== 'compare') return null;
  const { operand } = condition;
  if (condition.negated || operand.kind !== 'column' || operand.field.id !== field) return null;
  if (condition.kind === 'in') return condition.values;
  if (condition.operator !== '==' || typeof condition.value === 'object') return null;
  return [condition.value];
}

function* packingKeys(values: ConstantList, type: DataType): Work<KeyColumn> {
  const { length } = values;
  if (values instanceof BigInt64Array) return { dataType: DataType.Int64, length, validity: null, values };
  if (type !== DataType.Int64) {
    const texts = yield* packingTexts(values as readonly string[]);
    return { dataType: DataType.VarChar, length, validity: null, ...texts };
  }
  const keys = new BigInt64Array(length);
  for (let at = 0; at < length; at++) {
    if (at % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
    keys[at] = values[at] as bigint;
  }
  return { dataType: DataType.Int64, length, validity: null, values: keys };
}

function* packingDistinct(values: ConstantList, type: DataType): Work<KeyColumn> {
  const keys = yield* packingKeys(values, type);
  if (keys.length < 2) return keys;
  return keys.dataType === DataType.Int64 ? yield* distinctIntegers(keys) : yield* distinctTexts(keys);
}

function* distinctIntegers(keys: Int64Column): Work<Int64Column> {
  const seen = new IntegerSet(keys.length);
  const distinct = new BigInt64Array(keys.length);
  const halves = halvesOf(keys.values);
  for (let at = 0; at < keys.length; at++) {
    if (at % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
    const count = seen.size;
    if (seen.add(halves[2 * at]!, halves[2 * at + 1]!)) distinct[count] = keys.values[at]!;
  }
  return { ...keys, length: seen.size, values: distinct.subarray(0, seen.size) };
}

function* distinctTexts(keys: VarCharColumn): Work<VarCharColumn> {
  const seen = new TextIndex(keys, 0);
  const offsets = new Uint32Array(keys.length + 1);
  const bytes = new Uint8Array(keys.bytes.length);
  for (let at = 0; at < keys.length; at++) {
    if (at % SLICE_ITEMS === SLICE_ITEMS - 1) yield;
    const from = offsets[seen.size]!;
    if (!seen.add(at)) continue;
    const text = keys.bytes.subarray(keys.offsets[at]!, keys.offsets[at + 1]!);
    bytes.set(text, from);
    offsets[seen.size] = from + text.length;
  }
  return { ...keys, length: seen.size, offsets: offsets.subarray(0, seen.size + 1), bytes };
}
