import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MilvusError } from '@elanus/model';
import { type Draft, decode, encode, type Methods } from '@elanus/proto';
import { queryHandler } from './query.ts';
import { collectionOf, NOW, ReadFixture } from './read-fixture.ts';

type Request = Draft<Methods['Query']['request']>;

function requestOf(rest: Request, parameters: Record<string, string> = {}): Methods['Query']['request'] {
  const queryParams = Object.entries(parameters).map(([key, value]) => ({ key, value }));
  return decode(
    'milvus.QueryRequest',
    encode('milvus.QueryRequest', { collectionName: 'c', queryParams, ...rest }),
  );
}

async function query(fixture: ReadFixture, request: Methods['Query']['request']) {
  const answer = await queryHandler(fixture.dependencies)(request, fixture.context);
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

const keyed = collectionOf({ partitionKey: collectionOf().schema.fields[1]! });

const REFUSED: readonly [
  what: string,
  request: Methods['Query']['request'],
  code: number,
  text: RegExp,
  change?: Partial<ReadFixture>,
][] = [
  [
    'a collection that is not loaded',
    requestOf({ expr: 'id > 0' }),
    101,
    /collection not loaded/,
    { load: undefined },
  ],
  ['neither filter nor limit', requestOf({ expr: ' ' }), 1100, /empty expression should be used with limit/],
  [
    'a count of pages',
    requestOf({ outputFields: ['count(*)'] }, { limit: '3' }),
    1100,
    /count entities with pagination is not allowed/,
  ],
  ['another aggregate', requestOf({ outputFields: ['sum(id)'], expr: 'id > 0' }), 1100, /only count\(\*\)/],
  ['a limit of zero', requestOf({ expr: 'id > 0' }, { limit: '0' }), 1100, /limit \[0\] is invalid/],
  [
    'a window that is too large',
    requestOf({ expr: 'id > 0' }, { limit: '16384', offset: '2' }),
    1100,
    /invalid max query result window, \(offset\+limit\) should be in range \[1, 16384\], but got 16386/,
  ],
  [
    'partitions of a partition key',
    requestOf({ expr: 'id > 0', partitionNames: ['x'] }),
    1100,
    /partition key mode/,
    { collection: keyed },
  ],
  [
    'an unknown partition',
    requestOf({ expr: 'id > 0', partitionNames: ['x'] }),
    1100,
    /partition name x not found/,
  ],
  [
    'an unknown field',
    requestOf({ expr: 'id > 0', outputFields: ['x'] }),
    1100,
    /field x not exist/,
    { collection: collectionOf({ dynamicField: null }) },
  ],
  ['a filter that is no predicate', requestOf({ expr: 'id + 1' }), 1100, /failed to create query plan/],
  [
    'the next page of a collection that has taken the name of another',
    requestOf({ expr: 'id > 0' }, { iterator: 'True', collection_id: '8' }),
    1100,
    /Input collection id is not consistent to collectionID in the context,alias or database may have changed/,
  ],
  ['ordering', requestOf({ expr: 'id > 0' }, { order_by_fields: 'id' }), 10, /service unimplemented/],
];
for (const [what, request, code, text, change] of REFUSED) {
  test(`refuses ${what}`, async () => {
    const fixture = Object.assign(new ReadFixture(), change);
    await assert.rejects(query(fixture, request), (error: unknown) => {
      assert.ok(error instanceof MilvusError, String(error));
      assert.match(error.message, text);
      assert.equal(error.code, code);
      return true;
    });
    assert.equal(fixture.queried, undefined);
  });
}
