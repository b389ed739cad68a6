// Files of the SDK's bulk writer, imported and read back. The environment says where the server may read files:
// ELANUS_IMPORT_FILES.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { check, createLoaded, runChecks } from './case-runner.mjs';
import { client, must, sdk } from './steps.mjs';

const { BulkWriter, DataType } = sdk;
const localPath = process.env.ELANUS_IMPORT_FILES;
const fields = [
  { name: 'title', data_type: DataType.VarChar, max_length: 40 },
  { name: 'pages', data_type: DataType.Int32 },
  { name: 'flag', data_type: DataType.Bool },
  { name: 'document', data_type: DataType.JSON },
  { name: 'v', data_type: DataType.FloatVector, dim: 4 },
];
const schema = {
  fields: [{ name: 'id', data_type: DataType.Int64, is_primary_key: true }, ...fields],
  enable_dynamic_field: true,
};
const flatL2 = { field_name: 'v', index_type: 'FLAT', metric_type: 'L2' };
const rowOf = (id) => ({
  id,
  title: `title “${id}”`,
  pages: id * 3,
  flag: id % 2 === 0,
  document: { id, list: [1, 'two'] },
  v: [id, 0.5, -id, 0.25],
  colour: id % 2 === 0 ? 'red' : 'blue',
});

for (const format of ['json', 'parquet']) {
  check(`rows of the bulk writer in ${format} are read`, async (collection_name) => {
    await createLoaded(collection_name, fields, flatL2, { enable_dynamic_field: true });
    const writer = new BulkWriter({ schema, format, localPath });
    const rows = Array.from({ length: 50 }, (_, at) => rowOf(at + 1));
    for (const row of rows) await writer.append(row);
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
