import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Draft, decode, encode, type Methods } from '@elanus/proto';
import { ReadAccounts } from './explain/read-accounts.ts';
import { queryHandler } from './query.ts';
import { NOW, ReadFixture } from './read-fixture.ts';

type Request = Draft<Methods['Query']['request']>;

function requestOf(rest: Request, parameters: Record<string, string> = {}): Methods['Query']['request'] {
  const queryParams = Object.entries(parameters).map(([key, value]) => ({ key, value }));
  return decode(
    'milvus.QueryRequest',
    encode('milvus.QueryRequest', { collectionName: 'c', queryParams, ...rest }),
  );
}

async function query(fixture: ReadFixture, request: Methods['Query']['request']) {
  const answer = await queryHandler(
    fixture.dependencies,
    new ReadAccounts(fixture.dependencies, 'Query', new Map()),
  )(request, fixture.context);
  assert.ok(answer instanceof Uint8Array);
  const results = decode('milvus.QueryResults', answer);
  return { ...results, columns: results.fieldsData.map((bytes) => decode('schema.FieldData', bytes)) };
}

test('returns the key although nothing was asked for', async () => {
  const fixture = new ReadFixture();
  const answer = await query(fixture, requestOf({ expr: 'id in [5, 9]' }));
  assert.deepEqual(answer.outputFields, ['id']);
  assert.equal(answer.status?.code, 0);
  assert.deepEqual(
    answer.columns.map((column) => column.scalars?.longData?.data),
    [[5n, 9n]],
  );
  assert.deepEqual([fixture.queried?.limit, fixture.queried?.offset], [null, 0]);
  assert.deepEqual([answer.primaryFieldName, answer.sessionTs], ['id', 0n]);
});

test('hands limit and offset to the worker', async () => {
  const fixture = new ReadFixture();
  await query(fixture, requestOf({ outputFields: ['*'] }, { limit: '10', offset: '5' }));
  assert.deepEqual([fixture.queried?.limit, fixture.queried?.offset, fixture.queried?.filter], [10, 5, null]);
});

test('counts', async () => {
  const answer = await query(new ReadFixture(), requestOf({ outputFields: ['count(*)'] }));
  assert.deepEqual(answer.outputFields, ['count(*)']);
  assert.deepEqual(answer.columns[0]?.scalars?.longData?.data, [42n]);
});

test('says what the log has lost of what could have been found', async () => {
  const fixture = new ReadFixture();
  const infoOf = async () =>
    (await query(fixture, requestOf({ outputFields: ['count(*)'] }))).status?.extraInfo;
  assert.equal((await infoOf())?.size ?? 0, 0);
  fixture.losses = ['log/7.log at byte 64: damaged', 'log/8.log: damaged'];
  const text = 'log/7.log at byte 64: damaged\nlog/8.log: damaged';
  assert.deepEqual([...((await infoOf()) ?? [])], [['elanus.lost_writes', text]]);
});

test('the first page of an iterator finds its moment, the next ones look at it', async () => {
  const fixture = new ReadFixture();
  const first = await query(fixture, requestOf({ expr: 'id > 0' }, { iterator: 'True', limit: '1' }));
  assert.equal(first.sessionTs, NOW);
  await query(
    fixture,
    requestOf({ expr: 'id > 5', guaranteeTimestamp: NOW }, { iterator: 'True', limit: '9' }),
  );
  assert.equal(fixture.queried?.snapshot, NOW);
});
