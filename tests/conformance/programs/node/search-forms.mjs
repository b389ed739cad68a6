// Hybrid searches, groups, orders, aggregates, iterators and updates of some fields.
import assert from 'node:assert/strict';
import { check, createLoaded, runChecks } from './case-runner.mjs';
import { client, must, sdk } from './steps.mjs';

const { DataType } = sdk;
const rowCount = 120;
const colors = ['red', 'green', 'blue'];
const row = (id) => ({
  id,
  color: colors[id % 3],
  size: id % 10,
  near: [id, 0],
  far: [0, 2 * (rowCount - id)],
  tags: [`t${id}`],
});
const rows = Array.from({ length: rowCount }, (_, id) => row(id));

async function shop(collection_name) {
  const vector = { data_type: DataType.FloatVector, dim: 2 };
  await createLoaded(
    collection_name,
    [
      { name: 'color', data_type: DataType.VarChar, max_length: 8 },
      { name: 'size', data_type: DataType.Int32 },
      {
        name: 'tags',
        data_type: DataType.Array,
        element_type: DataType.VarChar,
        max_capacity: 8,
        max_length: 8,
      },
      { name: 'near', ...vector },
      { name: 'far', ...vector },
    ],
    ['near', 'far'].map((field_name) => ({ field_name, index_type: 'FLAT', metric_type: 'L2' })),
  );
  await must(client.insert({ collection_name, data: rows }));
}

const keysOf = ({ results }) => results.map(({ id }) => Number(id));
const legs = (limit) => [
  { data: [0, 0], anns_field: 'near', params: {}, limit },
  { data: [0, 0], anns_field: 'far', params: {}, limit },
];

check('reciprocal rank fusion adds up places', async (collection_name) => {
  await shop(collection_name);
  const rerank = sdk.RRFRanker ? sdk.RRFRanker(10) : { strategy: 'rrf', params: { k: 10 } };
  const found = await must(client.hybridSearch({ collection_name, data: legs(rowCount), rerank, limit: 6 }));
  const score = (id) => 1 / (10 + id + 1) + 1 / (10 + rowCount - id);
  const wanted = rows.map(({ id }) => id).sort((a, b) => score(b) - score(a) || a - b);
  assert.deepEqual(keysOf(found), wanted.slice(0, 6));
  for (const { id, score: got } of found.results) assert.ok(Math.abs(got - score(Number(id))) < 1e-6);
});

check(
  'weights are of the scores, filters of the legs',
  async (collection_name) => {
    await shop(collection_name);
    const data = legs(20).map((leg, at) => ({ ...leg, expr: at === 0 ? 'color == "red"' : 'size > 4' }));
    const rerank = { strategy: 'weighted', params: { weights: [0.5, 0.25], norm_score: true } };
    const found = await must(client.hybridSearch({ collection_name, data, rerank, limit: 40 }));
    const closeness = (distance) => 1 - (2 * Math.atan(distance)) / Math.PI;
    const scores = new Map();
    const add = (id, score) => scores.set(id, (scores.get(id) ?? 0) + score);
    const reds = rows.filter(({ color }) => color === 'red').slice(0, 20);
    for (const { id } of reds) add(id, 0.5 * closeness(id * id));
    const large = rows.filter(({ size }) => size > 4).slice(-20);
    for (const { id } of large) add(id, 0.25 * closeness((2 * (rowCount - id)) ** 2));
    assert.equal(found.results.length, scores.size);
    for (const { id, score } of found.results) assert.ok(Math.abs(score - scores.get(Number(id))) < 1e-6);
  },
  '2.5',
);

