import { DataType, type FieldId, type FieldSchema, type KeyColumn } from '@elanus/model';
import type { Condition } from './plan.ts';
import type { Predicate } from './predicate.ts';
import type { Constant } from './tree.ts';

/**
 * The keys that a filter lists when it says nothing else, `pk == v` or `pk in [...]`: as written, in that
 * order, duplicates kept. `null` for every other filter.
 */
export function primaryKeysOf(predicate: Predicate): KeyColumn | null {
  const values = listedValues(predicate.condition, predicate.primaryKey.id);
  return values === null ? null : toKeyColumn(values, predicate.primaryKey.dataType);
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
  return toKeyColumn(fewest.length < 2 ? fewest : [...new Set(fewest)], field.dataType);
}

function listedValues(condition: Condition, field: FieldId): readonly Constant[] | null {
  if (condition.kind !== 'in' && condition.kind !== 'compare') return null;
  const { operand } = condition;
  if (condition.negated || operand.kind !== 'column' || operand.field.id !== field) return null;
  if (condition.kind === 'in') return condition.values;
  if (condition.operator !== '==' || typeof condition.value === 'object') return null;
  return [condition.value];
}

function toKeyColumn(values: readonly Constant[], type: DataType): KeyColumn {
  const { length } = values;
  if (type === DataType.Int64)
    return {
      dataType: DataType.Int64,
      length,
      validity: null,
      values: BigInt64Array.from(values as readonly bigint[]),
    };
  const offsets = new Uint32Array(length + 1);
  const texts = values.map((value, index) => {
    const text = Buffer.from(value as string);
    offsets[index + 1] = offsets[index]! + text.length;
    return text;
  });
  return { dataType: DataType.VarChar, length, validity: null, offsets, bytes: Buffer.concat(texts) };
}
