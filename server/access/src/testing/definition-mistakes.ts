import { call, type Mistake, mistakesOf } from './mistake.ts';
import { params } from './request-drafts.ts';

const IN_MEMORY = 1;
const ending = ': invalid parameter';

const COLLECTIONS = [
  ...mistakesOf('RenameCollection', [
    [
      'a name that exists',
      { oldName: 'books', newName: 'plain' },
      65535,
      'duplicated new collection name default:plain with other collection name or alias',
    ],
    [
      'its own name',
      { oldName: 'books', newName: 'books' },
      65535,
      'duplicated new collection name default:books with other collection name or alias',
    ],
    [
      'a name with a digit first',
      { oldName: 'books', newName: '1' },
      1100,
      `Invalid collection name: 1. the first character of a collection name must be an underscore or letter${ending}`,
    ],
    ['no name', { oldName: 'books', newName: '' }, 1100, `collection name should not be empty${ending}`],
    [
      'a database that does not exist',
      { oldName: 'books', newName: 'films', newDBName: 'nowhere' },
      800,
      'database not found[database=nowhere]',
    ],
  ]),
  ...mistakesOf('ShowCollections', [
    [
      'the loaded ones, naming one that is not',
      { type: IN_MEMORY, collectionNames: ['books', 'asleep'] },
      101,
      'collection not loaded[collection=asleep]',
    ],
    [
      'a hundred thousand collections that do not exist',
      { type: IN_MEMORY, collectionNames: Array.from({ length: 100_000 }, (_, at) => `nobody_${at}`) },
      100,
      'collection not found[database=default][collection=nobody_0]',
    ],
  ]),
];

const PARTITION_NAMES: readonly (readonly [name: string, rule: string])[] = [
  ['', 'Partition name should not be empty.'],
  ['a b', 'Partition name can only contain numbers, letters and underscores.'],
  ['größe', 'Partition name can only contain numbers, letters and underscores.'],
  ['-a', 'The first character of a partition name must be an underscore or letter.'],
  ['p'.repeat(256), 'The length of a partition name must be less than 255 characters.'],
];
const PARTITION_METHODS = [
  'CreatePartition',
  'DropPartition',
  'HasPartition',
  'GetPartitionStatistics',
] as const;

/** Partitions of `shelved` are its partition key's. */
const HIDDEN_PARTITIONS = (
  [
    ['CreatePartition', 'create partition'],
    ['DropPartition', 'drop partition'],
    ['LoadPartitions', 'load partitions'],
    ['ReleasePartitions', 'release partitions'],
  ] as const
).map(
  ([method, action]): Mistake => ({
    ...call(method, {
      collectionName: 'shelved',
      partitionName: '_default_0',
      partitionNames: ['_default_0'],
    }),
    what: 'a partition of a partition key',
    told: { code: 65535, reason: `disable ${action} if partition key mode is used` },
  }),
);

const PARTITIONS = [
  ...PARTITION_METHODS.flatMap((method) =>
    PARTITION_NAMES.map(
      ([partitionName, rule]): Mistake => ({
        ...call(method, { collectionName: 'books', partitionName }),
        what: `the partition name ${JSON.stringify(partitionName.slice(0, 10))}`,
        told: { code: 1100, reason: `Invalid partition name: ${partitionName}. ${rule}${ending}` },
      }),
    ),
  ),
  ...HIDDEN_PARTITIONS,
  ...mistakesOf('CreatePartition', [
    ['one that is there', { collectionName: 'books', partitionName: 'new' }, 0, ''],
  ]),
  ...mistakesOf('DropPartition', [
    ['one that is not there', { collectionName: 'books', partitionName: 'old' }, 0, ''],
    [
      'the default one',
      { collectionName: 'asleep', partitionName: '_default' },
      65535,
      'default partition cannot be deleted',
    ],
    [
      'a loaded one',
      { collectionName: 'books', partitionName: 'new' },
      1100,
      'partition cannot be dropped, partition is loaded, please release it first',
    ],
  ]),
  ...mistakesOf('GetPartitionStatistics', [
    [
      'an unknown partition',
      { collectionName: 'books', partitionName: 'old' },
      200,
      'partition not found[partition=old]',
    ],
  ]),
  ...mistakesOf('ShowPartitions', [
    [
      'the loaded ones, naming one that is not',
      { collectionName: 'plain', type: IN_MEMORY, partitionNames: ['other'] },
      201,
      'partition not loaded[partition=other]',
    ],
    [
      'the loaded ones, naming an unknown one',
      { collectionName: 'books', type: IN_MEMORY, partitionNames: ['old'] },
      200,
      'partition not found[partition=old]',
    ],
  ]),
];

