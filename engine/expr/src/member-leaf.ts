import { DataType, type NumericColumn, type VarCharColumn } from '@elanus/model';
import { type BloomSet, hasHash } from './bloom-set.ts';
import type { Evaluator, Run } from './evaluator.ts';
import { type Filler, filledEvaluator } from './filled-answers.ts';
import { type JsonTest, jsonTestEvaluator } from './json-leaf.ts';
import type { JsonReader } from './json-reader.ts';
import type { MemberSet } from './member-set.ts';
import type { MemberLeaf } from './plan.ts';
import { hasInteger, type RoaringSet } from './roaring-set.ts';
import { hashBytes, hashColumn, hashHalves, hashIntegers } from './value-hashes.ts';

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
const LOOK_UP_COST = { bloom: 10, roaring: 40 } as const;
/** To hash one by itself, as those of documents are. */
const LONE_HASH_COST = 300;

/** About how long it takes to look one value up, in nanoseconds. */
export function costOfMember({ set, operand }: MemberLeaf): number {
  return LOOK_UP_COST[set.kind] + (operand.kind === 'path' ? LONE_HASH_COST : 0);
}

function integerFiller(set: MemberSet, valuesOf: (run: Run) => NumericColumn['values']): Filler {
  if (set.kind === 'roaring') return roaringFiller(set, valuesOf);
  return (run, answers) => {
    answers.fill(0);
    if (!set.hasIntegers) return;
    hashIntegers(valuesOf(run), run.start, run.end);
    fillFromHashes(set, answers);
  };
}

function roaringFiller(set: RoaringSet, valuesOf: (run: Run) => NumericColumn['values']): Filler {
  return (run, answers) => {
    const values = valuesOf(run);
    const { start, end } = run;
    if (values instanceof BigInt64Array) {
      // No row becomes a bigint, which would take as long as the look-up.
      const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
      for (let row = start, i = 0; row < end; row++, i++)
        answers[i] = hasInteger(set, halves[2 * row + 1]!, halves[2 * row]!) ? 1 : 0;
      return;
    }
    for (let row = start, i = 0; row < end; row++, i++) {
      const value = values[row]!;
      answers[i] = hasInteger(set, value >> 31, value) ? 1 : 0;
    }
  };
}

function textFiller(set: BloomSet, columnOf: (run: Run) => VarCharColumn): Filler {
  return (run, answers) => {
    answers.fill(0);
    if (!set.hasTexts) return;
    hashColumn(columnOf(run), run.start, run.end);
    fillFromHashes(set, answers);
  };
}

function fillFromHashes({ words }: BloomSet, answers: Uint8Array): void {
  for (let i = 0; i < answers.length; i++)
    if (hasHash(words, hashHalves[2 * i + 1]!, hashHalves[2 * i]!)) answers[i] = 1;
}

function hasBytes({ words }: BloomSet, bytes: Uint8Array, start: number, end: number): boolean {
  hashBytes(bytes, start, end);
  return hasHash(words, hashHalves[1]!, hashHalves[0]!);
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
        return hasBytes(set, reader.textBytes, reader.textStart, reader.textEnd) ? 'true' : 'false';
      case 'number':
        return hasNumber(set, reader) ? 'true' : 'false';
      default:
        return 'unknown';
    }
  };
}

const eight = new BigInt64Array(1);
const eightBytes = new Uint8Array(eight.buffer);

function hasNumber(set: BloomSet, reader: JsonReader): boolean {
  const value = reader.readNumber();
  if (!reader.isInteger || !set.hasIntegers) return false;
  const integer = BigInt(value);
  if (BigInt.asIntN(64, integer) !== integer) return false;
  eight[0] = integer;
  return hasBytes(set, eightBytes, 0, eightBytes.length);
}
