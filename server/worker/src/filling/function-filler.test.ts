import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { planFilter } from '@elanus/expr';
import type { CollectionInfo, Timestamp } from '@elanus/model';
import { seededRandom } from '@elanus/runtime';
import { collectionFixture, SteppingTimestamps } from '../testing/collection-fixture.ts';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { FAULTS, Steps } from '../testing/faulty-deployment.ts';
import { openWorkers, type Workers } from '../testing/open-workers.ts';
import { QuickClock } from '../testing/quick-clock.ts';
import { TestFiles } from '../testing/test-files.ts';
import {
  assertSameScores,
  assertSoundHits,
  compact,
  PLAIN_TEXTS,
  TEXTS_COUNTED_LATER,
  TextScenario,
  WORDS_FIELD,
} from '../testing/text-scenario.ts';

const { id: WORDS } = WORDS_FIELD;

/** A deployment of one collection, whose process may end and begin again. */
class Deployment {
  readonly scenario: TextScenario;
  readonly files = new TestFiles();
  readonly #log = new FakeMessageLog();
  readonly #timestamps = new SteppingTimestamps();
  workers: Workers;

  private constructor(collection: CollectionInfo, seed: number) {
    this.scenario = new TextScenario(collection, seededRandom(seed));
    this.workers = this.#open();
  }

  static async open(
    options: { readonly shards: number; readonly partitions: number },
    seed: number,
  ): Promise<Deployment> {
    const collection = collectionFixture({ schema: PLAIN_TEXTS, ...options });
    const deployment = new Deployment(collection, seed);
    await deployment.workers.streaming.openCollection(collection);
    return deployment;
  }

  async write(): Promise<Timestamp> {
    const { request, model } = this.scenario.write();
    const { timestamp } = await this.workers.streaming.write(request);
    this.scenario.model.apply(timestamp, model);
    return timestamp;
  }

  /** Somebody wants the words of the texts that there are. */
  async addFunction(): Promise<void> {
    this.scenario.collection = { ...this.scenario.collection, schema: TEXTS_COUNTED_LATER };
    await this.workers.streaming.updateCollection(this.scenario.collection);
  }

  async flush(): Promise<void> {
    const { id } = this.scenario.collection;
    const { timestamp } = await this.workers.streaming.flush(id);
    while (!(await this.workers.streaming.isFlushed(id, timestamp, []))) await turn();
  }

  async restart(): Promise<void> {
    this.watch(null);
    // What the process before was doing ends with it; what never answers keeps nobody.
    void this.workers.streaming.close();
    this.workers = this.#open();
    await this.workers.streaming.recover([this.scenario.collection]);
  }

  /** From now on every step goes through `steps`; `null`: as it is. */
  watch(steps: Steps | null): void {
    const { store, catalog } = this.files;
    store.around = steps === null ? null : (call, key, work) => steps.run(`${call} ${key}`, work);
    catalog.around = steps === null ? null : (work) => steps.run('publish', work);
  }

  /** Whether no row, in memory or in a file, lacks its words. */
  get isFilled(): boolean {
    const { streaming } = this.workers;
    const { shards } = streaming.collections.get(this.scenario.collection.id);
    return shards.every((shard) => !shard.unfilled.isLeft(WORDS));
  }

  async filled(): Promise<void> {
    for (let turns = 0; turns < 20_000; turns++) {
      if (this.isFilled) return;
      await turn();
    }
    assert.fail('rows are never filled');
  }

  async check(context: string): Promise<void> {
    await assertSameScores(this.workers, this.scenario, {}, context);
  }

  #open(): Workers {
    const { files } = this;
    const random = seededRandom(5);
    return openWorkers(this.#log, random, { timestamps: this.#timestamps, files, clock: new QuickClock() });
  }
}

/** Rows in several segments of each shard and partition, deleted ones among them, and some in memory. */
async function deploymentWithRows(): Promise<Deployment> {
  const deployment = await Deployment.open({ shards: 2, partitions: 1 }, 3);
  for (let round = 0; round < 6; round++) {
    await deployment.write();
    if (round % 2 === 1) await deployment.flush();
  }
  await deployment.write();
  return deployment;
}

/** The files that have the rows of segments. */
function filesOf({ files }: Deployment): readonly string[] {
  return [...files.catalog.segments.values()].map(({ file }) => file.key);
}

