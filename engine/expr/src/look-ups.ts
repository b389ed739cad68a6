import { DataType } from '@elanus/model';
import { IntegerSet } from './integer-set.ts';
import { NumberSet } from './number-set.ts';
import { type Condition, isPlain, type ListValue, type MembershipLeaf } from './plan.ts';
import { TextIndex } from './text-index.ts';
import { ValueIndex } from './value-index.ts';
import { typeOfOperand } from './value-type.ts';
import { runAtOnce, SLICE_ITEMS, type Work } from './work.ts';

type Values = readonly ListValue[] | BigInt64Array;

/** Look-ups of long lists that were built ahead of compiling, in slices; they live as long as the lists. */
const integerSets = new WeakMap<Values, IntegerSet>();
const numberSets = new WeakMap<Values, NumberSet>();
const textIndexes = new WeakMap<Values, TextIndex>();
const valueIndexes = new WeakMap<Values, ValueIndex>();

/** The look-up of a list of integers. */
export function integerSetOf(values: readonly bigint[] | BigInt64Array): IntegerSet {
  return kept(integerSets, values, () => runAtOnce(IntegerSet.building(values)));
}

function kept<LookUp>(lookUps: WeakMap<Values, LookUp>, values: Values, build: () => LookUp): LookUp {
  const known = lookUps.get(values) ?? build();
  lookUps.set(values, known);
  return known;
}

/** The look-up of a list of doubles. */
export function numberSetOf(values: readonly number[]): NumberSet {
  return kept(numberSets, values, () => runAtOnce(NumberSet.building(values)));
}

/** The look-up of the texts in a list. */
export function textIndexOf(values: Values): TextIndex {
  return textIndexes.get(values) ?? runAtOnce(TextIndex.building(textsIn(values)));
}

/** The look-up of a list of any values. */
export function valueIndexOf(values: Values): ValueIndex {
  return valueIndexes.get(values) ?? runAtOnce(ValueIndex.building(values));
}

/** The list itself when it holds nothing else: it may be long. */
function textsIn(values: Values): readonly string[] {
  if (values instanceof BigInt64Array) return [];
  const isText = (value: ListValue) => typeof value === 'string';
  return values.every(isText) ? values : values.filter(isText);
}

/** Operands of AND and OR that are looked at between two pauses. */
const PAUSE_OPERANDS = 1_024;

/** Builds what compiling `condition` will look up, as far as its lists are long. */
export function* preparingLookUps(condition: Condition): Work<void> {
  switch (condition.kind) {
    case 'and':
    case 'or':
      for (const [index, operand] of condition.operands.entries()) {
        if (index % PAUSE_OPERANDS === PAUSE_OPERANDS - 1) yield;
        yield* preparingLookUps(operand);
      }
      return;
    case 'match':
      yield* preparingLookUps(condition.condition);
      return;
    case 'contains':
      if (condition.values.length > SLICE_ITEMS)
        valueIndexes.set(condition.values, yield* ValueIndex.building(condition.values));
      return;
    case 'in':
      if (condition.values.length > SLICE_ITEMS) yield* preparingMembership(condition);
  }
}

function* preparingMembership({ operand, values }: MembershipLeaf): Work<void> {
  const isColumn = operand.kind === 'column';
  switch (typeOfOperand(operand)) {
    case DataType.VarChar:
      textIndexes.set(values, yield* TextIndex.building(textsIn(values)));
      return;
    case DataType.Bool:
      if (isColumn) return;
      break;
    case DataType.Float:
    case DataType.Double:
      if (isColumn) {
        numberSets.set(values, yield* NumberSet.building(values as readonly number[]));
        return;
      }
      break;
    default:
      if (isColumn && isPlain(operand)) {
        integerSets.set(values, yield* IntegerSet.building(values as readonly bigint[] | BigInt64Array));
        return;
      }
  }
  valueIndexes.set(values, yield* ValueIndex.building(values));
}
