import assert from 'node:assert/strict';
import type { QueryWorker } from '@elanus/rpc';
import type { Random } from '@elanus/runtime';
import type { Assembly, Workers } from './assembly.ts';
import type { CatalogModel } from './catalog-model.ts';
import type { CollectionModel, Observation } from './collection-model.ts';
import { checkSearch, countRows, isTooOld, readRows } from './read-rows.ts';

/** Earlier times that are read again after a start. */
const EARLIER_TIMES = 6;

/** Compares what a server holds after its start with the model, and learns what unanswered requests came to. */
export async function checkAfterStart(
  assembly: Assembly,
  catalog: CatalogModel,
  random: Random,
): Promise<void> {
  const { root, log, reader } = assembly;
  await catalog.check(root);
  const { collections } = catalog;
  const channels = collections.flatMap(({ info }) => info.channels);
  assert.deepEqual([...log.channels()].sort(), channels.sort(), 'every channel has its collection');
  checkRecovery(assembly);
  for (const model of collections) {
    await settle(model, reader);
    await observe(model, reader, random, 'a read after a start');
    model.check();
    await checkNewest(model, reader);
  }
  assert.deepEqual(log.damage(), [], 'a crash is not taken for damage by a replay');
  if (random.chance(0.5)) return;
  // A second replay of the same log, and one that meets every record twice, change nothing.
  const again = await assembly.replayAgain(1 + random.below(2));
  checkRecovery(again);
  for (const model of collections) {
    await observe(model, again.reader, random, 'a read after another replay');
    model.check();
    await checkNewest(model, again.reader);
  }
}

function checkRecovery({ recovery }: Workers): void {
  assert.equal(recovery.skippedRecords, 0, 'every record is understood');
  assert.deepEqual(recovery.failedCollections, [], 'every collection is served');
}

async function settle(model: CollectionModel, reader: QueryWorker): Promise<void> {
  const found = new Map<Observation['at'], Observation>();
  for (const at of model.openTimes()) {
    const { rows } = await readRows(reader, model.info, { at });
    const observation = {
      at,
      rows,
      partitionIds: null,
      gone: new Set(model.gone),
      occasion: 'a read at the time of an unanswered write',
    };
    model.observe(observation);
    found.set(at, observation);
  }
  model.settle(found);
}

async function observe(
  model: CollectionModel,
  reader: QueryWorker,
  random: Random,
  occasion: string,
): Promise<void> {
  const gone = new Set(model.gone);
  const times = model.presentTimes();
  const earlier = Array.from(
    { length: Math.min(times.length, EARLIER_TIMES) },
    () => times[random.below(times.length)]!,
  );
  for (const at of [null, ...earlier]) {
    const { partitions } = model.info;
    const partition = partitions[random.below(partitions.length)]!.id;
    for (const partitionIds of [null, [partition]]) {
      const found = await readRows(reader, model.info, { at, partitionIds }).catch((error: unknown) => {
        // A compaction has left out rows that nobody was reading.
        if (at !== null && isTooOld(error)) return null;
        throw error;
      });
      if (found === null) continue;
      model.observe({ ...found, partitionIds, gone, occasion });
    }
  }
}

async function checkNewest(model: CollectionModel, reader: QueryWorker): Promise<void> {
  const { at, rows } = await readRows(reader, model.info);
  assert.equal(await countRows(reader, model.info, null), rows.length, 'the count is that of the rows');
  await checkSearch(reader, model.info, model.expectedAt(at));
}
