import assert from 'node:assert/strict';
import test from 'node:test';
import type { PartitionId } from '@elanus/model';
import { key, params, text, vector } from '../testing/request-drafts.ts';
import { DefinitionFixture } from './definition-fixture.ts';

const c = { collectionName: 'c' };

async function partitionedFixture(): Promise<DefinitionFixture> {
  const fixture = await DefinitionFixture.open();
  await fixture.createCollection('c', { fields: [key(), vector(), text()] });
  await fixture.call('CreatePartition', { ...c, partitionName: 'north' });
  await fixture.call('CreatePartition', { ...c, partitionName: 'south' });
  await fixture.call('CreateIndex', { ...c, fieldName: 'vector' });
  return fixture;
}

const loadedOf = async (fixture: DefinitionFixture) =>
  await Promise.all(
    ['_default', 'north', 'south'].map(
      async (name) => (await fixture.call('GetLoadState', { ...c, partitionNames: [name] })).state,
    ),
  );

test('a collection is emptied: its rows are gone, its partitions, indexes and what is loaded stay', async () => {
  const fixture = await partitionedFixture();
  await fixture.call('LoadPartitions', { ...c, partitionNames: ['north'] });
  const before = await fixture.call('DescribeCollection', c);
  const loaded = await loadedOf(fixture);
  const { partitionIDs } = await fixture.call('ShowPartitions', c);
  const { rows } = fixture.deployment.streaming;
  for (const id of partitionIDs) rows.set(id as PartitionId, 3n);
  await fixture.call('TruncateCollection', c);
  assert.deepEqual((await fixture.call('GetCollectionStatistics', c)).stats, params({ row_count: '0' }));
  assert.equal(rows.size, 0);
  const after = await fixture.call('DescribeCollection', c);
  assert.deepEqual(
    [after.collectionID, after.updateTimestamp],
    [before.collectionID, before.updateTimestamp],
  );
  const shown = await fixture.call('ShowPartitions', c);
  assert.deepEqual(shown.partitionNames, ['_default', 'north', 'south']);
  assert.equal(new Set([...shown.partitionIDs, ...partitionIDs]).size, 6);
  assert.deepEqual(await loadedOf(fixture), loaded);
  assert.equal((await fixture.call('DescribeIndex', c)).indexDescriptions.length, 1);
});

test('partitions that were released stay so in a collection that was loaded whole', async () => {
  const fixture = await partitionedFixture();
  await fixture.call('LoadCollection', c);
  await fixture.call('ReleasePartitions', { ...c, partitionNames: ['south'] });
  const loaded = await loadedOf(fixture);
  await fixture.call('TruncateCollection', c);
  assert.deepEqual(await loadedOf(fixture), loaded);
  const again = await DefinitionFixture.open({ store: fixture.deployment.store });
  assert.deepEqual(await loadedOf(again), loaded);
});
