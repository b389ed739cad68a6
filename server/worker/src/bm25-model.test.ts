import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planFilter } from '@elanus/expr';
import type { Timestamp } from '@elanus/model';
import { seededRandom } from '@elanus/runtime';
import { collectionFixture, SteppingTimestamps } from './testing/collection-fixture.ts';
import { FakeMessageLog } from './testing/fake-message-log.ts';
import { openWorkers } from './testing/open-workers.ts';
import { TestFiles } from './testing/test-files.ts';
import { assertSameScores, COUNTED_TEXTS, compact, TextScenario } from './testing/text-scenario.ts';

describe('BM25 and its formula', () => {
  for (const [number, options] of [
    { shards: 1, partitions: 1 },
    { shards: 3, partitions: 2 },
  ].entries()) {
    const seed = 700 + number;
    it(`agree over ${JSON.stringify(options)}, with deletes, updates, flushes, compactions and restarts in between`, async () => {
      const random = seededRandom(seed);
      const log = new FakeMessageLog();
      const lasting = { timestamps: new SteppingTimestamps(), files: new TestFiles() };
      let workers = openWorkers(log, random, lasting);
      const collection = collectionFixture({ schema: COUNTED_TEXTS, ...options });
      await workers.streaming.openCollection(collection);
      const scenario = new TextScenario(collection, random);
      const filter = planFilter('id >= 100', COUNTED_TEXTS);
      const times: Timestamp[] = [];
      let merged = 0;
      for (let round = 0; round < 30; round++) {
        const context = `seed ${seed}, round ${round}`;
        if (random.chance(0.2)) {
          await workers.streaming.close();
          workers = openWorkers(log, random, lasting);
          await workers.streaming.recover([collection]);
        }
        const { request, model } = scenario.write();
        const { timestamp } = await workers.streaming.write(request);
        scenario.model.apply(timestamp, model);
        times.push(timestamp);
        if (random.chance(0.3)) await workers.streaming.flush(collection.id);
        if (random.chance(0.3)) {
          merged += await compact(workers, collection);
          // What was deleted before can't be read any more.
          times.splice(0, times.length - 1);
        }
        await assertSameScores(workers, scenario, {}, context);
        await assertSameScores(workers, scenario, { filter }, `filtered, ${context}`);
        const snapshot = times[random.below(times.length)]!;
        const partitionIds = [scenario.partition()];
        await assertSameScores(
          workers,
          scenario,
          { snapshot, partitionIds },
          `as of ${snapshot}, ${context}`,
        );
        await assertSameScores(workers, scenario, {}, `again, ${context}`);
      }
      assert.ok(merged > 2, `${merged} compactions had something to do, seed ${seed}`);
      await workers.streaming.close();
    });
  }
});
