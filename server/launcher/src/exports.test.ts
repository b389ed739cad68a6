import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger } from '@elanus/runtime';
import fc from 'fast-check';
import { readConfiguration } from './config/read-configuration.ts';
import { launch, type RunningServer } from './launch.ts';
import { ask, send } from './testing/rest-calls.ts';

const root = mkdtempSync(join(tmpdir(), 'elanus-exports-'));
const files = join(root, 'files');
mkdirSync(files);
symlinkSync(root, join(files, 'up'));

const DIM = 8;
const scalar = (fieldName: string, dataType: string, more: object = {}) => ({
  fieldName,
  dataType,
  nullable: true,
  ...more,
});
const vector = (fieldName: string, dataType: string, more: object = {}) => ({
  fieldName,
  dataType,
  elementTypeParams: { dim: DIM },
  ...more,
});
/** Every type that NumPy has a form for, and then all others. */
const PLAIN_FIELDS = [
  { fieldName: 'id', dataType: 'Int64', isPrimary: true },
  { ...scalar('flag', 'Bool'), nullable: false },
  { ...scalar('tiny', 'Int8'), nullable: false },
  { ...scalar('medium', 'Int32'), nullable: false },
  { ...scalar('single', 'Float'), nullable: false },
  { ...scalar('name', 'VarChar', { elementTypeParams: { max_length: 200 } }), nullable: false },
  { ...scalar('document', 'JSON'), nullable: false },
  { ...scalar('body', 'Text'), nullable: false },
  { ...scalar('place', 'Geometry'), nullable: false },
  { ...scalar('time', 'Timestamptz'), nullable: false },
  vector('v32', 'FloatVector'),
  vector('bits', 'BinaryVector'),
  vector('v8', 'Int8Vector'),
  vector('v16', 'Float16Vector'),
  vector('vb16', 'BFloat16Vector'),
];
const arrayOf = (fieldName: string, elementDataType: string) =>
  scalar(fieldName, 'Array', { elementDataType, elementTypeParams: { max_capacity: 9, max_length: 99 } });
const MORE_FIELDS = [
  scalar('small', 'Int16'),
  scalar('large', 'Int64'),
  scalar('precise', 'Double'),
  scalar('maybe', 'VarChar', { elementTypeParams: { max_length: 200 } }),
  scalar('shape', 'Geometry'),
  scalar('instant', 'Timestamptz'),
  scalar('remark', 'Text'),
  arrayOf('flags', 'Bool'),
  arrayOf('bytes', 'Int8'),
  arrayOf('shorts', 'Int16'),
  arrayOf('integers', 'Int32'),
  arrayOf('numbers', 'Int64'),
  arrayOf('floats', 'Float'),
  arrayOf('doubles', 'Double'),
  arrayOf('words', 'VarChar'),
  { fieldName: 'sparse', dataType: 'SparseFloatVector' },
  vector('vmaybe', 'FloatVector', { nullable: true }),
];
/** An array of structs, with a sub-field of each type that one may have. */
const STRUCT = {
  fieldName: 'parts',
  nullable: true,
  typeParams: { max_capacity: 5 },
  fields: [
    { fieldName: 'flag', dataType: 'Array', elementDataType: 'Bool' },
    { fieldName: 'tiny', dataType: 'Array', elementDataType: 'Int8' },
    { fieldName: 'small', dataType: 'Array', elementDataType: 'Int16' },
    { fieldName: 'medium', dataType: 'Array', elementDataType: 'Int32' },
    { fieldName: 'large', dataType: 'Array', elementDataType: 'Int64' },
    { fieldName: 'single', dataType: 'Array', elementDataType: 'Float' },
    { fieldName: 'precise', dataType: 'Array', elementDataType: 'Double' },
    {
      fieldName: 'label',
      dataType: 'Array',
      elementDataType: 'VarChar',
      elementTypeParams: { max_length: 99 },
    },
    {
      fieldName: 'spot',
      dataType: 'ArrayOfVector',
      elementDataType: 'FloatVector',
      elementTypeParams: { dim: 2 },
    },
  ],
};

const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((one) => !one.includes('\0'));
const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 });
const half = fc.integer({ min: -64, max: 64 }).map((number) => number / 4);
const orNull = <Value>(values: fc.Arbitrary<Value>) => fc.option(values, { freq: 4 });
const vectorOf = (numbers: fc.Arbitrary<number>) => fc.array(numbers, { minLength: DIM, maxLength: DIM });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);

