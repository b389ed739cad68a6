import assert from 'node:assert/strict';
import test from 'node:test';
import { DefinitionFixture } from './definition-fixture.ts';

const second = { collectionName: 'second' };

async function aliasedFixture(): Promise<DefinitionFixture> {
  const fixture = await DefinitionFixture.open();
  await fixture.createCollection('c', { description: 'old' });
  await fixture.createCollection('d', { description: 'new' });
  await fixture.call('CreateAlias', { collectionName: 'c', alias: 'second' });
  return fixture;
}

test('an alias is described as it was asked for, and listed', async () => {
  const fixture = await aliasedFixture();
  await fixture.call('CreateAlias', { collectionName: 'c', alias: 'first' });
  await fixture.call('CreateAlias', { collectionName: 'd', alias: 'third' });
  const described = await fixture.call('DescribeCollection', second);
  assert.deepEqual(
    [described.collectionName, described.schema!.name, described.aliases],
    ['second', 'c', ['first', 'second']],
  );
  assert.deepEqual((await fixture.call('ListAliases', {})).aliases, ['first', 'second', 'third']);
  const listed = await fixture.call('ListAliases', second);
  assert.deepEqual(
    [listed.aliases, listed.collectionName, listed.dbName],
    [['first', 'second'], 'second', 'default'],
  );
  const { alias, collection, dbName } = await fixture.call('DescribeAlias', { alias: 'second' });
  assert.deepEqual([alias, collection, dbName], ['second', 'c', 'default']);
  assert.deepEqual((await fixture.call('ShowCollections', {})).collectionNames.toSorted(), ['c', 'd']);
});

test('everything that takes a collection takes an alias', async () => {
  const fixture = await aliasedFixture();
  assert.equal((await fixture.call('HasCollection', second)).value, true);
  await fixture.call('CreateIndex', { ...second, fieldName: 'vector' });
  await fixture.call('CreatePartition', { ...second, partitionName: 'p' });
  await fixture.call('LoadPartitions', { ...second, partitionNames: ['p'] });
  await fixture.call('LoadCollection', second);
  assert.equal((await fixture.call('GetLoadState', { collectionName: 'c' })).state, 3);
  assert.equal((await fixture.call('GetLoadingProgress', second)).progress, 100n);
  assert.deepEqual((await fixture.call('ShowPartitions', second)).partitionNames, ['_default', 'p']);
  assert.equal((await fixture.call('DescribeIndex', second)).indexDescriptions.length, 1);
  assert.deepEqual(
    [...(await fixture.call('Flush', { collectionNames: ['second'] })).collSegIDs.keys()],
    ['second'],
  );
  await fixture.call('ReleaseCollection', second);
  await fixture.call('DropIndex', { ...second, indexName: 'vector' });
  await fixture.call('DropPartition', { ...second, partitionName: 'p' });
  assert.deepEqual((await fixture.call('ShowPartitions', { collectionName: 'c' })).partitionNames, [
    '_default',
  ]);
  assert.equal((await fixture.call('GetLoadState', { collectionName: 'd' })).state, 1);
});

test('an alias that moves leads to the one or the other collection, never to none', async () => {
  const fixture = await aliasedFixture();
  let isMoving = true;
  const seen = new Set<string>();
  const read = async () => {
    while (isMoving) {
      const { schema, aliases } = await fixture.call('DescribeCollection', second);
      seen.add(schema!.description);
      assert.ok(aliases.length <= 1);
    }
  };
  const readers = Array.from({ length: 8 }, read);
  for (let round = 0; round < 100; round++) {
    await fixture.call('AlterAlias', { collectionName: round % 2 === 0 ? 'd' : 'c', alias: 'second' });
  }
  isMoving = false;
  await Promise.all(readers);
  assert.deepEqual([...seen].sort(), ['new', 'old']);
  assert.equal((await fixture.call('DescribeAlias', { alias: 'second' })).collection, 'c');
});

test('a collection goes after its aliases, and a rename takes them along', async () => {
  const fixture = await aliasedFixture();
  await fixture.call('RenameCollection', { oldName: 'c', newName: 'e' });
  assert.equal((await fixture.call('DescribeAlias', { alias: 'second' })).collection, 'e');
  assert.equal((await fixture.refusal('DropCollection', { collectionName: 'e' })).code, 65535);
  await fixture.call('DropAlias', { alias: 'second' });
  assert.equal((await fixture.call('HasCollection', second)).value, false);
  await fixture.call('DropCollection', { collectionName: 'e' });
  await fixture.createCollection('second');
});
