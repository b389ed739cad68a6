import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ElanusProcess } from '@elanus/tests-harness';
import { Gate } from './harness/gate.ts';
import { certificatesIn, migrated, migrationCommand } from './harness/migration.ts';
import { conformanceSuite } from './harness/suite.ts';

type Json = Readonly<Record<string, unknown>>;

const ROWS = 600;
const DIM = 64;
const HALF_DIM = 8;
/** Bytes of three texts in a row: a page of the size that a migration begins with is more than an insert takes. */
const LONG_TEXT = 60_000;
const LONG_ROWS = 300;

const vector = (fieldName: string, dataType: string, dim: number) => ({
  fieldName,
  dataType,
  elementTypeParams: { dim },
});
const KEY = { fieldName: 'id', dataType: 'Int64', isPrimary: true };
const FLOATS = vector('v', 'FloatVector', DIM);
const HNSW = { fieldName: 'v', indexType: 'HNSW', metricType: 'L2', params: { M: 8, efConstruction: 64 } };
/** Every type of field that a row has a value of. */
const ALL = {
  collectionName: 'all',
  description: 'every type',
  properties: { 'collection.ttl.seconds': 1_000_000 },
  params: { shardsNum: 2, consistencyLevel: 'Session' },
  schema: {
    enableDynamicField: true,
    fields: [
      KEY,
      { fieldName: 'flag', dataType: 'Bool', defaultValue: true },
      { fieldName: 'tiny', dataType: 'Int8' },
      { fieldName: 'small', dataType: 'Int16', nullable: true },
      { fieldName: 'medium', dataType: 'Int32' },
      { fieldName: 'single', dataType: 'Float' },
      { fieldName: 'precise', dataType: 'Double', nullable: true },
      {
        fieldName: 'name',
        dataType: 'VarChar',
        nullable: true,
        elementTypeParams: { max_length: 64, enable_analyzer: true },
      },
      { fieldName: 'document', dataType: 'JSON' },
      { fieldName: 'place', dataType: 'Geometry', nullable: true },
      { fieldName: 'time', dataType: 'Timestamptz' },
      {
        fieldName: 'numbers',
        dataType: 'Array',
        elementDataType: 'Int64',
        elementTypeParams: { max_capacity: 8 },
      },
      FLOATS,
      vector('bits', 'BinaryVector', DIM),
      vector('v8', 'Int8Vector', HALF_DIM),
      vector('v16', 'Float16Vector', HALF_DIM),
      { fieldName: 'sparse', dataType: 'SparseFloatVector' },
    ],
    structFields: [
      {
        fieldName: 'parts',
        nullable: true,
        typeParams: { max_capacity: 4 },
        fields: [{ fieldName: 'size', dataType: 'Array', elementDataType: 'Int64' }],
      },
    ],
  },
  indexParams: [
    HNSW,
    { fieldName: 'bits', indexType: 'BIN_FLAT', metricType: 'HAMMING' },
    { fieldName: 'v8', indexType: 'HNSW', metricType: 'COSINE', params: { M: 8, efConstruction: 64 } },
    { fieldName: 'v16', indexType: 'FLAT', metricType: 'IP' },
    { fieldName: 'sparse', indexType: 'SPARSE_INVERTED_INDEX', metricType: 'IP' },
    { fieldName: 'name', indexName: 'names', indexType: 'TRIE' },
    { fieldName: 'medium', indexType: 'STL_SORT' },
  ],
};
const FIRST_PLACE = 'default/all/_default';
const VECTORS = ['v', 'bits', 'v8', 'v16', 'sparse'];

function row(id: number): Json {
  const wave = (length: number, scale: number) =>
    Array.from({ length }, (_, at) => scale * Math.sin(id * 7 + at * at));
  return {
    id: id - ROWS / 2,
    flag: id % 2 === 0,
    tiny: id % 100,
    small: id % 3 === 0 ? null : -id,
    medium: id * 1000,
    single: id / 4,
    precise: id % 5 === 0 ? null : id / 3,
    name: id % 7 === 0 ? null : `näme ${id}`,
    document: { id, list: [1, 'two', null] },
    place: id % 4 === 0 ? null : `POINT (${id} 2)`,
    time: '2024-01-02T03:04:05.678901Z',
    numbers: Array.from({ length: id % 4 }, (_, at) => id + at),
    v: wave(DIM, 1),
    bits: Buffer.from(wave(DIM / 8, 127).map((each) => Math.round(128 + each))).toString('base64'),
    v8: wave(HALF_DIM, 127).map(Math.round),
    v16: wave(HALF_DIM, 1),
    sparse: { [String(id % 50)]: 0.5, [String(id + 100)]: 1.5 },
    parts: id % 6 === 0 ? null : [{ size: id }, { size: -id }],
    colour: id % 2 === 0 ? 'red' : 'blue',
  };
}