const PLAIN_ROW = {
  flag: fc.boolean(),
  tiny: fc.integer({ min: -128, max: 127 }),
  medium: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  single: float,
  name: text,
  document: fc.dictionary(text, fc.jsonValue({ maxDepth: 2, noUnicodeString: false }), { maxKeys: 3 }),
  body: text,
  place: fc.constantFrom('POINT (1 2)', 'LINESTRING (0 0, 1 1)'),
  time: fc.constantFrom('2024-01-02T03:04:05.678901Z', '1969-12-31T23:59:59Z'),
  v32: vectorOf(float),
  bits: fc.integer({ min: 0, max: 255 }).map((byte) => Buffer.of(byte).toString('base64')),
  v8: vectorOf(fc.integer({ min: -128, max: 127 })),
  v16: vectorOf(half),
  vb16: vectorOf(half),
};
const double = fc.double({ noNaN: true, noDefaultInfinity: true });
const int = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const fewOf = <Value>(values: fc.Arbitrary<Value>) => orNull(fc.array(values, { maxLength: 5 }));
const ROW = {
  ...PLAIN_ROW,
  small: orNull(fc.integer({ min: -32768, max: 32767 })),
  large: orNull(int64),
  precise: orNull(double),
  maybe: orNull(text),
  shape: orNull(PLAIN_ROW.place),
  instant: orNull(PLAIN_ROW.time),
  remark: orNull(text),
  flags: fewOf(fc.boolean()),
  bytes: fewOf(int(8)),
  shorts: fewOf(int(16)),
  integers: fewOf(int(32)),
  numbers: fewOf(int64),
  floats: fewOf(float),
  doubles: fewOf(double),
  words: fewOf(text),
  vmaybe: orNull(vectorOf(float)),
  parts: fewOf(
    fc.record({
      flag: fc.boolean(),
      tiny: int(8),
      small: int(16),
      medium: int(32),
      large: int64,
      single: float,
      precise: double,
      label: text,
      spot: fc.array(float, { minLength: 2, maxLength: 2 }),
    }),
  ),
  sparse: fc.dictionary(
    fc.nat(100_000).map(String),
    fc.float({ min: Math.fround(0.01), max: 9, noNaN: true }),
    {
      minKeys: 1,
      maxKeys: 4,
    },
  ),
};

const PLAIN_INDEX = { indexType: 'FLAT', metricType: 'L2' };
const INDEXES: Readonly<Record<string, object>> = {
  SparseFloatVector: { indexType: 'SPARSE_INVERTED_INDEX', metricType: 'IP' },
  BinaryVector: { indexType: 'BIN_FLAT', metricType: 'HAMMING' },
  Int8Vector: { indexType: 'HNSW', metricType: 'L2' },
};

async function create(
  server: RunningServer,
  collectionName: string,
  fields: readonly object[],
  structFields: readonly object[] = [],
): Promise<void> {
  const vectors = (fields as { fieldName: string; dataType: string }[]).filter(({ dataType }) =>
    dataType.endsWith('Vector'),
  );
  await ask(server, 'collections/create', {
    collectionName,
    schema: { enableDynamicField: true, fields, structFields },
    indexParams: [
      ...vectors.map(({ fieldName, dataType }) => ({ fieldName, ...(INDEXES[dataType] ?? PLAIN_INDEX) })),
      ...structFields.map(() => ({ fieldName: 'parts[spot]', indexType: 'HNSW', metricType: 'MAX_SIM_L2' })),
    ],
  });
}

async function rowsOf(server: RunningServer, collectionName: string): Promise<unknown> {
  const { data } = await ask(server, 'entities/query', {
    collectionName,
    filter: 'id >= 0',
    outputFields: ['*'],
    limit: 16_384,
    consistencyLevel: 'Strong',
  });
  return data;
}

async function ended(
  server: RunningServer,
  path: string,
  jobId: string,
): Promise<{ state: string; reason?: string; files: string[] }> {
  for (;;) {
    const { data } = await ask(server, path, { jobId });
    const job = data as { state: string; reason?: string; files: string[] };
    if (job.state === 'Completed' || job.state === 'Failed') return job;
    await sleep(5);
  }
}

async function exported(server: RunningServer, request: object) {
  const { data } = await ask(server, 'jobs/export/create', request);
  return await ended(server, 'jobs/export/describe', (data as { jobId: string }).jobId);
}

async function imported(server: RunningServer, collectionName: string, sets: readonly (readonly string[])[]) {
  const { data } = await ask(server, 'jobs/import/create', { collectionName, files: sets });
  return await ended(server, 'jobs/import/describe', (data as { jobId: string }).jobId);
}

