import {
  DataType,
  invalidParameter,
  type KeyColumn,
  rowsChanged,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import { isRowPart, isSegmentPart, type Shard, type WritePart } from '@elanus/segment';
import type { RecordsByChannel, ServedCollection } from './served-collection.ts';

/** Keys looked up between two looks at the clock. */
const KEYS_PER_PIECE = 1024;

/** What a write would do to a collection that has taken in every earlier one. */
export interface WriteToCheck {
  readonly collection: ServedCollection;
  readonly records: RecordsByChannel;
  readonly share: LoopShare;
}

/** @throws MilvusError 1100 when a row has a key that is there */
export async function refuseKnownKeys(write: WriteToCheck): Promise<void> {
  await forEachKey(write, (shard, keys, row) => {
    if (shard.has(keys, row)) throw keyExists(keys, row);
  });
}

/** @throws MilvusError `rowsChanged` when a row with one of the keys is another one than at `since` */
export async function requireUnchanged(write: WriteToCheck, since: Timestamp): Promise<void> {
  await forEachKey(write, (shard, keys, row) => {
    const now = shard.find(keys, row, { partitionIds: null, at: TIMESTAMP_MAX });
    const then = shard.find(keys, row, { partitionIds: null, at: since });
    if (now.length !== then.length || now.some((location, at) => location !== then[at])) throw rowsChanged();
  });
}

/** Shows each key of the rows to `visit`, which may throw. */
async function forEachKey(
  { collection, records, share }: WriteToCheck,
  visit: (shard: Shard, keys: KeyColumn, row: number) => void,
): Promise<void> {
  for (const [channel, { parts }] of records) {
    const shard = collection.shardOf(channel)!;
    await shard.openKeys();
    for (const part of parts) {
      const keys = await keysOf(part, collection);
      for (let row = 0; row < keys.length; row++) {
        if (row % KEYS_PER_PIECE === 0 && share.isSpent()) await share.nextTurn();
        visit(shard, keys, row);
      }
    }
  }
}

/** The keys of rows that a part brings or deletes. @throws MilvusError 1009 for a file that can't be read */
async function keysOf(part: WritePart, collection: ServedCollection): Promise<KeyColumn> {
  const { id } = collection.info.schema.primaryKey;
  if (isRowPart(part)) return part.batch.columns.get(id) as KeyColumn;
  if (!isSegmentPart(part)) return part.keys;
  const file = collection.fileOf(part);
  await file.open();
  return file.column(id, 0, file.info.rows) as KeyColumn;
}

const KEY_BYTES_SHOWN_MAX = 64;

function keyExists(keys: KeyColumn, row: number): Error {
  return invalidParameter(
    `primary key ${textOfKey(keys, row)} exists already (elanus.duplicate_key is reject)`,
  );
}

function textOfKey(keys: KeyColumn, row: number): string {
  if (keys.dataType === DataType.Int64) return String(keys.values[row]);
  const bytes = keys.bytes.subarray(keys.offsets[row], keys.offsets[row + 1]);
  const isLong = bytes.length > KEY_BYTES_SHOWN_MAX;
  return `"${Buffer.from(bytes.subarray(0, KEY_BYTES_SHOWN_MAX)).toString()}${isLong ? '…' : ''}"`;
}
