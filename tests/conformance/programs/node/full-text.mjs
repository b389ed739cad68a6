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

check(
  'several languages have their words in one field',
  async (collection_name) => {
    const multi_analyzer_params = {
      by_field: 'language',
      analyzers: {
        default: { tokenizer: 'icu' },
        english: { type: 'english' },
        chinese: { type: 'chinese' },
      },
      alias: { en: 'english' },
    };
    const language = { name: 'language', data_type: DataType.VarChar, max_length: 20 };
    const text = { ...fields[0], enable_match: false, multi_analyzer_params };
    await createLoaded(collection_name, [language, text, fields[1]], index, { functions });
    const data = [
      { id: 0, language: 'en', text: 'Running dogs' },
      { id: 1, language: 'chinese', text: '数据库' },
      { id: 2, language: 'ja', text: '東京都です' },
    ];
    await must(client.insert({ collection_name, data }));
    const asked = { collection_name, anns_field: 'words', limit: 5 };
    for (const [word, analyzer_name, id] of [
      ['dog', 'english', 0],
      ['数据', 'chinese', 1],
      ['東京', 'default', 2],
    ]) {
      const { results } = await must(client.search({ ...asked, data: word, params: { analyzer_name } }));
      assert.deepEqual(idsOf(results), [id], word);
    }
  },
  '2.6',
);

check(
  'scores have bounds, words are left out, and pages give every row once',
  async (collection_name) => {
    await filled(collection_name);
    const asked = { collection_name, anns_field: 'words', limit: 5 };
    const { results } = await must(client.search({ ...asked, data: 'fox' }));
    const radius = (results[1].score + results[2].score) / 2;
    const within = async (params) =>
      idsOf((await must(client.search({ ...asked, data: 'fox', params }))).results);
    assert.deepEqual(await within({ radius }), [3, 0]);
    assert.deepEqual(await within({ radius, range_filter: (results[0].score + results[1].score) / 2 }), [0]);
    const few = await must(
      client.search({ ...asked, data: 'sleep fox', params: { drop_ratio_search: 0.5 } }),
    );
    assert.deepEqual(idsOf(few.results), [2]);
    const pages = [];
    const iterator = await client.searchIterator({
      ...asked,
      data: 'fox dogs',
      limit: undefined,
      batchSize: 2,
    });
    for await (const page of iterator) pages.push(...idsOf(page));
    assert.deepEqual(pages.toSorted(), [0, 1, 2, 3]);
  },
  '2.6',
);

check(
  'a highlighter shows the words that were found',
  async (collection_name) => {
    await filled(collection_name);
    const { results } = await must(
      client.search({
        ...{ collection_name, anns_field: 'words', data: 'lazy fox', limit: 1, output_fields: ['text'] },
        highlighter: {
          type: sdk.HighlightType.Lexical,
          highlight_search_text: true,
          pre_tags: ['['],
          post_tags: [']'],
        },
      }),
    );
    assert.deepEqual(results[0].highlight.text.fragments, ['[lazy] dogs sleep']);
  },
  '3.0',
);

check(
  'long texts have words, too',
  async (collection_name) => {
    const text = { name: 'text', data_type: DataType.Text, enable_analyzer: true, enable_match: true };
    await createLoaded(collection_name, [text, fields[1]], index, { functions });
    const long = `${'filler '.repeat(50_000)}needle`;
    await must(
      client.insert({
        collection_name,
        data: [
          { id: 1, text: long },
          { id: 2, text: 'short' },
        ],
      }),
    );
    const asked = { collection_name, anns_field: 'words', limit: 5, output_fields: ['id', 'text'] };
    const { results } = await must(client.search({ ...asked, data: 'needle' }));
    assert.deepEqual(
      results.map(({ id, text }) => [Number(id), text === long]),
      [[1, true]],
    );
  },
  '3.0',
);

