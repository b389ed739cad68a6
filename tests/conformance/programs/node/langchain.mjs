// LangChain's Milvus store: documents go in, the ones that a question is about come back.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { check, runChecks } from './case-runner.mjs';
import { embed, embeddings } from './made-up-embeddings.mjs';
import { address, client, must } from './steps.mjs';

const load = createRequire(join(process.argv[2], 'package.json'));
const { Milvus } = load('@langchain/community/vectorstores/milvus');
const { Document } = load('@langchain/core/documents');

const book = (pageContent, year, genre = 'crime') =>
  new Document({ pageContent, metadata: { year, genre, lent: year > 1950, place: { shelf: year % 10 } } });
const books = [
  book('A detective and a missing bird of gold', 1930),
  book('The detective sleeps long and drinks much', 1939),
  book('Worms in the desert of a dry planet', 1965, 'space'),
  book('A planet that thinks, and a sea', 1961, 'space'),
];
const options = (collectionName, more = {}) => ({ collectionName, url: address, ...more });
const contents = (documents) => documents.map(({ pageContent }) => pageContent);

check('documents come back by what they are about, with their metadata', async (name) => {
  const store = await Milvus.fromDocuments(books, embeddings, options(name));
  const [[found, score], ...others] = await store.similaritySearchWithScore('worms of the desert', 2);
  assert.deepEqual(found.metadata, books[2].metadata);
  assert.equal(found.pageContent, books[2].pageContent);
  const [query, stored] = [embed('worms of the desert'), embed(books[2].pageContent)];
  const distance = query.reduce((sum, value, at) => sum + (value - stored[at]) ** 2, 0);
  assert.ok(Math.abs(score - distance) < 1e-5, `${score} is not ${distance}`);
  assert.equal(others.length, 1);
});

check('filters are over metadata', async (name) => {
  const store = await Milvus.fromDocuments(books, embeddings, options(name));
  const found = await store.similaritySearch('detective', 4, 'genre == "space" && year < 1965');
  assert.deepEqual(contents(found), [books[3].pageContent]);
  assert.equal((await store.similaritySearch('detective', 4, 'lent == false')).length, 2);
});

check('a retriever asks an existing collection', async (name) => {
  await Milvus.fromDocuments(books, embeddings, options(name));
  const store = await Milvus.fromExistingCollection(embeddings, options(name));
  const found = await store.asRetriever({ k: 1 }).invoke('a bird of gold');
  assert.deepEqual(contents(found), [books[0].pageContent]);
});

check('documents with ids of their own are replaced and deleted by them', async (name) => {
  const store = new Milvus(embeddings, options(name, { autoId: false }));
  await store.addDocuments(books, { ids: ['a', 'b', 'c', 'd'] });
  await store.addDocuments([book('A bird of lead', 1931)], { ids: ['a'] });
  const found = await store.similaritySearch('bird', 1);
  assert.deepEqual([contents(found), found[0].metadata.langchain_primaryid], [['A bird of lead'], 'a']);
  await store.delete({ ids: ['a', 'd'] });
  assert.deepEqual(contents(await store.similaritySearch('planet', 9)), contents([books[2], books[1]]));
});

check('a filter deletes documents', async (name) => {
  const store = await Milvus.fromDocuments(books, embeddings, options(name));
  await store.delete({ filter: 'genre == "crime"' });
  assert.equal((await store.similaritySearch('detective', 9)).length, 2);
});

check('documents lie in a partition, or in those of a key', async (name) => {
  const shelf = options(name, { partitionName: 'shelf' });
  const store = await Milvus.fromDocuments(books.slice(0, 2), embeddings, shelf);
  await new Milvus(embeddings, options(name)).addDocuments(books.slice(2));
  assert.equal((await store.similaritySearch('planet', 9)).length, 2);
  assert.equal((await new Milvus(embeddings, options(name)).similaritySearch('planet', 9)).length, 4);
  const keyed = `${name}_keyed`;
  const byGenre = await Milvus.fromDocuments(books, embeddings, options(keyed, { partitionKey: 'genre' }));
  assert.equal((await byGenre.similaritySearch('planet', 9, 'genre == "space"')).length, 2);
  await must(client.dropCollection({ collection_name: keyed }));
});

check('the index is the one that was asked for', async (name) => {
  const indexCreateOptions = { index_type: 'FLAT', metric_type: 'IP', params: {} };
  const store = await Milvus.fromTexts(
    contents(books),
    books.map(({ metadata }) => metadata),
    embeddings,
    options(name, { indexCreateOptions }),
  );
  const [[, score]] = await store.similaritySearchWithScore(books[1].pageContent, 1);
  assert.ok(Math.abs(score - 1) < 1e-5);
  await store.setProperties({ 'collection.ttl.seconds': 3600 });
  const { properties } = await must(client.describeCollection({ collection_name: name }));
  assert.ok(properties.some(({ key, value }) => key === 'collection.ttl.seconds' && value === '3600'));
});

check('what Milvus refuses is an error with its words', async (name) => {
  const store = await Milvus.fromDocuments(books, embeddings, options(name));
  await assert.rejects(store.similaritySearch('bird', 1, 'genre =='), /cannot parse expression/);
  await assert.rejects(store.addVectors([[1, 2]], [books[0]]), /dim|length|vector/i);
});

await runChecks();