describe('an export', () => {
  let server: RunningServer;
  before(async () => {
    const environment = { ELANUS_IMPORT_DIRECTORY: files };
    const options = { data: join(root, 'data'), port: '0', adminPort: '0' };
    const configuration = await readConfiguration(options, environment, '/');
    server = await launch({ configuration, logger: silentLogger });
  });
  after(async () => {
    await server.close();
    rmSync(root, { recursive: true });
  });

  const cases = [
    { format: 'parquet', fields: [...PLAIN_FIELDS, ...MORE_FIELDS], structs: [STRUCT], row: ROW },
    { format: 'jsonl', fields: [...PLAIN_FIELDS, ...MORE_FIELDS], structs: [STRUCT], row: ROW },
    { format: 'numpy', fields: PLAIN_FIELDS, structs: [], row: PLAIN_ROW },
  ];
  for (const place of ['directory', 'object store'])
    for (const { format, fields, structs, row } of place === 'directory' ? cases : cases.slice(0, 1))
      it(`as ${format} into the ${place} is read back equal, whatever the rows`, async () => {
        let run = 0;
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.record({ ...row, colour: text }), { minLength: 1, maxLength: 20 }),
            async (drawn) => {
              const data = drawn.map((one, id) => ({ id, ...one }));
              const name = `${format}_${place === 'directory' ? 'd' : 'o'}_${run++}`;
              const folder = place === 'directory' ? join(files, name) : `backups/${name}`;
              await create(server, name, fields, structs);
              await create(server, `${name}_copy`, fields, structs);
              await ask(server, 'entities/insert', { collectionName: name, data });
              const job = await exported(server, { collectionName: name, format, path: folder });
              assert.equal(job.state, 'Completed', job.reason ?? '');
              const sets = format === 'numpy' ? [job.files] : job.files.map((file) => [file]);
              const read = await imported(server, `${name}_copy`, sets);
              assert.equal(read.state, 'Completed', read.reason ?? '');
              assert.deepEqual(await rowsOf(server, `${name}_copy`), await rowsOf(server, name));
              await ask(server, 'collections/drop', { collectionName: name });
              await ask(server, 'collections/drop', { collectionName: `${name}_copy` });
            },
          ),
          { numRuns: 4 },
        );
      });

  it('takes the rows of a filter, of a partition, of some fields', async () => {
    await create(server, 'parts', PLAIN_FIELDS);
    await ask(server, 'partitions/create', { collectionName: 'parts', partitionName: 'north' });
    const [first] = fc.sample(fc.record(PLAIN_ROW), { numRuns: 1, seed: 1 });
    const rows = (from: number, count: number) =>
      Array.from({ length: count }, (_, at) => ({ ...first!, id: from + at }));
    await ask(server, 'entities/insert', { collectionName: 'parts', data: rows(0, 10) });
    await ask(server, 'entities/insert', {
      collectionName: 'parts',
      partitionName: 'north',
      data: rows(100, 5),
    });
    const idsOf = async (more: object, folder: string) => {
      const path = join(files, folder);
      const request = { collectionName: 'parts', format: 'jsonl', path, outputFields: ['id'], ...more };
      const job = await exported(server, request);
      assert.equal(job.state, 'Completed', job.reason ?? '');
      const lines = readFileSync(job.files[0]!, 'utf8').trim().split('\n');
      return lines.map((line) => (JSON.parse(line) as { id: number }).id);
    };
    assert.deepEqual(await idsOf({ filter: 'id < 3' }, 'filtered'), [0, 1, 2]);
    assert.deepEqual(await idsOf({ partitionNames: ['north'] }, 'north'), [100, 101, 102, 103, 104]);
    const all = await idsOf({}, 'deep/er');
    assert.equal(all.length, 15);
    assert.deepEqual(readdirSync(join(files, 'deep', 'er')), ['0.jsonl'], 'nothing else is left there');
  });

  it('of nothing is a file without rows', async () => {
    await create(server, 'empty', PLAIN_FIELDS);
    const job = await exported(server, { collectionName: 'empty', path: join(files, 'empty') });
    assert.equal(job.state, 'Completed', job.reason ?? '');
    assert.equal((await imported(server, 'empty', [job.files])).state, 'Completed');
  });

  it('is refused, or fails, where nothing may be written and nothing can be exported', async () => {
    await create(server, 'refused', [...PLAIN_FIELDS, ...MORE_FIELDS]);
    const request = { collectionName: 'refused', path: join(files, 'x') };
    const refusals: readonly (readonly [more: object, code: number])[] = [
      [{ collectionName: 'no' }, 100],
      [{ format: 'xls' }, 2100],
      [{ format: 'numpy' }, 2100],
      [{ partitionNames: ['no'] }, 2100],
      [{ outputFields: ['no'] }, 2100],
      [{ filter: 'no such' }, 1100],
    ];
    for (const [more, code] of refusals)
      assert.equal((await send(server, 'jobs/export/create', { ...request, ...more })).code, code);
    for (const path of [
      '/etc',
      root,
      join(files, 'up', 'x'),
      `${files}/../x`,
      'collection-1/log-snapshot',
      '../x',
    ]) {
      const job = await exported(server, { ...request, path });
      assert.equal(job.state, 'Failed', path);
    }
    assert.equal((await send(server, 'jobs/export/describe', { jobId: '1' })).code, 2100);
  });
});
