// Partitions from their creation to their end.
import { client, must, sdk, step } from './steps.mjs';

const { DataType } = sdk;
const collection_name = `orchard_${process.pid}`;

async function createOrchard() {
  await must(
    client.createCollection({
      collection_name,
      fields: [
        { name: 'tree', data_type: DataType.Int64, is_primary_key: true },
        { name: 'kind', data_type: DataType.VarChar, max_length: 32 },
        { name: 'leaf', data_type: DataType.FloatVector, dim: 2 },
      ],
      enable_dynamic_field: true,
      consistency_level: 'Strong',
    }),
  );
  await must(
    client.createIndex({ collection_name, field_name: 'leaf', index_type: 'FLAT', metric_type: 'L2' }),
  );
}

async function partitions() {
  return (await must(client.listPartitions({ collection_name }))).partition_names;
}

async function createPartition(partition_name) {
  await must(client.createPartition({ collection_name, partition_name }));
  return await partitions();
}

async function dropPartition(partition_name) {
  await must(client.dropPartition({ collection_name, partition_name }));
  return await partitions();
}

async function hasPartition(partition_name) {
  return (await must(client.hasPartition({ collection_name, partition_name }))).value;
}

async function states(...names) {
  const found = { orchard: await state() };
  for (const name of names) found[name] = await state([name]);
  return found;
}

async function state(partition_names) {
  const answer = await must(client.getLoadState({ collection_name, partition_names }));
  return answer.state.replace('LoadState', '');
}

async function loadPartitions(partition_names, options = {}) {
  await must(client.loadPartitionsSync({ collection_name, partition_names, ...options }));
  return await states('north', 'south');
}

async function releasePartitions(partition_names) {
  await must(client.releasePartitions({ collection_name, partition_names }));
  return await states('north', 'south');
}

async function plant(partition_name, trees) {
  const data = trees.map(([tree, kind]) => ({ tree, kind, leaf: [tree, 0], age: tree * 10 }));
  return Number((await must(client.insert({ collection_name, partition_name, data }))).insert_cnt);
}

async function trees(filter = 'tree > 0', partition_names = []) {
  const answer = await must(
    client.query({ collection_name, filter, partition_names, output_fields: ['tree'] }),
  );
  return answer.data.map((row) => Number(row.tree)).sort((a, b) => a - b);
}

async function nearest(partition_names, filter = '') {
  const answer = await must(
    client.search({
      collection_name,
      data: [0, 0],
      limit: 10,
      partition_names,
      filter,
      output_fields: ['tree'],
    }),
  );
  return answer.results.map((hit) => Number(hit.tree));
}

async function remove(filter, partition_name) {
  await must(client.deleteEntities({ collection_name, filter, partition_name }));
  return await trees();
}

async function replace(partition_name, tree, kind) {
  const data = [{ tree, kind, leaf: [tree, 0], age: 0 }];
  await must(client.upsert({ collection_name, partition_name, data }));
  const answer = await must(
    client.query({ collection_name, filter: `tree == ${tree}`, output_fields: ['kind'] }),
  );
  return answer.data[0].kind;
}

async function rowCount(partition_name) {
  await must(client.flushSync({ collection_names: [collection_name] }));
  const answer = await must(client.getPartitionStatistics({ collection_name, partition_name }));
  return Number(answer.data.row_count);
}

async function queryFields(filter, output_fields) {
  const answer = await must(client.query({ collection_name, filter, output_fields }));
  return answer.data.map((row) =>
    Object.fromEntries(
      output_fields.map((field) => [field, field === 'tree' ? Number(row[field]) : row[field]]),
    ),
  );
}

async function loadAll() {
  await must(client.loadCollection({ collection_name }));
  return await states('_default', 'north', 'south');
}

async function releaseAll() {
  await must(client.releaseCollection({ collection_name }));
  return await states('_default', 'north', 'south');
}

async function newPartitionOfLoadedCollection() {
  await createPartition('west');
  await plant('west', [[20, 'quince']]);
  return await trees('tree > 0', ['west']);
}

