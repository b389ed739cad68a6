// Texts as a program in JavaScript searches them: BM25 functions, analyzers, matches of words and phrases.
import assert from 'node:assert/strict';
import { check, createLoaded, runChecks } from './case-runner.mjs';
import { client, must, sdk } from './steps.mjs';

const { DataType } = sdk;
const TEXTS = ['the quick brown fox', 'a quick fox and a slow dog', 'lazy dogs sleep', 'fox fox fox'];
const fields = [
  { name: 'text', data_type: DataType.VarChar, max_length: 1000, enable_analyzer: true, enable_match: true },
  { name: 'words', data_type: DataType.SparseFloatVector },
];
const functions = [
  { name: 'bm25', type: 1, input_field_names: ['text'], output_field_names: ['words'], params: {} },
];
const index = { field_name: 'words', index_type: 'SPARSE_INVERTED_INDEX', metric_type: 'BM25' };

async function filled(collection_name) {
  await createLoaded(collection_name, fields, index, { functions });
  const data = TEXTS.map((text, id) => ({ id, text }));
  await must(client.insert({ collection_name, data }));
}

const idsOf = (rows) => rows.map(({ id }) => Number(id));

/** Natural logarithm of BM25 for one word that `n` of `all` rows have. */
const idf = (all, n) => Math.log(1 + (all - n + 0.5) / (n + 0.5));

check(
  'texts are found by words, best first',
  async (collection_name) => {
    await filled(collection_name);
    const { results } = await must(
      client.search({ collection_name, anns_field: 'words', data: 'fox', limit: 5 }),
    );
    assert.deepEqual(idsOf(results), [3, 0, 1]);
    const lengths = TEXTS.map((text) => text.split(' ').length);
    const average = lengths.reduce((a, b) => a + b) / lengths.length;
    const expected = (idf(4, 3) * 3 * 2.2) / (3 + 1.2 * (0.25 + (0.75 * 3) / average));
    assert.ok(Math.abs(results[0].score - expected) < 1e-5 * expected, `${results[0].score} ${expected}`);
  },
  '2.5',
);

check(
  'several texts are searched at once',
  async (collection_name) => {
    await filled(collection_name);
    const { results } = await must(
      client.search({ collection_name, anns_field: 'words', data: ['dogs', 'nobody'], limit: 5 }),
    );
    assert.deepEqual(results.map(idsOf), [[2], []]);
  },
  '2.5',
);

check(
  'filters match words and phrases',
  async (collection_name) => {
    await filled(collection_name);
    const ids = async (filter) => {
      const { data } = await must(client.query({ collection_name, filter, output_fields: ['id'] }));
      return idsOf(data);
    };
    assert.deepEqual(await ids('text_match(text, "dog dogs")'), [1, 2]);
    assert.deepEqual(await ids('phrase_match(text, "quick fox")'), [1]);
    assert.deepEqual(await ids('phrase_match(text, "quick fox", 1)'), [0, 1]);
    await must(client.deleteEntities({ collection_name, filter: 'text_match(text, "lazy")' }));
    assert.deepEqual(await ids('text_match(text, "dog dogs")'), [1]);
  },
  '2.5',
);

check(
  'the schema tells of its functions',
  async (collection_name) => {
    await filled(collection_name);
    const { schema } = await must(client.describeCollection({ collection_name }));
    assert.deepEqual(
      schema.functions.map(({ name, input_field_names, output_field_names }) => [
        name,
        input_field_names,
        output_field_names,
      ]),
      [['bm25', ['text'], ['words']]],
    );
  },
  '2.5',
);

check(
  'analyzers show what they make of texts',
  async () => {
    const { results } = await must(
      client.runAnalyzer({ analyzer_params: { type: 'english' }, text: ['Running dogs'], with_detail: true }),
    );
    assert.deepEqual(
      results[0].tokens.map(({ token, start_offset, end_offset }) => [
        token,
        Number(start_offset),
        Number(end_offset),
      ]),
      [
        ['run', 0, 7],
        ['dog', 8, 12],
      ],
    );
  },
  '2.6',
);

await runChecks();
