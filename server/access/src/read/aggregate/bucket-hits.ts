import {
  type Column,
  DataType,
  type FieldId,
  type FieldSchema,
  type MetricType,
  metricOrder,
} from '@elanus/model';
import type {
  Draft,
  schema_AggBucket,
  schema_AggHit,
  schema_AggHitField,
  schema_MetricValue,
} from '@elanus/proto';
import type { SearchHits } from '@elanus/rpc';
import { type GroupValue, groupIdentity } from '../group/group-key.ts';
import { keyAt } from '../hits.ts';
import { compareRows, type RowComparison } from '../order/compare-rows.ts';
import { cellAt } from './cell-value.ts';
import type { BucketLevel, BucketOrder, HitValue, Metric } from './read-search-aggregation.ts';

/** The hits that are put into buckets, and what is known of them. */
export interface BucketSource {
  readonly hits: SearchHits;
  readonly metric: MetricType;
  readonly columns: ReadonlyMap<FieldId, Column>;
  /** Fields that top hits show. */
  readonly shown: readonly FieldSchema[];
}

interface Bucket {
  readonly key: readonly GroupValue[];
  /** Places of its hits, best first. */
  readonly places: readonly number[];
  readonly metrics: ReadonlyMap<Metric, GroupValue>;
}

/** The buckets of the hits at `places`, which come best first. */
export function bucketHits(
  source: BucketSource,
  level: BucketLevel,
  places: readonly number[],
): readonly Draft<schema_AggBucket>[] {
  const keyOf = (place: number) => level.fields.map((field) => cellAt(source.columns.get(field.id)!, place));
  const groups = Map.groupBy(places, (place) => groupIdentity(keyOf(place)));
  const buckets = [...groups.values()].map((own) => ({
    key: keyOf(own[0]!),
    places: own,
    metrics: new Map(level.metrics.map((metric) => [metric, metricOf(source, metric, own)])),
  }));
  // Groups come by their best hit, which is also what decides between equals.
  if (level.order.length > 0) buckets.sort((a, b) => compareBuckets(a, b, level.order));
  return buckets.slice(0, level.size).map((bucket) => written(source, level, bucket));
}

function written(source: BucketSource, level: BucketLevel, bucket: Bucket): Draft<schema_AggBucket> {
  return {
    key: level.fields.map((field, at) => ({
      fieldId: BigInt(field.id),
      fieldName: field.name,
      ...keyValue(bucket.key[at]!),
    })),
    count: BigInt(bucket.places.length),
    metrics: new Map(
      [...bucket.metrics]
        .filter(([, value]) => value !== null)
        .map(([{ alias }, value]) => [alias, metricValue(value)]),
    ),
    hits: level.topHits === null ? [] : topHits(source, level.topHits, bucket.places),
    subGroups: level.inner === null ? [] : [...bucketHits(source, level.inner, bucket.places)],
  };
}

function keyValue(value: GroupValue) {
  switch (typeof value) {
    case 'bigint':
      return { intVal: value };
    case 'string':
      return { stringVal: value };
    case 'boolean':
      return { boolVal: value };
    default:
      return {};
  }
}

function metricValue(value: GroupValue): Draft<schema_MetricValue> {
  return typeof value === 'number' ? { doubleVal: value } : keyValue(value);
}

function topHits(
  { hits, metric, columns, shown }: BucketSource,
  { size, sort }: NonNullable<BucketLevel['topHits']>,
  places: readonly number[],
): Draft<schema_AggHit>[] {
  const compare = compareRows(
    sort.map((order) => ({ ...order, column: columnOf({ hits, columns }, order.by) })),
  );
  const order = metricOrder(metric) === 'ascending' ? 1 : -1;
  const bestFirst: RowComparison = (a, b) => order * (hits.scores[a]! - hits.scores[b]!) || a - b;
  return places
    .toSorted((a, b) => compare(a, b) || bestFirst(a, b))
    .slice(0, size)
    .map((place) => {
      const key = keyAt(hits.keys, place);
      return {
        ...(typeof key === 'bigint' ? { intPk: key } : { strPk: key }),
        score: hits.scores[place]!,
        fields: shown.flatMap((field) => hitField(field, cellAt(columns.get(field.id)!, place))),
      };
    });
}

function hitField({ id, name, dataType }: FieldSchema, value: GroupValue): Draft<schema_AggHitField>[] {
  if (value === null) return [];
  const field = { fieldId: BigInt(id), fieldName: name };
  if (typeof value !== 'number') return [{ ...field, ...keyValue(value) }];
  return [{ ...field, ...(dataType === DataType.Float ? { floatVal: value } : { doubleVal: value }) }];
}

function columnOf({ hits, columns }: Pick<BucketSource, 'hits' | 'columns'>, value: HitValue): Column {
  if (value !== '_score') return columns.get(value.id)!;
  return { dataType: DataType.Float, length: hits.scores.length, validity: null, values: hits.scores };
}

/** `null`: there is no value. Sums of integers are integers. */
function metricOf(source: BucketSource, { operation, of }: Metric, places: readonly number[]): GroupValue {
  if (of === null) return BigInt(places.length);
  const column = columnOf(source, of);
  const present = places.filter((place) => column.validity?.[place] !== 0);
  if (operation === 'count') return BigInt(present.length);
  if (present.length === 0) return null;
  if (operation === 'sum' || operation === 'avg') {
    const values = present.map((place) => cellAt(column, place) as number | bigint);
    const sum =
      typeof values[0] === 'bigint'
        ? (values as bigint[]).reduce((total, value) => total + value, 0n)
        : (values as number[]).reduce((total, value) => total + value, 0);
    return operation === 'avg' ? Number(sum) / values.length : sum;
  }
  const compare = compareRows([{ column, direction: 'ascending', nulls: 'last' }]);
  const sorted = present.toSorted(compare);
  return cellAt(column, operation === 'min' ? sorted[0]! : sorted.at(-1)!);
}

function compareBuckets(a: Bucket, b: Bucket, orders: readonly BucketOrder[]): number {
  for (const { by, direction, nulls } of orders) {
    const sign = direction === 'ascending' ? 1 : -1;
    for (const [x, y] of comparedValues(a, b, by)) {
      if (x === null || y === null) {
        if (x === y) continue;
        return (x === null) === (nulls === 'first') ? -1 : 1;
      }
      if (x !== y) return x < y ? -sign : sign;
    }
  }
  return 0;
}

function comparedValues(a: Bucket, b: Bucket, by: BucketOrder['by']): (readonly [GroupValue, GroupValue])[] {
  if (by === '_count') return [[a.places.length, b.places.length]];
  if (by === '_key') return a.key.map((value, at) => [value, b.key[at]!] as const);
  return [[a.metrics.get(by)!, b.metrics.get(by)!]];
}
