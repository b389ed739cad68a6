import { DataType, type FieldSchema, fieldByName, invalidInput, invalidParameter } from '@elanus/model';
import type { common_OrderSpec, common_SearchAggregationSpec } from '@elanus/proto';
import type { OrderKey } from '@elanus/rpc';
import { isNumberType } from '../number-type.ts';
import { isOrdered } from '../order/read-order.ts';
import { type ReadTarget, requireLoaded } from '../read-target.ts';

/** One level of buckets of the hits of a search. */
export interface BucketLevel {
  /** Hits with the same values in these are one bucket. */
  readonly fields: readonly FieldSchema[];
  /** Buckets at most. */
  readonly size: number;
  readonly metrics: readonly Metric[];
  /** Empty: by the best score. */
  readonly order: readonly BucketOrder[];
  /** `null`: a bucket does not show its hits. */
  readonly topHits: { readonly size: number; readonly sort: readonly HitOrder[] } | null;
  readonly inner: BucketLevel | null;
}

/** Something that hits have: a field, or their score. */
export type HitValue = FieldSchema | '_score';

export interface Metric {
  readonly alias: string;
  readonly operation: 'avg' | 'sum' | 'count' | 'min' | 'max';
  /** `null`: counts hits. */
  readonly of: HitValue | null;
}

type Direction = Pick<OrderKey, 'direction' | 'nulls'>;
export type HitOrder = Direction & { readonly by: HitValue };
export type BucketOrder = Direction & { readonly by: '_count' | '_key' | Metric };

const DEPTH_MAX = 4;
const OPERATIONS = ['avg', 'sum', 'count', 'min', 'max'] as const;
const KEY_TYPES: ReadonlySet<DataType> = new Set<DataType>([
  DataType.Bool,
  DataType.Int8,
  DataType.Int16,
  DataType.Int32,
  DataType.Int64,
  DataType.VarChar,
]);

/** Reads `search_aggregation`. @throws MilvusError 1100 */
export function readBucketLevel(
  target: ReadTarget,
  spec: common_SearchAggregationSpec,
  sizeMax: number,
  depth = 1,
): BucketLevel {
  if (depth > DEPTH_MAX) throw wrong(`at most ${DEPTH_MAX} levels`);
  if (spec.fields.length === 0) throw wrong('fields must not be empty');
  if (new Set(spec.fields).size < spec.fields.length) throw wrong('duplicated field in fields');
  const metrics = [...spec.metrics].map(([alias, { op, fieldName }]) =>
    readMetric(target, alias, op, fieldName),
  );
  const { topHits, subAggregation } = spec;
  return {
    fields: spec.fields.map((name) => keyField(target, name)),
    size: readSize(spec.size, 'size', sizeMax),
    metrics,
    order: spec.order.map((order) => readBucketOrder(order, metrics)),
    topHits:
      topHits === undefined
        ? null
        : {
            size: readSize(topHits.size, 'top_hits.size', sizeMax),
            sort: topHits.sort.map(({ fieldName, direction, nullFirst }) => ({
              ...readDirection(direction, nullFirst),
              by: sortedValue(target, fieldName),
            })),
          },
    inner: subAggregation === undefined ? null : readBucketLevel(target, subAggregation, sizeMax, depth + 1),
  };
}

/** Every field that the buckets need of their hits. */
export function fieldsOfLevel(level: BucketLevel | null): FieldSchema[] {
  if (level === null) return [];
  const values = [...level.metrics.map(({ of }) => of), ...(level.topHits?.sort ?? []).map(({ by }) => by)];
  const fields = values.filter((value) => value !== null && value !== '_score');
  return [...level.fields, ...fields, ...fieldsOfLevel(level.inner)];
}

function readSize(size: bigint, name: string, sizeMax: number): number {
  if (size >= 1n && size <= BigInt(sizeMax)) return Number(size);
  throw wrong(`${name} [${size}] should be in range [1, ${sizeMax}]`);
}

function fieldNamed(target: ReadTarget, name: string): FieldSchema {
  const field = fieldByName(target.collection.schema, name);
  if (field === undefined)
    throw invalidInput(`search_aggregation: field ${name} not exist: invalid parameter`);
  requireLoaded(target, [field.id]);
  return field;
}

function keyField(target: ReadTarget, name: string): FieldSchema {
  const field = fieldNamed(target, name);
  if (!KEY_TYPES.has(field.dataType)) throw wrong(`field ${name} has a type that makes no buckets`);
  return field;
}

function sortedValue(target: ReadTarget, name: string): HitValue {
  if (name === '_score') return name;
  const field = fieldNamed(target, name);
  if (!isOrdered(field.dataType)) throw wrong(`field ${name} has a type that can't be sorted`);
  return field;
}

function readMetric(target: ReadTarget, alias: string, op: string, name: string): Metric {
  const operation = OPERATIONS.find((known) => known === op.toLowerCase());
  if (operation === undefined) throw wrong(`metric ${alias}: unknown op ${op}`);
  if (name === '*') {
    if (operation === 'count') return { alias, operation, of: null };
    throw wrong(`metric ${alias}: '*' is only valid for count`);
  }
  if (name === '_score') return { alias, operation, of: name };
  const field = fieldNamed(target, name);
  const { dataType } = field;
  const isFit =
    operation === 'count' ||
    (operation === 'sum' || operation === 'avg' ? isNumberType(dataType) : isOrdered(dataType));
  if (isFit) return { alias, operation, of: field };
  throw wrong(`metric ${alias}: ${operation} does not support field ${name}`);
}

function readBucketOrder(
  { key, direction, nullFirst }: common_OrderSpec,
  metrics: readonly Metric[],
): BucketOrder {
  const by = key === '_count' || key === '_key' ? key : metrics.find(({ alias }) => alias === key);
  if (by === undefined) throw wrong(`order key ${key} must be a metric alias, _count or _key`);
  return { ...readDirection(direction, nullFirst), by };
}

function readDirection(text: string, nullFirst: boolean): Direction {
  const nulls = nullFirst ? 'first' : 'last';
  switch (text.toLowerCase()) {
    case '':
    case 'asc':
      return { direction: 'ascending', nulls };
    case 'desc':
      return { direction: 'descending', nulls };
    default:
      throw wrong(`direction ${text} must be asc or desc`);
  }
}

function wrong(what: string): Error {
  return invalidParameter(`search_aggregation: ${what}`);
}
