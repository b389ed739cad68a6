import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { Random } from '@elanus/runtime';
import { keyRange, type VersionedTable } from './versioned-table.ts';

/** What goes on for ever beside the work of `readAndWriteBeside`; raced, it brings their failures out at once. */
export type Beside = Promise<void>;

/**
 * Fills a table with `keys` rows, then reads all of it and writes some of it again and again while `work` runs: every read
 * finds every key once, and none older than what was acknowledged before it. Resolves with the number of reads.
 */
export async function readAndWriteBeside(
  table: VersionedTable,
  { keys, random }: { readonly keys: number; readonly random: Random },
  work: (beside: readonly Beside[]) => Promise<void>,
): Promise<number> {
  await table.put(keyRange(0, keys));
  let isDone = false;
  let reads = 0;
  const reading = (async () => {
    while (!isDone) {
      const acknowledged = new Map(table.expected);
      const found = await table.read();
      assert.equal(found.size, keys, 'every key has its row');
      for (const [key, version] of acknowledged)
        assert.ok(found.get(key)! >= version, `key ${key} is not older than what was acknowledged`);
      reads += 1;
      await turn();
    }
  })();
  const writing = (async () => {
    while (!isDone) {
      const from = random.below(keys);
      await table.put(keyRange(from, Math.min(keys, from + 1 + random.below(20))));
      await turn();
    }
  })();
  try {
    await work([reading, writing]);
  } finally {
    isDone = true;
  }
  await Promise.all([reading, writing]);
  return reads;
}
