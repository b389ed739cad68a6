import type { MethodName } from '@elanus/proto';
import { call, type Mistake, mistakesOf } from './mistake.ts';
import { createRequest } from './request-drafts.ts';

const ending = ': invalid parameter';

const NAMES: readonly (readonly [name: string, rule: string])[] = [
  ['', 'collection alias should not be empty'],
  ['1st', 'the first character of a collection alias must be an underscore or letter'],
  ['a b', 'collection alias can only contain numbers, letters and underscores'],
  ['größe', 'collection alias can only contain numbers, letters and underscores'],
  ['a/b', 'collection alias can only contain numbers, letters and underscores'],
  ['n'.repeat(256), 'the length of a collection alias must be less than 255 characters'],
];

const IMPOSSIBLE_NAMES = (['CreateAlias', 'AlterAlias', 'DropAlias'] as const).flatMap((method) =>
  NAMES.map(
    ([alias, rule]): Mistake => ({
      ...call(method, { collectionName: 'books', alias }),
      what: `the alias ${JSON.stringify(alias.slice(0, 10))}`,
      told: {
        code: 1100,
        reason: `${alias === '' ? '' : `Invalid collection alias: ${alias}. `}${rule}${ending}`,
      },
    }),
  ),
);

const conflict = (alias: string) => `alias and collection name conflict[database=default][alias=${alias}]`;
const notFound = (alias: string, database = 'default') =>
  `alias not found[database=${database}][alias=${alias}]`;
const noCollection = (name: string) => `collection not found[database=default][collection=${name}]`;

/** An alias is no collection's own name: what makes, moves or ends collections and aliases wants that. */
const ALIAS_INSTEAD_OF_A_NAME = [
  ...mistakesOf('CreateCollection', [
    ['the name of an alias', createRequest('second'), 1601, conflict('second')],
  ]),
  ...mistakesOf('DropCollection', [
    ['an alias', { collectionName: 'second' }, 65535, 'cannot drop the collection via alias = second'],
    [
      'a collection that has aliases',
      { collectionName: 'books' },
      65535,
      'unable to drop the collection [books] because it has associated aliases [library second], please remove all aliases before dropping the collection',
    ],
  ]),
  ...mistakesOf('RenameCollection', [
    [
      'an alias',
      { oldName: 'second', newName: 'free' },
      65535,
      'unsupported use an alias to rename collection, alias:second',
    ],
    [
      'the name of an alias',
      { oldName: 'plain', newName: 'second' },
      65535,
      'duplicated new collection name default:second with other collection name or alias',
    ],
    [
      'another database for a collection that has aliases',
      { oldName: 'books', newName: 'books', newDBName: 'archive' },
      65535,
      'fail to rename db name, must drop all aliases of this collection before rename',
    ],
  ]),
];

/** Everybody else may use an alias, and is told of the collection's state as if it had used the name. */
const BEHIND_AN_ALIAS = (
  [
    ['LoadCollection', 'second', 0, ''],
    ['CreatePartition', 'second', 0, ''],
  ] as const satisfies readonly (readonly [MethodName, string, number, string])[]
).map(
  ([method, collectionName, code, reason]): Mistake => ({
    ...call(method, { collectionName, partitionName: 'new' }),
    what: 'what is done already, by an alias',
    told: { code, reason },
  }),
);

/** Mistakes about aliases. */
export const ALIAS_MISTAKES: readonly Mistake[] = [
  ...IMPOSSIBLE_NAMES,
  ...ALIAS_INSTEAD_OF_A_NAME,
  ...BEHIND_AN_ALIAS,
  ...mistakesOf('CreateAlias', [
    ['one that is there', { collectionName: 'books', alias: 'second' }, 0, ''],
    [
      'one of another collection',
      { collectionName: 'plain', alias: 'second' },
      1602,
      'second is alias to another collection: books: alias already exist[database=default][alias=second]',
    ],
    ["the collection's own name", { collectionName: 'books', alias: 'books' }, 1601, conflict('books')],
    ["another collection's name", { collectionName: 'books', alias: 'plain' }, 1601, conflict('plain')],
    [
      'a taken name and no collection',
      { collectionName: 'nowhere', alias: 'plain' },
      1601,
      conflict('plain'),
    ],
    ['an alias of an alias', { collectionName: 'second', alias: 'third' }, 100, noCollection('second')],
    [
      'a collection of another database',
      { collectionName: 'scrolls', alias: 'third' },
      100,
      noCollection('scrolls'),
    ],
  ]),
  ...mistakesOf('AlterAlias', [
    ['one that is not there', { collectionName: 'books', alias: 'third' }, 1600, notFound('third')],
    [
      'one of another database',
      { dbName: 'archive', collectionName: 'scrolls', alias: 'library' },
      1600,
      notFound('library', 'archive'),
    ],
    ['what it stands for already', { collectionName: 'books', alias: 'second' }, 0, ''],
    ["a collection's name", { collectionName: 'books', alias: 'plain' }, 1601, conflict('plain')],
    ['an alias of itself', { collectionName: 'second', alias: 'second' }, 100, noCollection('second')],
  ]),
  ...mistakesOf('DropAlias', [
    ['one that is not there', { alias: 'third' }, 0, ''],
    ["a collection's name", { alias: 'books' }, 0, ''],
  ]),
  ...mistakesOf('DescribeAlias', [
    ['no alias', {}, 1101, 'no input alias: missing parameter[missing_param=alias]'],
    ['one that is not there', { alias: 'third' }, 1600, notFound('third')],
    ["a collection's name", { alias: 'books' }, 1600, notFound('books')],
    ['a name that no alias can have', { alias: 'a b' }, 1600, notFound('a b')],
  ]),
];
