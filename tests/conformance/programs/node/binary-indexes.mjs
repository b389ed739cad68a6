// Binary vectors in lists, signatures of texts, and a graph on disk, as a program in JavaScript uses them.
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { check, createLoaded, runChecks } from './case-runner.mjs';
import { client, must, sdk } from './steps.mjs';

const { DataType } = sdk;
const batchRows = 2_000;

/** The same numbers from 0 to 255 for one seed, everywhere. */
function randomBytes(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
}

/** The index of a field, which is gone afterwards. */
async function drop(collection_name, field_name) {
  await must(client.releaseCollection({ collection_name }));
  await must(client.dropIndex({ collection_name, field_name, index_name: field_name }));
  await assert.rejects(must(client.describeIndex({ collection_name, field_name })), /index not found/);
}

async function finished(collection_name, field_name) {
  while (true) {
    const { index_descriptions } = await must(client.describeIndex({ collection_name, field_name }));
    if (index_descriptions[0].state === 'Finished') return;
    await delay(50);
  }
}

check('BIN_IVF_FLAT is built, searched, filtered and dropped', async (collection_name) => {
  const dim = 2048;
  const rowCount = 17_000;
  const fields = [
    { name: 'id', data_type: DataType.Int64, is_primary_key: true },
    { name: 'bits', data_type: DataType.BinaryVector, dim },
  ];
  await must(client.createCollection({ collection_name, fields, consistency_level: 'Strong' }));
  const next = randomBytes(1);
  const centres = Array.from({ length: 50 }, () => Array.from({ length: dim / 8 }, next));
  // A bit of some bytes is turned over.
  const around = (centre) => centre.map((byte) => (next() < 60 ? byte ^ (1 << (next() & 7)) : byte));
  const vectors = Array.from({ length: rowCount }, (_, i) => around(centres[i % centres.length]));
  for (let start = 0; start < rowCount; start += batchRows) {
    const data = vectors.slice(start, start + batchRows).map((bits, i) => ({ id: start + i, bits }));
    await must(client.insert({ collection_name, data }));
  }
  const definition = {
    collection_name,
    field_name: 'bits',
    index_type: 'BIN_IVF_FLAT',
    metric_type: 'HAMMING',
  };
  await must(client.createIndex({ ...definition, params: { nlist: 50 } }));
  await finished(collection_name, 'bits');
  await must(client.loadCollection({ collection_name }));
  for (const row of [0, 77, 16_999]) {
    const search = { collection_name, data: vectors[row], limit: 5, params: { nprobe: 10 } };
    const { results } = await must(client.search(search));
    assert.deepEqual([Number(results[0].id), results[0].score], [row, 0]);
    // All others are around the same centre.
    assert.ok(results.every(({ id }) => Number(id) % 50 === row % 50));
    const odd = await must(client.search({ ...search, filter: `id % 2 == ${1 - (row % 2)}` }));
    assert.ok(odd.results.length === 5 && odd.results.every(({ id }) => Number(id) % 2 !== row % 2));
  }
  await drop(collection_name, 'bits');
});

check('BIN_FLAT is made, searched, filtered and dropped', async (collection_name) => {
  const field = { name: 'bits', data_type: DataType.BinaryVector, dim: 16 };
  const index = { field_name: 'bits', index_type: 'BIN_FLAT', metric_type: 'JACCARD', params: {} };
  await createLoaded(collection_name, [field], index);
  const data = [255, 127, 63, 0].map((byte, id) => ({ id, bits: [byte, 0] }));
  await must(client.insert({ collection_name, data }));
  const search = { collection_name, data: [255, 0], limit: 3 };
  const scores = async (options) =>
    (await must(client.search({ ...search, ...options }))).results.map(({ id, score }) => [
      Number(id),
      score,
    ]);
  assert.deepEqual(await scores({}), [
    [0, 0],
    [1, 0.125],
    [2, 0.25],
  ]);
  assert.deepEqual(await scores({ filter: 'id in [2, 3]' }), [
    [2, 0.25],
    [3, 1],
  ]);
  await drop(collection_name, 'bits');
});

