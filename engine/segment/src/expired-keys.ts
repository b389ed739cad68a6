import {
  type CollectionSchema,
  type FieldId,
  type KeyColumn,
  TIMESTAMP_MAX,
  type Timestamp,
  type TimestamptzColumn,
} from '@elanus/model';
import { type Chunk, openChunks } from './chunk.ts';
import { type Turns, takeTurns } from './read.ts';
import { copiedKeys } from './sealed/copied-keys.ts';
import { FilesInUse } from './sealed/files-in-use.ts';
import type { ChunkView, Shard } from './shard.ts';

/** When rows have had their time. */
export type Expiry =
  /** They were written then, or before. */
  | { readonly kind: 'age'; readonly upTo: Timestamp }
  /** A Timestamptz field has this moment or an earlier one, in microseconds. Rows without a moment stay. */
  | { readonly kind: 'moment'; readonly field: FieldId; readonly upTo: bigint };

export interface ExpiredKeysOptions extends Turns {
  readonly schema: CollectionSchema;
  readonly expiry: Expiry;
  readonly rowsMax: number;
}

type RowTest = (row: number) => boolean;

/** Of a chunk none of whose rows had had its time when it had so many: the first moment of one. */
interface NextMoment {
  readonly field: FieldId;
  readonly rows: number;
  readonly at: bigint | null;
}

const nextMoments = new WeakMap<Chunk, NextMoment>();

const EVERYTHING_NOW = { partitionIds: null, at: TIMESTAMP_MAX };

/**
 * Keys of up to `rowsMax` rows that can be seen now and have had their time, in the order in which they are stored. A key
 * that is there more than once is left out as long as one of its rows has time left. Costs next to nothing when no row has
 * had its time since the last call.
 * @throws MilvusError 1009 for a file that can't be read
 */
export async function expiredKeys(shard: Shard, options: ExpiredKeysOptions): Promise<KeyColumn> {
  const { schema, expiry, rowsMax } = options;
  const chunks: Chunk[] = [];
  const rows: number[] = [];
  using use = new FilesInUse();
  for (const view of shard.view(EVERYTHING_NOW)) {
    if (rows.length >= rowsMax) break;
    await takeTurns(options);
    const isExpired = await expiryTest(shard, view, expiry, use);
    if (isExpired === null) continue;
    await shard.openKeys();
    for (let row = 0; row < view.rows && rows.length < rowsMax; row++) {
      if (!isLive(view, row) || !isExpired(row)) continue;
      const locations = shard.find(view.chunk.keys, row, EVERYTHING_NOW);
      if (locations.length > 1 && !(await haveAllHadTheirTime(shard, locations, expiry, use))) continue;
      chunks.push(view.chunk);
      rows.push(row);
    }
  }
  await openChunks(chunks, use);
  return copiedKeys(chunks, rows, schema.primaryKey.dataType);
}

/** Whether rows of the chunk have had their time; `null`: none that is live has. */
async function expiryTest(
  shard: Shard,
  view: ChunkView,
  expiry: Expiry,
  use: FilesInUse,
): Promise<RowTest | null> {
  const { chunk } = view;
  if (expiry.kind === 'age') {
    const { stored } = chunk;
    if (stored !== null && stored.file.info.firstTimestamp > expiry.upTo) return null;
    await stored?.file.open();
    const end = shard.rowsWrittenUpTo(chunk, expiry.upTo);
    return end === 0 ? null : (row) => row < end;
  }
  const { field, upTo } = expiry;
  const known = nextMoments.get(chunk);
  if (known?.field === field && known.rows === view.rows && (known.at === null || known.at > upTo))
    return null;
  await openChunks([chunk], use);
  const { values, validity } = chunk.column(field) as TimestamptzColumn;
  let next: bigint | null = null;
  for (let row = 0; row < view.rows; row++) {
    if (!isLive(view, row) || validity?.[row] === 0) continue;
    if (next === null || values[row]! < next) next = values[row]!;
  }
  if (next === null || next > upTo) {
    nextMoments.set(chunk, { field, rows: view.rows, at: next });
    return null;
  }
  return (row) => values[row]! <= upTo && validity?.[row] !== 0;
}

/** Whether no row of those that have the same key has time left. */
async function haveAllHadTheirTime(
  shard: Shard,
  locations: readonly number[],
  expiry: Expiry,
  use: FilesInUse,
): Promise<boolean> {
  for (const location of locations) {
    const other = shard.chunkAt(location);
    const view = { shard, chunk: other, rows: other.visibleRows, live: other.lendLive() };
    const isExpired = await expiryTest(shard, view, expiry, use);
    if (isExpired === null || !isExpired(location - other.firstLocation)) return false;
  }
  return true;
}

function isLive({ live }: ChunkView, row: number): boolean {
  return live === null || ((live[row >> 3]! >> (row & 7)) & 1) === 1;
}
