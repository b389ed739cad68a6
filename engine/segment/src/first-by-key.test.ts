import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DataType, type PartitionId, type SegmentId, type Timestamp } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { LoopShare, seededRandom, systemClock } from '@elanus/runtime';
import { firstByKey } from './first-by-key.ts';
import type { Read } from './read.ts';
import { selectRows } from './select-rows.ts';
import { Shard } from './shard.ts';
import { randomBatch } from './testing/random-rows.ts';

const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'number', DataType.Int32),
]);
const share = new LoopShare(systemClock);
const ROWS = 20_000;

describe('firstByKey', () => {
  const ascending = Array.from({ length: ROWS }, (_, id) => BigInt(id));
  const shapes: Readonly<Record<string, readonly bigint[]>> = {
    'keys that ascend': ascending,
    'keys that descend': ascending.toReversed(),
    'keys that ascend and start again': ascending.map((id) => (id * 2n) % BigInt(ROWS + 1)),
    'keys in no order': ascending.map((id) => (id * 7_919n) % BigInt(ROWS)),
  };
  for (const [shape, keys] of Object.entries(shapes))
    it(`finds the same rows as a sort, of ${shape}, as they come and all at once`, async () => {
      const shard = new Shard({ segmentId: 9n as SegmentId, schema, seed: 1, share });
      const inserted: bigint[] = [];
      const random = seededRandom(3);
      for (const some of [keys.slice(0, 100), keys.slice(100, 9_000), keys.slice(9_000)]) {
        await insert(shard, some, BigInt(inserted.length + 1));
        inserted.push(...some);
        for (const count of [0, 1, 10, 1_000])
          for (const isWanted of [() => true, () => random.chance(0.1), (key: bigint) => key > 7_000n])
            await expectFirst(shard, inserted, count, isWanted);
      }
    });
});

async function insert(shard: Shard, keys: readonly bigint[], timestamp: bigint): Promise<void> {
  const batch = randomBatch(schema, keys, seededRandom(1));
  const parts = [{ partitionId: 1n as PartitionId, batch }];
  const write = await shard.prepare({ kind: 'insert', duplicates: 'replace', parts }, timestamp as Timestamp);
  write!.publish();
}

async function expectFirst(
  shard: Shard,
  inserted: readonly bigint[],
  count: number,
  isWanted: (key: bigint) => boolean,
): Promise<void> {
  const read: Read = {
    shards: [shard],
    scope: { at: (1n << 60n) as Timestamp, partitionIds: null },
    selection: null,
    share,
  };
  const wanted = new Set(inserted.filter(isWanted));
  const selected = (await selectRows(read)).map(({ view }) => {
    const allowed = new Uint8Array(Math.ceil(view.rows / 8));
    const { values } = view.chunk.keys as { readonly values: BigInt64Array };
    for (let row = 0; row < view.rows; row++)
      if (wanted.has(values[row]!)) allowed[row >> 3]! |= 1 << (row & 7);
    return { view, allowed, count: null };
  });
  const { views, viewOf, rows } = await firstByKey(read, selected, Math.min(count, wanted.size));
  const found = Array.from(rows, (row, at) => {
    const { values } = views[viewOf[at]!]!.chunk.keys as { readonly values: BigInt64Array };
    return values[row]!;
  });
  const numeric = (a: bigint, b: bigint) => (a < b ? -1 : 1);
  assert.deepEqual(found.sort(numeric), [...wanted].sort(numeric).slice(0, count));
}