await createOrchard();
await step('a new collection has the default partition', () => partitions());
await step('a partition is created', () => createPartition('north'));
await step('another partition is created', () => createPartition('south'));
await step('creating a partition again changes nothing', () => createPartition('south'));
await step('a partition that exists is found', () => hasPartition('north'));
await step('a partition that does not exist is not found', () => hasPartition('east'));
await step('nothing is loaded at first', () => states('_default', 'north', 'south'));
await step('rows go into a named partition', () =>
  plant('north', [
    [1, 'apple'],
    [2, 'pear'],
    [3, 'plum'],
  ]),
);
await step('rows go into another partition', () =>
  plant('south', [
    [4, 'apple'],
    [5, 'fig'],
    [6, 'pear'],
  ]),
);
await step('rows without a partition go into the default one', () =>
  plant(undefined, [
    [7, 'apple'],
    [8, 'cherry'],
  ]),
);
await step("rows can't go into an unknown partition", () => plant('east', [[9, 'apple']]));
await step('a partition counts its rows', () => rowCount('south'));
await step('a query of a released collection is refused', () => trees());
await step('one partition is loaded', () => loadPartitions(['north']));
await step('a query finds the rows of the loaded partition', () => trees());
await step('a query of a released partition is refused', () => trees('tree > 0', ['south']));
await step("a loaded partition can't be dropped", () => dropPartition('north'));
await step('several partitions are loaded in one call', () => loadPartitions(['north', 'south']));
await step('a query finds the rows of both', () => trees());
await step('a query can be kept to one partition', () => trees('tree > 0', ['south']));
await step('a filter and a partition work together', () => trees('kind == "pear"', ['south']));
await step('a search can be kept to one partition', () => nearest(['south']));
await step('a search can be kept to several partitions', () => nearest(['south', 'north']));
await step('a search in a partition takes a filter', () => nearest(['north'], 'kind != "pear"'));
await step('a query of an unknown partition is refused', () => trees('tree > 0', ['east']));
await step('a search of an unknown partition is refused', () => nearest(['east']));
await step('a delete in the wrong partition deletes nothing', () => remove('tree == 5', 'north'));
await step('a delete in its partition deletes', () => remove('tree == 5', 'south'));
await step('an upsert in a partition replaces the row', () => replace('south', 6, 'peach'));
await step('one partition is released', () => releasePartitions(['south']));
await step('several partitions are released in one call', () => releasePartitions(['north', 'south']));
await step('the whole collection is loaded', () => loadAll());
await step('a query finds the rows of all partitions', () => trees());
await step('a partition made after the load can be read', () => newPartitionOfLoadedCollection());
await step('the whole collection is released', () => releaseAll());
await step('loading an unknown partition is refused', () => loadPartitions(['east']));
await step('some fields of a partition are loaded', () =>
  loadPartitions(['north'], { load_fields: ['tree', 'leaf'], skip_load_dynamic_field: true }),
);
await step('a loaded field is returned', () => queryFields('tree < 3', ['tree']));
await step('a field that was left out is not returned', () => queryFields('tree < 3', ['kind']));
await step('a field that was left out is no filter', () => trees('kind == "apple"'));
await step('the dynamic field that was left out is no filter', () => trees('age == 10'));
await step('a load with other fields is refused', () =>
  loadPartitions(['north'], { load_fields: ['tree', 'leaf', 'kind'] }),
);
await step('the partition is released again', () => releasePartitions(['north']));
await step("the primary key can't be left out of a load", () =>
  loadPartitions(['north'], { load_fields: ['kind', 'leaf'] }),
);
await step('a released partition is dropped', () => dropPartition('south'));
await step('dropping an unknown partition changes nothing', () => dropPartition('south'));
await step("the default partition can't be dropped", () => dropPartition('_default'));
await step('the rows of a dropped partition are gone', async () => {
  await must(client.loadCollection({ collection_name }));
  return await trees();
});
await must(client.dropCollection({ collection_name }));
await client.closeConnection();
