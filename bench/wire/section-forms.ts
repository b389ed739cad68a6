import { performance } from 'node:perf_hooks';
import { untilIndexed } from './indexed-collection.ts';
import type { LeanConnection } from './lean-connection.ts';
import { quantile, withConnections } from './measure.ts';
import {
  ask,
  createIndex,
  encode,
  type Message,
  pairs,
  type Request,
  request,
  searchIds,
  searchVectors,
  searchWords,
} from './messages.ts';
import {
  havePackages,
  PACKAGE_DIM,
  type Package,
  readPackages,
  readPackageVectors,
  readQuestions,
  readQuestionVectors,
} from './packages.ts';
import type { Peer } from './peers.ts';
import { expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';

const COLLECTION = 'forms';
const BATCH_ROWS = 1_000;
const LIMIT = 10;
const EF = 64;
const WARM_UP_QUERIES = 400;
const QUERIES = 1_200;
/** It answers a few a second. */
const QUERIES_LITE = 40;
const TYPE = { int64: 5, varChar: 21, floatVector: 101, sparseFloatVector: 104 } as const;
const BM25_FUNCTION = 1;
const BOUNDED = 2;

/** What a search is compared with, and what it may cost beside that. */
const FORMS = {
  'dense, HNSW': { beside: [] },
  BM25: { beside: [] },
  'hybrid of both, RRF': { beside: ['dense, HNSW', 'BM25'] },
  'dense, a hit of each source': { beside: ['dense, HNSW'] },
} as const;
type Form = keyof typeof FORMS;

/** Hybrid search beside its two legs, and grouping beside the plain search, over the packages: one connection. */
export async function measureForms(peer: Peer, table: Table, scale: number): Promise<void> {
  // Milvus 2.3 knows neither.
  if (peer.name.startsWith('Milvus') || !havePackages('forms')) return;
  const packages = readPackages();
  const rows = Math.ceil(packages.length * scale);
  await withConnections(peer, 1, async ([connection]) => {
    await fill(connection!, packages.slice(0, rows));
    const asked = askedForms(peer.name.startsWith('milvus-lite') ? QUERIES_LITE : QUERIES);
    await timesOf(connection!, asked.slice(0, WARM_UP_QUERIES));
    const times = await timesOf(connection!, asked);
    const middle = (form: Form) => quantile(times[form], 0.5);
    for (const [form, { beside }] of Object.entries(FORMS) as [Form, (typeof FORMS)[Form]][]) {
      const alone = beside.reduce((sum, one) => sum + middle(one), 0);
      table.add(peer, {
        measurement: `${form}, ${rows} packages, p50`,
        value: middle(form),
        unit: 'ms',
        better: 'less',
        note:
          alone > 0
            ? `${(middle(form) / alone).toFixed(2)} x ${beside.join(' plus ')}`
            : `p99 ${quantile(times[form], 0.99).toFixed(2)} ms`,
      });
    }
    await ask(connection!, 'DropCollection', { collectionName: COLLECTION }, 'common.Status');
  });
}

/** The same questions in every form. */
function askedForms(count: number): readonly Readonly<Record<Form, Request>>[] {
  const vectors = readQuestionVectors();
  return readQuestions()
    .slice(0, count)
    .map(({ text }, at) => {
      const vector = vectors.subarray(at * PACKAGE_DIM, (at + 1) * PACKAGE_DIM);
      const settings = { limit: LIMIT, consistency: 'bounded', parameters: { ef: EF } } as const;
      const dense = searchVectors(COLLECTION, vector, PACKAGE_DIM, settings);
      const grouped = searchVectors(COLLECTION, vector, PACKAGE_DIM, { ...settings, groupBy: 'source' });
      const words = searchWords(COLLECTION, 'words', text);
      return {
        'dense, HNSW': request('Search', dense),
        BM25: request('Search', words),
        'hybrid of both, RRF': request('HybridSearch', hybridOf([dense, words])),
        'dense, a hit of each source': request('Search', grouped),
      };
    });
}

function hybridOf(requests: readonly Message[]): Message {
  return {
    collectionName: COLLECTION,
    requests,
    rankParams: pairs({ strategy: 'rrf', params: JSON.stringify({ k: 60 }), limit: String(LIMIT) }),
    consistencyLevel: BOUNDED,
    guaranteeTimestamp: BOUNDED,
  };
}

/** In turn, so that whatever else the machine does meets all forms alike. */
async function timesOf(
  connection: LeanConnection,
  asked: readonly Readonly<Record<Form, Request>>[],
): Promise<Record<Form, number[]>> {
  const forms = Object.keys(FORMS) as Form[];
  const times = Object.fromEntries(forms.map((form) => [form, [] as number[]])) as Record<Form, number[]>;
  for (const requests of asked)
    for (const form of forms) {
      const { path, frame } = requests[form];
      const startedMs = performance.now();
      const answer = await connection.call(path, frame);
      times[form].push(performance.now() - startedMs);
      if (searchIds(answer).length === 0) throw new Error(`${form}: nothing was found`);
    }
  return times;
}

async function fill(connection: LeanConnection, packages: readonly Package[]): Promise<void> {
  await ask(connection, 'CreateCollection', createFormsCollection(), 'common.Status');
  const words = {
    collectionName: COLLECTION,
    fieldName: 'words',
    indexName: 'words',
    extraParams: pairs({ index_type: 'SPARSE_INVERTED_INDEX', metric_type: 'BM25' }),
  };
  await ask(connection, 'CreateIndex', words, 'common.Status');
  const vector = createIndex(COLLECTION, 'HNSW', { M: 16, efConstruction: 200 });
  await ask(connection, 'CreateIndex', vector, 'common.Status');
  await ask(connection, 'LoadCollection', { collectionName: COLLECTION, replicaNumber: 1 }, 'common.Status');
  const vectors = readPackageVectors(packages.length);
  for (let row = 0; row < packages.length; row += BATCH_ROWS) {
    const some = vectors.subarray(row * PACKAGE_DIM, (row + BATCH_ROWS) * PACKAGE_DIM);
    const { path, frame } = insertPackages(row, packages.slice(row, row + BATCH_ROWS), some);
    expectInserted(await connection.call(path, frame));
  }
  await ask(connection, 'Flush', { collectionNames: [COLLECTION] }, 'milvus.FlushResponse');
  await untilIndexed(connection, COLLECTION, packages.length);
}

function createFormsCollection(): Message {
  const schema = encode('schema.CollectionSchema', {
    name: COLLECTION,
    fields: [
      { name: 'id', isPrimaryKey: true, dataType: TYPE.int64 },
      { name: 'source', dataType: TYPE.varChar, typeParams: pairs({ max_length: '71' }) },
      {
        name: 'text',
        dataType: TYPE.varChar,
        typeParams: pairs({ max_length: '65535', enable_analyzer: 'true' }),
      },
      { name: 'vector', dataType: TYPE.floatVector, typeParams: pairs({ dim: String(PACKAGE_DIM) }) },
      { name: 'words', dataType: TYPE.sparseFloatVector, isFunctionOutput: true },
    ],
    functions: [
      { name: 'bm25', type: BM25_FUNCTION, inputFieldNames: ['text'], outputFieldNames: ['words'] },
    ],
  });
  return { collectionName: COLLECTION, schema, shardsNum: 1, consistencyLevel: BOUNDED };
}

function insertPackages(firstId: number, packages: readonly Package[], vectors: Float32Array): Request {
  const texts = (fieldName: string, data: readonly string[]) => ({
    type: TYPE.varChar,
    fieldName,
    scalars: { stringData: { data } },
  });
  return request('Insert', {
    collectionName: COLLECTION,
    numRows: packages.length,
    fieldsData: [
      {
        type: TYPE.int64,
        fieldName: 'id',
        scalars: { longData: { data: packages.map((_, row) => firstId + row) } },
      },
      texts(
        'source',
        packages.map(({ source }) => source),
      ),
      texts(
        'text',
        packages.map(({ description }) => description),
      ),
      {
        type: TYPE.floatVector,
        fieldName: 'vector',
        vectors: { dim: PACKAGE_DIM, floatVector: { data: vectors } },
      },
    ],
  });
}
