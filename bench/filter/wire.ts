/**
 * Filters through the wire: Elanus and Milvus 2.3.5 on the same rows, one connection, one request after the other.
 * `node bench/filter/wire.ts --peers elanus,milvus --rows 200000`. What keys cost among many rows, beside the same among
 * few: `--keys-rows 5000000`; `--rows 0` leaves out all the rest.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { LeanConnection } from '../wire/lean-connection.ts';
import { drain, latencies, quantile, withConnections } from '../wire/measure.ts';
import { ask, encode, type Message, queryKeys } from '../wire/messages.ts';
import { type Peer, startElanus, startMilvus } from '../wire/peers.ts';
import { Table } from '../wire/table.ts';
import { CONSISTENCY, countAll, counting, countOf, untilCounted } from './counts.ts';
import { QUESTIONS, rowAt } from './filter-data.ts';
import { measureManyKeys } from './many-keys.ts';

const { values: options } = parseArgs({
  options: {
    peers: { type: 'string', default: 'elanus,milvus' },
    rows: { type: 'string', default: '200000' },
    'keys-rows': { type: 'string', default: '0' },
    passes: { type: 'string', default: '30' },
  },
});
const STARTERS = { elanus: startElanus, milvus: startMilvus } as const;
const ROWS = Number(options.rows);
const KEYS_ROWS = Number(options['keys-rows']);
const KEYS_ROWS_FEW = 200_000;
const PASSES = Number(options.passes);
const BATCH_ROWS = 5_000;
const DIM = 2;
const COLLECTION = 'filters';
const TYPE = { int32: 4, int64: 5, double: 11, varChar: 21, array: 22, json: 23, floatVector: 101 } as const;

const FIELDS: readonly Message[] = [
  { name: 'id', isPrimaryKey: true, dataType: TYPE.int64 },
  { name: 'number', dataType: TYPE.int64 },
  { name: 'small', dataType: TYPE.int32 },
  { name: 'score', dataType: TYPE.double },
  { name: 'title', dataType: TYPE.varChar, typeParams: [{ key: 'max_length', value: '80' }] },
  { name: 'doc', dataType: TYPE.json },
  {
    name: 'tags',
    dataType: TYPE.array,
    elementType: TYPE.int64,
    typeParams: [{ key: 'max_capacity', value: '8' }],
  },
  { name: 'vector', dataType: TYPE.floatVector, typeParams: [{ key: 'dim', value: String(DIM) }] },
];

const table = new Table();
const names: string[] = [];
for (const name of options.peers.split(',') as (keyof typeof STARTERS)[]) {
  const peer = await STARTERS[name]();
  names.push(peer.name);
  try {
    await withConnections(peer, 1, async ([connection]) => {
      if (ROWS > 0) {
        await fill(connection!);
        await measureCounts(peer, connection!);
        await measureQuestions(peer, connection!);
        await measureKeys(peer, connection!);
        await measureDelete(peer, connection!);
      }
      if (KEYS_ROWS > 0) await measureManyKeys(peer, connection!, table, [KEYS_ROWS_FEW, KEYS_ROWS]);
    });
  } finally {
    await peer.stop();
  }
}
console.log(table.toMarkdown(names));

async function fill(connection: LeanConnection): Promise<void> {
  const collectionName = COLLECTION;
  const schema = encode('schema.CollectionSchema', { name: collectionName, fields: FIELDS });
  const create = { collectionName, schema, shardsNum: 1, consistencyLevel: CONSISTENCY.bounded };
  await ask(connection, 'CreateCollection', create, 'common.Status');
  const flat = { key: 'index_type', value: 'FLAT' };
  const extraParams = [flat, { key: 'metric_type', value: 'L2' }, { key: 'params', value: '{}' }];
  const index = { collectionName, fieldName: 'vector', indexName: 'vector', extraParams };
  await ask(connection, 'CreateIndex', index, 'common.Status');
  await ask(connection, 'LoadCollection', { collectionName, replicaNumber: 1 }, 'common.Status');
  for (let first = 0; first < ROWS; first += BATCH_ROWS)
    await ask(connection, 'Insert', { collectionName, ...batch(first) }, 'milvus.MutationResult');
  await ask(connection, 'Flush', { collectionNames: [collectionName] }, 'milvus.FlushResponse');
  await untilCounted(connection, collectionName, ROWS);
}

function batch(first: number): Message {
  const rows = Array.from({ length: BATCH_ROWS }, (_, i) => rowAt(first + i));
  const scalars = (type: number, fieldName: string, value: Message): Message => ({
    type,
    fieldName,
    scalars: value,
  });
  const fieldsData = [
    scalars(TYPE.int64, 'id', { longData: { data: rows.map((_, i) => first + i) } }),
    scalars(TYPE.int64, 'number', { longData: { data: rows.map(({ number }) => number) } }),
    scalars(TYPE.int32, 'small', { intData: { data: rows.map(({ small }) => small) } }),
    scalars(TYPE.double, 'score', { doubleData: { data: rows.map(({ score }) => score) } }),
    scalars(TYPE.varChar, 'title', { stringData: { data: rows.map(({ title }) => title) } }),
    scalars(TYPE.json, 'doc', { jsonData: { data: rows.map(({ doc }) => Buffer.from(doc)) } }),
    scalars(TYPE.array, 'tags', {
      arrayData: { data: rows.map(({ tags }) => ({ longData: { data: tags } })), elementType: TYPE.int64 },
    }),
    {
      type: TYPE.floatVector,
      fieldName: 'vector',
      vectors: { dim: DIM, floatVector: { data: new Float32Array(DIM * rows.length) } },
    },
  ];
  return { numRows: rows.length, fieldsData };
}

async function median(connection: LeanConnection, exprOf: (at: number) => string, level: number) {
  const requests = Array.from({ length: PASSES }, (_, at) => counting(COLLECTION, exprOf(at), level));
  await latencies(connection, requests.slice(0, 5), countOf);
  return quantile(await latencies(connection, requests, countOf), 0.5);
}

function add(
  peer: Peer,
  measurement: string,
  value: number | null,
  unit: string,
  better: 'more' | 'less',
): void {
  table.add(peer, { measurement, value, unit, better });
}

async function measureCounts(peer: Peer, connection: LeanConnection): Promise<void> {
  for (const [name, level] of [
    ['Strong', CONSISTENCY.strong],
    ['Bounded', CONSISTENCY.bounded],
  ] as const) {
    add(peer, `count(*), ${name}`, await median(connection, () => '', level), 'ms', 'less');
    const exprOf = (at: number): string => `number < ${500_000_000 + at}`;
    add(peer, `count(*) where number < x, ${name}`, await median(connection, exprOf, level), 'ms', 'less');
  }
}

async function measureQuestions(peer: Peer, connection: LeanConnection): Promise<void> {
  for (const { name, filter } of QUESTIONS) {
    // Milvus 2.3.5 has no patterns but prefixes.
    const isServed = peer.name === 'Elanus' || !name.includes('infix');
    const value = isServed ? await median(connection, filter, CONSISTENCY.bounded) : null;
    add(peer, `count, ${name}`, value, 'ms', 'less');
  }
  if (peer.name !== 'Elanus') return;
  for (const { name, filter, index } of QUESTIONS) {
    const params = { index_type: index.type, min_gram: '3', max_gram: '3' };
    const json = { json_path: index.path ?? '', json_cast_type: index.cast ?? '' };
    const pairs = Object.entries(index.path === undefined ? params : { ...params, ...json });
    await ask(connection, 'DropIndex', { collectionName: COLLECTION, indexName: 'scalar' }, 'common.Status');
    const create = {
      collectionName: COLLECTION,
      fieldName: index.field,
      indexName: 'scalar',
      extraParams: pairs.map(([key, value]) => ({ key, value })),
    };
    await ask(connection, 'CreateIndex', create, 'common.Status');
    await built(connection);
    add(
      peer,
      `count with ${index.type}, ${name}`,
      await median(connection, filter, CONSISTENCY.bounded),
      'ms',
      'less',
    );
  }
}

async function built(connection: LeanConnection): Promise<void> {
  const which = { collectionName: COLLECTION, indexName: 'scalar' };
  for (;;) {
    const answer = await ask(connection, 'DescribeIndex', which, 'milvus.DescribeIndexResponse');
    if (answer.indexDescriptions!.every(({ state }) => state === 3)) return;
    await sleep(50);
  }
}

async function measureKeys(peer: Peer, connection: LeanConnection): Promise<void> {
  const requests = Array.from({ length: 2_000 }, (_, at) =>
    queryKeys(
      COLLECTION,
      Array.from({ length: 10 }, (_, key) => (at * 7919 + key * 9973) % ROWS),
    ),
  );
  // Until it gets no quicker: rows that have just been written are still being sealed.
  let seconds = Number.POSITIVE_INFINITY;
  for (let slower = 0; slower < 3; ) {
    const next = await drain([connection], requests, () => {});
    slower = next < seconds ? 0 : slower + 1;
    seconds = Math.min(seconds, next);
  }
  add(peer, `query 10 keys of ${ROWS}`, requests.length / seconds, 'queries/s', 'more');
}

async function measureDelete(peer: Peer, connection: LeanConnection): Promise<void> {
  const before = await countAll(connection, COLLECTION);
  const started = performance.now();
  const exprs = Array.from({ length: 5 }, (_, at) => `number < ${(at + 1) * 100_000_000}`);
  for (const expr of exprs)
    await ask(connection, 'Delete', { collectionName: COLLECTION, expr }, 'milvus.MutationResult');
  const seconds = (performance.now() - started) / 1_000;
  const deleted = before - (await countAll(connection, COLLECTION));
  add(peer, 'delete by filter', deleted / seconds, 'rows/s', 'more');
}
