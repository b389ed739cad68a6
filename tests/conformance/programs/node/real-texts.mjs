// Descriptions of Debian's packages, searched by words: scores as the formula has them, after deletes and updates. Every
// fifth package where ELANUS_PACKAGES says that they lie, all of them with ELANUS_TEXTS=all, the slice of the examples elsewhere.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { check, createLoaded, runChecks } from './case-runner.mjs';
import { client, must, sdk } from './steps.mjs';

const { DataType } = sdk;
const PACKAGES = 'packages.jsonl.gz';
const slice = join(import.meta.dirname, '../../../../examples/packages/slice');
const whole = process.env.ELANUS_PACKAGES ?? slice;
const folder = existsSync(join(whole, PACKAGES)) ? whole : slice;

const linesOf = (text) => text.split('\n').filter(Boolean).map(JSON.parse);
const step = folder === slice || process.env.ELANUS_TEXTS === 'all' ? 1 : 5;
const packages = linesOf(gunzipSync(readFileSync(join(folder, PACKAGES))).toString()).filter(
  (_, at) => at % step === 0,
);
const queries = linesOf(readFileSync(join(folder, 'queries.jsonl'), 'utf8')).slice(0, 60);

const ROWS_AT_ONCE = 2000;
const LIMIT = 100;
const fields = [
  { name: 'text', data_type: DataType.VarChar, max_length: 65_535, enable_analyzer: true },
  { name: 'words', data_type: DataType.SparseFloatVector },
];
const functions = [
  { name: 'bm25', type: 1, input_field_names: ['text'], output_field_names: ['words'], params: {} },
];
const index = { field_name: 'words', index_type: 'SPARSE_INVERTED_INDEX', metric_type: 'BM25' };

/** Runs of letters and digits, each character in lower case. */
const wordsOf = (text) =>
  (text.match(/[\p{Alphabetic}\p{N}]+/gu) ?? []).map((word) =>
    Array.from(word, (character) => character.toLowerCase()).join(''),
  );

/** What the formula says of texts, for some words. */
class Formula {
  #lengths = new Map();
  #counts;
  #average;

  constructor(texts, words) {
    this.#counts = new Map(words.map((word) => [word, new Map()]));
    let total = 0;
    for (const [id, text] of texts) {
      const found = wordsOf(text);
      total += found.length;
      this.#lengths.set(id, found.length);
      for (const word of found) {
        const counts = this.#counts.get(word);
        counts?.set(id, (counts.get(id) ?? 0) + 1);
      }
    }
    this.#average = Math.max(1, total / texts.size);
  }

  /** The scores of all texts that have a word of the query, by id. */
  scores(query, k1 = 1.2, b = 0.75) {
    const scores = new Map();
    for (const word of wordsOf(query)) {
      const counts = this.#counts.get(word);
      const idf = Math.log(1 + (this.#lengths.size - counts.size + 0.5) / (counts.size + 0.5));
      for (const [id, tf] of counts) {
        const norm = tf + k1 * (1 - b + (b * this.#lengths.get(id)) / this.#average);
        scores.set(id, (scores.get(id) ?? 0) + (idf * tf * (k1 + 1)) / norm);
      }
    }
    return scores;
  }
}

async function inBatches(rows, write) {
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) await must(write(rows.slice(at, at + ROWS_AT_ONCE)));
}

async function agrees(collection_name, texts) {
  const formula = new Formula(
    texts,
    queries.flatMap(({ text }) => wordsOf(text)),
  );
  const data = queries.map(({ text }) => text);
  const { results } = await must(client.search({ collection_name, anns_field: 'words', data, limit: LIMIT }));
  const isClose = (score, wanted) => Math.abs(score - wanted) <= 1e-5 * wanted;
  let compared = 0;
  for (const [number, { text }] of queries.entries()) {
    const scores = formula.scores(text);
    const best = Array.from(scores.values()).sort((a, b) => b - a);
    const hits = results[number];
    assert.equal(hits.length, Math.min(LIMIT, best.length), text);
    for (const [rank, { id, score }] of hits.entries()) {
      assert.ok(isClose(score, best[rank]), `rank ${rank} of "${text}": ${score}, not ${best[rank]}`);
      assert.ok(
        isClose(score, scores.get(Number(id))),
        `${id} of "${text}": ${score}, not ${scores.get(Number(id))}`,
      );
    }
    compared += hits.length;
  }
  assert.ok(compared > 0.9 * LIMIT * queries.length, `${compared} hits compared`);
}

check(
  `${packages.length} descriptions have the scores of the formula, also when some go and some change`,
  async (collection_name) => {
    await createLoaded(collection_name, fields, index, { functions, shards_num: 2 });
    const texts = new Map(packages.map(({ id, description }) => [id, description]));
    const rows = Array.from(texts, ([id, text]) => ({ id, text }));
    const insert = (data) => client.insert({ collection_name, data });
    const inFiles = Math.floor(rows.length * 0.7);
    await inBatches(rows.slice(0, inFiles), insert);
    await must(client.flushSync({ collection_names: [collection_name] }));
    await inBatches(rows.slice(inFiles), insert);
    await agrees(collection_name, texts);

    const gone = [...texts.keys()].filter((id) => id % 9 === 3);
    await must(client.deleteEntities({ collection_name, filter: 'id % 9 == 3' }));
    assert.ok(gone.length > 0);
    for (const id of gone) texts.delete(id);
    const changed = packages
      .filter(({ id }) => id % 7 === 1)
      .map(({ id, summary }) => ({ id, text: summary }));
    await inBatches(changed, (data) => client.upsert({ collection_name, data }));
    for (const { id, text } of changed) texts.set(id, text);
    await agrees(collection_name, texts);
  },
);

await runChecks();
