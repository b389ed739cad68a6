import { JsonReader, type JsonStep, jsonStep } from '@elanus/expr';
import {
  type ArrayColumn,
  type Column,
  DataType,
  type ElementColumn,
  type JsonColumn,
  type NumericColumn,
  type VarCharColumn,
} from '@elanus/model';
import { sharedBytes, sharedUint32 } from '../shared-memory.ts';
import { buildBoxes } from './box-tree.ts';
import { GramBuilder } from './gram-builder.ts';
import { NumberListBuilder, TextListBuilder } from './list-builder.ts';
import {
  bytesOfBits,
  type GramPart,
  type IndexPart,
  type ListedKind,
  type ScalarIndexData,
  type ScalarIndexSpec,
  type ValuePart,
  type WordSpec,
} from './scalar-index.ts';
import type { ValueLists } from './value-lists.ts';

/** Rows `0 .. rows` of a column, which the index numbers from `firstRow`. */
export interface IndexedBlock {
  readonly column: Column;
  readonly rows: number;
  /** A multiple of 8, not below the end of the block before. */
  readonly firstRow: number;
}

/** The row behind the last one of the blocks. */
export function endOfBlocks(blocks: readonly Pick<IndexedBlock, 'rows' | 'firstRow'>[]): number {
  const last = blocks.at(-1);
  return last === undefined ? 0 : last.firstRow + last.rows;
}

/**
 * Builds an index; for a million rows that takes from a tenth of a second to several. `seed`: 32 random bits. Calls
 * `onBlock` with the number of blocks that it has gone through; what comes then takes about as long again.
 */
export function buildScalarIndex(
  spec: Exclude<ScalarIndexSpec, WordSpec>,
  blocks: readonly IndexedBlock[],
  seed: number,
  onBlock: (count: number) => void = () => {},
): ScalarIndexData {
  const rows = endOfBlocks(blocks);
  const parts = partsOf(spec, counted(blocks, onBlock), rows, seed);
  return {
    spec,
    rows,
    blocks: blocks.map((block) => ({ rows: block.rows, firstRow: block.firstRow })),
    parts,
  };
}

/** The blocks, each told of when the next one is asked for. */
function* counted(
  blocks: readonly IndexedBlock[],
  onBlock: (count: number) => void,
): Generator<IndexedBlock, void> {
  for (const [count, block] of blocks.entries()) {
    onBlock(count);
    yield block;
  }
  onBlock(blocks.length);
}

function partsOf(
  spec: Exclude<ScalarIndexSpec, WordSpec>,
  blocks: Iterable<IndexedBlock>,
  rows: number,
  seed: number,
): readonly IndexPart[] {
  switch (spec.kind) {
    case 'boxes':
      return [buildBoxes(blocks)];
    case 'grams':
      return [buildGrams(spec, blocks)];
    case 'values': {
      const { steps } = spec.place;
      if (steps !== null) return buildDocuments(spec, steps, blocks, rows, seed);
      const collector = new ValueCollector(spec.of === 'elements' ? 'elements' : 'value', spec.kinds, seed);
      for (const block of blocks) collectPlain(collector, block);
      return [collector.finish(rows)];
    }
  }
}

/** Gathers what one part lists. */
class ValueCollector {
  readonly #of: ValuePart['of'];
  readonly #kinds: ReadonlySet<ListedKind>;
  readonly #texts: TextListBuilder;
  readonly #booleans = new NumberListBuilder(DataType.Bool);
  /** Made by the first column, of its type; numbers in documents are doubles. */
  #numbers: NumberListBuilder | null = null;
  readonly #unsure: number[] = [];
  #arrayRows: number[] = [];

  constructor(of: ValuePart['of'], kinds: readonly ListedKind[], seed: number) {
    this.#of = of;
    this.#kinds = new Set(kinds);
    this.#texts = new TextListBuilder(seed);
  }

  numbersOf(type: NumericColumn['dataType']): NumberListBuilder {
    this.#numbers ??= new NumberListBuilder(type);
    return this.#numbers;
  }

  get texts(): TextListBuilder {
    return this.#texts;
  }

