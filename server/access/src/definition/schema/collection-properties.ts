import {
  DataType,
  type FieldSchema,
  invalidParameter,
  type KeyValue,
  lastValueOf,
  unexpectedParameter,
} from '@elanus/model';
import type { schema_FieldSchema } from '@elanus/proto';
import { EXPLAIN_PROPERTY, explainLevelOf } from '../../read/explain/explain-level.ts';
import { RECALL_TARGET_PROPERTY, recallTargetOf } from '../../read/recall-target.ts';
import { isTrue } from '../key-values.ts';
import { isTimezone } from '../timezone.ts';
import { illegalSchema } from './key-fields.ts';

const TTL_PROPERTY = 'collection.ttl.seconds';
const TTL_FIELD_PROPERTY = 'ttl_field';
const TTL_SECONDS_MIN = -1;
const TTL_SECONDS_MAX = 3_155_760_000;

/** @throws MilvusError 105 when isolation is asked for without a partition key */
export function checkIsolation(properties: readonly KeyValue[], fields: readonly schema_FieldSchema[]): void {
  if (!isTrue(lastValueOf(properties, 'partitionkey.isolation'))) return;
  if (fields.some(({ isPartitionKey }) => isPartitionKey)) return;
  throw illegalSchema(
    'partition key isolation mode is enabled but no partition key field is set. Please set the partition key first',
  );
}

/** @throws MilvusError 1100 when a property that has a meaning has no possible value */
export function checkCollectionProperties(properties: readonly KeyValue[]): void {
  const ttl = lastValueOf(properties, TTL_PROPERTY);
  if (ttl !== undefined) checkTtl(ttl);
  const timezone = lastValueOf(properties, 'timezone');
  if (timezone !== undefined && !isTimezone(timezone)) {
    throw invalidParameter(`unknown or invalid IANA Time Zone ID: ${timezone}`);
  }
  const explain = lastValueOf(properties, EXPLAIN_PROPERTY);
  if (explain !== undefined && explainLevelOf(explain) === undefined)
    throw unexpectedParameter('true, false, analyze', explain, invalidValueOf(EXPLAIN_PROPERTY));
  const recall = lastValueOf(properties, RECALL_TARGET_PROPERTY);
  if (recall !== undefined && recallTargetOf(recall) === undefined)
    throw unexpectedParameter('a number in (0, 1]', recall, invalidValueOf(RECALL_TARGET_PROPERTY));
}

function invalidValueOf(property: string): string {
  return `invalid value of the collection property ${property}`;
}

/**
 * What lets rows have their time must be one thing only, and a field that is there.
 * @param properties all that the collection has with this
 * @throws MilvusError 1100
 */
export function checkExpiry(
  properties: readonly KeyValue[],
  fields: readonly Pick<FieldSchema, 'name' | 'dataType'>[],
): void {
  const name = lastValueOf(properties, TTL_FIELD_PROPERTY);
  if (name === undefined) return;
  if (lastValueOf(properties, TTL_PROPERTY) !== undefined)
    throw invalidParameter(`${TTL_PROPERTY} and ${TTL_FIELD_PROPERTY} can't be set together`);
  const field = fields.find((each) => each.name === name);
  if (field === undefined)
    throw invalidParameter(`the field ${name} of ${TTL_FIELD_PROPERTY} does not exist`);
  if (field.dataType !== DataType.Timestamptz)
    throw invalidParameter(`the field ${name} of ${TTL_FIELD_PROPERTY} must be a Timestamptz field`);
}

function checkTtl(text: string): void {
  const seconds = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= TTL_SECONDS_MIN && seconds <= TTL_SECONDS_MAX) return;
  throw invalidParameter(
    `collection TTL is out of range, expect [${TTL_SECONDS_MIN}, ${TTL_SECONDS_MAX}], got ${text}`,
  );
}
