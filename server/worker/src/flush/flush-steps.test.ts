import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FAULTS, FaultyDeployment, Steps } from '../testing/faulty-deployment.ts';
import { keyRange, VERSIONED_COLLECTION } from '../testing/versioned-table.ts';

const { id } = VERSIONED_COLLECTION;

/** Sealed rows with deletions, and in memory rows that replace some of them. */
async function deploymentWithRows(): Promise<FaultyDeployment> {
  const deployment = new FaultyDeployment();
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
