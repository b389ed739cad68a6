import { DataType } from '@elanus/model';
import { type Draft, encode, type schema_FieldSchema, type schema_FunctionSchema } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { params } from './request-drafts.ts';

const ending = ': invalid parameter';

type Field = Draft<schema_FieldSchema>;

const field = (options: Field = {}): Field => ({
  name: 'added',
  dataType: DataType.Int64,
  nullable: true,
  ...options,
});

/** What may not be added to `books`, by whatever call. */
const ADDED: readonly (readonly [what: string, field: Field, code: number, reason: string | RegExp])[] = [
  ['a field that is there', field({ name: 'title' }), 1100, `duplicate field name: title${ending}`],
  [
    'a field that takes no nulls',
    field({ nullable: false }),
    1100,
    `added field must be nullable, please check it, field name = added${ending}`,
  ],
  [
    'a second primary key',
    field({ isPrimaryKey: true }),
    1100,
    `not support to add pk field, field name = added${ending}`,
  ],
  [
    'an automatic field',
    field({ autoID: true }),
    1100,
    `only primary field can speficy AutoID with true, field name = added${ending}`,
  ],
  [
    'a partition key',
    field({ isPartitionKey: true }),
    1100,
    `not support to add partition key field, field name = added${ending}`,
  ],
  [
    'a clustering key',
    field({ isClusteringKey: true }),
    1100,
    `not support to add clustering key field, field name = added${ending}`,
  ],
  [
    'a system field',
    field({ name: 'RowID' }),
    1100,
    `not support to add system field, field name = RowID${ending}`,
  ],
  [
    'a name that is none',
    field({ name: 'a b' }),
    1701,
    /^Invalid field name: a b\. |Invalid field name: a b\./,
  ],
  ['a keyword', field({ name: 'like' }), 1701, /like is keyword in milvus/],
  [
    'a text without a limit',
    field({ dataType: DataType.VarChar }),
    1101,
    /type param\(max_length\) should be specified for the field\(added\)/,
  ],
  [
    'an unknown type',
    field({ dataType: 99 }),
    1100,
    `data type DataType(99) of field added is not supported yet${ending}`,
  ],
  [
    'a default value of another type',
    field({ defaultValue: { stringData: 'x' } }),
    1100,
    `type (Int64) of field (added) is not equal to the type of its default_value${ending}`,
  ],
];

const collectionName = 'books';
const fieldBytes = (draft: Field) => encode('schema.FieldSchema', draft);
const alterBooks = (properties: Readonly<Record<string, string>>, deleteKeys: string[] = []) => ({
  collectionName,
  properties: params(properties),
  deleteKeys,
});
const alterField = (fieldName: string, properties: Readonly<Record<string, string>>) => ({
  collectionName,
  fieldName,
  properties: params(properties),
});
const words = [{ fieldSchema: { name: 'words', dataType: DataType.SparseFloatVector } }];
const bm25 = { name: 'bm25', type: 1, inputFieldNames: ['title'], outputFieldNames: ['words'] };
const add = (
  fieldInfos: readonly { readonly fieldSchema?: Field }[],
  ...funcSchema: readonly Draft<schema_FunctionSchema>[]
) => ({ collectionName, action: { addRequest: { fieldInfos, funcSchema } } });
const drop = (fieldName: string) => ({ collectionName, action: { dropRequest: { fieldName } } });