check(
  'scores decay with the distance from an origin',
  async (collection_name) => {
    await shop(collection_name);
    const rerank = {
      name: 'decay',
      type: sdk.FunctionType.RERANK,
      input_field_names: ['size'],
      params: { reranker: 'decay', function: 'linear', origin: 5, scale: 2, offset: 1, decay: 0.5 },
    };
    const found = await must(
      client.search({ collection_name, data: [0, 0], anns_field: 'near', limit: 10, rerank }),
    );
    const factor = (size) => Math.max(0.5, 1 - (0.5 * Math.max(0, Math.abs(size - 5) - 1)) / 2);
    const score = (id) => (1 - (2 * Math.atan(id * id)) / Math.PI) * factor(id % 10);
    const wanted = rows
      .slice(0, 10)
      .map(({ id }) => id)
      .sort((a, b) => score(b) - score(a));
    assert.deepEqual(keysOf(found), wanted);
  },
  '2.6',
);

check('what the legs say of a hit comes as JSON', async (collection_name) => {
  await shop(collection_name);
  const output_fields = ['id', '$leg_scores', '$leg_ranks'];
  const rerank = { strategy: 'rrf', params: { k: 60 } };
  const found = await must(
    client.hybridSearch({ collection_name, data: legs(50), rerank, limit: 100, output_fields }),
  );
  for (const hit of found.results) {
    const scores = hit.$leg_scores;
    assert.deepEqual(
      scores.map(({ anns_field }) => anns_field),
      ['near', 'far'],
    );
    const sum = scores.reduce((total, { normalised, weight }) => total + (normalised ?? 0) * weight, 0);
    assert.equal(Math.fround(sum), Math.fround(hit.score));
    const id = Number(hit.id);
    assert.deepEqual(hit.$leg_ranks, [id < 50 ? id + 1 : null, id >= 70 ? rowCount - id : null]);
  }
});

check(
  'a grouped search finds the best rows of each group',
  async (collection_name) => {
    await shop(collection_name);
    const found = await must(
      client.search({
        collection_name,
        data: [0, 0],
        anns_field: 'near',
        limit: 3,
        group_by_field: 'color',
        group_size: 2,
        strict_group_size: true,
        output_fields: ['id', 'color'],
      }),
    );
    assert.deepEqual(keysOf(found), [0, 3, 1, 4, 2, 5]);
  },
  '2.5',
);

check(
  'a hybrid search finds the best rows of each group',
  async (collection_name) => {
    await shop(collection_name);
    const asked = { collection_name, data: legs(20), group_by_field: 'color', limit: 2 };
    const output_fields = ['id', 'color'];
    const single = await must(client.hybridSearch({ ...asked, output_fields }));
    assert.deepEqual(keysOf(single), [0, 119]);
    const pairs = await must(
      client.hybridSearch({ ...asked, output_fields, group_size: 2, strict_group_size: true }),
    );
    const found = pairs.results.map(({ color }) => color);
    assert.deepEqual([found.length, new Set(found).size], [4, 2]);
    assert.deepEqual([found[0], found[2]], [found[1], found[3]]);
  },
  '2.6',
);

check(
  'a query is sorted and cut, or made of groups',
  async (collection_name) => {
    await shop(collection_name);
    const sorted = await must(
      client.query({
        collection_name,
        filter: 'id >= 0',
        output_fields: ['size'],
        order_by_fields: [
          { field: 'size', order: 'desc' },
          { field: 'id', order: 'desc' },
        ],
        limit: 3,
        offset: 1,
      }),
    );
    assert.deepEqual(
      sorted.data.map(({ id }) => Number(id)),
      [109, 99, 89],
    );
    const groups = await must(
      client.query({
        collection_name,
        filter: 'size < 5',
        group_by_fields: ['color'],
        output_fields: ['color', 'count(*)', 'sum(size)', 'max(id)'],
      }),
    );
    const wanted = ['blue', 'green', 'red'].map((color) => {
      const own = rows.filter((one) => one.color === color && one.size < 5);
      const sum = own.reduce((total, { size }) => total + size, 0);
      return [color, own.length, sum, own.at(-1).id];
    });
    const got = groups.data.map((one) => [
      one.color,
      ...['count(*)', 'sum(size)', 'max(id)'].map((n) => Number(one[n])),
    ]);
    assert.deepEqual(got, wanted);
  },
  '3.0',
);

