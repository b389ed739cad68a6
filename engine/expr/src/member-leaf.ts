import { DataType, type NumericColumn, type VarCharColumn } from '@elanus/model';
import { type BloomSet, hasLastHash } from './bloom-set.ts';
import type { Evaluator, Run } from './evaluator.ts';
import { type Filler, filledEvaluator } from './filled-answers.ts';
import { type JsonTest, jsonTestEvaluator } from './json-leaf.ts';
import type { JsonReader } from './json-reader.ts';
import type { MemberSet } from './member-set.ts';
import type { MemberLeaf } from './plan.ts';
import { hasInteger } from './roaring-set.ts';
import { hashInteger, hashText } from './xxhash64.ts';

/** The evaluator of `membership_match`. */
export function memberEvaluator({ operand, set, negated }: MemberLeaf): Evaluator {
  if (operand.kind === 'path') return jsonTestEvaluator(jsonTest(set as BloomSet), operand, negated);
  const { id, dataType } = operand.field;
  const validityOf = ({ source }: Run): Uint8Array | null => source.column(id).validity;
  if (dataType === DataType.VarChar)
    return filledEvaluator(
      textFiller(set as BloomSet, ({ source }) => source.column(id) as VarCharColumn),
      validityOf,
      negated,
    );
  return filledEvaluator(
    integerFiller(set, ({ source }) => (source.column(id) as NumericColumn).values),
    validityOf,
    negated,
  );
}

/** Nanoseconds to look a value up. */
const LOOK_UP_COST = { bloom: 60, roaring: 40 } as const;

/** About how long it takes to look one value up, in nanoseconds. */
export function costOfMember({ set }: MemberLeaf): number {
  return LOOK_UP_COST[set.kind];
}

function integerFiller(set: MemberSet, valuesOf: (run: Run) => NumericColumn['values']): Filler {
  return (run, answers) => {
    const values = valuesOf(run);
    const { start, end } = run;
    if (values instanceof BigInt64Array) {
      // No row becomes a bigint, which would take as long as the look-up.
      const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
      for (let row = start, i = 0; row < end; row++, i++)
        answers[i] = hasMember(set, halves[2 * row + 1]!, halves[2 * row]!) ? 1 : 0;
      return;
    }
    for (let row = start, i = 0; row < end; row++, i++) {
      const value = values[row]!;
      answers[i] = hasMember(set, value >> 31, value) ? 1 : 0;
    }
  };
}

function textFiller({ words, hasTexts }: BloomSet, columnOf: (run: Run) => VarCharColumn): Filler {
  return (run, answers) => {
    answers.fill(0);
    if (!hasTexts) return;
    const { bytes, offsets } = columnOf(run);
    for (let row = run.start, i = 0; row < run.end; row++, i++) {
      hashText(bytes, offsets[row]!, offsets[row + 1]!);
      if (hasLastHash(words)) answers[i] = 1;
    }
  };
}

/** Whether the integer with these halves is in the set, as far as the set knows. */
function hasMember(set: MemberSet, high: number, low: number): boolean {
  if (set.kind === 'roaring') return hasInteger(set, high, low);
  if (!set.hasIntegers) return false;
  hashInteger(high, low);
  return hasLastHash(set.words);
}

/**
 * Texts and integers are what they were written as: 5.0 is no integer, other than beside `in`. Neither it nor what no
 * integer of 64 bits can say is in any set; all other kinds of values are no more comparable with one than a null.
 */
function jsonTest(set: BloomSet): JsonTest {
  return (reader) => {
    switch (reader.kind()) {
      case 'text':
        if (!reader.readText()) return 'unknown';
        if (!set.hasTexts) return 'false';
        hashText(reader.textBytes, reader.textStart, reader.textEnd);
        return hasLastHash(set.words) ? 'true' : 'false';
      case 'number':
        return hasNumber(set, reader) ? 'true' : 'false';
      default:
        return 'unknown';
    }
  };
}

function hasNumber(set: BloomSet, reader: JsonReader): boolean {
  const value = reader.readNumber();
  if (!reader.isInteger) return false;
  const integer = BigInt(value);
  if (BigInt.asIntN(64, integer) !== integer) return false;
  return hasMember(set, Number(BigInt.asIntN(32, integer >> 32n)), Number(BigInt.asIntN(32, integer)));
}
