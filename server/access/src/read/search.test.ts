import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Draft, decode, encode, type Methods } from '@elanus/proto';
import { ReadAccounts } from './explain/read-accounts.ts';
import { collectionOf, keysOf, NOW, ReadFixture } from './read-fixture.ts';
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
  const answer = await searchHandler(
    fixture.dependencies,
    new ReadAccounts(fixture.dependencies, 'Search', new Map()),
  )(request, fixture.context);
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

for (const [bound, first] of [
  ['1e39', Number.POSITIVE_INFINITY],
  ['-1e39', -3.4028232635611926e38],
] as const) {
  test(`a page behind ${bound}, which no score can be, begins behind the last score that there is`, async () => {
    const fixture = new ReadFixture();
    await search(fixture, requestOf({ ...V2_PAGE, search_iter_last_bound: bound }));
    assert.equal(fixture.searched?.rangeFilter, first);
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

for (const outcome of ['answered', 'failed'] as const) {
  test(`of many queries the memory is given back when they were answered: ${outcome}`, async () => {
    const fixture = new ReadFixture();
    const counts = new Uint32Array(10_000).fill(3, 0, 1);
    fixture.hits = { ...fixture.hits, counts };
    const vectors = Array.from(counts, () => [1, 2]);
    const request = requestOf({}, { nq: 10_000n, placeholderGroup: placeholder(...vectors) });
    if (outcome === 'failed') fixture.failure = new Error('no memory');
    const asked = search(fixture, request);
    await (outcome === 'failed' ? assert.rejects(asked, /no memory/) : asked);
    const { bytes, count } = fixture.searched!.queries;
    assert.deepEqual([count, bytes.length], [10_000, outcome === 'failed' ? 80_000 : 0]);
    assert.equal(decode('common.PlaceholderGroup', request.placeholderGroup!).placeholders.length, 1);
  });
}

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
