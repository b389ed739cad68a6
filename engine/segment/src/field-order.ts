import { type Column, DataType } from '@elanus/model';
import type { OrderKey } from '@elanus/rpc';
import { int64Order, keyOrder, type RowOrder, textOrder } from './key-order.ts';
import type { ChunkView } from './shard.ts';

/** The order that `keys` ask for, rows that are equal in all of them by ascending primary key. */
export function fieldOrder(views: readonly ChunkView[], keys: readonly OrderKey[]): RowOrder {
  const byKey = keyOrder(views);
  if (keys.length === 0) return byKey;
  const orders = keys.map((key) => orderOfKey(views, key));
  return (a, rowA, b, rowB) => {
    for (const order of orders) {
      const difference = order(a, rowA, b, rowB);
      if (difference !== 0) return difference;
    }
    return byKey(a, rowA, b, rowB);
  };
}

function orderOfKey(views: readonly ChunkView[], { field, direction, nulls }: OrderKey): RowOrder {
  const columns = views.map((view) => view.chunk.column(field));
  const ascending = valueOrder(columns);
  const sign = direction === 'ascending' ? 1 : -1;
  const byValue: RowOrder = (a, rowA, b, rowB) => sign * ascending(a, rowA, b, rowB);
  if (columns.every(({ validity }) => validity === null)) return byValue;
  const nullSign = nulls === 'first' ? -1 : 1;
  return (a, rowA, b, rowB) => {
    const isNullA = columns[a]!.validity?.[rowA] === 0;
    const isNullB = columns[b]!.validity?.[rowB] === 0;
    if (isNullA || isNullB) return isNullA === isNullB ? 0 : isNullA ? nullSign : -nullSign;
    return byValue(a, rowA, b, rowB);
  };
}

/** Ascending values of one field: numbers, or texts by their bytes. 0 for equal ones; nulls count as zero or empty. */
export function valueOrder(columns: readonly Column[]): RowOrder {
  const [first] = columns;
  if (first === undefined) return () => 0;
  if ('values' in first) {
    if (first.values instanceof BigInt64Array)
      return int64Order(columns as readonly { readonly values: BigInt64Array }[]);
    const values = columns.map((column) => (column as { readonly values: Float64Array }).values);
    return (a, rowA, b, rowB) => compareNumbers(values[a]![rowA]!, values[b]![rowB]!);
  }
  if (first.dataType === DataType.Array || !('offsets' in first))
    throw new TypeError(`values of type ${first.dataType} have no order`);
  return textOrder(columns as readonly { readonly offsets: Uint32Array; readonly bytes: Uint8Array }[]);
}

function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
