// Rows from their insertion to their end.
import { client, must, sdk, step } from './steps.mjs';

const { DataType } = sdk;
const collection_name = `harbour_${process.pid}`;
const above2to53 = '9007199254740993';
const int64Min = '-9223372036854775808';

async function create() {
  await must(
    client.createCollection({
      collection_name,
      fields: [
        { name: 'ship', data_type: DataType.Int64, is_primary_key: true },
        { name: 'name', data_type: DataType.VarChar, max_length: 64 },
        { name: 'tons', data_type: DataType.Double },
        { name: 'place', data_type: DataType.FloatVector, dim: 4 },
      ],
      enable_dynamic_field: true,
      consistency_level: 'Strong',
    }),
  );
  await must(
    client.createIndex({ collection_name, field_name: 'place', index_type: 'FLAT', metric_type: 'L2' }),
  );
  await must(client.loadCollection({ collection_name }));
  return await exists();
}

async function exists() {
  return (await client.hasCollection({ collection_name })).value;
}

function row(ship, name, tons, x, dynamic = {}) {
  return { ship, name, tons, place: [x, 0, 0, 0], ...dynamic };
}

async function describe() {
  const { schema } = await must(client.describeCollection({ collection_name }));
  const wireNames = { Int64: 'INT64', VarChar: 'VARCHAR', Double: 'DOUBLE', FloatVector: 'FLOAT_VECTOR' };
  return schema.fields.map((field) => `${field.fieldID} ${field.name} ${wireNames[field.data_type]}`);
}

async function insert() {
  const data = [
    row(1, 'Ada', 10.5, 1, { berth: '7' }),
    row(2, 'Bea', 20.25, 2, { berth: '8' }),
    row(3, 'Cleo', 30, 3),
    row(above2to53, 'Dora', 40, 4),
    row(int64Min, 'Eva', 50, 5),
  ];
  return (await must(client.insert({ collection_name, data }))).IDs.int_id.data;
}

async function query(filter, field, options = {}) {
  const answer = await must(client.query({ collection_name, filter, output_fields: [field], ...options }));
  return answer.data.map((row) => row[field]);
}

async function count(expr = '') {
  return Number((await must(client.count({ collection_name, expr }))).data);
}

async function get(...ids) {
  const answer = await must(client.get({ collection_name, ids, output_fields: ['name'] }));
  return answer.data.map((row) => row.name).sort();
}

async function vectorOf(ship) {
  const answer = await must(client.get({ collection_name, ids: [ship], output_fields: ['place'] }));
  return Array.from(answer.data[0].place);
}

async function search(limit, { filter = '', offset = 0, data = [0, 0, 0, 0] } = {}) {
  const answer = await must(
    client.search({
      collection_name,
      data,
      filter,
      offset,
      limit,
      output_fields: ['name'],
      metric_type: 'L2',
    }),
  );
  return answer.results.map((hit) => `${hit.name} ${hit.score}`);
}

async function upsert() {
  const data = [row(2, 'Bettina', 21, 2.5), row(6, 'Fay', 60, 6)];
  await must(client.upsert({ collection_name, data }));
  return await query('ship == 2 or ship == 6', 'name');
}

async function deleteByKeys(...ids) {
  await must(client.delete({ collection_name, ids }));
  return await count();
}

async function deleteByFilter(filter) {
  await must(client.deleteEntities({ collection_name, filter }));
  return await count();
}

await step('a collection is created, indexed and loaded', create);
await step('it is described field by field', describe);
await step('rows are inserted and their keys returned', insert);
await step('a query returns rows by ascending key', () => query('tons > 0', 'ship'));
await step('a key above 2^53 is found exactly', () => query(`ship == ${above2to53}`, 'name'));
await step('its neighbour is not found', () => query('ship == 9007199254740992', 'name'));
await step('a dynamic string is compared', () => query('berth == "8"', 'name'));
await step('rows are counted', () => count());
await step('rows are counted under a filter', () => count('tons >= 30'));
await step('rows are fetched by their keys', () => get(1, 3, 99));
await step('a vector comes back', () => vectorOf(3));
await step('a query has a limit and an offset', () => query('ship > 0', 'ship', { limit: 2, offset: 1 }));
await step('a search returns the nearest first', () => search(3));
await step('a search has an offset', () => search(2, { offset: 2 }));
await step('a search takes a filter', () => search(3, { filter: 'name like "C%" or tons > 35' }));
await step('a vector of another dimension is refused', () => search(3, { data: [0, 0] }));
await step('an upsert replaces one row and adds another', upsert);
await step('an upsert moves the vector too', () => search(2));
await step('rows are deleted by key', () => deleteByKeys(1, int64Min));
await step('rows are deleted by filter', () => deleteByFilter('tons > 35'));
await step('what was deleted is not found', () => search(10));
await step("a filter that can't be parsed is refused", () => query('tons >>> 1', 'name'));
await step('an unknown collection is refused', () =>
  must(client.query({ collection_name: 'nowhere', filter: 'ship > 0' })),
);
await must(client.dropCollection({ collection_name }));
await step('a dropped collection is gone', exists);
await client.closeConnection();
