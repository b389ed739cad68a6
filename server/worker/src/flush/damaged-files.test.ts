import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type PartitionId, TIMESTAMP_MAX } from '@elanus/model';
import { seededRandom } from '@elanus/runtime';
import { SteppingTimestamps } from '../testing/collection-fixture.ts';
import { FakeMessageLog } from '../testing/fake-message-log.ts';
import { openWorkers, readTask } from '../testing/open-workers.ts';
import { TestFiles } from '../testing/test-files.ts';
import { keyRange, VERSIONED_COLLECTION, VersionedTable } from '../testing/versioned-table.ts';

const { id } = VERSIONED_COLLECTION;
const P1 = 1n as PartitionId;
const P2 = 2n as PartitionId;

class Deployment {
  readonly files = new TestFiles();
  readonly #log = new FakeMessageLog();
  readonly #timestamps = new SteppingTimestamps();
  readonly table: VersionedTable;

  constructor() {
    this.table = new VersionedTable(this.#open());
  }

  async restart(): Promise<readonly bigint[]> {
    this.table.workers = this.#open();
    const report = await this.table.workers.streaming.recover([VERSIONED_COLLECTION]);
    return report.failedCollections;
  }

  async flush(): Promise<void> {
    const { streaming } = this.table.workers;
    const { timestamp } = await streaming.flush(id);
    while (!(await streaming.isFlushed(id, timestamp, []))) await turn();
  }

  async countOf(partition: PartitionId): Promise<bigint> {
    return await this.table.workers.query.count(
      readTask(VERSIONED_COLLECTION, { partitionIds: [partition] }),
    );
  }

  #open(): ReturnType<typeof openWorkers> {
    return openWorkers(this.#log, seededRandom(5), { timestamps: this.#timestamps, files: this.files });
  }
}

/** Keys 0 to 39, half of them in each partition, in files and, since the restart, nowhere else. */
async function deploymentWithFiles(): Promise<Deployment> {
  const deployment = new Deployment();
  const { table } = deployment;
  await table.workers.streaming.openCollection(VERSIONED_COLLECTION);
  await table.put(keyRange(0, 44));
  await table.remove(keyRange(40, 44));
  await deployment.flush();
  return deployment;
}

const DAMAGES = [
  { name: 'missing', damage: () => undefined },
  { name: 'cut off', damage: (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 100) },
  { name: 'another file', damage: (bytes: Uint8Array) => new Uint8Array(bytes.length).fill(7) },
] as const;

for (const { name, damage } of DAMAGES) {
  test(`a segment’s file that is ${name} fails what needs it by name, and nothing else`, async () => {
    const deployment = await deploymentWithFiles();
    const { files, table } = deployment;
    const broken = [...files.catalog.segments.values()].find(({ partitionId }) => partitionId === P1)!;
    const { key } = broken.file;
    const sound = files.store.objects.get(key)!;
    const bytes = damage(sound.bytes);
    if (bytes === undefined) files.store.objects.delete(key);
    else files.store.objects.set(key, { ...sound, bytes });

    assert.deepEqual(await deployment.restart(), [], 'the server starts');
    await assert.rejects(table.read(), { code: 1009, message: new RegExp(String(broken.id)) });
    assert.equal(await deployment.countOf(P2), 20n);

    await table.put(keyRange(10, 20));
    await table.remove(keyRange(0, 4));
    await assert.rejects(deployment.countOf(P1), { code: 1009 }, 'nobody knows which rows were replaced');
    await assert.rejects(() => table.workers.streaming.flush(id), { code: 1009 });
    await assert.rejects(() => table.workers.streaming.isFlushed(id, TIMESTAMP_MAX, []), { code: 1009 });
    assert.equal(await deployment.countOf(P2), 18n);

    files.store.objects.set(key, sound);
    assert.deepEqual(await deployment.restart(), []);
    await table.check('after the file was brought back and a restart');
    await deployment.flush();
    await table.check('after a flush');
  });
}

test('a file of deletions that is missing closes its collection, by name', async () => {
  const deployment = await deploymentWithFiles();
  const { files, table } = deployment;
  const { file } = [...files.catalog.deleteFiles.values()][0]!;
  const sound = files.store.objects.get(file.key)!;
  files.store.objects.delete(file.key);
  assert.deepEqual(await deployment.restart(), [id]);
  await assert.rejects(table.read(), { code: 1009, message: new RegExp(file.key) });
  await assert.rejects(table.put([1n]), { code: 1009 });
  files.store.objects.set(file.key, sound);
  assert.deepEqual(await deployment.restart(), []);
  await table.check('after the file was brought back and a restart');
});
