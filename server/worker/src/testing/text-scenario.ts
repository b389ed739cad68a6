import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { openAnalyzer, runAtOnce, type Texts, termVectors } from '@elanus/functions';
import {
  type CollectionInfo,
  type Column,
  DataType,
  type FieldId,
  functionOfOutput,
  type PartitionId,
  type RowBatch,
  type SchemaFunction,
  TIMESTAMP_MAX,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { InsertPart, ReadTask, SearchTask, WriteRequest } from '@elanus/rpc';
import type { Random } from '@elanus/runtime';
import { keyColumn, keysOf } from '@elanus/segment/testing';
import { ModelCollection, type ModelWrite } from './model-collection.ts';
import { channelOf, readTask, type Workers } from './open-workers.ts';

const [ID, TEXT, WORDS] = [100, 101, 102] as readonly number[] as readonly [FieldId, FieldId, FieldId];
const KEY = fieldFixture(ID, 'id', DataType.Int64, { isPrimaryKey: true });
const TEXTS = fieldFixture(TEXT, 'text', DataType.VarChar, { maxLength: 1000 });
/** The output of the function below. */
export const WORDS_FIELD = fieldFixture(WORDS, 'words', DataType.SparseFloatVector);
const BM25: SchemaFunction = {
  id: 100,
  name: 'bm25',
  description: '',
  type: 'BM25',
  input: TEXT,
  output: WORDS,
  params: [],
};

/** Keys and texts. */
export const PLAIN_TEXTS = schemaFixture([KEY, TEXTS], { lastFieldId: TEXT });
/** These, and their words from the beginning. */
export const COUNTED_TEXTS = schemaFixture([KEY, TEXTS, WORDS_FIELD], { functions: [BM25] });
/** What becomes of `PLAIN_TEXTS` when somebody wants their words. */
export const TEXTS_COUNTED_LATER = schemaFixture([KEY, TEXTS, WORDS_FIELD], {
  functions: [{ ...BM25, fillsEarlierRows: true }],
  version: PLAIN_TEXTS.version + 1,
});

const analyzer = await openAnalyzer('');

/** Few words, the first ones in most texts. */
function randomText(random: Random): string {
  const words = Array.from({ length: random.below(12) }, () => `w${Math.floor(random.float() ** 3 * 40)}`);
  return words.join(' ');
}

function textsOf(rows: readonly string[]): Texts {
  const offsets = new Uint32Array(rows.length + 1);
  for (const [at, row] of rows.entries()) offsets[at + 1] = offsets[at]! + Buffer.byteLength(row);
  return { length: rows.length, validity: null, offsets, bytes: Buffer.from(rows.join('')) };
}

const vectorsOf = (rows: readonly string[]) => runAtOnce(termVectors(textsOf(rows), () => analyzer));

function batchOf(
  { schema }: CollectionInfo,
  rows: readonly { readonly key: bigint; readonly text: string }[],
): RowBatch {
  const texts = rows.map(({ text }) => text);
  const keys = keyColumn(
    rows.map(({ key }) => key),
    DataType.Int64,
  );
  const columns = new Map<FieldId, Column>([
    [ID, keys],
    [TEXT, { dataType: DataType.VarChar, ...textsOf(texts) }],
  ]);
  if (functionOfOutput(schema, WORDS) !== undefined) columns.set(WORDS, vectorsOf(texts));
  return { length: rows.length, columns };
}

/** Random writes of few words, and what should become of them. */
export class TextScenario {
  /** Writes and reads are by its schema. */
  collection: CollectionInfo;
  readonly model = new ModelCollection({ keepsDuplicates: false });
  readonly random: Random;

  constructor(collection: CollectionInfo, random: Random) {
    this.collection = collection;
    this.random = random;
  }

  partition(): PartitionId {
    return this.collection.partitions[this.random.below(this.collection.partitions.length)]!.id;
  }

  write(): { request: WriteRequest; model: ModelWrite } {
    const { random, collection } = this;
    const key = () => BigInt(random.below(400));
    if (random.chance(0.3)) {
      const keys = Array.from({ length: 1 + random.below(30) }, key);
      const parts = collection.channels.map((channel) => ({
        channel,
        partitionIds: null,
        keys: keyColumn(
          keys.filter((each) => channelOf(each, collection) === channel),
          DataType.Int64,
        ),
      }));
      return {
        request: { kind: 'delete', collection, parts },
        model: { kind: 'delete', keys, partitionIds: null },
      };
    }
    const kind = random.chance(0.5) ? 'insert' : 'upsert';
    const partitionId = this.partition();
    const rows = Array.from({ length: 1 + random.below(60) }, () => ({
      key: key(),
      text: randomText(random),
    }));
    const groups = Map.groupBy(rows, (row) => channelOf(row.key, collection));
    const parts = Array.from(
      groups,
      ([channel, group]): InsertPart => ({ channel, partitionId, batch: batchOf(collection, group) }),
    );
    const modelRows = [...groups.values()].flat().map(({ key: own, text }) => ({
      key: own,
      partitionId,
      values: text,
    }));
    return { request: { kind, collection, parts }, model: { kind, rows: modelRows } };
  }
}

interface Bm25 {
  readonly k1: number;
  readonly b: number;
}

/** Scores as the formula has them: of all rows that are not 0, by key. */
function naiveScores(
  rows: readonly { readonly key: unknown; readonly values: unknown }[],
  query: string,
  { k1, b }: Bm25,
): ReadonlyMap<unknown, number> {
  const documents = rows.map(({ key, values }) => ({
    key,
    words: (values as string).split(' ').filter(Boolean),
  }));
  const length = documents.reduce((sum, { words }) => sum + words.length, 0);
  const average = Math.max(1, length / Math.max(1, rows.length));
  const scores = new Map<unknown, number>();
  for (const word of query.split(' ').filter(Boolean)) {
    const n = documents.filter(({ words }) => words.includes(word)).length;
    const idf = Math.log(1 + (rows.length - n + 0.5) / (n + 0.5));
    for (const { key, words } of documents) {
      const tf = words.filter((each) => each === word).length;
      if (tf === 0) continue;
      const score = (idf * tf * (k1 + 1)) / (tf + k1 * (1 - b + (b * words.length) / average));
      scores.set(key, (scores.get(key) ?? 0) + score);
    }
  }
  return scores;
}

/** As long as some rows lack their words, whatever is found has a word of the query, and is there. */
export async function assertSoundHits(
  { query: reader }: Workers,
  { collection, model, random }: TextScenario,
  context: string,
): Promise<void> {
  const text = randomText(random);
  const hits = await reader.search({ ...readTask(collection), ...wordSearch([text], { k1: 1.2, b: 0.75 }) });
  const rows = new Map(model.visible(TIMESTAMP_MAX).map(({ key, values }) => [key, values as string]));
  const words = text.split(' ');
  for (const key of keysOf(hits.keys)) {
    const found = rows.get(key)?.split(' ') ?? [];
    assert.ok(
      found.some((word) => words.includes(word)),
      `key ${key} of "${text}", ${context}`,
    );
  }
}

/** A search for the words of texts by comparing with every row. */
function wordSearch(texts: readonly string[], bm25: Bm25): Omit<SearchTask, keyof ReadTask> {
  const { offsets, bytes } = vectorsOf(texts);
  return {
    field: WORDS_FIELD,
    metric: 'BM25',
    queries: { dataType: DataType.SparseFloatVector, dim: null, count: texts.length, bytes, offsets },
    limit: 10,
    radius: null,
    rangeFilter: null,
    walk: null,
    sparse: { bm25, dropRatio: 0 },
  };
}

/** Compares the best hits of two random queries with what the formula says, to 1e-5. */
export async function assertSameScores(
  { query: reader }: Workers,
  { collection, model, random }: TextScenario,
  changes: Partial<ReadTask>,
  context: string,
): Promise<void> {
  const task = readTask(collection, changes);
  const bm25 = { k1: random.below(4) * 0.6, b: random.below(5) / 4 };
  const texts = [randomText(random), randomText(random)];
  const hits = await reader.search({ ...task, ...wordSearch(texts, bm25) });
  const rows = model.visible(task.snapshot ?? TIMESTAMP_MAX, task.partitionIds);
  const keys = keysOf(hits.keys);
  let at = 0;
  for (const [number, text] of texts.entries()) {
    const scores = naiveScores(rows, text, bm25);
    const matching = [...scores].filter(([key]) => task.filter === null || (key as bigint) >= 100n);
    const best = matching
      .map(([, score]) => score)
      .sort((a, b) => b - a)
      .slice(0, 10);
    assert.equal(hits.counts[number], best.length, `hits of "${text}", ${context}`);
    for (const score of best) {
      const close = (other: number) => Math.abs(other - score) <= 1e-5 * Math.max(1, score);
      assert(close(hits.scores[at]!), `${hits.scores[at]} is not ${score} of "${text}", ${context}`);
      assert(close(scores.get(keys[at])!), `key ${keys[at]} of "${text}", ${context}`);
      at += 1;
    }
  }
}

/** Puts segments together and waits for it; returns how many groups of them there were. */
export async function compact({ streaming }: Workers, { id }: CollectionInfo): Promise<number> {
  const ticket = await streaming.compact(id, { partitionId: null, bytesMax: null });
  while (streaming.compaction(ticket.id).executing > 0) await turn();
  const { completed, failed } = streaming.compaction(ticket.id);
  assert.equal(failed, 0);
  return completed;
}