check(
  'texts are found by their signatures',
  async (collection_name) => {
    const fields = [
      { name: 'text', data_type: DataType.VarChar, max_length: 1000, enable_analyzer: true },
      { name: 'signature', data_type: DataType.BinaryVector, dim: 32 * 64 },
    ];
    const functions = [
      {
        name: 'minhash',
        type: 4,
        input_field_names: ['text'],
        output_field_names: ['signature'],
        params: {},
      },
    ];
    const index = {
      field_name: 'signature',
      index_type: 'MINHASH_LSH',
      metric_type: 'MHJACCARD',
      params: { mh_lsh_band: 16, mh_element_bit_width: 32, with_raw_data: true },
    };
    await createLoaded(collection_name, fields, index, { functions });
    const texts = [
      'the quick brown fox jumps over the lazy dog',
      'something else altogether is written here',
      'the quick brown fox jumps over the lazy dog again',
    ];
    const data = texts.map((text, id) => ({ id, text }));
    await must(client.insert({ collection_name, data }));
    const search = { collection_name, anns_field: 'signature', data: texts[0], limit: 5 };
    const found = await must(client.search({ ...search, params: { mh_search_with_jaccard: true } }));
    assert.deepEqual([Number(found.results[0].id), found.results[0].score], [0, 1]);
    assert.equal(Number(found.results[1].id), 2);
    const plain = await must(client.search(search));
    assert.deepEqual(
      plain.results.map(({ id, score }) => [Number(id), score]),
      [
        [0, 1],
        [2, 1],
      ],
    );
    const others = await must(client.search({ ...search, filter: 'id != 0' }));
    assert.deepEqual(
      others.results.map(({ id }) => Number(id)),
      [2],
    );
    await drop(collection_name, 'signature');
  },
  '2.6',
);

check('DISKANN is built, searched, filtered and dropped', async (collection_name) => {
  const dim = 64;
  const rowCount = 17_000;
  const fields = [
    { name: 'id', data_type: DataType.Int64, is_primary_key: true },
    { name: 'v', data_type: DataType.FloatVector, dim },
  ];
  await must(client.createCollection({ collection_name, fields, consistency_level: 'Strong' }));
  const next = randomBytes(2);
  const latent = Array.from({ length: 8 }, () => Array.from({ length: dim }, () => next() / 128 - 1));
  const vectors = Array.from({ length: rowCount }, () => {
    const place = latent.map(() => next() / 128 - 1);
    return Array.from({ length: dim }, (_, d) =>
      Math.fround(place.reduce((sum, x, l) => sum + x * latent[l][d], 0)),
    );
  });
  for (let start = 0; start < rowCount; start += batchRows) {
    const data = vectors.slice(start, start + batchRows).map((v, i) => ({ id: start + i, v }));
    await must(client.insert({ collection_name, data }));
  }
  const definition = { collection_name, field_name: 'v', index_type: 'DISKANN', metric_type: 'L2' };
  await must(client.createIndex({ ...definition, params: { max_degree: 32 } }));
  await finished(collection_name, 'v');
  await must(client.loadCollection({ collection_name }));
  let right = 0;
  for (let row = 0; row < rowCount; row += 850) {
    const { results } = await must(
      client.search({ collection_name, data: vectors[row], limit: 3, params: { search_list: 60 } }),
    );
    right += Number(results[0].id) === row ? 1 : 0;
  }
  assert.ok(right >= 19, `${right} of 20 rows found themselves`);
  const filter = 'id % 2 == 1';
  const odd = { collection_name, data: vectors[850], limit: 10, filter, params: { search_list: 60 } };
  const { results } = await must(client.search(odd));
  assert.ok(results.length === 10 && results.every(({ id }) => Number(id) % 2 === 1));
  await assert.rejects(
    must(client.search({ collection_name, data: vectors[0], limit: 30, params: { search_list: 10 } })),
    /search_list_size\(10\) should be larger than k\(30\)/,
  );
  await drop(collection_name, 'v');
});

await runChecks();