describe('a function that is added to rows', () => {
  for (const [number, options] of [
    { shards: 1, partitions: 1 },
    { shards: 2, partitions: 3 },
  ].entries()) {
    const seed = 900 + number;
    it(`counts the words of ${JSON.stringify(options)} as if it had been there, whatever goes on meanwhile`, async () => {
      const deployment = await Deployment.open(options, seed);
      const { scenario } = deployment;
      const { random } = scenario;
      const filter = planFilter('id >= 100', TEXTS_COUNTED_LATER);
      const times: Timestamp[] = [];
      for (let round = 0; round < 40; round++) {
        const context = `seed ${seed}, round ${round}`;
        if (round === 12) {
          await deployment.addFunction();
          assert.ok(!deployment.isFilled);
          await assertSoundHits(deployment.workers, scenario, context);
        }
        if (random.chance(0.15)) await deployment.restart();
        times.push(await deployment.write());
        if (random.chance(0.3)) await deployment.workers.streaming.flush(scenario.collection.id);
        if (random.chance(0.2)) {
          await compact(deployment.workers, scenario.collection);
          times.splice(0, times.length - 1);
        }
        if (round < 12) continue;
        // What is remembered of rows that wait must not stay when they have their words.
        if (!deployment.isFilled) await assertSoundHits(deployment.workers, scenario, context);
        if (random.chance(0.5)) continue;
        await deployment.filled();
        await assertSameScores(deployment.workers, scenario, {}, context);
        await assertSameScores(deployment.workers, scenario, { filter }, `filtered, ${context}`);
        const snapshot = times[random.below(times.length)]!;
        const partitionIds = [scenario.partition()];
        const changes = { snapshot, partitionIds };
        await assertSameScores(deployment.workers, scenario, changes, `as of ${snapshot}, ${context}`);
      }
      await deployment.filled();
      await deployment.flush();
      await deployment.restart();
      await deployment.filled();
      await deployment.check('after the last restart');
    });
  }

  it('writes the file of a segment anew, once, and takes along what is in memory', async () => {
    const deployment = await deploymentWithRows();
    const before = filesOf(deployment);
    await deployment.addFunction();
    await deployment.filled();
    const after = filesOf(deployment);
    assert.equal(after.length, before.length);
    assert.ok(after.every((key) => !before.includes(key)));
    await deployment.check('filled');
    await deployment.flush();
    await deployment.filled();
    const flushed = filesOf(deployment);
    assert.ok(after.every((key) => flushed.includes(key)));
    await deployment.restart();
    await deployment.filled();
    await deployment.check('after a restart');
    assert.deepEqual(filesOf(deployment), flushed, 'nothing is left to do');
    for (const key of before) assert.ok(deployment.files.store.objects.has(key), 'old files stay a while');
  });

  it('finds words as they come in while earlier rows wait', async () => {
    const deployment = await deploymentWithRows();
    const steps = new Steps(0, 'never answers');
    deployment.watch(steps);
    await deployment.addFunction();
    while (!steps.isReached) await turn();
    await deployment.write();
    const { query } = deployment.workers;
    assert.ok(!deployment.isFilled);
    const rows = await query.query({
      collection: deployment.scenario.collection,
      partitionIds: null,
      guarantee: 0n as Timestamp,
      snapshot: null,
      filter: null,
      limit: null,
      offset: 0,
    });
    const columns = await query.fetch(deployment.scenario.collection.id, rows.locations, [WORDS]);
    const { validity, length } = columns.get(WORDS)!;
    const missing = validity === null ? 0 : validity.subarray(0, length).filter((flag) => flag === 0).length;
    assert.ok(missing > 0 && missing < length, `${missing} of ${length} rows wait`);
    await deployment.restart();
    await deployment.filled();
    await deployment.check('after a restart');
  });

  it('counts anew what was looked at while it waited', async () => {
    const deployment = await deploymentWithRows();
    const gate = Promise.withResolvers<void>();
    deployment.files.store.around = async (call, _key, work) => {
      if (call === 'put') await gate.promise;
      return await work();
    };
    await deployment.addFunction();
    for (let turns = 0; turns < 50; turns++) await turn();
    assert.ok(!deployment.isFilled);
    for (let i = 0; i < 3; i++) await assertSoundHits(deployment.workers, deployment.scenario, 'waiting');
    gate.resolve();
    await deployment.filled();
    for (let i = 0; i < 3; i++) await deployment.check('filled');
  });

  it('fills no more once it was dropped, and leaves the rows as they are', async () => {
    const deployment = await deploymentWithRows();
    const { scenario } = deployment;
    await deployment.addFunction();
    await deployment.workers.streaming.updateCollection({
      ...scenario.collection,
      schema: { ...PLAIN_TEXTS, version: TEXTS_COUNTED_LATER.version + 1 },
    });
    for (let turns = 0; turns < 200; turns++) await turn();
    const before = filesOf(deployment);
    for (let turns = 0; turns < 200; turns++) await turn();
    assert.deepEqual(filesOf(deployment), before);
    await deployment.workers.streaming.close();
  });
});

describe('a step of the filling of a function that is added', async () => {
  const seen = new Steps(Number.POSITIVE_INFINITY, 'fails');
  const whole = await deploymentWithRows();
  whole.watch(seen);
  await whole.addFunction();
  await whole.filled();

  it('is one of those that are expected', () => {
    const kinds = new Set(seen.names.map((name) => name.split(' ')[0]));
    assert.deepEqual([...kinds].sort(), ['get', 'publish', 'put']);
  });

  for (const fault of FAULTS) {
    for (const [at, name] of seen.names.entries()) {
      it(`${fault} (${at}: ${name.replace(/[\d-]+\.arrow/, 'file')}), and all rows have their words in the end`, async () => {
        const deployment = await deploymentWithRows();
        const steps = new Steps(at, fault);
        deployment.watch(steps);
        await deployment.addFunction();
        while (!steps.isReached) await turn();
        await deployment.write();
        if (fault.endsWith('fails')) {
          await deployment.filled();
          await deployment.check('after the fault');
        }
        await deployment.restart();
        await deployment.write();
        await deployment.filled();
        await deployment.check('after a restart');
        await deployment.flush();
        await deployment.restart();
        await deployment.filled();
        await deployment.check('after another restart');
      });
    }
  }
});
