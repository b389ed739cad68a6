import { encode, type Message } from './milvus-service.ts';
import type { Step } from './requests.ts';

const int64 = 5;
const floatVector = 101;
const none = 'nowhere';

function create(collectionName: string, dbName = ''): Message {
  const fields = [
    { name: 'id', dataType: int64, isPrimaryKey: true },
    { name: 'v', dataType: floatVector, typeParams: [{ key: 'dim', value: '4' }] },
  ];
  const schema = encode('schema.CollectionSchema', { name: collectionName, fields });
  return { dbName, collectionName, schema, consistencyLevel: 2 };
}

/** One step for each request; the sentence is the first member. */
function each(
  rpc: string,
  requests: readonly (readonly [does: string, request: Message])[],
): readonly Step[] {
  return requests.map(([does, request]) => ({ does, rpc, request }));
}

const impossibleNames = ['', '1st', 'a b', 'größe', 'n'.repeat(256)];

/** Names of databases and aliases, and what stands behind them. Leaves nothing behind. */
export const namingSteps: readonly Step[] = [
  ...each('CreateCollection', [
    ['create one of two ships', create('brig')],
    ['create the other ship', create('bark')],
  ]),
  ...each('CreateAlias', [
    ...impossibleNames.map(
      (alias) => [`create the alias "${alias}"`, { collectionName: 'brig', alias }] as const,
    ),
    ['create an alias', { collectionName: 'brig', alias: 'ship' }],
    ['create the alias again', { collectionName: 'brig', alias: 'ship' }],
    ['create the alias for another collection', { collectionName: 'bark', alias: 'ship' }],
    ["create an alias of a collection's name", { collectionName: 'brig', alias: 'bark' }],
    ['create an alias of an alias', { collectionName: 'ship', alias: 'boat' }],
    ['create an alias of nothing', { collectionName: none, alias: 'boat' }],
    ['create an alias in an unknown database', { dbName: none, collectionName: 'brig', alias: 'boat' }],
  ]),
  ...each('DescribeAlias', [
    ['describe an alias', { alias: 'ship' }],
    ['describe an unknown alias', { alias: 'boat' }],
    ['describe no alias', { alias: '' }],
  ]),
  ...each('ListAliases', [
    ['list the aliases', {}],
    ['list the aliases of a collection', { collectionName: 'brig' }],
    ['list the aliases of one that has none', { collectionName: 'bark' }],
  ]),
  ...each('HasCollection', [['ask for an alias', { collectionName: 'ship' }]]),
  ...each('DescribeCollection', [['describe what an alias stands for', { collectionName: 'ship' }]]),
  ...each('DropCollection', [['drop an alias as a collection', { collectionName: 'ship' }]]),
  ...each('RenameCollection', [
    ['rename an alias', { oldName: 'ship', newName: 'boat' }],
    ['rename to an alias', { oldName: 'bark', newName: 'ship' }],
    ['rename a collection with an alias', { oldName: 'brig', newName: 'frigate' }],
  ]),
  ...each('AlterAlias', [
    ['move the alias', { collectionName: 'bark', alias: 'ship' }],
    ['move an unknown alias', { collectionName: 'bark', alias: 'boat' }],
    ["move a collection's name", { collectionName: 'bark', alias: 'frigate' }],
  ]),
  ...each('DescribeAlias', [['describe the moved alias', { alias: 'ship' }]]),
  ...each('DropAlias', [
    ['drop the alias', { alias: 'ship' }],
    ['drop the alias again', { alias: 'ship' }],
    ['drop the alias ""', { alias: '' }],
  ]),
  ...each('DropCollection', [
    ['drop one ship', { collectionName: 'frigate' }],
    ['drop the other ship', { collectionName: 'bark' }],
  ]),

  ...each('CreateDatabase', [
    ...impossibleNames.map((dbName) => [`create the database "${dbName}"`, { dbName }] as const),
    ['create a database', { dbName: 'harbour' }],
    ['create the database again', { dbName: 'harbour' }],
    ['create the default database', { dbName: 'default' }],
  ]),
  ...each('CreateCollection', [['create a collection in a database', create('brig', 'harbour')]]),
  ...each('ShowCollections', [
    ['show the collections of the database', { dbName: 'harbour' }],
    ['show the collections of an unknown database', { dbName: none }],
  ]),
  ...each('HasCollection', [['ask for the collection elsewhere', { collectionName: 'brig' }]]),
  ...each('DropDatabase', [
    ['drop a database that is not empty', { dbName: 'harbour' }],
    ['drop the default database', { dbName: 'default' }],
    ['drop an unknown database', { dbName: none }],
    ['drop the database "1st"', { dbName: '1st' }],
    ['drop the database ""', { dbName: '' }],
  ]),
  ...each('RenameCollection', [
    [
      'move a collection to another database',
      { dbName: 'harbour', oldName: 'brig', newName: 'brig', newDBName: 'default' },
    ],
  ]),
  ...each('DropDatabase', [['drop the empty database', { dbName: 'harbour' }]]),
  ...each('DropCollection', [['drop the moved collection', { collectionName: 'brig' }]]),
];
