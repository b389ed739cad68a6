import { type CollectionInfo, composeTimestamp, DataType, lastValueOf, type Timestamp } from '@elanus/model';
import type { Expiry } from '@elanus/segment';

/** When rows of the collection have had their time, as its properties say; `null`: never. */
export function expiryOf({ properties, schema }: CollectionInfo, nowMs: number): Expiry | null {
  const seconds = Number(lastValueOf(properties, 'collection.ttl.seconds') ?? 0);
  if (seconds > 0) return { kind: 'age', upTo: endOfMs(nowMs - seconds * 1000) };
  const name = lastValueOf(properties, 'ttl_field');
  const field = schema.fields.find((each) => each.name === name);
  if (field?.dataType !== DataType.Timestamptz) return null;
  return { kind: 'moment', field: field.id, upTo: BigInt(nowMs) * 1000n };
}

/** The last timestamp of the millisecond. */
function endOfMs(ms: number): Timestamp {
  return (composeTimestamp(Math.max(0, ms) + 1) - 1n) as Timestamp;
}
