import type {
  schema_AggBucket,
  schema_AggHit,
  schema_AggHitField,
  schema_BucketKeyEntry,
  schema_MetricValue,
  schema_SearchResultData,
} from '@elanus/proto';
import { DigitsOf, type JsonOut, shortestDouble } from './json-text.ts';

/** The buckets of each query, and how many each has. */
export function shownBuckets({
  aggBuckets,
  aggTopks,
}: Pick<schema_SearchResultData, 'aggBuckets' | 'aggTopks'>): { data: JsonOut; aggTopks: number[] } {
  const counts = aggTopks.map(Number);
  let next = 0;
  const data = counts.map((count) => {
    const buckets = aggBuckets.slice(next, next + count).map(shownBucket);
    next += count;
    return { buckets };
  });
  return { data, aggTopks: counts };
}

function shownBucket(bucket: schema_AggBucket): JsonOut {
  const metrics = [...bucket.metrics].map(([alias, value]) => [alias, shownValue(value)] as const);
  return {
    key: bucket.key.map((entry) => ({
      fieldName: entry.fieldName,
      fieldId: new DigitsOf(entry.fieldId),
      value: shownValue(entry),
    })),
    count: new DigitsOf(bucket.count),
    metrics: Object.fromEntries(metrics),
    hits: bucket.hits.map(shownHit),
    subGroups: bucket.subGroups.map(shownBucket),
  };
}

function shownHit({ intPk, strPk, score, fields }: schema_AggHit): JsonOut {
  const values = fields.map((field) => [field.fieldName, shownValue(field)] as const);
  return { pk: intPk ?? strPk ?? null, score: shortestDouble(score), fields: Object.fromEntries(values) };
}

type Value = Partial<
  Omit<schema_AggHitField & schema_BucketKeyEntry & schema_MetricValue, 'fieldId' | 'fieldName'>
>;

/** Whichever of the slots is set. */
function shownValue(value: Value): JsonOut {
  const { floatVal, bytesVal } = value;
  if (floatVal !== undefined) return shortestDouble(floatVal);
  if (bytesVal !== undefined) return Buffer.from(bytesVal).toString();
  return value.intVal ?? value.doubleVal ?? value.stringVal ?? value.boolVal ?? null;
}
