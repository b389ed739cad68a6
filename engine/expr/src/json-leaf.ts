import type { JsonColumn } from '@elanus/model';
import { type Evaluator, rowEvaluator } from './evaluator.ts';
import { NO_PLACE, pathName, UNKNOWN_PLACE } from './json-places.ts';
import { JsonReader, type JsonStep, jsonStep } from './json-reader.ts';
import { valueIndexOf } from './look-ups.ts';
import { numberTest } from './number.ts';
import type { ContainsLeaf, ListValue, NullLeaf, OperandLeaf, PathOperand } from './plan.ts';
import { textTest } from './text-test.ts';
import type { ValueIndex } from './value-index.ts';

/** What a leaf says of a value: `unknown` when the value is of a kind that the leaf's constants are not. */
export type Truth = 'true' | 'false' | 'unknown';

/** Asks about the value that the reader stands on. */
export type JsonTest = (reader: JsonReader) => Truth;

/** The evaluator of a leaf on a JSON path, its length or its arithmetic. */
export function jsonEvaluator(leaf: OperandLeaf, path: PathOperand): Evaluator {
  return jsonTestEvaluator(jsonTest(leaf), path, leaf.negated);
}

/** The evaluator of a test of the values at a path. */
export function jsonTestEvaluator(test: JsonTest, path: PathOperand, negated: boolean): Evaluator {
  const wanted: Truth = negated ? 'false' : 'true';
  return overValues(path, (reader, isThere) => isThere && test(reader) === wanted);
}

/** Whether a path has no value: missing, or JSON null. */
export function jsonNullEvaluator(leaf: NullLeaf, path: PathOperand): Evaluator {
  return overValues(path, (reader, isThere) => {
    const isNull = !isThere || reader.kind() === 'null' || reader.kind() === 'broken';
    return isNull !== leaf.negated;
  });
}

function overValues(path: PathOperand, test: (reader: JsonReader, isThere: boolean) => boolean): Evaluator {
  const steps: readonly JsonStep[] = path.steps.map(jsonStep);
  const reader = new JsonReader();
  const fieldId = path.field.id;
  const name = pathName(path);
  return rowEvaluator(({ source }) => {
    const { bytes, offsets, validity } = source.column(fieldId) as JsonColumn;
    const places = source.places?.(name);
    return (row) => {
      if (validity !== null && validity[row] === 0) return test(reader, false);
      const start = offsets[row]!;
      const place = places === undefined ? UNKNOWN_PLACE : places[row]!;
      if (place === NO_PLACE) return test(reader, false);
      if (place !== UNKNOWN_PLACE) {
        reader.open(bytes, start + place - 1, offsets[row + 1]!);
        return test(reader, true);
      }
      reader.open(bytes, start, offsets[row + 1]!);
      const isThere = reader.find(steps);
      if (places !== undefined)
        places[row] = isThere ? Math.min(reader.at - start + 1, UNKNOWN_PLACE) : NO_PLACE;
      return test(reader, isThere);
    };
  });
}

function jsonTest(leaf: OperandLeaf): JsonTest {
  switch (leaf.kind) {
    case 'contains':
      return containsTest(leaf);
    case 'in':
      return leaf.operand.kind === 'path' ? membershipTest(leaf.values) : scalarTest(leaf);
    case 'compare':
      return typeof leaf.value === 'object' ? equalListTest(leaf.value) : scalarTest(leaf);
    default:
      return scalarTest(leaf);
  }
}

/** Of the kind of the leaf's constant; arithmetic and lengths are numbers whatever it is. */
function scalarTest(leaf: OperandLeaf): JsonTest {
  const isLength = leaf.operand.kind === 'length' || isLengthArithmetic(leaf);
  const ofNumber = isBoolean(leaf) ? undefined : numberTest(leaf);
  const ofText = textTest(leaf);
  if (isLength)
    return (reader) =>
      reader.kind() === 'array' ? truth(ofNumber!(reader.countElements(), true)) : 'unknown';
  const ofBoolean = isBoolean(leaf) ? numberTest(leaf) : undefined;
  return (reader) => {
    switch (reader.kind()) {
      case 'number': {
        if (ofNumber === undefined) return 'unknown';
        const value = reader.readNumber();
        return truth(ofNumber(value, reader.isInteger));
      }
      case 'text':
        if (ofText === undefined || !reader.readText()) return 'unknown';
        return truth(ofText(reader.textBytes, reader.textStart, reader.textEnd));
      case 'boolean':
        return ofBoolean === undefined ? 'unknown' : truth(ofBoolean(Number(reader.readBoolean()), true));
      default:
        return 'unknown';
    }
  };
}

