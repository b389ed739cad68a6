import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MilvusError, type Timestamp } from '@elanus/model';
import type { NewExport } from '@elanus/rpc';
import { ManualClock } from '@elanus/runtime';
import { type Deployment, openDeployment } from '../testing/deployment.ts';
import { schemaOf } from '../testing/schema-fixture.ts';

const REF = { database: 'default', collection: 'birds' };
const REQUEST: NewExport = {
  partitionNames: ['north'],
  filter: 'id > 3',
  fieldNames: ['id'],
  format: 'json lines',
  path: '/srv/files',
};

async function withCollection(clock: ManualClock): Promise<Deployment> {
  const deployment = await openDeployment({ clock });
  await deployment.root.createCollection({
    database: 'default',
    schema: schemaOf('birds', []),
    shardsNum: 1,
    partitionsNum: 1,
    consistencyLevel: 2,
    properties: [],
  });
  return deployment;
}

describe('exports in the catalog', () => {
  it('are there after a restart as they were', async () => {
    const clock = new ManualClock();
    const deployment = await withCollection(clock);
    const { exports } = deployment;
    const waiting = await exports.createExport(REF, REQUEST);
    const { id } = await exports.createExport(REF, { ...REQUEST, format: 'parquet' });
    const changed = await exports.changeExport(id, {
      state: 'exporting',
      rows: 5,
      totalRows: 9,
      timestamp: (2n ** 60n + 1n) as Timestamp,
      files: ['/srv/files/0.parquet'],
    });
    await deployment.oracle.close();
    const again = await openDeployment({ store: deployment.store, clock });
    assert.deepEqual(await again.exports.findExport(id), changed);
    assert.deepEqual(await again.exports.unfinishedExports(), [waiting, changed]);
    await again.oracle.close();
  });

  it('are listed newest first, and forgotten three hours after their end', async () => {
    const clock = new ManualClock();
    const deployment = await withCollection(clock);
    const { exports } = deployment;
    const ids: bigint[] = [];
    for (let job = 0; job < 3; job++) ids.unshift((await exports.createExport(REF, REQUEST)).id);
    const listed = async () => (await exports.listExports('default')).map(({ id }) => id);
    assert.deepEqual(await listed(), ids);
    await exports.changeExport(ids[1]!, { state: 'failed', reason: 'no', endedMs: clock.nowMs() });
    assert.deepEqual(await listed(), ids);
    clock.advance(10_800_001);
    assert.deepEqual(await listed(), [ids[0], ids[2]]);
    assert.equal(await exports.findExport(ids[1]!), undefined);
    await assert.rejects(exports.listExports('unknown'), MilvusError);
    await assert.rejects(exports.changeExport(1n, {}), (error) => (error as MilvusError).code === 2100);
    await deployment.oracle.close();
  });

  it('that nobody asks for any more leave the catalog with the next one', async () => {
    const clock = new ManualClock();
    const deployment = await withCollection(clock);
    const { exports, catalog } = deployment;
    const { id } = await exports.createExport(REF, REQUEST);
    await exports.changeExport(id, { state: 'completed', endedMs: clock.nowMs() });
    clock.advance(10_800_001);
    const next = await exports.createExport(REF, REQUEST);
    assert.deepEqual(catalog.files.exports(), [next]);
    await deployment.oracle.close();
  });
});