export const SCHEMA_CHANGE_MISTAKES: readonly Mistake[] = [
  ...mistakesOf(
    'AddCollectionField',
    ADDED.map(
      ([what, draft, code, reason]) =>
        [what, { collectionName, schema: fieldBytes(draft) }, code, reason] as const,
    ),
  ),
  ...mistakesOf('AddCollectionField', [
    [
      'a broken field',
      { collectionName, schema: Buffer.from([0x0a, 0xff]) },
      1100,
      `the schema of the field is not a FieldSchema message${ending}`,
    ],
  ]),
  ...mistakesOf(
    'AlterCollectionSchema',
    ADDED.map(
      ([what, fieldSchema, code, reason]) =>
        [
          what,
          { collectionName, action: { addRequest: { fieldInfos: [{ fieldSchema }] } } },
          code,
          reason,
        ] as const,
    ),
  ),
  ...mistakesOf('AlterCollectionSchema', [
    ['no action', { collectionName }, 1100, `the action of the schema change is not set${ending}`],
    ['no field to drop', drop(''), 1100, `the field to drop is not named${ending}`],
    ['the primary key to drop', drop('id'), 1100, `cannot drop primary key field id${ending}`],
    [
      'the last vector to drop',
      drop('vector'),
      1100,
      `cannot drop the last vector field vector of the collection${ending}`,
    ],
    [
      'an indexed field to drop',
      drop('title'),
      1100,
      `cannot drop field title: it has the index title, please drop that first${ending}`,
    ],
    ['an unknown field to drop', drop('nosuch'), 1700, 'field not found[field=nosuch]'],
    [
      'two fields at once',
      {
        collectionName,
        action: { addRequest: { fieldInfos: [{ fieldSchema: field() }, { fieldSchema: field() }] } },
      },
      1100,
      `For now, only one field info is supported${ending}`,
    ],
    [
      'nothing to add',
      { collectionName, action: { addRequest: {} } },
      1100,
      `fieldInfos and function schema are both empty${ending}`,
    ],
    ['a field that is not said', add([{}]), 1100, `fieldSchema is nil in fieldInfos${ending}`],
    [
      'two functions at once',
      add(words, bm25, bm25),
      1100,
      `For now, at most one function schema is supported${ending}`,
    ],
    [
      'a function without its field',
      add([], bm25),
      1100,
      `adding a function over existing fields is not supported; use add_function_field to add the function together with its new output field${ending}`,
    ],
    [
      'a function that makes another field',
      add(words, { ...bm25, outputFieldNames: ['vector'] }),
      1100,
      `function output field "vector" must be the newly-added field "words"${ending}`,
    ],
    [
      'a function that asks a model',
      add(words, { ...bm25, type: 2 }),
      1100,
      `For now, only BM25 and MinHash functions are supported in add_function_field interface${ending}`,
    ],
    [
      'a function of two fields',
      add(words, { ...bm25, inputFieldNames: ['title', 'id'] }),
      1100,
      `BM25 function should have exactly one input field and exactly one output field${ending}`,
    ],
    [
      'a function of a text without an analyzer',
      add(words, bm25),
      1100,
      `field title which has enable_match or is input of BM25 function must also enable_analyzer${ending}`,
    ],
    [
      'a function whose field is there',
      add([{ fieldSchema: { name: 'title', dataType: DataType.SparseFloatVector } }], bm25),
      1100,
      `duplicate field name: title${ending}`,
    ],
  ]),
  ...mistakesOf('AddCollectionStructField', [
    ['no struct', { collectionName }, 1100, `struct array field schema is not set${ending}`],
    [
      'a struct that takes no nulls',
      { collectionName, structArrayFieldSchema: { name: 'parts' } },
      1100,
      `added struct field must be nullable, please check it, struct field name = parts${ending}`,
    ],
    [
      'a struct of nothing',
      { collectionName, structArrayFieldSchema: { name: 'parts', nullable: true } },
      1100,
      `struct array field parts has no sub-fields${ending}`,
    ],
  ]),
  ...mistakesOf('AlterCollectionField', [
    ['an unknown field', alterField('nosuch', { max_length: '9' }), 1700, 'field not found[field=nosuch]'],
    [
      'a dimension',
      alterField('vector', { dim: '9' }),
      1100,
      `dim does not allow update in collection field param${ending}`,
    ],
    [
      'a limit for what is no text',
      alterField('price', { max_length: '9' }),
      1100,
      `can not modify the maxlength for non-string types, field name = price${ending}`,
    ],
    [
      'a limit that is none',
      alterField('title', { max_length: '0' }),
      1100,
      `the maximum length specified for the field(title) should be in (0, 65535], but got 0 instead${ending}`,
    ],
    [
      'no limit any more',
      { collectionName, fieldName: 'title', deleteKeys: ['max_length'] },
      1100,
      `can not delete max_length or max_capacity of field title${ending}`,
    ],
  ]),
  ...mistakesOf('AlterCollection', [
    [
      'nothing to change',
      alterBooks({}),
      1100,
      `The collection properties to alter and keys to delete must not be empty at the same time${ending}`,
    ],
    [
      'properties to set and to delete',
      alterBooks({ a: 'b' }, ['c']),
      1100,
      `cannot provide both DeleteKeys and ExtraParams${ending}`,
    ],
    [
      'an unknown time zone',
      alterBooks({ timezone: 'Nowhere' }),
      1100,
      `unknown or invalid IANA Time Zone ID: Nowhere${ending}`,
    ],
    [
      'a dynamic field to take away',
      alterBooks({ 'dynamicfield.enabled': 'false' }),
      1100,
      `dynamic schema cannot supported to be disabled${ending}`,
    ],
    [
      'storage of loaded rows',
      alterBooks({ 'mmap.enabled': 'true' }),
      104,
      'can not alter mmap properties if collection loaded',
    ],
    [
      'an unknown policy for duplicate keys',
      alterBooks({ 'elanus.duplicate_key': 'maybe' }),
      1100,
      /invalid value of the collection property elanus\.duplicate_key/,
    ],
  ]),
];
