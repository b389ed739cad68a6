import { DataType, type FieldId, type FieldSchema, fieldById, invalidInput } from '@elanus/model';
import type { AggregateRows } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { gatherRows } from '../../rows/gather-rows.ts';
import { runInSlices } from '../../rows/sliced-work.ts';
import type { FieldOutput } from '../../wire/output-column.ts';
import { type InstantFormat, writtenInstants } from '../instant-format.ts';
import { compareRows, type OrderedColumn } from '../order/compare-rows.ts';
import type { OrderEntry } from '../order/read-order.ts';
import type { ReadTarget } from '../read-target.ts';
import type { Aggregation, AggregationColumn } from './read-aggregation.ts';

/** Which groups are answered, and in which order: groups themselves come in that of their values. */
export interface GroupWindow {
  readonly orderBy: readonly GroupOrder[];
  /** `null`: to the end. */
  readonly limit: number | null;
  readonly offset: number;
}

/** The columns of an answer with groups. */
export async function aggregatedColumns(
  { share }: Pick<AccessDependencies, 'share'>,
  target: ReadTarget,
  aggregation: Aggregation,
  rows: AggregateRows,
  { orderBy, limit, offset }: GroupWindow,
  format: InstantFormat,
): Promise<readonly FieldOutput[]> {
  const order = Uint32Array.from({ length: rows.length }, (_, row) => row);
  if (orderBy.length > 0) {
    const compare = compareRows(orderBy.map((order) => orderedColumn(order, rows)));
    order.sort((a, b) => compare(a, b) || a - b);
  }
  const end = limit === null ? order.length : offset + limit;
  const positions = order.slice(offset, end);
  const columns: FieldOutput[] = [];
  for (const asked of aggregation.columns) {
    const column = columnOf(asked, rows);
    const kept = await runInSlices(gatherRows(column, positions), share);
    const field = fieldOf(target, asked, column.dataType);
    columns.push(
      kept.dataType === DataType.Timestamptz
        ? await runInSlices(writtenInstants(field, kept, format), share)
        : { field, column: kept },
    );
  }
  return columns;
}

function columnOf(asked: AggregationColumn, { groups, values }: AggregateRows): FieldOutput['column'] {
  return asked.kind === 'group' ? groups.get(asked.field.id)! : values[asked.index]!;
}

/** A column that groups are sorted by. */
export type GroupOrder = Pick<OrderEntry, 'direction' | 'nulls'> &
  (
    | { readonly kind: 'group'; readonly field: FieldId }
    | { readonly kind: 'aggregate'; readonly index: number }
  );

/**
 * Groups may be sorted by what they were made by and by every aggregate that is answered.
 * @throws MilvusError 1100
 */
export function groupOrderOf(
  { groupBy, columns }: Aggregation,
  entries: readonly OrderEntry[],
): readonly GroupOrder[] {
  return entries.map(({ name, direction, nulls }) => {
    const asked = columns.find((column) => column.name === name);
    if (asked?.kind === 'aggregate') return { direction, nulls, kind: 'aggregate', index: asked.index };
    const field = groupBy.find((field) => field.name === name);
    if (field !== undefined) return { direction, nulls, kind: 'group', field: field.id };
    throw notAnswered(name);
  });
}

function orderedColumn(order: GroupOrder, { groups, values }: AggregateRows): OrderedColumn {
  const column = order.kind === 'group' ? groups.get(order.field)! : values[order.index]!;
  return { direction: order.direction, nulls: order.nulls, column };
}

function notAnswered(name: string): Error {
  return invalidInput(
    `order_by field ${name} must be one of the group by fields or an aggregate of the output: invalid parameter`,
  );
}

/** A column of the answer is called as it was asked for, whatever field its values come from. */
function fieldOf(target: ReadTarget, asked: AggregationColumn, dataType: DataType): FieldSchema {
  if (asked.kind === 'group') return asked.field;
  const { schema } = target.collection;
  const { field } = asked.aggregate;
  const source = field === null ? schema.primaryKey : fieldById(schema, field)!;
  const isOfField = asked.aggregate.function === 'min' || asked.aggregate.function === 'max';
  const unnamed = { id: 0 as FieldSchema['id'], isPrimaryKey: false, nullable: true, isDynamic: false };
  return { ...source, ...unnamed, name: asked.name, dataType: isOfField ? source.dataType : dataType };
}
