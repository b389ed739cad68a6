import { untilIndexed } from './indexed-collection.ts';
import type { LeanConnection } from './lean-connection.ts';
import { drain, withConnections } from './measure.ts';
import { ask, encode, type Message, type Request, request, searchIds, searchWords } from './messages.ts';
import { havePackages, readPackages, readQuestions } from './packages.ts';
import type { Peer } from './peers.ts';
import { expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';

const COLLECTION = 'texts';
const BATCH_ROWS = 1_000;
const CONNECTIONS = [1, 4];
const PASSES = 3;
/** It answers a few a second. */
const QUERIES_LITE = 20;
const TYPE = { int64: 5, varChar: 21, sparseFloatVector: 104 } as const;
const BM25_FUNCTION = 1;
const BOUNDED = 2;

/** BM25 over the descriptions of the packages, asked in words: queries a second on one connection and on four. */
export async function measureText(peer: Peer, table: Table): Promise<void> {
  if (!havePackages('text')) return;
  await withConnections(peer, CONNECTIONS.at(-1)!, async (connections) => {
    const texts = readPackages().map(({ description }) => description);
    await fill(connections[0]!, texts);
    const asked = readQuestions().map(({ text }) =>
      request('Search', searchWords(COLLECTION, 'words', text)),
    );
    const isLite = peer.name.startsWith('milvus-lite');
    const requests = isLite
      ? asked.slice(0, QUERIES_LITE)
      : Array.from({ length: PASSES }, () => asked).flat();
    await drain(connections.slice(0, 1), isLite ? requests.slice(0, 1) : asked, expectHits);
    for (const count of CONNECTIONS) {
      const seconds = await drain(connections.slice(0, count), requests, expectHits);
      table.add(peer, {
        measurement: `BM25, ${texts.length} texts, ${count} connections`,
        value: requests.length / seconds,
        unit: 'queries/s',
        better: 'more',
      });
    }
    await ask(connections[0]!, 'DropCollection', { collectionName: COLLECTION }, 'common.Status');
  });
}

async function fill(connection: LeanConnection, texts: readonly string[]): Promise<void> {
  await ask(connection, 'CreateCollection', createTextCollection(), 'common.Status');
  const index = {
    collectionName: COLLECTION,
    fieldName: 'words',
    indexName: 'words',
    extraParams: [
      { key: 'index_type', value: 'SPARSE_INVERTED_INDEX' },
      { key: 'metric_type', value: 'BM25' },
    ],
  };
  await ask(connection, 'CreateIndex', index, 'common.Status');
  await ask(connection, 'LoadCollection', { collectionName: COLLECTION, replicaNumber: 1 }, 'common.Status');
  for (let row = 0; row < texts.length; row += BATCH_ROWS) {
    const { path, frame } = insertTexts(row, texts.slice(row, row + BATCH_ROWS));
    expectInserted(await connection.call(path, frame));
  }
  await ask(connection, 'Flush', { collectionNames: [COLLECTION] }, 'milvus.FlushResponse');
  await untilIndexed(connection, COLLECTION, texts.length);
}

function createTextCollection(): Message {
  const text = [
    { key: 'max_length', value: '65535' },
    { key: 'enable_analyzer', value: 'true' },
  ];
  const schema = encode('schema.CollectionSchema', {
    name: COLLECTION,
    fields: [
      { name: 'id', isPrimaryKey: true, dataType: TYPE.int64 },
      { name: 'text', dataType: TYPE.varChar, typeParams: text },
      { name: 'words', dataType: TYPE.sparseFloatVector, isFunctionOutput: true },
    ],
    functions: [
      { name: 'bm25', type: BM25_FUNCTION, inputFieldNames: ['text'], outputFieldNames: ['words'] },
    ],
  });
  return { collectionName: COLLECTION, schema, shardsNum: 1, consistencyLevel: BOUNDED };
}

function insertTexts(firstId: number, texts: readonly string[]): Request {
  return request('Insert', {
    collectionName: COLLECTION,
    numRows: texts.length,
    fieldsData: [
      {
        type: TYPE.int64,
        fieldName: 'id',
        scalars: { longData: { data: texts.map((_, row) => firstId + row) } },
      },
      { type: TYPE.varChar, fieldName: 'text', scalars: { stringData: { data: texts } } },
    ],
  });
}

/** Every question is made of words of the texts. */
function expectHits(answer: Buffer): void {
  // A long answer has hits; of the others it is looked at.
  if (answer.length < 100 && searchIds(answer).length === 0) throw new Error('Search: no text was found');
}
