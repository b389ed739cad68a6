import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DataType, MilvusError } from '@elanus/model';
import { type Draft, decode, encode, type Methods } from '@elanus/proto';
import { collectionOf, fieldOf, keysOf, NOW, ReadFixture } from './read-fixture.ts';
import { searchHandler } from './search.ts';

type Request = Draft<Methods['Search']['request']>;

function placeholder(...vectors: number[][]): Uint8Array {
  const values = vectors.map((vector) => new Uint8Array(Float32Array.from(vector).buffer));
  return encode('common.PlaceholderGroup', { placeholders: [{ tag: '$0', type: 101, values }] });
}

function requestOf(
  parameters: Record<string, string> = {},
  rest: Request = {},
): Methods['Search']['request'] {
  const searchParams = Object.entries({ topk: '3', ...parameters }).map(([key, value]) => ({ key, value }));
  const draft = {
    collectionName: 'c',
    dslType: 1,
    nq: 1n,
    placeholderGroup: placeholder([1, 2]),
    searchParams,
    ...rest,
  };
  return decode('milvus.SearchRequest', encode('milvus.SearchRequest', draft));
}

async function search(fixture: ReadFixture, request: Methods['Search']['request']) {
  const answer = await searchHandler(fixture.dependencies)(request, fixture.context);
  assert.ok(answer instanceof Uint8Array);
  const results = decode('milvus.SearchResults', answer);
  return { ...results, data: decode('schema.SearchResultData', results.results!) };
}

test('answers with keys, scores and one count for each query', async () => {
  const { data, collectionName, sessionTs, status } = await search(new ReadFixture(), requestOf());
  assert.equal(collectionName, 'c');
  assert.equal(status?.code, 0);
  assert.deepEqual(data.ids?.intId?.data, [5n, 2n ** 53n + 1n, 9n]);
  assert.deepEqual(
    data.scores.map((score) => score.toFixed(3)),
    ['0.125', '0.500', '2.260'],
  );
  assert.deepEqual([data.numQueries, data.topK, data.topks], [1n, 3n, [3n]]);
  assert.equal(data.primaryFieldName, 'id');
  assert.deepEqual([data.fieldsData, data.outputFields, sessionTs], [[], [], 0n]);
});

test('leaves out the first hits when there is an offset, and asks the worker for both', async () => {
  const fixture = new ReadFixture();
  const { data } = await search(fixture, requestOf({ offset: '1', topk: '2' }));
  assert.equal(fixture.searched?.limit, 3);
  assert.deepEqual(data.ids?.intId?.data, [2n ** 53n + 1n, 9n]);
  assert.deepEqual([data.topK, data.topks], [2n, [2n]]);
});

test('rounds scores to the decimals that were asked for', async () => {
  const { data } = await search(new ReadFixture(), requestOf({ round_decimal: '1' }));
  assert.deepEqual(
    data.scores.map((score) => score.toFixed(4)),
    ['0.1000', '0.5000', '2.3000'],
  );
});

test('returns columns in the order asked, the key last and only when it is named', async () => {
  const { data } = await search(
    new ReadFixture(),
    requestOf({}, { outputFields: ['id', 'vector', 'color'] }),
  );
  assert.deepEqual(data.outputFields, ['vector', 'color', 'id']);
  const [vector, color, id] = data.fieldsData;
  assert.deepEqual([vector?.vectors?.dim, vector?.vectors?.floatVector?.data.length], [2n, 6]);
  assert.deepEqual(color?.scalars?.stringData?.data, ['color 0', '', 'color 2']);
  assert.deepEqual(color?.validData, [true, false, true]);
  assert.deepEqual([id?.fieldId, id?.scalars?.longData?.data.length], [100n, 3]);
});

test('expands * to every field, the key last, with the whole dynamic field', async () => {
  const { data } = await search(new ReadFixture(), requestOf({}, { outputFields: ['*'] }));
  assert.deepEqual(data.outputFields, ['color', 'vector', '$meta', 'id']);
});

test('returns only the dynamic keys that were named, with every digit', async () => {
  const { data } = await search(new ReadFixture(), requestOf({}, { outputFields: ['big'] }));
  const [dynamic] = data.fieldsData;
  assert.deepEqual(data.outputFields, ['big']);
  assert.deepEqual([dynamic?.fieldName, dynamic?.isDynamic], ['$meta', true]);
  assert.equal(Buffer.from(dynamic!.scalars!.jsonData!.data[0]!).toString(), '{"big":9007199254740993}');
});

test('reads parameters beside each other and within params', async () => {
  const fixture = new ReadFixture();
  await search(
    fixture,
    requestOf({ params: '{"radius": 10, "range_filter": 1.5, "ef": 64}', metric_type: 'l2' }),
  );
  assert.deepEqual([fixture.searched?.radius, fixture.searched?.rangeFilter], [10, 1.5]);
});

test('searches the partitions that are named', async () => {
  const fixture = new ReadFixture();
  await search(fixture, requestOf({}, { partitionNames: ['other'] }));
  assert.deepEqual(fixture.searched?.partitionIds, [2n]);
});