check(
  'a search that is asked tells its plan, its work, its time and its recall',
  async (collection_name) => {
    await shop(collection_name);
    const question = { collection_name, data: [0, 0], anns_field: 'near', limit: 3, filter: 'size < 5' };
    const silent = await must(client.search(question));
    assert.equal(silent.status.extra_info?.explain, undefined);
    const found = await must(client.search({ ...question, params: { explain: 'analyze' } }));
    assert.deepEqual(keysOf(found), keysOf(silent));
    const explain = JSON.parse(found.status.extra_info.explain);
    const timed = Object.values(explain.stages).reduce((sum, ms) => sum + ms, 0);
    assert.ok(Math.abs(timed - explain.ms) <= 0.05 * explain.ms, 'the stages are the whole time');
    const [read] = explain.reads;
    assert.deepEqual([read.field, read.metric, read.recall, read.missed], ['near', 'L2', [1], []]);
    const [segment] = read.segments;
    assert.equal(segment.filter.selectivity, 0.5);
    assert.ok(Math.abs(segment.filter.selectivity_estimated - 0.5) < 0.2);
    assert.deepEqual(
      [segment.strategy, segment.candidates, segment.distances, segment.hits],
      ['exact scan', rowCount / 2, rowCount / 2, 3],
    );
    const explained = legs(5).map((leg) => ({ ...leg, params: { explain: true } }));
    const fused = await must(client.hybridSearch({ collection_name, data: explained, limit: 3 }));
    const fields = JSON.parse(fused.status.extra_info.explain).reads.map((one) => one.field);
    assert.deepEqual(fields.sort(), ['far', 'near']);
    await must(
      client.alterCollectionProperties({ collection_name, properties: { 'elanus.explain': 'true' } }),
    );
    const counted = await must(client.query({ collection_name, filter: 'size < 5', output_fields: ['id'] }));
    assert.equal(JSON.parse(counted.status.extra_info.explain).reads[0].kind, 'query');
  },
  // The way to set properties came then.
  '2.5',
);

check(
  'iterators visit every row once, and those of their beginning',
  async (collection_name) => {
    await shop(collection_name);
    const found = [];
    const iterator = await client.searchIterator({
      collection_name,
      data: [0, 0],
      anns_field: 'near',
      batchSize: 25,
      output_fields: ['id'],
    });
    for await (const page of iterator) {
      found.push(...page.map(({ id }) => Number(id)));
      await must(client.insert({ collection_name, data: [row(rowCount + found.length)] }));
      await must(client.delete({ collection_name, ids: [rowCount - 1] }));
    }
    assert.deepEqual(
      found,
      rows.map(({ id }) => id),
    );
    const pages = [];
    for await (const page of await client.queryIterator({
      collection_name,
      // SDKs before 2.6 page by `expr` only.
      expr: 'id < 50',
      batchSize: 20,
      output_fields: ['id'],
    }))
      pages.push(...page.map(({ id }) => Number(id)));
    assert.deepEqual(
      pages,
      Array.from({ length: 50 }, (_, id) => id),
    );
  },
  '2.5',
);

check(
  'an upsert of some fields keeps the others, one of elements keeps the elements',
  async (collection_name) => {
    await shop(collection_name);
    await must(client.upsert({ collection_name, data: [{ id: 7, size: 99 }], partial_update: true }));
    const field_ops = [{ field_name: 'tags', op: 'ARRAY_APPEND' }];
    await must(client.upsert({ collection_name, data: [{ id: 7, tags: ['x'] }], field_ops }));
    const { data } = await must(client.query({ collection_name, filter: 'id == 7', output_fields: ['*'] }));
    assert.deepEqual(
      { ...data[0], id: Number(data[0].id), tags: [...data[0].tags] },
      { ...row(7), size: 99, tags: ['t7', 'x'] },
    );
  },
  '3.0',
);

await runChecks();
