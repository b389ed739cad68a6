// Texts that a model turns into vectors, and hits that a model ranks, in JavaScript.
import assert from 'node:assert/strict';
import { check, createLoaded, runChecks } from './case-runner.mjs';
import { client, must, sdk } from './steps.mjs';

const { DataType, FunctionType } = sdk;
const texts = ['a bird of gold', 'worms in the desert', 'a planet that thinks'];

async function library(collection_name) {
  await createLoaded(
    collection_name,
    [
      { name: 'text', data_type: DataType.VarChar, max_length: 100 },
      { name: 'vector', data_type: DataType.FloatVector, dim: 256 },
    ],
    { field_name: 'vector', index_type: 'AUTOINDEX', metric_type: 'COSINE' },
    {
      functions: [
        {
          name: 'meaning',
          type: FunctionType.TEXTEMBEDDING,
          input_field_names: ['text'],
          output_field_names: ['vector'],
          params: { provider: 'openai', model_name: 'm' },
        },
      ],
    },
  );
  const data = texts.map((text, at) => ({ id: at + 1, text }));
  await must(client.insert({ collection_name, data }));
}

const keysOf = ({ results }) => results.map(({ id }) => Number(id));

check('texts are found by what they mean', async (collection_name) => {
  await library(collection_name);
  const found = await must(client.search({ collection_name, data: 'the desert', limit: 1 }));
  assert.deepEqual(keysOf(found), [2]);
});

check('a model ranks hits', async (collection_name) => {
  await library(collection_name);
  const rerank = {
    name: 'model',
    type: FunctionType.RERANK,
    input_field_names: ['text'],
    output_field_names: [],
    params: { reranker: 'model', provider: 'cohere', model_name: 'm', queries: ['gold'] },
  };
  const found = await must(client.search({ collection_name, data: 'the desert', limit: 3, rerank }));
  assert.deepEqual(keysOf(found)[0], 1);
});

check('a model that fails is an error', async (collection_name) => {
  await library(collection_name);
  const answer = await client.insert({ collection_name, data: [{ id: 9, text: 'ERROR' }] });
  assert.equal(answer.status.code, 2400);
  assert.match(answer.status.reason, /Call service failed/);
});

check('a service cuts texts', async (collection_name) => {
  const analyzer_params = { tokenizer: { type: 'grpc', endpoint: process.env.ELANUS_ANALYZER_GRPC_URL } };
  const { results } = await must(client.runAnalyzer({ analyzer_params, text: ['one-two three'] }));
  assert.deepEqual(
    results[0].tokens.map(({ token }) => token),
    ['one', 'two three'],
  );
  const text = {
    name: 'text',
    data_type: DataType.VarChar,
    max_length: 100,
    enable_analyzer: true,
    analyzer_params,
  };
  const words = { name: 'words', data_type: DataType.SparseFloatVector };
  const made = { input_field_names: ['text'], output_field_names: ['words'], params: {} };
  await createLoaded(
    collection_name,
    [text, words],
    { field_name: 'words', index_type: 'SPARSE_INVERTED_INDEX', metric_type: 'BM25' },
    { functions: [{ name: 'bm25', type: FunctionType.BM25, ...made }] },
  );
  const data = texts.map((each, id) => ({ id, text: each.replaceAll(' of ', '-') }));
  await must(client.insert({ collection_name, data }));
  const found = await must(
    client.search({ collection_name, anns_field: 'words', data: 'gold-a bird', limit: 3 }),
  );
  assert.deepEqual(keysOf(found), [0]);
});

await runChecks();