const LEVELS: readonly [what: string, trio: Request, guarantee: bigint][] = [
  ['Strong is now', { consistencyLevel: 0 }, NOW],
  ['Bounded lags by five seconds', { consistencyLevel: 2, guaranteeTimestamp: 2n }, NOW - (5_000n << 18n)],
  ['Eventually waits for nothing', { consistencyLevel: 3, guaranteeTimestamp: 1n }, 0n],
  ['Session waits for the own write', { consistencyLevel: 1, guaranteeTimestamp: 77n }, 77n],
  ['Customized is as given', { consistencyLevel: 4, guaranteeTimestamp: 78n }, 78n],
  [
    'the level of the collection',
    { useDefaultConsistency: true, guaranteeTimestamp: 1n },
    NOW - (5_000n << 18n),
  ],
];
for (const [what, trio, guarantee] of LEVELS) {
  test(`consistency: ${what}`, async () => {
    const fixture = new ReadFixture();
    await search(fixture, requestOf({}, trio));
    assert.equal(fixture.searched?.guarantee, guarantee);
  });
}

test('the first page of an iterator finds its moment, the next ones look at it, strictly behind the last score', async () => {
  const fixture = new ReadFixture();
  const page = { iterator: 'True', search_iter_v2: 'true', search_iter_batch_size: '3' };
  const first = await search(fixture, requestOf(page));
  const { token, lastBound } = first.data.searchIteratorV2Results!;
  assert.equal(first.sessionTs, NOW);
  assert.ok(token !== '' && Math.abs(lastBound - 2.26) < 1e-6);
  const next = await search(
    fixture,
    requestOf(
      { ...page, search_iter_id: token, search_iter_last_bound: String(lastBound) },
      { guaranteeTimestamp: first.sessionTs },
    ),
  );
  assert.equal(next.data.searchIteratorV2Results?.token, token);
  assert.equal(next.sessionTs, 0n);
  assert.equal(fixture.searched?.snapshot, NOW);
  assert.ok(fixture.searched!.rangeFilter! > lastBound && fixture.searched!.rangeFilter! < lastBound + 1e-6);
});

const keyed = collectionOf({ partitionKey: collectionOf().schema.fields[1]! });
const V2_PAGE = { iterator: 'True', search_iter_v2: 'true', search_iter_batch_size: '3' };

test('a page ends at the score as it is, whatever the client wants to see of it', async () => {
  const { data } = await search(new ReadFixture(), requestOf({ ...V2_PAGE, round_decimal: '1' }));
  assert.ok(Math.abs(data.searchIteratorV2Results!.lastBound - 2.26) < 1e-6);
  assert.ok(Math.abs(data.scores[2]! - 2.3) < 1e-6);
});

const none = { readTimestamp: NOW, counts: Uint32Array.of(0), keys: keysOf(), scores: new Float32Array(0) };
const noHits = { ...none, locations: { ...new ReadFixture().hits.locations, rows: new Uint32Array(0) } };
for (const [metric, bound] of [
  ['L2', -3.4028234663852886e38],
  ['COSINE', 3.4028234663852886e38],
] as const) {
  test(`an iterator without any hit begins before all scores of ${metric}`, async () => {
    const fixture = Object.assign(new ReadFixture(), { metric, hits: noHits });
    const { data } = await search(fixture, requestOf(V2_PAGE));
    assert.equal(data.searchIteratorV2Results?.lastBound, bound);
    assert.deepEqual([data.topks, data.ids?.intId?.data], [[0n], []]);
  });
}

test('a level that is written as a time is no moment to look at', async () => {
  const fixture = new ReadFixture();
  const page = await search(fixture, requestOf({ iterator: 'True' }, { guaranteeTimestamp: 2n }));
  assert.deepEqual([fixture.searched?.snapshot, page.sessionTs], [null, NOW]);
});

test('searches a partition once however often it is named', async () => {
  const fixture = new ReadFixture();
  await search(fixture, requestOf({}, { partitionNames: ['other', 'other'] }));
  assert.deepEqual(fixture.searched?.partitionIds, [2n]);
});

const NARROWED: readonly [filter: string, partitions: number | 'all'][] = [
  ['color == "red"', 1],
  ['big > 5 and color in ["red"]', 1],
  ['color in ["a", "b", "c"]', 'all'],
  ['color == "red" or big > 5', 'all'],
  ['color != "red"', 'all'],
  ['color in []', 0],
];
for (const [filter, partitions] of NARROWED) {
  test(`of a partition key, ${filter} reads ${partitions} partitions`, async () => {
    const fixture = Object.assign(new ReadFixture(), { collection: keyed });
    await search(fixture, requestOf({}, { dsl: filter }));
    const { partitionIds } = fixture.searched!;
    assert.equal(partitionIds?.length ?? 'all', partitions);
  });
}