const INDEXES = [
  ...(['GetIndexState', 'GetIndexBuildProgress', 'DropIndex'] as const).map(
    (method): Mistake => ({
      ...call(method, { collectionName: 'books' }),
      what: 'no index name where there are two indexes',
      told: { code: 702, reason: 'index duplicates[indexName=]' },
    }),
  ),
  ...(['DescribeIndex', 'GetIndexStatistics', 'GetIndexState', 'GetIndexBuildProgress'] as const).flatMap(
    (method): Mistake[] => [
      {
        ...call(method, { collectionName: 'bare' }),
        what: 'a collection without an index',
        told: { code: 700, reason: 'index not found[collection=bare]' },
      },
      {
        ...call(method, { collectionName: 'books', indexName: 'nothing' }),
        what: 'an unknown index',
        told: { code: 700, reason: 'index not found[indexName=nothing]' },
      },
    ],
  ),
  ...mistakesOf('AlterIndex', [
    ['no index name', { collectionName: 'asleep' }, 1100, `index name is empty${ending}`],
    [
      'neither properties nor keys',
      { collectionName: 'asleep', indexName: 'vector' },
      1100,
      `The index properties to alter and keys to delete must not be empty at the same time${ending}`,
    ],
    [
      'properties and keys',
      {
        collectionName: 'asleep',
        indexName: 'vector',
        extraParams: params({ warmup: 'sync' }),
        deleteKeys: ['warmup'],
      },
      1100,
      `cannot provide both DeleteKeys and ExtraParams${ending}`,
    ],
    [
      'what an index is built by',
      { collectionName: 'asleep', indexName: 'vector', extraParams: params({ metric_type: 'IP' }) },
      1100,
      `metric_type is not a configable index property${ending}`,
    ],
    [
      'a key that nothing has',
      { collectionName: 'asleep', indexName: 'vector', deleteKeys: ['nothing'] },
      1100,
      `nothing is not a configable index property${ending}`,
    ],
    [
      'a switch that is neither on nor off',
      { collectionName: 'asleep', indexName: 'vector', extraParams: params({ 'mmap.enabled': 'perhaps' }) },
      1100,
      `invalid mmap.enabled value: perhaps, expected: true, false${ending}`,
    ],
    [
      'an unknown index',
      { collectionName: 'asleep', indexName: 'nothing', deleteKeys: ['warmup'] },
      700,
      'index not found[indexName=nothing]',
    ],
    [
      'an index of a loaded collection',
      { collectionName: 'books', indexName: 'vector', deleteKeys: ['warmup'] },
      104,
      "can't alter index on loaded collection, please release the collection first: collection already loaded[collection=books]",
    ],
  ]),
  ...mistakesOf('DropIndex', [
    ['an unknown index', { collectionName: 'books', indexName: 'nothing' }, 0, ''],
    ['a collection without an index', { collectionName: 'bare' }, 0, ''],
    [
      'a vector index of a loaded collection',
      { collectionName: 'books', indexName: 'vector' },
      65535,
      'vector index cannot be dropped on loaded collection: books, please release it first',
    ],
  ]),
];

