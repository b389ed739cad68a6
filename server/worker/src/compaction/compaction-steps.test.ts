import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FAULTS, FaultyDeployment, Steps } from '../testing/faulty-deployment.ts';
import { keyRange, VERSIONED_COLLECTION } from '../testing/versioned-table.ts';

const { id } = VERSIONED_COLLECTION;
const EVERYTHING = { partitionId: null, bytesMax: null };

/** Rows in several segments of each partition of two shards, many of them deleted in files and in memory; the last are in no file. */
async function deploymentWithRows(rounds = 3): Promise<FaultyDeployment> {
  const deployment = new FaultyDeployment();
  const { table } = deployment;
  await table.workers.streaming.openCollection(VERSIONED_COLLECTION);
  for (let round = 0; round < rounds; round++) {
    await table.put(keyRange(30 * round, 30 * round + 40));
    await table.remove(keyRange(30 * round + 3, 30 * round + 9));
    await deployment.flush();
  }
  await table.remove(keyRange(50, 60));
  await table.put(keyRange(95, 110));
  return deployment;
}

/** As above, and some of the deleted rows are still wanted by somebody. */
async function deploymentWithReader(): Promise<FaultyDeployment> {
  const deployment = await deploymentWithRows(2);
  const { timestamp } = await deployment.table.remove(keyRange(20, 24));
  await deployment.table.readAsOf(BigInt(timestamp) - 1n);
  return deployment;
}

async function stepsOfCompaction(): Promise<readonly string[]> {
  const deployment = await deploymentWithReader();
  const steps = new Steps(Number.POSITIVE_INFINITY, 'fails');
  deployment.watch(steps);
  await deployment.compact();
  return steps.names;
}

function countOf(deployment: FaultyDeployment): { readonly segments: number; readonly rows: number } {
  const infos = [...deployment.files.catalog.segments.values()];
  return { segments: infos.length, rows: infos.reduce((sum, { rows }) => sum + rows, 0) };
}

describe('a compaction', () => {
  it('leaves one segment of each partition of a shard, without deleted rows, and no file of deletions', async () => {
    const deployment = await deploymentWithRows();
    const { table, files } = deployment;
    assert.deepEqual(countOf(deployment), { segments: 12, rows: 120 });
    const { completed, failed, merges } = await deployment.compact();
    assert.deepEqual([completed, failed], [4, 0]);
    // 40 rows a round, of which 6 are deleted and 10 replaced by the next round, and 10 more deleted since, 5 replaced.
    const { segments, rows } = countOf(deployment);
    assert.equal(segments, 4);
    const live = table.expected.size;
    const inMemory = 15;
    assert.equal(rows, live - inMemory);
    assert.equal(files.catalog.deleteFiles.size, 0);
    assert.deepEqual(new Set(merges.map(({ target }) => target)), new Set(files.catalog.segments.keys()));
    await table.check('after a compaction');
    await deployment.restart();
    await table.check('after a restart');
    assert.deepEqual((await deployment.compact()).merges, [], 'there is nothing left to do');
  });

  it('keeps what a read of an earlier moment was promised', async () => {
    const deployment = await deploymentWithRows();
    const { table } = deployment;
    const before = await table.read();
    const { timestamp } = await table.remove(keyRange(0, 3));
    await deployment.flush();
    const snapshot = table.readAsOf(BigInt(timestamp) - 1n);
    assert.deepEqual(await snapshot, before);
    await deployment.compact();
    assert.deepEqual(await table.readAsOf(BigInt(timestamp) - 1n), before, 'somebody has asked for it');
    await table.check('after a compaction');
    await deployment.restart();
    assert.deepEqual(await table.readAsOf(BigInt(timestamp) - 1n), before, 'after a restart');
  });

  it('goes together with flushes, writes and a dropped partition', async () => {
    const deployment = await deploymentWithRows();
    const { table } = deployment;
    const compacted = deployment.compact();
    for (let round = 0; round < 10; round++) {
      await table.put(keyRange(5 * round, 5 * round + 20));
      await table.remove(keyRange(100 - 5 * round, 103 - 5 * round));
      await deployment.flush();
      await table.check(`round ${round}`);
    }
    await compacted;
    await deployment.compact();
    await table.check('after the compactions');
    await deployment.restart();
    await table.check('after a restart');
  });

  it('removes old files after their time only', async () => {
    const deployment = await deploymentWithRows();
    const { files } = deployment;
    const before = new Set(files.store.objects.keys());
    await deployment.compact();
    for (const key of before) assert.ok(files.store.objects.has(key), 'still there');
    const segments = [...files.catalog.segments.values()].map(({ file }) => file.key);
    assert.ok(segments.every((key) => files.store.objects.has(key) && !before.has(key)));
    deployment.table.workers.streaming.watchFiles();
    for (let turns = 0; turns < 10_000; turns++) {
      if (files.store.objects.keys().every((key) => !before.has(key))) break;
      await turn();
    }
    assert.ok(
      files.store.objects.keys().every((key) => !before.has(key)),
      'gone in the end',
    );
    await deployment.table.check('after the files have gone');
    await deployment.table.workers.streaming.close();
  });
});

describe('a compaction of which one step', async () => {
  const names = await stepsOfCompaction();

  it('has all the steps that it should have', () => {
    const kinds = names.map((name) => name.split(' ')[0]);
    assert.deepEqual([...new Set(kinds)].sort(), ['get', 'publish', 'put']);
    assert.equal(kinds.filter((kind) => kind === 'publish').length, 4);
    assert.ok(names.some((name) => name.startsWith('put') && name.includes('/delta/')));
  });

  for (const fault of FAULTS) {
    for (const [at, name] of names.entries()) {
      it(`${fault} (${at}: ${name.replace(/\d+\.arrow/, 'file')}) changes no row, now or after a restart`, async () => {
        const deployment = await deploymentWithReader();
        const { table } = deployment;
        const steps = new Steps(at, fault);
        deployment.watch(steps);
        void table.workers.streaming.compact(id, EVERYTHING);
        while (!steps.isReached) {
          await table.check('while a compaction goes on');
          await turn();
        }
        await table.put(keyRange(15, 17));
        await table.remove(keyRange(0, 2));
        await table.check('after the fault');
        if (fault.endsWith('fails')) {
          await deployment.flush();
          await deployment.compact();
          await table.check('after another compaction');
        }
        await deployment.restart();
        await table.check('after a restart');
        await deployment.compact();
        await deployment.flush();
        await table.check('after yet another compaction');
        await deployment.restart();
        await table.check('after another restart');
      });
    }
  }
});
