import { invalidParameter, type KeyValue } from '@elanus/model';
import type { schema_FieldSchema } from '@elanus/proto';
import { isTrue, lastValueOf } from '../key-values.ts';
import { isTimezone } from '../timezone.ts';
import { illegalSchema } from './key-fields.ts';

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
  const ttl = lastValueOf(properties, 'collection.ttl.seconds');
  if (ttl !== undefined) checkTtl(ttl);
  const timezone = lastValueOf(properties, 'timezone');
  if (timezone !== undefined && !isTimezone(timezone)) {
    throw invalidParameter(`unknown or invalid IANA Time Zone ID: ${timezone}`);
  }
}

function checkTtl(text: string): void {
  const seconds = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= TTL_SECONDS_MIN && seconds <= TTL_SECONDS_MAX) return;
  throw invalidParameter(
    `collection TTL is out of range, expect [${TTL_SECONDS_MIN}, ${TTL_SECONDS_MAX}], got ${text}`,
  );
}
