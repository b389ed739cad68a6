import {
  assert,
  type CollectionInfo,
  type Column,
  DataType,
  type FieldId,
  type KeyColumn,
  type PartitionId,
  type RowBatch,
} from '@elanus/model';
import type { InsertPart } from '@elanus/rpc';
import { gatherRows } from '../rows/gather-rows.ts';
import { inSlices, type Work } from '../rows/sliced-work.ts';
import { bucketsOf } from './key-hash.ts';

const LEFT_OUT = -1;

/** The primary keys of a batch. */
export function keysOf(batch: RowBatch, { schema }: CollectionInfo): KeyColumn {
  return batch.columns.get(schema.primaryKey.id) as KeyColumn;
}

/**
 * Sends each row to the shard of its primary key, and to `partition` or, when that is `null`, to the partition of
 * its partition key. Rows keep their order within a part. A batch that stays whole is not copied.
 */
export function* splitRows(
  batch: RowBatch,
  collection: CollectionInfo,
  partition: PartitionId | null,
  duplicates: 'last' | 'keep',
): Work<readonly InsertPart[]> {
  const { channels, partitions } = collection;
  if (channels.length === 1 && partition !== null) {
    return [{ channel: channels[0]!, partitionId: partition, batch }];
  }
  const keys = keysOf(batch, collection);
  const shards = yield* bucketsOf(keys, channels.length);
  const slots =
    partition === null ? yield* bucketsOf(partitionKeys(batch, collection), partitions.length) : null;
  const slotCount = slots === null ? 1 : partitions.length;
  // Parts of one shard have no order among them that a client could know, so of a key only its last row may go.
  const kept = slots === null || duplicates === 'keep' ? null : yield* lastRows(keys);
  const counts = { shards: channels.length, slots: slotCount };
  const rowsOfPart = yield* groupRows(shards, slots, counts, kept);
  const parts: InsertPart[] = [];
  for (const [part, rows] of rowsOfPart) {
    const channel = channels[Math.floor(part / slotCount)]!;
    const partitionId = partition ?? partitions[part % slotCount]!.id;
    const whole = rows.length === batch.length;
    parts.push({ channel, partitionId, batch: whole ? batch : yield* gatherBatch(batch, rows) });
  }
  return parts;
}

function partitionKeys(batch: RowBatch, { schema }: CollectionInfo): KeyColumn {
  assert(schema.partitionKey !== null, 'rows without a named partition have a partition key');
  return batch.columns.get(schema.partitionKey.id) as KeyColumn;
}

/** 1 for each row whose key no later row has. */
function* lastRows(keys: KeyColumn): Work<Uint8Array> {
  const isLast = new Uint8Array(keys.length);
  const seen = new Set<bigint | string>();
  const text =
    keys.dataType === DataType.VarChar
      ? Buffer.from(keys.bytes.buffer, keys.bytes.byteOffset, keys.bytes.byteLength)
      : null;
  for (let row = keys.length - 1; row >= 0; row--) {
    const key =
      keys.dataType === DataType.Int64
        ? keys.values[row]!
        : text!.toString('latin1', keys.offsets[row], keys.offsets[row + 1]);
    if (!seen.has(key)) {
      seen.add(key);
      isLast[row] = 1;
    }
    if (row % 4096 === 0) yield;
  }
  return isLast;
}

/** The rows of each part that has any; part = shard x slots + slot. */
function* groupRows(
  shards: Uint16Array,
  slots: Uint16Array | null,
  counts: { readonly shards: number; readonly slots: number },
  kept: Uint8Array | null,
): Work<ReadonlyMap<number, Uint32Array>> {
  const partOfRow = new Int32Array(shards.length);
  const rowCounts = new Uint32Array(counts.shards * counts.slots);
  yield* inSlices(shards.length, (begin, end) => {
    for (let row = begin; row < end; row++) {
      const part = shards[row]! * counts.slots + (slots === null ? 0 : slots[row]!);
      const isKept = kept === null || kept[row] === 1;
      partOfRow[row] = isKept ? part : LEFT_OUT;
      if (isKept) rowCounts[part]! += 1;
    }
  });
  const groups = Array.from(rowCounts, (count) => new Uint32Array(count));
  rowCounts.fill(0);
  yield* inSlices(shards.length, (begin, end) => {
    for (let row = begin; row < end; row++) {
      const part = partOfRow[row]!;
      if (part !== LEFT_OUT) groups[part]![rowCounts[part]!++] = row;
    }
  });
  return new Map([...groups.entries()].filter(([, rows]) => rows.length > 0));
}

function* gatherBatch(batch: RowBatch, rows: Uint32Array): Work<RowBatch> {
  const columns = new Map<FieldId, Column>();
  for (const [id, column] of batch.columns) columns.set(id, yield* gatherRows(column, rows));
  return { length: rows.length, columns };
}