await conformanceSuite('node', 'elanus migrate from one Elanus to another', [], () => {
  let directory: string;
  let source: ElanusProcess;
  let target: ElanusProcess;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'elanus-migrate-'));
    [source, target] = await Promise.all([ElanusProcess.start(), ElanusProcess.start()]);
  });
  after(async () => {
    await source?.[Symbol.asyncDispose]();
    await target?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  async function must(server: ElanusProcess, path: string, body: Json): Promise<unknown> {
    const url = `http://${server.address}/v2/vectordb/${path}`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    const { code, data, message } = (await answer.json()) as { code: number; data: unknown; message: string };
    assert.equal(code, 0, `${path}: ${message}`);
    return data;
  }
  /** Of both servers: what they say when they are asked for the same. */
  const both = async (path: string, body: Json) =>
    await Promise.all([source, target].map((server) => must(server, path, body)));

  async function fill(): Promise<void> {
    const make = async (path: string, body: Json) => await must(source, path, body);
    await make('collections/create', ALL);
    await make('partitions/create', { collectionName: 'all', partitionName: 'north' });
    const rows = Array.from({ length: ROWS }, (_, id) => row(id));
    await make('entities/insert', { collectionName: 'all', data: rows.slice(0, 400) });
    await make('entities/insert', { collectionName: 'all', partitionName: 'north', data: rows.slice(400) });
    await make('entities/delete', { collectionName: 'all', filter: 'id == 3' });
    for (const aliasName of ['one', 'other'])
      await make('aliases/create', { collectionName: 'all', aliasName });

    const long = Array.from({ length: 3 }, (_, at) => ({
      fieldName: `text_${at}`,
      dataType: 'VarChar',
      elementTypeParams: { max_length: 65_535 },
    }));
    await make('collections/create', {
      collectionName: 'long',
      schema: { fields: [KEY, ...long, vector('v', 'FloatVector', 2)] },
    });
    const text = 'x'.repeat(LONG_TEXT);
    for (let first = 0; first < LONG_ROWS; first += 50) {
      const data = Array.from({ length: 50 }, (_, at) => ({
        id: first + at,
        text_0: text,
        text_1: text,
        text_2: String(first + at) + text,
        v: [at, 1],
      }));
      await make('entities/insert', { collectionName: 'long', data });
    }

    await make('databases/create', { dbName: 'second', properties: { 'database.max.collections': 7 } });
    const inSecond = { dbName: 'second', params: { partitionsNum: 3 } };
    await make('collections/create', {
      ...inSecond,
      collectionName: 'keyed',
      schema: {
        autoID: true,
        fields: [
          KEY,
          { fieldName: 'tenant', dataType: 'Int64', isPartitionKey: true },
          {
            fieldName: 'text',
            dataType: 'VarChar',
            elementTypeParams: { max_length: 99, enable_analyzer: true },
          },
          { fieldName: 'words', dataType: 'SparseFloatVector' },
          vector('v', 'FloatVector', 2),
        ],
        functions: [{ name: 'bm25', type: 'BM25', inputFieldNames: ['text'], outputFieldNames: ['words'] }],
      },
      indexParams: [
        { fieldName: 'v', indexType: 'FLAT', metricType: 'COSINE' },
        { fieldName: 'words', indexType: 'SPARSE_INVERTED_INDEX', metricType: 'BM25' },
      ],
    });
    const data = Array.from({ length: 90 }, (_, at) => ({ tenant: at % 7, text: `word ${at}`, v: [at, 1] }));
    await make('entities/insert', { dbName: 'second', collectionName: 'keyed', data });
    await make('collections/release', { dbName: 'second', collectionName: 'keyed' });
  }

  test('goes on where it was killed, and says that both are equal', async () => {
    await fill();
    const progressFile = join(directory, 'progress.json');
    // Nothing passes any more once the first page is noted: the second one never comes to the target.
    const isNoted = () =>
      existsSync(progressFile) && readFileSync(progressFile, 'utf8').includes(FIRST_PLACE);
    await using gate = await Gate.open(target.address, isNoted);
    const child = spawn(process.execPath, migrationCommand(source, gate, directory), { stdio: 'ignore' });
    await gate.shut;
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { keys } = JSON.parse(readFileSync(progressFile, 'utf8')) as { keys: Record<string, string> };
    assert.deepEqual(Object.keys(keys), [FIRST_PLACE]);
    assert.match(keys[FIRST_PLACE]!, /^-?\d+$/);

    gate.openWide();
    const { exitCode, output } = await migrated(source, gate, directory);
    assert.equal(exitCode, 0, output);
    // A page of 256 rows was there.
    assert.match(output, /^default\/all\/_default: \d+ of 143 rows$/m);
    const found = await certificatesIn(directory);
    assert.deepEqual(
      found.map(({ database, collection, rows, counted, isEqual }) => [
        `${database}/${collection}`,
        rows.source,
        rows.target,
        counted.source,
        isEqual,
      ]),
      [
        ['default/all', ROWS - 1, ROWS - 1, ROWS - 1, true],
        ['default/long', LONG_ROWS, LONG_ROWS, LONG_ROWS, true],
        ['second/keyed', 90, 90, 90, true],
      ],
    );
    assert.deepEqual(Object.keys(found[0]!.overlap).sort(), [...VECTORS].sort());
    for (const { overlap } of found)
      for (const share of Object.values(overlap)) assert.ok(share >= 0.95, JSON.stringify(found));
  });

  for (const [dbName, collectionName] of [
    ['default', 'all'],
    ['default', 'long'],
    ['second', 'keyed'],
  ] as const)
    test(`leaves ${dbName}/${collectionName} as it was, and makes the same of it`, async () => {
      const asked = { dbName, collectionName };
      const [there, here] = (await both('collections/describe', asked)) as [Json, Json];
      const { collectionID, ...own } = here;
      const { collectionID: _, ...wanted } = there;
      assert.notEqual(collectionID, undefined);
      assert.deepEqual(own, wanted);
      assert.equal(own.load, collectionName === 'all' ? 'LoadStateLoaded' : 'LoadStateNotLoad');
      for (const path of ['partitions/list', 'aliases/list', 'indexes/list']) {
        const [known, copied] = (await both(path, asked)) as [string[], string[]];
        assert.deepEqual([...copied].sort(), [...known].sort(), path);
        if (path !== 'indexes/list') continue;
        for (const indexName of known) {
          const [one, other] = (await both('indexes/describe', { ...asked, indexName })) as [[Json], [Json]];
          for (const name of ['fieldName', 'indexType', 'metricType', 'indexParams'])
            assert.deepEqual(other[0][name], one[0][name], `${indexName}: ${name}`);
        }
      }
    });

  test('copies the properties of a database', async () => {
    const [there, here] = (await both('databases/describe', { dbName: 'second' })) as [Json, Json];
    assert.deepEqual(here.properties, there.properties);
  });

  test('copies the others when a collection cannot be copied, and says which', async () => {
    for (const server of [source, target]) await must(server, 'databases/create', { dbName: 'third' });
    for (const collectionName of ['birds', 'fish'])
      await must(source, 'collections/create', { dbName: 'third', collectionName, dimension: 2 });
    // Another collection has the name.
    await must(target, 'collections/create', { dbName: 'third', collectionName: 'birds', dimension: 4 });
    const data = [{ id: 1, vector: [1, 2] }];
    for (const collectionName of ['birds', 'fish'])
      await must(source, 'entities/insert', { dbName: 'third', collectionName, data });
    const { exitCode, output } = await migrated(source, target, directory, ['--database', 'third']);
    assert.equal(exitCode, 1, output);
    assert.match(output, /^elanus: third\/birds: /m);
    assert.deepEqual(
      (await certificatesIn(directory)).map(({ collection, isEqual, failure }) => [
        collection,
        isEqual,
        typeof failure,
      ]),
      [
        ['fish', true, 'undefined'],
        ['birds', false, 'string'],
      ],
    );
  });
});
