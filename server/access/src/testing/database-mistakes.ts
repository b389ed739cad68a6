import { call, type Mistake, mistakesOf } from './mistake.ts';
import { createRequest, int64s, params, placeholder, vectors } from './request-drafts.ts';

const ending = ': invalid parameter';

const NAMES: readonly (readonly [name: string, rule: string])[] = [
  ['', "database name couldn't be empty"],
  ['1st', 'the first character of a database name must be an underscore or letter'],
  ['a b', 'database name can only contain numbers, letters and underscores'],
  ['größe', 'database name can only contain numbers, letters and underscores'],
  ['n'.repeat(256), 'the length of a database name must be less than 255 characters'],
];

const IMPOSSIBLE_NAMES = (['CreateDatabase', 'DropDatabase'] as const).flatMap((method) =>
  NAMES.map(
    ([dbName, rule]): Mistake => ({
      // A header names no database to make or to drop.
      ...call(method, { dbName }, 'archive'),
      what: `the database name ${JSON.stringify(dbName.slice(0, 10))}`,
      told: { code: 802, reason: `${rule}: invalid database name[database=${dbName}]` },
    }),
  ),
);

const IMPOSSIBLE_VALUES: readonly (readonly [key: string, value: string, expected: string])[] = [
  ['database.replica.number', 'two', 'a positive integer'],
  ['database.replica.number', '0', 'a positive integer'],
  ['database.max.collections', '-1', 'a positive integer'],
  ['database.diskQuota.mb', 'much', 'a number of megabytes'],
  ['database.force.deny.writing', 'perhaps', 'true or false'],
  ['database.force.deny.ddl', '', 'true or false'],
];

const PROPERTIES = (['CreateDatabase', 'AlterDatabase'] as const).flatMap((method) => [
  ...IMPOSSIBLE_VALUES.map(
    ([key, value, expected]): Mistake => ({
      ...call(method, { dbName: 'archives', properties: params({ [key]: value }) }),
      what: `${key} ${JSON.stringify(value)}`,
      told: {
        code: 1100,
        reason: `invalid value of the database property ${key}: invalid parameter[expected=${expected}][actual=${value}]`,
      },
    }),
  ),
  ...mistakesOf(method, [
    [
      'a time zone that there is not',
      { dbName: 'archives', properties: params({ timezone: 'Moon/Base' }) },
      1100,
      `unknown or invalid IANA Time Zone ID: Moon/Base${ending}`,
    ],
    [
      'encryption at rest',
      { dbName: 'archives', properties: params({ 'cipher.enabled': 'true' }) },
      10,
      'cipher.enabled: service unimplemented',
    ],
  ]),
]);

const DENIED = 'quota exceeded[reason=access has been disabled by the administrator]';
const rows = { collectionName: 'books', numRows: 1, fieldsData: [int64s('id', 1n), vectors([1, 2])] };
const search = { placeholderGroup: placeholder([1, 2]), searchParams: params({ topk: '1' }) };

/** What a database forbids by its properties is refused before anything is looked for. */
const FORBIDDEN = (
  [
    ['no_writing', call('Insert', rows)],
    ['no_writing', call('Upsert', rows)],
    ['no_writing', call('Delete', { collectionName: 'books', expr: 'id in [1]' })],
    ['no_reading', call('Query', { collectionName: 'books', expr: 'id > 0' })],
    ['no_reading', call('Search', { collectionName: 'books', ...search })],
    ['no_ddl', call('CreateCollection', createRequest('free'))],
    ['no_ddl', call('DropCollection', { collectionName: 'books' })],
    ['no_ddl', call('LoadCollection', { collectionName: 'books' })],
    ['no_ddl', call('CreateAlias', { collectionName: 'books', alias: 'third' })],
    ['no_ddl', call('CreatePartition', { collectionName: 'books', partitionName: 'p' })],
    ['no_ddl', call('CreateIndex', { collectionName: 'books', fieldName: 'vector' })],
    ['no_ddl', call('Flush', { collectionNames: ['books'] })],
  ] as const
).map(
  ([database, forbidden]): Mistake => ({
    ...forbidden,
    database,
    what: `the database ${database}`,
    told: { code: 9, reason: DENIED },
  }),
);

/** Mistakes about databases. */
export const DATABASE_MISTAKES: readonly Mistake[] = [
  ...IMPOSSIBLE_NAMES,
  ...PROPERTIES,
  ...FORBIDDEN,
  ...mistakesOf('CreateDatabase', [
    ['one that is there', { dbName: 'archive' }, 65535, 'database already exist: archive'],
    ['the default one', { dbName: 'default' }, 65535, 'database already exist: default'],
  ]),
  ...mistakesOf('DropDatabase', [
    ['one that is not there', { dbName: 'nowhere' }, 0, ''],
    ['the default one', { dbName: 'default' }, 65535, 'can not drop default database'],
    [
      'one that holds a collection',
      { dbName: 'archive' },
      65535,
      'database:archive not empty, must drop all collections before drop database',
    ],
  ]),
  ...mistakesOf('AlterDatabase', [
    [
      'nothing to alter',
      { dbName: 'archive' },
      1100,
      `alter database with empty properties and delete keys, expected to set either properties or delete keys${ending}`,
    ],
    [
      'a key to set and another to forget',
      { dbName: 'archive', properties: params({ note: 'new' }), deleteKeys: ['note'] },
      1100,
      `alter database cannot modify properties and delete keys at the same time${ending}`,
    ],
  ]),
  ...mistakesOf('CreateCollection', [
    [
      'a database that holds as many as it may',
      createRequest('papyri', {}, { dbName: 'archive' }),
      102,
      'exceeded the limit number of collections[dbName=archive][limit=1]',
    ],
  ]),
];
