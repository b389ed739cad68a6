import assert from 'node:assert/strict';
import test from 'node:test';
import { params } from '../testing/request-drafts.ts';
import { DefinitionFixture } from './definition-fixture.ts';

const c = { collectionName: 'c' };

test('databases are made, described, altered, listed and dropped', async () => {
  const fixture = await DefinitionFixture.open();
  await fixture.call('CreateDatabase', { dbName: 'birds', properties: params({ a: '1', b: '2' }) });
  await fixture.call('CreateDatabase', { dbName: 'ships' });
  const listed = await fixture.call('ListDatabases', {});
  assert.deepEqual(listed.dbNames, ['default', 'birds', 'ships']);
  assert.equal(new Set(listed.dbIds).size, 3);
  assert.ok(listed.createdTimestamp.every((timestamp) => timestamp > 0n));

  await fixture.call('AlterDatabase', { dbName: 'birds', properties: params({ b: '3', c: '4' }) });
  await fixture.call('AlterDatabase', { deleteKeys: ['a', 'nothing'] }, 'birds');
  const birds = await fixture.call('DescribeDatabase', { dbName: 'birds' });
  assert.deepEqual(
    [birds.dbName, birds.dbID, birds.properties],
    ['birds', listed.dbIds[1], params({ b: '3', c: '4' })],
  );
  assert.deepEqual((await fixture.call('DescribeDatabase', {})).properties, []);

  await fixture.call('DropDatabase', { dbName: 'ships' });
  assert.deepEqual((await fixture.call('ListDatabases', {})).dbNames, ['default', 'birds']);
  assert.equal((await fixture.refusal('ShowCollections', {}, 'ships')).code, 800);
});

test('databases are as they were after a restart, in the same order', async () => {
  const fixture = await DefinitionFixture.open();
  for (const dbName of ['zebras', 'apes', 'mice']) {
    await fixture.call('CreateDatabase', { dbName, properties: params({ of: dbName }) });
    await fixture.call('AlterDatabase', { dbName, properties: params({ more: dbName }) });
  }
  await fixture.createCollection('c', {}, { dbName: 'apes' });
  await fixture.call('CreateAlias', { dbName: 'apes', collectionName: 'c', alias: 'd' });
  const seen = async (at: DefinitionFixture) => [
    await at.call('ListDatabases', {}),
    await at.call('DescribeDatabase', {}, 'mice'),
    await at.call('DescribeAlias', { alias: 'd' }, 'apes'),
    (await at.call('DescribeCollection', { collectionName: 'd' }, 'apes')).collectionID,
  ];
  const before = await seen(fixture);
  const restarted = await DefinitionFixture.open({ store: fixture.deployment.store.restart() });
  assert.deepEqual(await seen(restarted), before);
});

test('each database has names of its own, and the message wins over the header', async () => {
  const fixture = await DefinitionFixture.open();
  await fixture.call('CreateDatabase', { dbName: 'birds' });
  await fixture.createCollection('c');
  await fixture.createCollection('c', { description: 'in birds' }, { dbName: 'birds' });
  const here = await fixture.call('DescribeCollection', c);
  const there = await fixture.call('DescribeCollection', c, 'birds');
  assert.deepEqual([here.dbName, there.dbName], ['default', 'birds']);
  assert.deepEqual([here.schema!.description, there.schema!.description], ['', 'in birds']);
  const named = await fixture.call('DescribeCollection', { ...c, dbName: 'default' }, 'birds');
  assert.equal(named.collectionID, here.collectionID);

  await fixture.call('RenameCollection', { oldName: 'c', newName: 'd', newDBName: 'birds' });
  assert.deepEqual((await fixture.call('ShowCollections', {})).collectionNames, []);
  const moved = await fixture.call('DescribeCollection', { collectionName: 'd' }, 'birds');
  assert.deepEqual([moved.collectionID, moved.dbName], [here.collectionID, 'birds']);
  assert.deepEqual((await fixture.call('ShowCollections', {}, 'birds')).collectionNames.toSorted(), [
    'c',
    'd',
  ]);
});

test('there are as many databases as may be, besides the default one', async () => {
  const fixture = await DefinitionFixture.open({ limits: { databasesMax: 2 } });
  await fixture.call('CreateDatabase', { dbName: 'a' });
  await fixture.call('CreateDatabase', { dbName: 'b' });
  assert.deepEqual(await fixture.refusal('CreateDatabase', { dbName: 'c' }), {
    code: 801,
    legacyCode: 1,
    reason: 'exceeded the limit number of database[limit=2]',
  });
  await fixture.call('DropDatabase', { dbName: 'a' });
  await fixture.call('CreateDatabase', { dbName: 'c' });
});

test('of calls at the same time one makes the database, and none outlives its end', async () => {
  const fixture = await DefinitionFixture.open();
  const made = await Promise.allSettled(
    Array.from({ length: 8 }, () => fixture.call('CreateDatabase', { dbName: 'd' })),
  );
  assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 1);
  const [dropped, created] = await Promise.allSettled([
    fixture.call('DropDatabase', { dbName: 'd' }),
    fixture.createCollection('c', {}, { dbName: 'd' }),
  ]);
  assert.deepEqual([dropped.status, created.status], ['fulfilled', 'rejected']);
  assert.equal(fixture.deployment.catalog.collections().length, 0);
  assert.equal(fixture.deployment.streaming.collections.size, 0);
});

test("a database's properties decide where its collections say nothing", async () => {
  const fixture = await DefinitionFixture.open();
  const properties = params({
    timezone: 'Europe/Vienna',
    'database.max.collections': '1',
    'database.replica.number': '2',
  });
  await fixture.call('CreateDatabase', { dbName: 'd', properties });
  await fixture.createCollection('c', {}, { dbName: 'd' });
  const { properties: described } = await fixture.call('DescribeCollection', c, 'd');
  assert.deepEqual(described, params({ timezone: 'Europe/Vienna' }));
  await assert.rejects(fixture.createCollection('e', {}, { dbName: 'd' }), { code: 102 });

  await fixture.call('AlterDatabase', { dbName: 'd', properties: params({ timezone: 'UTC' }) });
  await fixture.createCollection('c', {}, { dbName: 'd' });
  await fixture.call('CreateIndex', { ...c, fieldName: 'vector' }, 'd');
  await fixture.call('LoadCollection', c, 'd');
  const [collection] = fixture.deployment.catalog.collections();
  assert.equal(fixture.deployment.catalog.loadOf(collection!.id)!.replicaNumber, 2);
});

test('what a database forbids can be allowed again', async () => {
  const fixture = await DefinitionFixture.open();
  const dbName = 'd';
  await fixture.call('CreateDatabase', { dbName, properties: params({ 'database.force.deny.ddl': 'true' }) });
  await assert.rejects(fixture.createCollection('c', {}, { dbName }), { code: 9 });
  await fixture.call('AlterDatabase', { dbName, deleteKeys: ['database.force.deny.ddl'] });
  await fixture.createCollection('c', {}, { dbName });
  await fixture.call('AlterDatabase', {
    dbName,
    properties: params({ 'database.force.deny.collectionDDL': 'True' }),
  });
  await fixture.call('CreatePartition', { ...c, dbName, partitionName: 'p' });
  assert.equal((await fixture.refusal('DropCollection', { ...c, dbName })).code, 9);
});
