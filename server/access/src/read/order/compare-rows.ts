import type { Column } from '@elanus/model';
import type { OrderKey } from '@elanus/rpc';

/** Negative when row `a` comes before row `b`; 0 when they are equal. */
export type RowComparison = (a: number, b: number) => number;

/** A column and the order of its values. */
export interface OrderedColumn extends Pick<OrderKey, 'direction' | 'nulls'> {
  readonly column: Column;
}

/** Compares the rows of columns by the first in which they differ. */
export function compareRows(columns: readonly OrderedColumn[]): RowComparison {
  const comparisons = columns.map(compareColumn);
  return (a, b) => {
    for (const compare of comparisons) {
      const difference = compare(a, b);
      if (difference !== 0) return difference;
    }
    return 0;
  };
}

function compareColumn({ column, direction, nulls }: OrderedColumn): RowComparison {
  const { validity } = column;
  const compare = compareValues(column);
  const sign = direction === 'ascending' ? 1 : -1;
  const nullSign = nulls === 'first' ? -1 : 1;
  return (a, b) => {
    const isNullA = validity?.[a] === 0;
    const isNullB = validity?.[b] === 0;
    if (isNullA || isNullB) return isNullA === isNullB ? 0 : isNullA ? nullSign : -nullSign;
    return sign * compare(a, b);
  };
}

function compareValues(column: Column): RowComparison {
  if ('values' in column) {
    const { values } = column;
    return (a, b) => (values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0);
  }
  if (!('offsets' in column && 'bytes' in column))
    throw new TypeError(`values of type ${column.dataType} have no order`);
  const { bytes, offsets } = column;
  const run = (row: number) => bytes.subarray(offsets[row]!, offsets[row + 1]!);
  return (a, b) => Buffer.compare(run(a), run(b));
}