const twoVectors = collectionOf({
  fields: [...collectionOf().schema.fields, fieldOf(104, 'second', DataType.FloatVector, { dim: 2 })],
});

const REFUSED: readonly [
  what: string,
  request: Methods['Search']['request'],
  code: number,
  text: RegExp,
  change?: Partial<ReadFixture>,
][] = [
  [
    'a collection that is not loaded',
    requestOf(),
    101,
    /collection not loaded\[collection=c\]/,
    { load: undefined },
  ],
  ['an unknown partition', requestOf({}, { partitionNames: ['p'] }), 1100, /partition name p not found/],
  [
    'a partition that is not loaded',
    requestOf({}, { partitionNames: ['other'] }),
    201,
    /partition not loaded/,
    { load: { ...new ReadFixture().load!, partitions: new Set([1n as never]) } },
  ],
  [
    'partitions of a partition key',
    requestOf({}, { partitionNames: ['x'] }),
    65535,
    /partition key mode/,
    { collection: keyed },
  ],
  [
    'two vector fields and none named',
    requestOf(),
    1100,
    /multiple anns_fields exist/,
    { collection: twoVectors },
  ],
  ['an unknown vector field', requestOf({ anns_field: 'x' }), 1100, /fieldName\(x\) not found/],
  ['a field that is no vector', requestOf({ anns_field: 'color' }), 1100, /not of vector type/],
  ['no limit', requestOf({ topk: '' }), 1100, /topk not found/],
  [
    'a limit of zero',
    requestOf({ topk: '0' }),
    1100,
    /topk \[0\] is invalid, it should be in range \[1, 16384\], but got 0/,
  ],
  ['a limit that is too large', requestOf({ topk: '16385' }), 1100, /topk \[16385\] is invalid/],
  [
    'a window that is too large',
    requestOf({ topk: '16384', offset: '1' }),
    1100,
    /offset\+topk \[16385\] is invalid/,
  ],
  ['an offset below zero', requestOf({ offset: '-1' }), 1100, /offset \[-1\] is invalid/],
  ['a limit that is no number', requestOf({ topk: 'ten' }), 1100, /topk \[ten\] is invalid/],
  [
    'another metric than the index has',
    requestOf({ metric_type: 'IP' }),
    1100,
    /metric type not match: invalid parameter\[expected=L2\]\[actual=IP\]/,
  ],
  [
    'a range that holds nothing',
    requestOf({ params: '{"radius": 1, "range_filter": 2}' }),
    1100,
    /range_filter/,
  ],
  ['a range filter alone', requestOf({ range_filter: '2' }), 1100, /radius is not/],
  ['params that are no object', requestOf({ params: '[1]' }), 1100, /invalid parameter/],
  [
    'a vector of another dimension',
    requestOf({}, { placeholderGroup: placeholder([1, 2, 3]) }),
    1100,
    /expected vector size\(byte\) 8, actual 12/,
  ],
  ['a vector with NaN', requestOf({}, { placeholderGroup: placeholder([1, Number.NaN]) }), 1100, /NaN/],
  ['no query', requestOf({}, { placeholderGroup: placeholder(), nq: 0n }), 1100, /nq \[0\] is invalid/],
  ['another number of queries than announced', requestOf({}, { nq: 2n }), 1100, /nq \[2\]/],
  [
    'an unknown output field without a dynamic one',
    requestOf({}, { outputFields: ['x'] }),
    1100,
    /field x not exist/,
    { collection: collectionOf({ dynamicField: null }) },
  ],
  [
    'a field that was not loaded',
    requestOf({}, { outputFields: ['color'] }),
    1100,
    /field color is not loaded/,
    { load: { ...new ReadFixture().load!, fields: new Set([100 as never, 102 as never]) } },
  ],
  [
    'a filter that cannot be read',
    requestOf({}, { dsl: 'id >' }),
    1100,
    /failed to create query plan: cannot parse expression: id >/,
  ],
  [
    'the next page of a collection that has taken the name of another',
    requestOf({ iterator: 'True', collection_id: '8' }),
    1100,
    /alias or database may have changed/,
  ],
  [
    'two queries of one iterator',
    requestOf(V2_PAGE, { nq: 2n, placeholderGroup: placeholder([1, 2], [3, 4]) }),
    1100,
    /takes one query vector, but got 2/,
  ],
  ['grouping', requestOf({ group_by_field: 'color' }), 10, /service unimplemented/],
  [
    'a search by keys',
    requestOf({}, { ids: { intId: { data: [1n] } }, placeholderGroup: undefined }),
    10,
    /service unimplemented/,
  ],
];
for (const [what, request, code, text, change] of REFUSED) {
  test(`refuses ${what}`, async () => {
    const fixture = Object.assign(new ReadFixture(), change);
    await assert.rejects(search(fixture, request), (error: unknown) => {
      assert.ok(error instanceof MilvusError, String(error));
      assert.match(error.message, text);
      assert.equal(error.code, code);
      return true;
    });
    assert.equal(fixture.searched, undefined);
  });
}
