import { assert, type Column, type FieldId, invalidInput } from '@elanus/model';
import type { Aggregate } from '@elanus/rpc';
import { type Accumulator, openAccumulator, type Totals } from './accumulator.ts';
import { fieldOrder } from './field-order.ts';
import { sortedPositions, takeRows } from './key-order.ts';
import type { Read } from './read.ts';
import type { RowList } from './row-list.ts';
import type { ChunkView } from './shard.ts';
import { visitRows } from './visit-rows.ts';

/** Groups whose numbers and totals are held: some 200 MB. */
const GROUPS_MAX = 1_000_000;

/** What the rows of a read come to. */
export interface GroupedRows {
  /** One row of each group, in ascending order of the values grouped by, nulls last. */
  readonly examples: RowList;
  /** Parallel to the aggregates, each in the order of `examples`; one total when nothing is grouped by. */
  readonly totals: readonly Totals[];
}

/**
 * Aggregates of all rows that the read is about, by groups of equal values.
 * @throws MilvusError 1100 for more than a million groups
 */
export async function aggregateShards(
  read: Read,
  groupBy: readonly FieldId[],
  aggregates: readonly Aggregate[],
): Promise<GroupedRows> {
  const groups = new Groups();
  let accumulators: readonly Accumulator[] = [];
  const views = await visitRows(read, (views) => {
    const groupOf = groupReader(views, groupBy, groups);
    accumulators = aggregates.map((aggregate) => openAccumulator(views, aggregate));
    return (view, row) => {
      const group = groupOf(view, row);
      for (const accumulator of accumulators) accumulator.add(group, view, row);
    };
  });
  const list = groups.examples(views);
  const orderBy = groupBy.map((field) => ({ field, direction: 'ascending', nulls: 'last' }) as const);
  const order =
    groupBy.length === 0 ? Uint32Array.of(0) : await sortedPositions(read, list, fieldOrder(views, orderBy));
  return {
    examples: groupBy.length === 0 ? list : await takeRows(read, list, order),
    totals: accumulators.map((accumulator) => accumulator.totals(order)),
  };
}

/** Numbers groups in the order in which they are met, and keeps the first row of each. */
class Groups {
  readonly #numbers = new Map<GroupKey, number>();
  readonly #viewOf: number[] = [];
  readonly #rows: number[] = [];

  numberOf(key: GroupKey, view: number, row: number): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#rows.length;
    if (number === GROUPS_MAX) throw tooManyGroups();
    this.#numbers.set(key, number);
    this.#viewOf.push(view);
    this.#rows.push(row);
    return number;
  }

  examples(views: readonly ChunkView[]): RowList {
    return { views, viewOf: Uint32Array.from(this.#viewOf), rows: Uint32Array.from(this.#rows) };
  }
}

type GroupKey = number | bigint | string | null;
type KeyReader = (row: number) => GroupKey;

/** Gives the number of a row's group. */
function groupReader(
  views: readonly ChunkView[],
  groupBy: readonly FieldId[],
  groups: Groups,
): (view: number, row: number) => number {
  if (groupBy.length === 0) return (view, row) => groups.numberOf(null, view, row);
  const readers = views.map(({ chunk }) => groupBy.map((field) => keyReader(chunk.column(field))));
  if (groupBy.length === 1) {
    const single = readers.map(([reader]) => reader!);
    return (view, row) => groups.numberOf(single[view]!(row), view, row);
  }
  return (view, row) => {
    let key = '';
    for (const reader of readers[view]!) key += part(reader(row));
    return groups.numberOf(key, view, row);
  };
}

/** A part that no other values can run into. */
function part(key: GroupKey): string {
  if (key === null) return '-;';
  const text = String(key);
  return `${text.length}:${text};`;
}

/** Equal keys for equal values: numbers as they are, texts as their bytes in Latin-1. */
function keyReader(column: Column): KeyReader {
  const { validity } = column;
  const read = valueReader(column);
  if (validity === null) return read;
  return (row) => (validity[row] === 0 ? null : read(row));
}

function valueReader(column: Column): KeyReader {
  if ('values' in column) {
    const { values } = column;
    return (row) => values[row]!;
  }
  assert('offsets' in column && 'bytes' in column, 'groups are made of scalars');
  const { offsets, bytes } = column;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (row) => buffer.toString('latin1', offsets[row]!, offsets[row + 1]!);
}

function tooManyGroups(): Error {
  return invalidInput(
    `the query has more than ${GROUPS_MAX} groups, a filter may leave fewer: invalid parameter`,
  );
}
