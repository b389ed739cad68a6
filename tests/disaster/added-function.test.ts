import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '@elanus/runtime';
import { ElanusProcess } from '@elanus/tests-harness';

/** The long form: `ELANUS_KILLS=50`. */
const KILLS = Number(process.env.ELANUS_KILLS ?? 3);
const SEED = Number(process.env.ELANUS_SEED ?? 7);
const SEGMENTS = 6;
const SEGMENT_ROWS = 2_000;
const WORDS_EACH = 40;
/** Words of all texts: few enough that each is in many, as many as REST answers at once. */
const VOCABULARY = 400;
const NAME = 'books';

type Json = Record<string, unknown>;

/** Rows as they should be. */
interface Books {
  readonly texts: Map<number, string>;
  readonly random: ReturnType<typeof seededRandom>;
}

async function ask(server: ElanusProcess, path: string, body: Json): Promise<Json> {
  const answer = await fetch(`http://${server.address}/v2/vectordb/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ collectionName: NAME, ...body }),
  });
  const read = (await answer.json()) as Json;
  assert.equal(read.code, 0, `${path}: ${JSON.stringify(read)}`);
  return read;
}

async function create(server: ElanusProcess): Promise<void> {
  const text = { max_length: '4000', enable_analyzer: 'true' };
  await ask(server, 'collections/create', {
    schema: {
      fields: [
        { fieldName: 'id', dataType: 'Int64', isPrimary: true },
        { fieldName: 'text', dataType: 'VarChar', elementTypeParams: text },
        { fieldName: 'v', dataType: 'FloatVector', elementTypeParams: { dim: '2' } },
      ],
    },
    indexParams: [{ fieldName: 'v', metricType: 'L2', indexType: 'FLAT' }],
    params: { consistencyLevel: 'Strong', shardsNum: 2 },
  });
}

async function write(server: ElanusProcess, { texts, random }: Books, ids: readonly number[]): Promise<void> {
  const data = ids.map((id) => {
    const words = Array.from({ length: WORDS_EACH }, () => `w${random.below(VOCABULARY)}`);
    return { id, text: words.join(' '), v: [id, 0] };
  });
  await ask(server, 'entities/upsert', { data });
  for (const { id, text } of data) texts.set(id, text);
}

async function addFunction(server: ElanusProcess): Promise<void> {
  await ask(server, 'collections/add_function_field', {
    function: { name: 'bm25', type: 'BM25', inputFieldNames: ['text'], outputFieldNames: ['words'] },
    outputField: { fieldName: 'words', dataType: 'SparseFloatVector' },
    indexParams: { fieldName: 'words', indexType: 'SPARSE_INVERTED_INDEX', metricType: 'BM25' },
  });
}

/** The rows that a search for one word finds. */
async function search(server: ElanusProcess, word: string): Promise<readonly number[]> {
  const { data } = await ask(server, 'entities/search', {
    data: [word],
    annsField: 'words',
    limit: 16_384,
    outputFields: ['id'],
  });
  return (data as { readonly id: number }[]).map(({ id }) => Number(id)).sort((a, b) => a - b);
}

async function untilFilled(server: ElanusProcess): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const { data } = await ask(server, 'indexes/describe', { indexName: 'words' });
    if ((data as { readonly indexState: string }[])[0]!.indexState === 'Finished') return;
    await delay(50);
  }
  assert.fail('rows are never filled');
}

/** Segments whose files have been written anew. */
async function refilled({ dataDirectory }: ElanusProcess): Promise<number> {
  const objects = join(dataDirectory, 'objects');
  const files = await readdir(objects, { recursive: true });
  return files.filter((file) => /log-snapshot\/\d+-\d+\.arrow$/.test(file)).length;
}

test(`a server that is killed while it counts the words of earlier rows goes on with it (seed ${SEED})`, async (t) => {
  const books: Books = { texts: new Map(), random: seededRandom(SEED) };
  await using server = await ElanusProcess.start();
  await create(server);
  for (let segment = 0; segment < SEGMENTS; segment++) {
    const first = segment * SEGMENT_ROWS;
    await write(
      server,
      books,
      Array.from({ length: SEGMENT_ROWS }, (_, i) => first + i),
    );
    if (segment < SEGMENTS - 1) await ask(server, 'collections/flush', {});
  }
  await addFunction(server);
  for (let kill = 0; kill < KILLS; kill++) {
    await delay(books.random.below(120));
    await server.kill();
    t.diagnostic(`kill ${kill}: ${await refilled(server)} files had been written`);
    await server.startAgain();
    // Rows that come meanwhile are found at once, whatever waits.
    const id = 100_000 + kill;
    await write(server, books, [id, kill]);
    assert.ok((await search(server, books.texts.get(id)!.split(' ')[0]!)).includes(id));
  }
  await untilFilled(server);
  for (const word of ['w0', 'w17', `w${VOCABULARY - 1}`]) {
    const expected = [...books.texts].filter(([, text]) => text.split(' ').includes(word)).map(([id]) => id);
    assert.deepEqual(
      await search(server, word),
      expected.sort((a, b) => a - b),
      word,
    );
  }
});
