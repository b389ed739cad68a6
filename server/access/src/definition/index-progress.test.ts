import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDeployment } from '@elanus/coordinator/testing';
import type { IndexProgress } from '@elanus/rpc';
import { params } from '../testing/request-drafts.ts';
import { DefinitionFixture } from './definition-fixture.ts';

const c = { collectionName: 'c' };
const STATE = { inProgress: 2, finished: 3, failed: 4 } as const;

async function indexedFixture(rows: bigint, progress: Partial<IndexProgress>): Promise<DefinitionFixture> {
  const fixture = await DefinitionFixture.open();
  await fixture.createCollection('c');
  const { streaming, indexing } = fixture.deployment;
  const [collection] = streaming.collections.values();
  streaming.rows.set(collection!.partitions[0]!.id, rows);
  const extraParams = params({ index_type: 'HNSW', metric_type: 'L2' });
  await fixture.call('CreateIndex', { ...c, fieldName: 'vector', extraParams });
  indexing.progress = { ...indexing.progress, ...progress };
  return fixture;
}

async function described(fixture: DefinitionFixture, timestamp = 0n) {
  const { indexDescriptions } = await fixture.call('DescribeIndex', { ...c, timestamp });
  const [{ state, totalRows, indexedRows, pendingIndexRows, indexStateFailReason }] = indexDescriptions as [
    (typeof indexDescriptions)[number],
  ];
  return { state, totalRows, indexedRows, pendingIndexRows, indexStateFailReason };
}

test('an index is in progress while rows from before it wait', async () => {
  const fixture = await indexedFixture(1000n, { pendingRows: 300n, pendingRowsThen: 100n });
  assert.deepEqual(await described(fixture), {
    state: STATE.inProgress,
    totalRows: 1000n,
    indexedRows: 700n,
    pendingIndexRows: 300n,
    indexStateFailReason: '',
  });
  assert.equal((await fixture.call('GetIndexState', c)).state, STATE.inProgress);
  const { indexedRows, totalRows } = await fixture.call('GetIndexBuildProgress', c);
  assert.deepEqual([indexedRows, totalRows], [700n, 1000n]);
  const { indexDescriptions } = await fixture.call('GetIndexStatistics', c);
  assert.deepEqual(
    indexDescriptions.map(({ indexedRows: rows }) => rows),
    [700n],
  );
});

test('rows that came later do not keep an index from being finished, unless the caller asks for a later time', async () => {
  const fixture = await indexedFixture(1000n, { pendingRows: 300n });
  assert.equal((await described(fixture)).state, STATE.finished);
  const { indexing, catalog } = fixture.deployment;
  const [index] = catalog.indexesOf(catalog.collections()[0]!.id);
  assert.equal(indexing.askedAt, index!.createdTimestamp);
  const later = index!.createdTimestamp + 1_000_000n;
  await described(fixture, later);
  assert.equal(indexing.askedAt, later);
});

test('a build that failed is told with its reason', async () => {
  const fixture = await indexedFixture(10n, {
    pendingRows: 12n,
    pendingRowsThen: 12n,
    failReason: 'no memory',
  });
  const { state, indexedRows, indexStateFailReason } = await described(fixture);
  assert.deepEqual([state, indexedRows, indexStateFailReason], [STATE.failed, 0n, 'no memory']);
  assert.equal((await fixture.call('GetIndexState', c)).failReason, 'no memory');
});

test('the worker builds what is made, frees what is dropped, and is told of everything after a start', async () => {
  const fixture = await indexedFixture(0n, {});
  const { store, indexing } = fixture.deployment;
  assert.equal(indexing.open.size, 1);
  assert.equal((await openDeployment({ store })).indexing.open.size, 1);
  await fixture.call('DropIndex', { ...c, indexName: 'vector' });
  assert.equal(indexing.open.size, 0);
});