check(
  'sparse vectors are found by both algorithms, within bounds, and page by page',
  async (collection_name) => {
    const vectors = Array.from({ length: 60 }, (_, id) => ({ [id % 7]: 1 + id, [100 + (id % 3)]: 0.5 }));
    const vector = { name: 'vector', data_type: DataType.SparseFloatVector };
    for (const index_type of ['SPARSE_INVERTED_INDEX', 'SPARSE_WAND']) {
      await client.dropCollection({ collection_name });
      await createLoaded(collection_name, [vector], { field_name: 'vector', index_type, metric_type: 'IP' });
      await must(client.insert({ collection_name, data: vectors.map((each, id) => ({ id, vector: each })) }));
      const query = { 3: 2, 101: 1 };
      const scores = vectors.map((each, id) => [id, (each[3] ?? 0) * 2 + (each[101] ?? 0)]);
      const wanted = scores.filter(([, score]) => score > 0).sort(([, a], [, b]) => b - a);
      const asked = { collection_name, anns_field: 'vector', data: query };
      const { results } = await must(client.search({ ...asked, limit: 8 }));
      assert.deepEqual(
        results.map(({ id, score }) => [Number(id), score]),
        wanted.slice(0, 8),
      );
      const few = await must(
        client.search({ ...asked, limit: 60, params: { radius: 40, range_filter: 80 } }),
      );
      const between = wanted.filter(([, score]) => score > 40 && score <= 80);
      assert.deepEqual(
        idsOf(few.results),
        between.map(([id]) => id),
      );
      const pages = [];
      for await (const page of await client.searchIterator({ ...asked, batchSize: 7 }))
        pages.push(...idsOf(page));
      assert.deepEqual(
        pages.toSorted((a, b) => a - b),
        wanted.map(([id]) => id).sort((a, b) => a - b),
      );
    }
  },
  '2.6',
);

check(
  'texts are rewritten before they are cut',
  async () => {
    const analyzer_params = {
      char_filter: [{ type: 'mapping', mappings: ['&=>and'] }],
      char_filter_offset_mode: 'source_span',
      tokenizer: 'standard',
    };
    const { results } = await must(client.runAnalyzer({ analyzer_params, text: ['a&b'], with_detail: true }));
    const [{ token, start_offset, end_offset }] = results[0].tokens;
    assert.deepEqual([token, Number(start_offset), Number(end_offset)], ['aandb', 0, 3]);
  },
  '2.6',
);

check(
  'a function comes to rows that are there, with its field and its index, and goes again',
  async (collection_name) => {
    const [text, words] = fields;
    const place = { name: 'place', data_type: DataType.FloatVector, dim: 2 };
    const byPlace = { field_name: 'place', index_type: 'FLAT', metric_type: 'L2' };
    await createLoaded(collection_name, [text, place], byPlace);
    const rows = TEXTS.map((each, id) => ({ id, text: each, place: [id, 0] }));
    await must(client.insert({ collection_name, data: rows.slice(0, 2) }));
    await must(client.flushSync({ collection_names: [collection_name] }));
    await must(client.insert({ collection_name, data: rows.slice(2) }));

    const added = { collection_name, field: words, function: functions[0] };
    const { index_type, metric_type } = index;
    await must(
      client.addFunctionField({ ...added, index_name: 'words', extra_params: { index_type, metric_type } }),
    );
    for (let state = ''; state !== 'Finished'; ) {
      const { index_descriptions } = await must(
        client.describeIndex({ collection_name, index_name: 'words' }),
      );
      state = index_descriptions[0].state;
    }
    const found = async (data) => {
      const { results } = await must(client.search({ collection_name, anns_field: 'words', data, limit: 5 }));
      return results;
    };
    const results = await found('fox');
    assert.deepEqual(idsOf(results), [3, 0, 1]);
    const average = (4 + 7 + 3 + 3) / 4;
    const expected = (idf(4, 3) * 3 * 2.2) / (3 + 1.2 * (0.25 + (0.75 * 3) / average));
    assert.ok(Math.abs(results[0].score - expected) < 1e-5 * expected, `${results[0].score} ${expected}`);
    await must(client.insert({ collection_name, data: [{ id: 9, text: 'no dogs', place: [9, 0] }] }));
    assert.deepEqual(idsOf(await found('dogs')), [9, 2]);
    const again = await client.addFunctionField({ ...added, extra_params: { index_type, metric_type } });
    assert.match(again.reason, /words/);
    await assert.rejects(must(client.addCollectionFunction(added)), /does not support adding BM25 function/);
    await assert.rejects(
      must(client.dropCollectionFunction({ collection_name, function_name: 'bm25' })),
      /does not support droping BM25 function/,
    );

    await must(client.dropFunctionField({ collection_name, function_name: 'bm25' }));
    const { schema } = await must(client.describeCollection({ collection_name }));
    assert.deepEqual(
      [schema.functions.length, schema.fields.map(({ name }) => name)],
      [0, ['id', 'text', 'place']],
    );
  },
  '3.0',
);

await runChecks();
