import { DataType, type FieldSchema, fieldByName, invalidInput, invalidParameter } from '@elanus/model';
import type { Aggregate } from '@elanus/rpc';
import { isNumberType } from '../number-type.ts';
import { isOrdered } from '../order/read-order.ts';
import type { Parameters } from '../parameters.ts';
import { type ReadTarget, requireLoaded } from '../read-target.ts';

/** A query that answers with groups of rows instead of rows. */
export interface Aggregation {
  /** Empty: all rows are one group. */
  readonly groupBy: readonly FieldSchema[];
  readonly aggregates: readonly Aggregate[];
  /** The columns of the answer, in the order in which they were asked for. */
  readonly columns: readonly AggregationColumn[];
}

/** A column of the answer, called as the client calls it. */
export type AggregationColumn = { readonly name: string } & (
  | { readonly kind: 'group'; readonly field: FieldSchema }
  | { readonly kind: 'aggregate'; readonly index: number; readonly aggregate: Aggregate }
);

const CALL = /^(count|sum|avg|min|max)\s*\(\s*([^()]*?)\s*\)$/i;

/** Whether the name of an output field is that of an aggregate. */
export function isAggregate(name: string): boolean {
  return CALL.test(name.trim());
}

/** `null` when the query answers with rows. @throws MilvusError 1100 */
export function readAggregation(
  target: ReadTarget,
  outputFields: readonly string[],
  parameters: Parameters,
): Aggregation | null {
  const groupBy = readGroupBy(target, parameters.text('group_by_fields'));
  if (groupBy.length === 0 && !outputFields.some(isAggregate)) return null;
  const aggregates: Aggregate[] = [];
  const columns: AggregationColumn[] = [];
  const names = new Set(outputFields.map((name) => name.trim()));
  if (names.size === 0) throw invalidParameter('group_by_fields needs output fields');
  for (const name of names) {
    const call = CALL.exec(name);
    if (call === null) {
      columns.push({ name, kind: 'group', field: groupedField(name, groupBy) });
      continue;
    }
    const aggregate = readAggregate(target, call[1]!.toLowerCase() as Aggregate['function'], call[2]!);
    columns.push({ name, kind: 'aggregate', index: aggregates.push(aggregate) - 1, aggregate });
  }
  return { groupBy, aggregates, columns };
}

const UNGROUPED: ReadonlySet<DataType> = new Set<DataType>([DataType.Float, DataType.Double]);

function readGroupBy(target: ReadTarget, list: string | undefined): readonly FieldSchema[] {
  if (list === undefined) return [];
  const names = list.split(',').map((name) => name.trim());
  return [...new Set(names)].filter((name) => name !== '').map((name) => groupField(target, name));
}

function groupField(target: ReadTarget, name: string): FieldSchema {
  const field = fieldByName(target.collection.schema, name);
  if (field === undefined) throw invalidInput(`group by field ${name} does not exist: invalid parameter`);
  if (!isOrdered(field.dataType) || UNGROUPED.has(field.dataType))
    throw invalidParameter(`group by field ${name} has unsupported data type`);
  requireLoaded(target, [field.id]);
  return field;
}

function groupedField(name: string, groupBy: readonly FieldSchema[]): FieldSchema {
  const field = groupBy.find((field) => field.name === name);
  if (field !== undefined) return field;
  throw invalidInput(
    `output field ${name} must be one of the group by fields or an aggregate: invalid parameter`,
  );
}

function readAggregate(target: ReadTarget, operation: Aggregate['function'], argument: string): Aggregate {
  if (argument === '*') {
    if (operation === 'count') return { function: 'count', field: null };
    throw invalidParameter(`${operation}(*) is not supported, only count(*) is`);
  }
  const field = fieldByName(target.collection.schema, argument);
  if (field === undefined) throw invalidInput(`field ${argument} not exist: invalid parameter`);
  requireLoaded(target, [field.id]);
  if (!canAggregate(operation, field.dataType))
    throw invalidParameter(`aggregation operator ${operation} does not support field ${argument}`);
  return { function: operation, field: field.id };
}

function canAggregate(operation: Aggregate['function'], type: DataType): boolean {
  switch (operation) {
    case 'count':
      return true;
    case 'sum':
    case 'avg':
      return isNumberType(type);
    case 'min':
    case 'max':
      return isOrdered(type) && type !== DataType.Bool;
  }
}