  /** Rows must come in ascending order, as for all others. */
  addUnsure(row: number): void {
    if (this.#unsure.at(-1) !== row) this.#unsure.push(row);
  }

  addArray(row: number): void {
    this.#arrayRows.push(row);
  }

  /** Adds the scalar that the reader stands on, unless its kind is not listed. */
  addFrom(reader: JsonReader, row: number): void {
    switch (reader.kind()) {
      case 'number': {
        if (!this.#kinds.has('number')) return;
        const value = reader.readNumber();
        if (typeof value === 'number' && !Number.isNaN(value))
          this.numbersOf(DataType.Double).addNumber(value, row);
        else this.addUnsure(row);
        return;
      }
      case 'text':
        if (this.#kinds.has('text') && reader.readText())
          this.#texts.add(reader.textBytes, reader.textStart, reader.textEnd, row);
        return;
      case 'boolean':
        if (this.#kinds.has('boolean')) this.#booleans.addNumber(Number(reader.readBoolean()), row);
    }
  }

  finish(rows: number): ValuePart {
    const lists: Partial<Record<ListedKind, ValueLists>> = {};
    if (this.#kinds.has('number')) lists.number = this.numbersOf(DataType.Double).finish(rows);
    if (this.#kinds.has('text')) lists.text = this.#texts.finish(rows);
    if (this.#kinds.has('boolean')) lists.boolean = this.#booleans.finish(rows);
    const unsure = sharedUint32(this.#unsure.length);
    unsure.set(this.#unsure);
    return { kind: 'values', of: this.#of, lists, arrays: this.#arrays(rows), unsure };
  }

  #arrays(rows: number): Uint8Array | null {
    if (this.#of === 'value') return null;
    const bits = sharedBytes(bytesOfBits(rows));
    for (const row of this.#arrayRows) bits[row >> 3]! |= 1 << (row & 7);
    return bits;
  }
}

function collectPlain(collector: ValueCollector, { column, rows, firstRow }: IndexedBlock): void {
  const { validity } = column;
  const isArray = column.dataType === DataType.Array;
  const values = (isArray ? (column as ArrayColumn).elements : column) as ElementColumn;
  const add = adderOf(collector, values);
  for (let row = 0; row < rows; row++) {
    if (validity !== null && validity[row] === 0) continue;
    if (!isArray) {
      add(row, firstRow + row);
      continue;
    }
    const { offsets } = column as ArrayColumn;
    collector.addArray(firstRow + row);
    for (let at = offsets[row]!; at < offsets[row + 1]!; at++) add(at, firstRow + row);
  }
}

/** What adds value `at` of a column to the lists, as one of `row`. */
function adderOf(collector: ValueCollector, values: ElementColumn): (at: number, row: number) => void {
  if ('offsets' in values) {
    const { bytes, offsets } = values as VarCharColumn;
    return (at, row) => collector.texts.add(bytes, offsets[at]!, offsets[at + 1]!, row);
  }
  const builder = collector.numbersOf(values.dataType);
  if (values.values instanceof BigInt64Array) {
    const { buffer, byteOffset, length } = values.values;
    const halves = new Uint32Array(buffer, byteOffset, 2 * length);
    return (at, row) => builder.addHalves(halves[2 * at]!, halves[2 * at + 1]!, row);
  }
  const numbers = values.values;
  return (at, row) => {
    const value = numbers[at]!;
    if (Number.isNaN(value)) collector.addUnsure(row);
    else builder.addNumber(value, row);
  };
}

type ValueSpec = Extract<ScalarIndexSpec, { kind: 'values' }>;

function buildDocuments(
  spec: ValueSpec,
  steps: readonly string[],
  blocks: Iterable<IndexedBlock>,
  rows: number,
  seed: number,
): readonly IndexPart[] {
  const ofValues = spec.of === 'elements' ? null : new ValueCollector('value', spec.kinds, seed);
  const ofElements = spec.of === 'value' ? null : new ValueCollector('elements', spec.kinds, seed);
  forEachDocument(blocks, steps.map(jsonStep), (reader, row) => {
    if (reader.kind() !== 'array') {
      ofValues?.addFrom(reader, row);
      return;
    }
    if (ofElements === null) return;
    ofElements.addArray(row);
    reader.forEachElement(() => {
      ofElements.addFrom(reader, row);
      return true;
    });
  });
  return [ofValues, ofElements].filter((part) => part !== null).map((part) => part.finish(rows));
}

/** Visits every document that has a value at `steps`, the reader standing on it. */
function forEachDocument(
  blocks: Iterable<IndexedBlock>,
  steps: readonly JsonStep[],
  visit: (reader: JsonReader, row: number) => void,
): void {
  const reader = new JsonReader();
  for (const { column, rows, firstRow } of blocks) {
    const { bytes, offsets, validity } = column as JsonColumn;
    for (let row = 0; row < rows; row++) {
      if (validity !== null && validity[row] === 0) continue;
      reader.open(bytes, offsets[row]!, offsets[row + 1]!);
      if (reader.find(steps)) visit(reader, firstRow + row);
    }
  }
}

function buildGrams(
  { place, gramBytes }: Extract<ScalarIndexSpec, { kind: 'grams' }>,
  blocks: Iterable<IndexedBlock>,
): GramPart {
  const builder = new GramBuilder(gramBytes);
  if (place.steps !== null) {
    forEachDocument(blocks, place.steps.map(jsonStep), (reader, row) => {
      if (reader.kind() === 'text' && reader.readText())
        builder.add(reader.textBytes, reader.textStart, reader.textEnd, row);
    });
    return builder.finish();
  }
  for (const { column, rows, firstRow } of blocks) {
    const { bytes, offsets, validity } = column as VarCharColumn;
    for (let row = 0; row < rows; row++)
      if (validity === null || validity[row] === 1)
        builder.add(bytes, offsets[row]!, offsets[row + 1]!, firstRow + row);
  }
  return builder.finish();
}
