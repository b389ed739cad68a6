import { assert, type Column, DataType, type FieldId, invalidInput } from '@elanus/model';
import type { Aggregate } from '@elanus/rpc';
import { valueOrder } from './field-order.ts';
import type { RowOrder } from './key-order.ts';
import type { RowList } from './row-list.ts';
import type { ChunkView } from './shard.ts';

/** What an aggregate comes to: values, or for `min` and `max` the rows that have them. */
export type Totals =
  | { readonly kind: 'values'; readonly column: Column }
  /** A group without a value has a row that is null in the field; one without rows has none. */
  | { readonly kind: 'rows'; readonly field: FieldId; readonly rows: RowList };

/** Takes in the rows of groups one by one. */
export interface Accumulator {
  add(group: number, view: number, row: number): void;
  /** Of the groups in this order; a group that has got no row has the total of nothing. */
  totals(groups: Uint32Array): Totals;
}

/** Works out one aggregate of the rows of `views`. */
export function openAccumulator(views: readonly ChunkView[], aggregate: Aggregate): Accumulator {
  const { field } = aggregate;
  if (field === null) return new Count(null);
  const columns = views.map((view) => view.chunk.column(field));
  switch (aggregate.function) {
    case 'count':
      return new Count(columns);
    case 'sum':
      return isFractional(columns) ? new FloatSum(columns, 'sum') : new IntegerSum(columns, 'sum');
    case 'avg':
      return isFractional(columns) ? new FloatSum(columns, 'avg') : new IntegerSum(columns, 'avg');
    case 'min':
    case 'max':
      return new Extreme(views, columns, field, aggregate.function === 'min' ? 1 : -1);
  }
}

function isFractional([first]: readonly Column[]): boolean {
  return first?.dataType === DataType.Float || first?.dataType === DataType.Double;
}

class Count implements Accumulator {
  readonly #columns: readonly Column[] | null;
  readonly #counts: number[] = [];

  /** `null`: rows are counted, whatever they hold. */
  constructor(columns: readonly Column[] | null) {
    this.#columns = columns;
  }

  add(group: number, view: number, row: number): void {
    const isCounted = this.#columns === null || this.#columns[view]!.validity?.[row] !== 0;
    this.#counts[group] = (this.#counts[group] ?? 0) + (isCounted ? 1 : 0);
  }

