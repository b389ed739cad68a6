import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { ChannelName, Timestamp } from '@elanus/model';
import { ObjectStoreError } from '@elanus/object-store';
import type { CompactionReport } from '@elanus/rpc';
import { seededRandom } from '@elanus/runtime';
import { SteppingTimestamps } from './collection-fixture.ts';
import { FakeMessageLog } from './fake-message-log.ts';
import { openWorkers, type Workers } from './open-workers.ts';
import { QuickClock } from './quick-clock.ts';
import { TestFiles } from './test-files.ts';
import { VERSIONED_COLLECTION, VersionedTable } from './versioned-table.ts';

const { id } = VERSIONED_COLLECTION;

/** What happens to one step of a flush or compaction: each puts, publishes, opens or deletes a file, or cuts the log. */
export type Fault = 'fails' | 'happens, and fails' | 'never answers' | 'happens, and never answers';
export const FAULTS: readonly Fault[] = [
  'fails',
  'happens, and fails',
  'never answers',
  'happens, and never answers',
];

/** Counts steps, and lets something befall one of them, once. */
export class Steps {
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
export class FaultyDeployment {
  readonly log = new FaultyLog();
  readonly files = new TestFiles();
  readonly #timestamps = new SteppingTimestamps();
  table = new VersionedTable(this.open());

  open(): Workers {
    const { timestamps, files } = { timestamps: this.#timestamps, files: this.files };
    return openWorkers(this.log, seededRandom(5), { timestamps, files, clock: new QuickClock() });
  }

  /** From now on every step goes through `steps`; `null`: as it is. */
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

  /** Asks for a flush and waits for its end. */
  async flush(): Promise<void> {
    const { timestamp } = await this.table.workers.streaming.flush(id);
    await this.flushed(timestamp);
  }

  /** Asks for a compaction; resolves to what becomes of it. */
  async compact(): Promise<CompactionReport> {
    const { streaming } = this.table.workers;
    const ticket = await streaming.compact(id, { partitionId: null, bytesMax: null });
    for (let turns = 0; turns < 2_000; turns++) {
      const report = streaming.compaction(ticket.id);
      if (report.executing === 0) return report;
      await turn();
    }
    assert.fail('a compaction does not end');
  }

  async flushed(timestamp: Timestamp): Promise<void> {
    for (let turns = 0; turns < 2_000; turns++) {
      if (await this.table.workers.streaming.isFlushed(id, timestamp, [])) return;
      await turn();
    }
    assert.fail('a flush does not end');
  }
}
