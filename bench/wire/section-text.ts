import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { untilIndexed } from './indexed-collection.ts';
import type { LeanConnection } from './lean-connection.ts';
import { drain, withConnections } from './measure.ts';
import { ask, encode, type Message, type Request, request, searchIds } from './messages.ts';
import type { Peer } from './peers.ts';
import { expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';

const PACKAGES = resolve(
  process.env.ELANUS_PACKAGES ?? join(import.meta.dirname, '../../../shared/data/debian-packages'),
);
const COLLECTION = 'texts';
const BATCH_ROWS = 1_000;
const LIMIT = 10;
const CONNECTIONS = [1, 4];
const PASSES = 3;
/** It answers a few a second. */
const QUERIES_LITE = 20;
const TYPE = { int64: 5, varChar: 21, sparseFloatVector: 104 } as const;
const BM25_FUNCTION = 1;
const PLACEHOLDER_TEXT = 21;
const BOOL_EXPRESSION = 1;
const BOUNDED = 2;

/** BM25 over the descriptions of the packages, asked in words: queries a second on one connection and on four. */
export async function measureText(peer: Peer, table: Table): Promise<void> {
  if (!existsSync(join(PACKAGES, 'packages.jsonl.gz'))) {
    console.error(`text is left out: there are no packages in ${PACKAGES} (ELANUS_PACKAGES)`);
    return;
  }
  await withConnections(peer, CONNECTIONS.at(-1)!, async (connections) => {
    const texts = jsonLines(gunzipSync(readFileSync(join(PACKAGES, 'packages.jsonl.gz'))));
    await fill(connections[0]!, texts);
    const asked = jsonLines(readFileSync(join(PACKAGES, 'queries.jsonl')), 'text').map(searchWords);
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

function jsonLines(bytes: Buffer, member: 'description' | 'text' = 'description'): readonly string[] {
  const lines = bytes.toString().trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as Record<typeof member, string>)[member]);
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

function searchWords(words: string): Request {
  const settings = { anns_field: 'words', topk: String(LIMIT), metric_type: 'BM25', params: '{}' };
  return request('Search', {
    collectionName: COLLECTION,
    dslType: BOOL_EXPRESSION,
    nq: 1,
    placeholderGroup: encode('common.PlaceholderGroup', {
      placeholders: [{ tag: '$0', type: PLACEHOLDER_TEXT, values: [Buffer.from(words)] }],
    }),
    searchParams: Object.entries(settings).map(([key, value]) => ({ key, value })),
    consistencyLevel: BOUNDED,
    guaranteeTimestamp: BOUNDED,
  });
}

/** Every question is made of words of the texts. */
function expectHits(answer: Buffer): void {
  // A long answer has hits; of the others it is looked at.
  if (answer.length < 100 && searchIds(answer).length === 0) throw new Error('Search: no text was found');
}
