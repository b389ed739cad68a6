// Files of the SDK's bulk writer, imported and read back. The environment says where the server may read files:
// ELANUS_IMPORT_FILES.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { check, createLoaded, runChecks } from './case-runner.mjs';
import { client, must, sdk } from './steps.mjs';

const { BulkWriter, DataType } = sdk;
const localPath = process.env.ELANUS_IMPORT_FILES;
const scalar = (name, data_type, more = {}) => ({ name, data_type, ...more });
const array = (name, element_type, more = {}) => ({
  name,
  data_type: DataType.Array,
  element_type,
  max_capacity: 8,
  ...more,
});
const vector = (name, data_type, dim) => ({ name, data_type, dim });
const fields = [
  scalar('title', DataType.VarChar, { max_length: 40 }),
  scalar('flag', DataType.Bool),
  scalar('tiny', DataType.Int8),
  scalar('small', DataType.Int16),
  scalar('pages', DataType.Int32),
  scalar('large', DataType.Int64),
  scalar('single', DataType.Float),
  scalar('precise', DataType.Double),
  scalar('maybe', DataType.Int64, { nullable: true }),
  scalar('document', DataType.JSON),
  scalar('place', 'Geometry', { nullable: true }),
  scalar('time', 'Timestamptz', { nullable: true }),
  array('flags', DataType.Bool),
  array('numbers', DataType.Int64),
  array('doubles', DataType.Double, { nullable: true }),
  array('words', DataType.VarChar, { max_length: 9 }),
  array('parts', DataType.Struct, {
    fields: [
      scalar('size', DataType.Int32),
      scalar('kind', DataType.VarChar, { max_length: 9 }),
      vector('spot', DataType.FloatVector, 2),
    ],
  }),
  vector('v', DataType.FloatVector, 4),
  vector('bits', DataType.BinaryVector, 16),
  vector('half', DataType.Float16Vector, 2),
  vector('bytes', DataType.Int8Vector, 2),
  { name: 'sparse', data_type: DataType.SparseFloatVector },
];
const indexes = [
  { field_name: 'v', index_type: 'FLAT', metric_type: 'L2' },
  { field_name: 'bits', index_type: 'BIN_FLAT', metric_type: 'HAMMING' },
  { field_name: 'half', index_type: 'FLAT', metric_type: 'L2' },
  { field_name: 'bytes', index_type: 'AUTOINDEX', metric_type: 'L2' },
  { field_name: 'sparse', index_type: 'SPARSE_INVERTED_INDEX', metric_type: 'IP' },
  {
    field_name: 'parts[spot]',
    index_type: 'HNSW',
    metric_type: 'MAX_SIM',
    params: { M: 8, efConstruction: 32 },
  },
];
const schema = {
  fields: [{ name: 'id', data_type: DataType.Int64, is_primary_key: true }, ...fields],
  enable_dynamic_field: true,
};
const LARGE = 2n ** 60n;
const rowOf = (id) => ({
  id,
  title: `title “${id}”`,
  flag: id % 2 === 0,
  tiny: id,
  small: -id,
  pages: id * 3,
  large: String(LARGE + BigInt(id)),
  single: id / 4,
  precise: id / 3,
  maybe: id % 3 === 0 ? null : String(id),
  document: { id, list: [1, 'two'] },
  place: id % 3 === 0 ? null : `POINT (${id} 2)`,
  time: id % 3 === 0 ? null : '2025-01-01T08:00:00Z',
  flags: [true, false],
  numbers: [String(id), String(-LARGE)],
  doubles: id % 3 === 0 ? null : [id / 3],
  words: ['a', `b ${id}`],
  parts: Array.from({ length: (id % 3) + 1 }, (_, at) => ({ size: at, kind: `k${id}`, spot: [id, at / 2] })),
  v: [id, 0.5, -id, 0.25],
  bits: [id, 255 - id],
  half: [id, 0.5],
  bytes: [id, -id],
  sparse: { 3: 0.5, [100 + id]: 1.5 },
  colour: id % 2 === 0 ? 'red' : 'blue',
});
/** Half vectors as their bytes, in the form in which the SDK's own conversions give them. */
const packed = ({ half, ...row }) => ({ ...row, half: new Uint8Array(Float16Array.from(half).buffer) });

for (const format of ['json', 'parquet']) {
  check(`rows of the bulk writer in ${format} are read`, async (collection_name) => {
    await createLoaded(collection_name, fields, indexes, { enable_dynamic_field: true });
    const writer = new BulkWriter({ schema, format, localPath });
    const rows = Array.from({ length: 50 }, (_, at) => rowOf(at + 1));
    for (const row of rows) await writer.append(packed(row));
    const files = (await writer.close()).flat();
    const { tasks } = await must(client.bulkInsert({ collection_name, files }));
    let state;
    do {
      await sleep(50);
      state = await client.getImportState({ task: tasks[0] });
    } while (!['ImportCompleted', 'ImportFailed'].includes(state.state));
    const reason = state.infos.find(({ key }) => key === 'failed_reason')?.value;
    assert.deepEqual([state.state, state.row_count, reason], ['ImportCompleted', '50', undefined]);
    const { tasks: listed } = await client.listImportTasks({ collection_name });
    assert.deepEqual(
      listed.map(({ id }) => id),
      tasks,
    );
    const { data } = await must(
      client.query({ collection_name, filter: 'id > 0', output_fields: ['*'], consistency_level: 'Strong' }),
    );
    const found = data.map(({ $meta, ...row }) => ({ ...row, ...$meta, id: Number(row.id) }));
    assert.deepEqual(found, rows);
  });
}

await runChecks();