  totals(groups: Uint32Array): Totals {
    const values = BigInt64Array.from(groups, (group) => BigInt(this.#counts[group] ?? 0));
    return {
      kind: 'values',
      column: { dataType: DataType.Int64, length: groups.length, validity: null, values },
    };
  }
}

/** A double holds every integer up to here. */
const EXACT_MAX = 2 ** 52;
const INT64_MAX = 2n ** 63n - 1n;

/** Exact whatever the order and the number of rows. */
class IntegerSum implements Accumulator {
  readonly #values: readonly ArrayLike<number | bigint>[];
  readonly #columns: readonly Column[];
  readonly #result: 'sum' | 'avg';
  readonly #counts: number[] = [];
  /** Small values are added here and moved to `#large` before a digit is lost. */
  readonly #small: number[] = [];
  readonly #large: bigint[] = [];

  constructor(columns: readonly Column[], result: 'sum' | 'avg') {
    this.#columns = columns;
    this.#values = columns.map(numbersOf);
    this.#result = result;
  }

  add(group: number, view: number, row: number): void {
    if (this.#columns[view]!.validity?.[row] === 0) return;
    const value = this.#values[view]![row]!;
    this.#counts[group] = (this.#counts[group] ?? 0) + 1;
    if (typeof value === 'bigint') {
      this.#large[group] = (this.#large[group] ?? 0n) + value;
      return;
    }
    const sum = (this.#small[group] ?? 0) + value;
    if (Math.abs(sum) < EXACT_MAX) this.#small[group] = sum;
    else {
      this.#large[group] = (this.#large[group] ?? 0n) + BigInt(sum);
      this.#small[group] = 0;
    }
  }

  totals(groups: Uint32Array): Totals {
    const { length } = groups;
    const validity = validityOf(groups, this.#counts);
    if (this.#result === 'avg') {
      const values = Float64Array.from(groups, (group) =>
        average(this.#sum(group), this.#counts[group] ?? 0),
      );
      return { kind: 'values', column: { dataType: DataType.Double, length, validity, values } };
    }
    const values = BigInt64Array.from(groups, (group) => int64(this.#sum(group)));
    return { kind: 'values', column: { dataType: DataType.Int64, length, validity, values } };
  }

  #sum(group: number): bigint {
    return (this.#large[group] ?? 0n) + BigInt(this.#small[group] ?? 0);
  }
}

/** The nearest double also where the sum itself has none. */
function average(sum: bigint, count: number): number {
  if (count === 0) return 0;
  const whole = sum / BigInt(count);
  return Number(whole) + Number(sum - whole * BigInt(count)) / count;
}

function int64(sum: bigint): bigint {
  if (sum <= INT64_MAX && sum >= -INT64_MAX - 1n) return sum;
  throw invalidInput(`the sum ${sum} does not fit an int64: invalid parameter`);
}

/** Neumaier's sum: what the additions round away is added up beside, so that the order of rows hardly ever shows. */
class FloatSum implements Accumulator {
  readonly #values: readonly ArrayLike<number | bigint>[];
  readonly #columns: readonly Column[];
  readonly #result: 'sum' | 'avg';
  readonly #counts: number[] = [];
  readonly #sums: number[] = [];
  readonly #rests: number[] = [];

  constructor(columns: readonly Column[], result: 'sum' | 'avg') {
    this.#columns = columns;
    this.#values = columns.map(numbersOf);
    this.#result = result;
  }

  add(group: number, view: number, row: number): void {
    if (this.#columns[view]!.validity?.[row] === 0) return;
    const value = this.#values[view]![row] as number;
    const sum = this.#sums[group] ?? 0;
    const next = sum + value;
    const rest = Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    this.#sums[group] = next;
    this.#rests[group] = (this.#rests[group] ?? 0) + rest;
    this.#counts[group] = (this.#counts[group] ?? 0) + 1;
  }

  totals(groups: Uint32Array): Totals {
    const values = Float64Array.from(groups, (group) => {
      const sum = this.#sums[group] ?? 0;
      const exact = sum + (this.#rests[group] ?? 0);
      const total = Number.isNaN(exact) ? sum : exact;
      return this.#result === 'sum' ? total : total / Math.max(1, this.#counts[group] ?? 0);
    });
    const validity = validityOf(groups, this.#counts);
    return { kind: 'values', column: { dataType: DataType.Double, length: groups.length, validity, values } };
  }
}

class Extreme implements Accumulator {
  readonly #views: readonly ChunkView[];
  readonly #columns: readonly Column[];
  readonly #field: FieldId;
  readonly #order: RowOrder;
  /** 1: the least value counts, -1: the greatest. */
  readonly #sign: 1 | -1;
  readonly #viewOf: number[] = [];
  readonly #rows: number[] = [];

  constructor(views: readonly ChunkView[], columns: readonly Column[], field: FieldId, sign: 1 | -1) {
    this.#views = views;
    this.#columns = columns;
    this.#field = field;
    this.#order = valueOrder(columns);
    this.#sign = sign;
  }

  add(group: number, view: number, row: number): void {
    if (this.#rows[group] !== undefined && !this.#isBetter(group, view, row)) return;
    this.#viewOf[group] = view;
    this.#rows[group] = row;
  }

  totals(groups: Uint32Array): Totals {
    const known = groups.filter((group) => this.#rows[group] !== undefined);
    const rows = {
      views: this.#views,
      viewOf: known.map((group) => this.#viewOf[group]!),
      rows: known.map((group) => this.#rows[group]!),
    };
    return { kind: 'rows', field: this.#field, rows };
  }

  #isBetter(group: number, view: number, row: number): boolean {
    if (this.#isNull(view, row)) return false;
    const [bestView, best] = [this.#viewOf[group]!, this.#rows[group]!];
    return this.#isNull(bestView, best) || this.#sign * this.#order(view, row, bestView, best) < 0;
  }

  #isNull(view: number, row: number): boolean {
    return this.#columns[view]!.validity?.[row] === 0;
  }
}

function numbersOf(column: Column): ArrayLike<number | bigint> {
  assert('values' in column, 'only numbers are added up');
  return column.values;
}

function validityOf(groups: Uint32Array, counts: readonly number[]): Uint8Array | null {
  const validity = Uint8Array.from(groups, (group) => ((counts[group] ?? 0) > 0 ? 1 : 0));
  return validity.includes(0) ? validity : null;
}