function isBoolean(leaf: OperandLeaf): boolean {
  return leaf.kind === 'compare' && typeof leaf.value === 'boolean';
}

function isLengthArithmetic({ operand }: OperandLeaf): boolean {
  return operand.kind === 'arithmetic' && operand.of.kind === 'length';
}

function truth(isTrue: boolean): Truth {
  return isTrue ? 'true' : 'false';
}

/** Comparable with the list is what has the kind of one of its values; with an empty list, everything. */
function membershipTest(values: readonly ListValue[] | BigInt64Array): JsonTest {
  const index = valueIndexOf(values);
  return (reader) => {
    const kind = reader.kind();
    if (values.length === 0) return kind === 'null' || kind === 'broken' ? 'unknown' : 'false';
    const isComparable = (kind === 'number' || kind === 'text' || kind === 'boolean') && index.has(kind);
    return isComparable ? truth(slotOf(reader, index) >= 0) : 'unknown';
  };
}

/** The slot of the scalar that the reader stands on; -1 also for all that is no scalar. */
function slotOf(reader: JsonReader, index: ValueIndex): number {
  switch (reader.kind()) {
    case 'number':
      return index.slotOfNumber(reader.readNumber());
    case 'text':
      return reader.readText() ? index.slotOfText(reader.textBytes, reader.textStart, reader.textEnd) : -1;
    case 'boolean':
      return index.slotOfBoolean(reader.readBoolean());
    default:
      return -1;
  }
}

function containsTest(leaf: ContainsLeaf): JsonTest {
  const index = valueIndexOf(leaf.values);
  const lists = index.lists.map(equalListTest);
  const slots = index.slots + lists.length;
  const visitSlots = (reader: JsonReader, visit: (slot: number) => boolean) =>
    reader.forEachElement(() => {
      if (reader.kind() !== 'array') {
        const slot = slotOf(reader, index);
        return slot < 0 || visit(slot);
      }
      return everyMatch(reader, lists, (list) => visit(index.slots + list));
    });
  return (reader) => {
    if (reader.kind() !== 'array') return 'unknown';
    if (leaf.mode === 'any') {
      let isFound = false;
      visitSlots(reader, () => {
        isFound = true;
        return false;
      });
      return truth(isFound);
    }
    const seen = new Set<number>();
    if (slots > 0) visitSlots(reader, (slot) => seen.add(slot).size < slots);
    return truth(seen.size === slots);
  };
}

/** Visits the lists that equal the array under the reader, until `visit` answers `false`. */
function everyMatch(
  reader: JsonReader,
  lists: readonly JsonTest[],
  visit: (list: number) => boolean,
): boolean {
  for (let list = 0; list < lists.length; list++) {
    const isEqual = reader.peekAt(() => lists[list]!(reader)) === 'true';
    if (isEqual && !visit(list)) return false;
  }
  return true;
}

/** Element by element; an element of another kind is an unequal one. */
function equalListTest(list: readonly ListValue[]): JsonTest {
  const elements = list.map(equalTest);
  return (reader) => {
    if (reader.kind() !== 'array') return 'unknown';
    let count = 0;
    let isEqual = true;
    reader.forEachElement(() => {
      const element = elements[count++];
      isEqual = element !== undefined && element(reader) === 'true';
      return isEqual;
    });
    return truth(isEqual && count === elements.length);
  };
}

function equalTest(value: ListValue): JsonTest {
  return typeof value === 'object' ? equalListTest(value) : membershipTest([value]);
}
