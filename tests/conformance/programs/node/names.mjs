// Databases and aliases as a program in JavaScript uses them.
import assert from 'node:assert/strict';
import { check, createLoaded, runChecks } from './case-runner.mjs';
import { client, must, sdk } from './steps.mjs';

const { DataType } = sdk;
const fields = [
  { name: 'title', data_type: DataType.VarChar, max_length: 20 },
  { name: 'v', data_type: DataType.FloatVector, dim: 2 },
];
const flatL2 = { field_name: 'v', index_type: 'FLAT', metric_type: 'L2' };

async function filled(collection_name, title) {
  await createLoaded(collection_name, fields, flatL2);
  const data = [1, 2, 3].map((id) => ({ id, title, v: [id, 0] }));
  await must(client.insert({ collection_name, data }));
}

async function titles(collection_name, db_name) {
  const request = { collection_name, filter: 'id > 0', output_fields: ['title'] };
  const { data } = await must(client.query(db_name === undefined ? request : { ...request, db_name }));
  return data.map(({ title }) => title);
}

/** The reason that a call which must fail gives, as a status or as an error. */
async function reasonOf(call) {
  try {
    const answer = await call;
    const status = answer.status ?? answer;
    assert.notEqual(status.error_code, 'Success', 'should have failed');
    return status.reason;
  } catch (error) {
    if (error.code === 'ERR_ASSERTION') throw error;
    return error.reason ?? error.message;
  }
}

check('a database is created, described, used and dropped', async (db_name) => {
  await must(client.createDatabase({ db_name }));
  assert.ok((await must(client.listDatabases())).db_names.includes(db_name));
  const described = await must(client.describeDatabase({ db_name }));
  assert.equal(described.db_name, db_name);
  assert.ok(BigInt(described.dbID) > 0n);
  assert.deepEqual(described.properties, []);
  assert.match(await reasonOf(client.createDatabase({ db_name })), /database already exist/);
  await client.use({ db_name });
  try {
    await filled('shelf', 'inside');
    const shown = await must(client.showCollections());
    assert.deepEqual(
      shown.data.map(({ name }) => name),
      ['shelf'],
    );
    assert.match(await reasonOf(client.dropDatabase({ db_name })), /not empty, must drop all collections/);
    await must(client.dropCollection({ collection_name: 'shelf' }));
  } finally {
    await client.use({ db_name: 'default' });
  }
  await must(client.dropDatabase({ db_name }));
  assert.ok(!(await must(client.listDatabases())).db_names.includes(db_name));
  assert.match(await reasonOf(client.describeDatabase({ db_name })), /database not found/);
});

check('the database of a request wins over that of the connection', async (name) => {
  await must(client.createDatabase({ db_name: name }));
  await filled(name, 'outside');
  await client.use({ db_name: name });
  await filled(name, 'inside');
  assert.deepEqual(await titles(name), ['inside', 'inside', 'inside']);
  assert.deepEqual(await titles(name, 'default'), ['outside', 'outside', 'outside']);
  await must(client.dropCollection({ collection_name: name }));
  await client.use({ db_name: 'default' });
  await must(client.dropDatabase({ db_name: name }));
});

check('the properties of a database change', async (db_name) => {
  await must(client.createDatabase({ db_name }));
  await must(client.alterDatabase({ db_name, properties: { 'database.replica.number': 1, note: 'new' } }));
  const { properties } = await must(client.describeDatabase({ db_name }));
  assert.deepEqual(Object.fromEntries(properties.map(({ key, value }) => [key, value])), {
    'database.replica.number': '1',
    note: 'new',
  });
  await must(client.dropDatabase({ db_name }));
});

check(
  'the properties of a database go',
  async (db_name) => {
    await must(client.createDatabase({ db_name }));
    await must(client.alterDatabaseProperties({ db_name, properties: { note: 'new' } }));
    await must(client.dropDatabaseProperties({ db_name, properties: ['note'] }));
    assert.deepEqual((await must(client.describeDatabase({ db_name }))).properties, []);
    await must(client.dropDatabase({ db_name }));
  },
  '2.5',
);

check('an alias stands for a collection, moves to another and goes', async (collection_name) => {
  const [alias, other] = [`${collection_name}_alias`, `${collection_name}_other`];
  await filled(collection_name, 'old');
  await filled(other, 'new');
  await must(client.createAlias({ collection_name, alias }));
  const described = await must(client.describeAlias({ collection_name, alias }));
  assert.deepEqual([described.alias, described.collection], [alias, collection_name]);
  assert.deepEqual((await must(client.listAliases({ collection_name }))).aliases, [alias]);
  assert.deepEqual(await titles(alias), ['old', 'old', 'old']);
  assert.equal((await must(client.hasCollection({ collection_name: alias }))).value, true);
  const statistics = await must(client.getCollectionStatistics({ collection_name: alias }));
  assert.equal(String(statistics.data.row_count), '3');
  assert.match(
    await reasonOf(client.createAlias({ collection_name: other, alias })),
    /alias already exist\[database=default\]/,
  );
  assert.match(await reasonOf(client.dropCollection({ collection_name: alias })), /via alias/);

  await must(client.alterAlias({ collection_name: other, alias }));
  assert.deepEqual(await titles(alias), ['new', 'new', 'new']);
  await must(client.insert({ collection_name: alias, data: [{ id: 4, title: 'newer', v: [4, 0] }] }));
  assert.deepEqual(await titles(other), ['new', 'new', 'new', 'newer']);
  await must(client.dropAlias({ alias }));
  assert.match(await reasonOf(client.describeAlias({ collection_name, alias })), /alias not found/);
  await must(client.dropCollection({ collection_name: other }));
});

await runChecks();
