import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ChannelName, Timestamp } from '@elanus/model';
import { ObjectStoreError } from '@elanus/object-store';
import { seededRandom } from '@elanus/runtime';
import { SteppingTimestamps } from '../testing/collection-fixture.ts';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { openWorkers, type Workers } from '../testing/open-workers.ts';
import { QuickClock } from '../testing/quick-clock.ts';
import { TestFiles } from '../testing/test-files.ts';
import { keyRange, VERSIONED_COLLECTION, VersionedTable } from '../testing/versioned-table.ts';

const { id } = VERSIONED_COLLECTION;

/** What happens to one step of a flush: each puts, publishes, opens or deletes a file, or cuts the log. */
type Fault = 'fails' | 'happens, and fails' | 'never answers' | 'happens, and never answers';
const FAULTS: readonly Fault[] = [
  'fails',
  'happens, and fails',
  'never answers',
  'happens, and never answers',
];

/** Counts steps, and lets something befall one of them, once. */
class Steps {
  /** What has been begun. */
  readonly names: string[] = [];
  readonly #faultAt: number;
  readonly #fault: Fault;

  constructor(faultAt: number, fault: Fault) {
    this.#faultAt = faultAt;
    this.#fault = fault;
  }

  get isReached(): boolean {
    return this.names.length > this.#faultAt;
  }

  async run<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const isHere = this.names.push(name) - 1 === this.#faultAt;
    if (!isHere) return await work();
    if (this.#fault.startsWith('happens')) await work();
    if (this.#fault.endsWith('fails')) throw new ObjectStoreError('unavailable', name, 'a fault');
    return await new Promise<never>(() => {});
  }
}

class FaultyLog extends FakeMessageLog {
  steps: Steps | null = null;

  override async cut(channels: readonly ChannelName[], upTo: Timestamp): Promise<void> {
    const work = () => super.cut(channels, upTo);
    await (this.steps === null ? work() : this.steps.run('cut', work));
  }
}

/** A deployment whose process may end and begin again. */
class Deployment {
  readonly log = new FaultyLog();
  readonly files = new TestFiles();
  readonly #timestamps = new SteppingTimestamps();
  table = new VersionedTable(this.open());

  open(): Workers {
    const { timestamps, files } = { timestamps: this.#timestamps, files: this.files };
    return openWorkers(this.log, seededRandom(5), { timestamps, files, clock: new QuickClock() });
  }

  /** From now on every step of flushes goes through `steps`; `null`: as it is. */
  watch(steps: Steps | null): void {
    const { store, catalog } = this.files;
    this.log.steps = steps;
    store.around = steps === null ? null : (call, key, work) => steps.run(`${call} ${key}`, work);
    catalog.around = steps === null ? null : (work) => steps.run('publish', work);
  }

  async restart(): Promise<void> {
    this.watch(null);
    this.table.workers = this.open();
    const report = await this.table.workers.streaming.recover([VERSIONED_COLLECTION]);
    assert.deepEqual(report.failedCollections, []);
  }

  async flushed(timestamp: Timestamp): Promise<void> {
    for (let turns = 0; turns < 2_000; turns++) {
      if (await this.table.workers.streaming.isFlushed(id, timestamp, [])) return;
      await turn();
    }
    assert.fail('a flush does not end');
  }
}

/** Sealed rows with deletions, and in memory rows that replace some of them. */
async function deploymentWithRows(): Promise<Deployment> {
  const deployment = new Deployment();
  const { table } = deployment;
  await table.workers.streaming.openCollection(VERSIONED_COLLECTION);
  await table.put(keyRange(0, 40));
  await table.remove(keyRange(35, 38));
  const { timestamp } = await table.workers.streaming.flush(id);
  await deployment.flushed(timestamp);
  await table.put(keyRange(10, 20));
  await table.remove(keyRange(5, 8));
  await table.put(keyRange(40, 50));
  return deployment;
}

async function stepsOfFlush(): Promise<readonly string[]> {
  const deployment = await deploymentWithRows();
  const steps = new Steps(Number.POSITIVE_INFINITY, 'fails');
  deployment.watch(steps);
  const { timestamp } = await deployment.table.workers.streaming.flush(id);
  await deployment.flushed(timestamp);
  return steps.names;
}

describe('a flush of which one step', async () => {
  const names = await stepsOfFlush();

  it('has all the steps that it should have', () => {
    const kinds = names.map((name) => name.split(' ')[0]);
    assert.deepEqual([...new Set(kinds)], ['put', 'publish', 'get', 'cut']);
    assert.equal(
      kinds.filter((kind) => kind === 'put').length,
      6,
      'two shards, each with two partitions and deletions',
    );
  });

  for (const fault of FAULTS) {
    for (const [at, name] of names.entries()) {
      it(`${fault} (${at}: ${name.replace(/\d+\.arrow/, 'file')}) changes no row, now or after a restart`, async () => {
        const deployment = await deploymentWithRows();
        const { table } = deployment;
        const steps = new Steps(at, fault);
        deployment.watch(steps);
        const { timestamp } = await table.workers.streaming.flush(id);
        while (!steps.isReached) {
          await table.check('while a flush goes on');
          await turn();
        }
        await table.put(keyRange(15, 17));
        await table.remove(keyRange(0, 2));
        await table.check('after the fault');
        if (fault.endsWith('fails')) {
          await deployment.flushed(timestamp);
          await table.check('after a flush that had to try again');
        }
        await deployment.restart();
        await table.check('after a restart');
        const again = await table.workers.streaming.flush(id);
        await deployment.flushed(again.timestamp);
        await table.check('after another flush');
        await deployment.restart();
        await table.check('after another restart');
      });
    }
  }
});
