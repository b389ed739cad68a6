import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MilvusError, type PartitionId, TIMESTAMP_MAX, type Timestamp } from '@elanus/model';
import { seededRandom } from '@elanus/runtime';
import { SteppingTimestamps } from '../testing/collection-fixture.ts';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { openWorkers, readTask } from '../testing/open-workers.ts';
import { TestFiles } from '../testing/test-files.ts';
import { keyRange, VERSIONED_COLLECTION, VersionedTable } from '../testing/versioned-table.ts';

const { id } = VERSIONED_COLLECTION;

/** A table whose process may end and begin again. */
class Deployment {
  readonly log = new FakeMessageLog();
  readonly files = new TestFiles();
  readonly #timestamps = new SteppingTimestamps();
  readonly table = new VersionedTable(this.#open());

  static async start(): Promise<Deployment> {
    const deployment = new Deployment();
    await deployment.table.workers.streaming.openCollection(VERSIONED_COLLECTION);
    return deployment;
  }

  async restart(collection = VERSIONED_COLLECTION): Promise<void> {
    this.table.workers = this.#open();
    const report = await this.table.workers.streaming.recover([collection]);
    assert.deepEqual([report.failedCollections, report.skippedRecords], [[], 0]);
  }

  async flush(): Promise<void> {
    const { streaming } = this.table.workers;
    const { timestamp } = await streaming.flush(id);
    while (!(await streaming.isFlushed(id, timestamp, []))) await turn();
  }

  #open() {
    return openWorkers(this.log, seededRandom(5), { timestamps: this.#timestamps, files: this.files });
  }
}

describe('rows that come in files', () => {
  it('are seen by nobody before they are adopted, and then all at once', async () => {
    const { table } = await Deployment.start();
    await table.put(keyRange(0, 10));
    const staged = await table.stage(keyRange(5, 40));
    assert.ok(staged.segments.length > 4);
    await table.check('while rows are staged');
    const { timestamp, replacedRows } = await table.adopt(staged);
    assert.equal(replacedRows, 5);
    await table.check('after the adoption');
    const before = readTask(VERSIONED_COLLECTION, { snapshot: (timestamp - 1n) as Timestamp });
    assert.equal(await table.workers.query.count(before), 10n, 'the moment before');
  });

  it('replace rows in memory and in files, one another, and are replaced and deleted themselves', async () => {
    const deployment = await Deployment.start();
    const { table } = deployment;
    await table.put(keyRange(0, 20));
    await deployment.flush();
    await table.put(keyRange(10, 30));
    await table.adopt(await table.stage([...keyRange(15, 50), ...keyRange(40, 60), ...keyRange(41, 44)]));
    await table.check('after the adoption');
    await table.put(keyRange(55, 58));
    await table.remove(keyRange(18, 25));
    await table.check('after later writes');
    await deployment.flush();
    await table.check('after a flush');
  });

  it('have their keys in their files at once where nobody else can have them, and are found by them', async () => {
    const { table } = await Deployment.start();
    const areStored = () => {
      const { shards } = table.workers.streaming.collections.get(id, VERSIONED_COLLECTION);
      return shards.flatMap((shard) =>
        shard.view({ partitionIds: null, at: TIMESTAMP_MAX }).map(({ chunk }) => chunk.keysAreStored),
      );
    };
    await table.adopt(await table.stage(keyRange(0, 20), 1));
    assert.deepEqual(areStored(), Array(20).fill(true));
    await table.check('after an adoption by itself');
    await table.adopt(await table.stage(keyRange(20, 30), 1));
    assert.ok(areStored().every(Boolean));
    await table.adopt(await table.stage(keyRange(25, 35), 1));
    assert.ok(areStored().includes(false));
    await table.check('after rows that replace some of them');
    await table.remove(keyRange(3, 5));
    await table.put(keyRange(7, 9));
    await table.check('after a deletion and a write');
  });

  it('are there after a restart, by the log and by the catalog, with what was done to them since', async () => {
    const deployment = await Deployment.start();
    const { table } = deployment;
    await table.put(keyRange(0, 20));
    await table.adopt(await table.stage(keyRange(10, 40)));
    await deployment.restart();
    await table.check('after a replay');
    await table.remove(keyRange(12, 15));
    await table.put(keyRange(38, 45));
    await deployment.restart();
    await table.check('after another replay');
    await deployment.flush();
    await deployment.restart();
    await table.check('from files');
    await table.put(keyRange(30, 35));
    await table.check('after a write over files');
  });

  it('are not adopted twice, neither from memory nor from the catalog', async () => {
    const deployment = await Deployment.start();
    const { table } = deployment;
    const staged = await table.stage(keyRange(0, 20));
    await table.adopt(staged);
    await table.remove(keyRange(0, 5));
    const again = () => table.workers.streaming.adopt(VERSIONED_COLLECTION, staged.segments);
    await again();
    await table.check('after a second try');
    await deployment.flush();
    await deployment.restart();
    await again();
    await table.check('after a try after a restart');
  });

  it('leave the rows gone that they replaced, when their partition is dropped before a flush', async () => {
    const deployment = await Deployment.start();
    const { table } = deployment;
    await table.put(keyRange(0, 8));
    await deployment.flush();
    await table.adopt(await table.stage(keyRange(0, 8)));
    const dropped = 2n as PartitionId;
    const partitions = VERSIONED_COLLECTION.partitions.filter((partition) => partition.id !== dropped);
    await deployment.restart({ ...VERSIONED_COLLECTION, partitions });
    const { query } = table.workers;
    assert.equal(await query.count(readTask({ ...VERSIONED_COLLECTION, partitions })), 4n);
  });

  it('are refused whole when a file of theirs is gone', async () => {
    const deployment = await Deployment.start();
    const { table } = deployment;
    await table.put(keyRange(0, 10));
    const staged = await table.stage(keyRange(5, 40));
    await table.workers.streaming.discard(id, staged.segments.slice(-1));
    await assert.rejects(
      table.workers.streaming.adopt(VERSIONED_COLLECTION, staged.segments),
      (error) => error instanceof MilvusError && error.code === 1009,
    );
    await table.check('after the refusal');
    await table.put(keyRange(3, 6));
    await table.check('the collection is served');
  });

  it('are refused by a collection that rejects duplicates when one of their keys is there', async () => {
    const deployment = await Deployment.start();
    const { table } = deployment;
    await table.put(keyRange(0, 10));
    const rejecting = { ...VERSIONED_COLLECTION, duplicateKey: 'reject' } as const;
    await table.workers.streaming.updateCollection(rejecting);
    const staged = await table.stage(keyRange(9, 20));
    await assert.rejects(table.workers.streaming.adopt(rejecting, staged.segments), /exists already/);
    await table.check('after the refusal');
    await table.adopt(await table.stage(keyRange(10, 20)));
    await table.check('after new keys');
  });

  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
    it(`give the same answers as a plain table among random writes, flushes and restarts (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      const deployment = await Deployment.start();
      const { table } = deployment;
      let fresh = 200;
      const someKeys = () => {
        const count = 1 + random.below(40);
        const from = random.chance(0.7) ? random.below(150) : fresh;
        if (from === fresh) fresh += count;
        return keyRange(from, from + count);
      };
      for (let step = 0; step < 60; step++) {
        const luck = random.below(10);
        if (luck < 3) await table.put(someKeys());
        else if (luck < 5) await table.remove(someKeys());
        else if (luck < 8) await table.adopt(await table.stage(someKeys(), 1 + random.below(30)));
        else if (luck < 9) await deployment.flush();
        else await deployment.restart();
        await table.check(`seed ${seed}, step ${step}`);
      }
      assert.equal(
        await table.workers.query.count(readTask(VERSIONED_COLLECTION, { snapshot: TIMESTAMP_MAX })),
        BigInt(table.expected.size),
      );
    });
  }
});
