// mem0's memory over its Milvus store, with a made-up embedder and without a language model.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { check, runChecks } from './case-runner.mjs';
import { dimensions, embeddings } from './made-up-embeddings.mjs';
import { address } from './steps.mjs';

process.env.MEM0_TELEMETRY = 'false';
const load = createRequire(join(process.argv[2], 'package.json'));
const { Memory } = load('mem0ai/oss');

const noModel = {
  invoke: async () => {
    throw new Error('memories are added as they are, no model is asked');
  },
};
const memory = (collectionName, more = {}) =>
  new Memory({
    embedder: { provider: 'langchain', config: { model: embeddings } },
    llm: { provider: 'langchain', config: { model: noModel } },
    vectorStore: {
      provider: 'milvus',
      config: { collectionName, url: address, embeddingModelDims: dimensions, ...more },
    },
    disableHistory: true,
  });
const facts = ['Ada likes tea with milk', 'Ada keeps two cats', 'Ada walks to work'];
const remembered = ({ results }) => results.map((each) => each.memory).sort();

/** The facts of one user and one of another. */
async function filled(name, more) {
  const store = memory(name, more);
  for (const fact of facts) await store.add(fact, { userId: 'ada', infer: false });
  await store.add('Bob keeps a dog', { userId: 'bob', infer: false, metadata: { kind: 'pet' } });
  return store;
}

for (const metricType of ['COSINE', 'L2']) {
  check(`memories of one user are found by meaning and by words (${metricType})`, async (name) => {
    const store = await filled(name, { metricType });
    const found = await store.search('who keeps cats', { filters: { user_id: 'ada' }, topK: 1 });
    assert.deepEqual(remembered(found), [facts[1]]);
    assert.ok(found.results[0].score > 0);
  });
}

check('all memories of a user are listed, and no others', async (name) => {
  const store = await filled(name);
  assert.deepEqual(remembered(await store.getAll({ filters: { user_id: 'ada' } })), [...facts].sort());
  const [bobs] = (await store.getAll({ filters: { user_id: 'bob' } })).results;
  assert.equal(bobs.metadata.kind, 'pet');
});

check('a memory is read, changed and forgotten', async (name) => {
  const store = await filled(name);
  const { results } = await store.search('tea', { filters: { user_id: 'ada' }, topK: 1 });
  const [{ id }] = results;
  assert.equal((await store.get(id)).memory, facts[0]);
  await store.update(id, 'Ada likes coffee');
  assert.equal((await store.get(id)).memory, 'Ada likes coffee');
  assert.deepEqual(remembered(await store.search('coffee', { filters: { user_id: 'ada' }, topK: 1 })), [
    'Ada likes coffee',
  ]);
  await store.delete(id);
  assert.equal(await store.get(id), null);
  await store.deleteAll({ userId: 'ada' });
  assert.deepEqual(remembered(await store.getAll({ filters: { user_id: 'ada' } })), []);
  assert.equal((await store.getAll({ filters: { user_id: 'bob' } })).results.length, 1);
});

check('a second process finds the memories of the first', async (name) => {
  await filled(name);
  const found = await memory(name).search('a dog', { filters: { user_id: 'bob' }, topK: 3 });
  assert.deepEqual(remembered(found), ['Bob keeps a dog']);
});

await runChecks();
