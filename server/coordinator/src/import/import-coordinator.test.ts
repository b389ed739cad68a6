import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  MilvusError,
  type SegmentId,
  type SegmentInfo,
  type StagedSegment,
  segmentFileKey,
  type Timestamp,
} from '@elanus/model';
import type { NewImport } from '@elanus/rpc';
import { ManualClock } from '@elanus/runtime';
import { type Deployment, openDeployment } from '../testing/deployment.ts';
import { schemaOf } from '../testing/schema-fixture.ts';

const REF = { database: 'default', collection: 'birds' };
const REQUEST: NewImport = {
  partitionName: '',
  units: [{ paths: ['a.json'], bytes: 0, rows: 0, totalRows: null, mistakes: [] }],
  options: [{ key: 'timeout', value: '300s' }],
  kind: 'import',
};

async function withCollection(clock = new ManualClock()): Promise<Deployment> {
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

describe('imports in the catalog', () => {
  it('are there after a restart as they were', async () => {
    const clock = new ManualClock();
    const deployment = await withCollection(clock);
    const { id } = await deployment.imports.createImport(REF, REQUEST);
    const [channel] = (await deployment.root.describeCollection(REF)).channels;
    const segment = { id: 77n as SegmentId, channel, partitionId: 2n, rows: 5, bytes: 9, crc32: 1 };
    const units = [{ ...REQUEST.units[0]!, rows: 5, mistakes: ['row 3: no'] }];
    const changed = await deployment.imports.changeImport(id, {
      state: 'importing',
      units,
      staged: [segment as StagedSegment],
    });
    await deployment.oracle.close();
    const again = await openDeployment({ store: deployment.store, clock });
    assert.deepEqual(await again.imports.findImport(id), changed);
    assert.deepEqual(await again.imports.unfinishedImports(), [changed]);
    await again.oracle.close();
  });

  it('keep their files from being collected until a flush publishes them', async () => {
    const deployment = await withCollection();
    const { id: collectionId, channels, partitions } = await deployment.root.describeCollection(REF);
    const { id } = await deployment.imports.createImport(REF, REQUEST);
    const [channel, partitionId] = [channels[0]!, partitions[0]!.id];
    const staged = { id: 77n as SegmentId, channel, partitionId, rows: 5, bytes: 9, crc32: 1 };
    const key = segmentFileKey(collectionId, staged.id);
    assert.equal(deployment.segments.standingOf(key), 'unreferenced');
    await deployment.imports.changeImport(id, { staged: [staged], state: 'committing' });
    assert.equal(deployment.segments.standingOf(key), 'referenced');
    const timestamp = 5n as Timestamp;
    const segment: SegmentInfo = {
      ...staged,
      collectionId,
      firstTimestamp: timestamp,
      lastTimestamp: timestamp,
      file: { key, bytes: 9, crc32: 1 },
    };
    await deployment.segments.publishFlush({
      segments: [segment],
      deleteFiles: [],
      deadSegments: [],
      replacedDeleteFiles: [],
      checkpoint: { collectionId, timestamp, historyStart: 0n as Timestamp },
    });
    assert.equal(deployment.segments.standingOf(key), 'referenced');
    assert.deepEqual((await deployment.imports.findImport(id))!.segments, []);
    await deployment.imports.changeImport(id, { staged: [{ ...staged, id: 78n as SegmentId }] });
    await deployment.imports.changeImport(id, { isGivenUp: true });
    assert.equal(
      deployment.segments.standingOf(segmentFileKey(collectionId, 78n as SegmentId)),
      'unreferenced',
    );
    await deployment.oracle.close();
  });

  it('are listed newest first, by database and collection, and forgotten three hours after their end', async () => {
    const clock = new ManualClock();
    const deployment = await withCollection(clock);
    const { imports } = deployment;
    const ids = [];
    for (let job = 0; job < 3; job++) ids.unshift((await imports.createImport(REF, REQUEST)).id);
    const listed = async () => (await imports.listImports('default', 'birds')).map(({ id }) => id);
    assert.deepEqual(await listed(), ids);
    await imports.changeImport(ids[1]!, { state: 'failed', reason: 'no', endedMs: clock.nowMs() });
    clock.advance(10_800_001);
    assert.deepEqual(await listed(), [ids[0], ids[2]]);
    assert.equal(await imports.findImport(ids[1]!), undefined);
    await assert.rejects(imports.listImports('default', 'unknown'), MilvusError);
    await assert.rejects(imports.changeImport(1n, {}), (error) => (error as MilvusError).code === 2100);
    await deployment.oracle.close();
  });
});
