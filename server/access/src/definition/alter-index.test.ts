import assert from 'node:assert/strict';
import test from 'node:test';
import { key, params, vector } from '../testing/request-drafts.ts';
import { DefinitionFixture } from './definition-fixture.ts';

const HNSW = params({ index_type: 'HNSW', metric_type: 'L2', M: '8' });
const c = { collectionName: 'c' };
const ofIndex = { ...c, indexName: 'vector' };

async function indexedFixture(): Promise<DefinitionFixture> {
  const fixture = await DefinitionFixture.open();
  await fixture.createCollection('c', { fields: [key(), vector()] });
  await fixture.call('CreateIndex', { ...c, fieldName: 'vector', extraParams: HNSW });
  return fixture;
}

async function shownParams(fixture: DefinitionFixture) {
  const { indexDescriptions } = await fixture.call('DescribeIndex', ofIndex);
  return indexDescriptions[0]!.params;
}

test('properties of an index are set, replaced and forgotten, and all else of it stays', async () => {
  const fixture = await indexedFixture();
  await fixture.call('AlterIndex', {
    ...ofIndex,
    extraParams: params({ 'mmap.enabled': 'true', warmup: 'sync' }),
  });
  assert.deepEqual(await shownParams(fixture), [
    ...HNSW,
    ...params({ 'mmap.enabled': 'true', warmup: 'sync' }),
  ]);
  await fixture.call('AlterIndex', { ...ofIndex, extraParams: params({ 'mmap.enabled': 'False' }) });
  await fixture.call('AlterIndex', { ...ofIndex, deleteKeys: ['warmup', 'indexoffsetcache.enabled'] });
  assert.deepEqual(await shownParams(fixture), [...HNSW, ...params({ 'mmap.enabled': 'False' })]);
});

test('an altered index is the same as the one that was asked for', async () => {
  const fixture = await indexedFixture();
  await fixture.call('AlterIndex', { ...ofIndex, extraParams: params({ 'mmap.enabled': 'true' }) });
  await fixture.call('CreateIndex', { ...c, fieldName: 'vector', extraParams: HNSW });
  const other = params({ index_type: 'HNSW', metric_type: 'L2', M: '9' });
  assert.equal(
    (await fixture.refusal('CreateIndex', { ...c, fieldName: 'vector', extraParams: other })).code,
    65535,
  );
});

test('what was altered is there after a restart', async () => {
  const fixture = await indexedFixture();
  await fixture.call('AlterIndex', { ...ofIndex, extraParams: params({ warmup: 'disable' }) });
  const again = await DefinitionFixture.open({ store: fixture.deployment.store });
  assert.deepEqual(await shownParams(again), [...HNSW, ...params({ warmup: 'disable' })]);
});
