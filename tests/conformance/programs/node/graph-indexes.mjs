// Graphs and lists over enough rows that they are built: made, watched, searched, dropped.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { check, runChecks } from './case-runner.mjs';
import { client, must, sdk } from './steps.mjs';

const { DataType } = sdk;
const dim = 64;
const rowCount = 18_000;
const queryCount = 20;
const limit = 10;
const batchRows = 2_000;

/** The same numbers between 0 and 1 for one seed, everywhere. */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Rows around 100 centres that lie in 10 latent dimensions. */
function clustered(count, seed) {
  const shape = randomNumbers(1);
  const next = () => shape() - 0.5;
  const centres = Array.from({ length: 100 }, () => Array.from({ length: 10 }, next));
  const map = Array.from({ length: 10 }, () => Array.from({ length: dim }, next));
  const draw = randomNumbers(seed);
  return Array.from({ length: count }, () => {
    const centre = centres[Math.floor(draw() * centres.length)];
    const latent = centre.map((x) => x + 0.4 * (draw() - 0.5));
    return Array.from({ length: dim }, (_, i) =>
      Math.fround(latent.reduce((sum, x, j) => sum + x * map[j][i], 0.02 * (draw() - 0.5))),
    );
  });
}

const vectors = clustered(rowCount, 2);
const queries = clustered(queryCount, 3);
/** The even rows are those that a filter lets pass. */
const isEven = (id) => id % 2 === 0;
const byDistance = queries.map((query) =>
  vectors
    .map((vector, id) => ({ id, distance: vector.reduce((sum, x, i) => sum + (x - query[i]) ** 2, 0) }))
    .sort((a, b) => a.distance - b.distance)
    .map(({ id }) => id),
);
const nearest = byDistance.map((ids) => ids.slice(0, limit));
const nearestEven = byDistance.map((ids) => ids.filter(isEven).slice(0, limit));

/** Which share of what is to be found there is among the hits. */
function recallOf({ results }, wanted) {
  const right = results.map((found, q) => found.filter((hit) => wanted[q].includes(Number(hit.id))));
  return right.reduce((sum, { length }) => sum + length, 0) / (limit * queryCount);
}

const graph = { M: 16, efConstruction: 100 };
const refined = { ...graph, refine: true, refine_type: 'FP16' };
const lists = { nlist: 128 };
const types = [
  ['FLAT', {}, {}, 1],
  ['HNSW', graph, { ef: 100 }, 0.97],
  ['HNSW_SQ', { ...refined, sq_type: 'SQ8' }, { ef: 100, refine_k: 2 }, 0.95],
  ['HNSW_PQ', { ...refined, m: 16, nbits: 8 }, { ef: 100, refine_k: 5 }, 0.85],
  ['HNSW_PRQ', { ...refined, m: 8, nrq: 2, nbits: 8 }, { ef: 100, refine_k: 5 }, 0.85],
  ['IVF_FLAT', lists, { nprobe: 16 }, 0.97],
  ['IVF_SQ8', lists, { nprobe: 16 }, 0.9],
  ['IVF_PQ', { ...lists, m: 16, nbits: 8, refine: true }, { nprobe: 16, refine_k: 5 }, 0.85],
  ['IVF_RABITQ', { ...lists, refine: true, refine_type: 'FP16' }, { nprobe: 16, refine_k: 10 }, 0.85],
  [
    'IVF_RABITQ_FASTSCAN',
    { ...lists, refine: true, refine_type: 'FLAT' },
    { nprobe: 16, refine_k: 10 },
    0.85,
  ],
  ['SCANN', { ...lists, with_raw_data: true }, { nprobe: 16, reorder_k: 100 }, 0.85],
  ['DISKANN', { max_degree: 32 }, { search_list: 60 }, 0.9],
  ['AISAQ', { max_degree: 32 }, { search_list: 60 }, 0.9],
  ['AUTOINDEX', {}, {}, 0.95],
];

async function finished(collection_name) {
  while (true) {
    const { index_descriptions } = await must(client.describeIndex({ collection_name, field_name: 'v' }));
    const [{ state, indexed_rows, total_rows, pending_index_rows }] = index_descriptions;
    assert.equal(Number(indexed_rows) + Number(pending_index_rows), Number(total_rows));
    if (state === 'Finished') return;
    assert.equal(state, 'InProgress');
    const progress = await must(client.getIndexBuildProgress({ collection_name, field_name: 'v' }));
    assert.ok(Number(progress.indexed_rows) <= Number(progress.total_rows));
    await delay(50);
  }
}

check(
  'every type of graph and of lists is built, searched, filtered and dropped',
  async (collection_name) => {
    const fields = [
      { name: 'id', data_type: DataType.Int64, is_primary_key: true },
      { name: 'v', data_type: DataType.FloatVector, dim },
    ];
    await must(client.createCollection({ collection_name, fields, consistency_level: 'Strong' }));
    for (let start = 0; start < rowCount; start += batchRows) {
      const data = vectors.slice(start, start + batchRows).map((v, i) => ({ id: start + i, v }));
      await must(client.insert({ collection_name, data }));
    }
    for (const [index_type, params, search, wanted] of types) {
      const definition = { collection_name, field_name: 'v', index_type, metric_type: 'L2', params };
      await must(client.createIndex(definition));
      await finished(collection_name);
      const { state } = await must(client.getIndexState({ collection_name, field_name: 'v' }));
      assert.equal(state, 'Finished');
      await must(client.loadCollection({ collection_name }));
      const answer = await must(client.search({ collection_name, data: queries, limit, params: search }));
      const recall = recallOf(answer, nearest);
      assert.ok(recall >= wanted, `${index_type}: recall ${recall}, not ${wanted}`);
      const filter = 'id % 2 == 0';
      const filtered = await must(
        client.search({ collection_name, data: queries, limit, filter, params: search }),
      );
      assert.ok(filtered.results.every((found) => found.every((hit) => isEven(Number(hit.id)))));
      const recallOfEven = recallOf(filtered, nearestEven);
      assert.ok(
        recallOfEven >= wanted - 0.05,
        `${index_type}, filtered: recall ${recallOfEven}, not ${wanted - 0.05}`,
      );
      await must(client.releaseCollection({ collection_name }));
      await must(client.dropIndex({ collection_name, field_name: 'v', index_name: 'v' }));
    }
  },
);

await runChecks();