const LOADS = [
  ...mistakesOf('LoadCollection', [
    ['no index at all', { collectionName: 'bare' }, 700, 'index not found[collection=bare]'],
    [
      'a vector without an index',
      { collectionName: 'halved' },
      1100,
      `there is no vector index on field: [other], please create index firstly${ending}`,
    ],
    [
      'fields without the primary key',
      { collectionName: 'asleep', loadFields: ['vector'] },
      1100,
      `load field list [vector] does not contain primary key field id${ending}`,
    ],
    [
      'fields without a vector',
      { collectionName: 'asleep', loadFields: ['id', 'pages'] },
      1100,
      `load field list [id pages] does not contain vector field${ending}`,
    ],
    [
      'fields without the partition key',
      { collectionName: 'shelved', loadFields: ['id', 'vector'] },
      1100,
      `load field list [id vector] does not contain partition key field shelf${ending}`,
    ],
    [
      'an unknown field',
      { collectionName: 'asleep', loadFields: ['id', 'vector', 'nothing'] },
      1100,
      `failed to get field schema by name: fieldName(nothing) not found${ending}`,
    ],
    [
      'other fields than those that are loaded',
      { collectionName: 'plain' },
      1100,
      "can't change the load field list for loaded collection: invalid parameter[expected=[100 101]][actual=[100 101 102]]",
    ],
    [
      'an unknown resource group',
      { collectionName: 'asleep', resourceGroups: ['gpu'] },
      300,
      'resource group not found[rg=gpu]',
    ],
    [
      'a refresh of what is not loaded',
      { collectionName: 'asleep', refresh: true },
      101,
      'collection not loaded[collection=asleep]',
    ],
    ['what is loaded', { collectionName: 'books' }, 0, ''],
  ]),
  ...mistakesOf('LoadPartitions', [
    [
      'no partition',
      { collectionName: 'asleep' },
      1100,
      `failed to load partition, due to no partition specified${ending}`,
    ],
    [
      'an unknown partition',
      { collectionName: 'asleep', partitionNames: ['_default', 'old'] },
      200,
      'partition not found[partition=old]',
    ],
    [
      'a collection without an index',
      { collectionName: 'bare', partitionNames: ['_default'] },
      700,
      'index not found[collection=bare]',
    ],
    [
      'other fields than those that are loaded',
      { collectionName: 'plain', partitionNames: ['other'] },
      1100,
      "can't change the load field list for loaded partition: invalid parameter[expected=[100 101]][actual=[100 101 102]]",
    ],
    [
      'an unknown resource group',
      { collectionName: 'asleep', partitionNames: ['_default'], resourceGroups: ['gpu'] },
      300,
      'resource group not found[rg=gpu]',
    ],
  ]),
  ...mistakesOf('ReleaseCollection', [['what is not loaded', { collectionName: 'asleep' }, 0, '']]),
  ...mistakesOf('ReleasePartitions', [
    [
      'no partition',
      { collectionName: 'books' },
      1100,
      `failed to release partition, due to no partition specified${ending}`,
    ],
    [
      'an unknown partition',
      { collectionName: 'books', partitionNames: ['new', 'old'] },
      200,
      'partition not found[partition=old]',
    ],
  ]),
  ...mistakesOf('GetLoadState', [
    [
      'an unknown partition',
      { collectionName: 'books', partitionNames: ['old'] },
      200,
      'partition not found[partition=old]',
    ],
  ]),
  ...mistakesOf('GetLoadingProgress', [
    ['what is not loaded', { collectionName: 'asleep' }, 101, 'collection not loaded[collection=asleep]'],
    [
      'a partition that is not loaded',
      { collectionName: 'plain', partitionNames: ['other'] },
      201,
      'partition not loaded[partition=other]',
    ],
    [
      'an unknown partition',
      { collectionName: 'books', partitionNames: ['old'] },
      200,
      'partition not found[partition=old]',
    ],
  ]),
];

const FLUSHES = mistakesOf('Flush', [
  ['no collection', {}, 1100, `collection names should not be empty${ending}`],
]);

/** Mistakes about what there is: databases, collections, partitions, indexes, loads, flushes. */
export const DEFINITION_MISTAKES: readonly Mistake[] = [
  ...COLLECTIONS,
  ...PARTITIONS,
  ...INDEXES,
  ...LOADS,
  ...FLUSHES,
];
