import { DataType } from '@elanus/model';
import type { Draft, schema_FieldSchema, schema_FunctionSchema } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { sparseColumn } from './prepared-collections.ts';
import { createRequest, int64s, key, params, text, textQueries, texts, vector } from './request-drafts.ts';

type Field = Draft<schema_FieldSchema>;
type Function = Draft<schema_FunctionSchema>;

const ENDING = ': invalid parameter';
const NEEDS_ANALYZER = `field text which has enable_match or is input of BM25 function must also enable_analyzer${ENDING}`;

type Case<Request> = readonly [what: string, request: Request, code: number, reason: string | RegExp];

const analysed = text({ typeParams: params({ max_length: '64', enable_analyzer: 'true' }) });
const sparse: Field = { name: 'sparse', dataType: DataType.SparseFloatVector };
const bm25: Function = {
  name: 'words',
  type: 1,
  inputFieldNames: ['text'],
  outputFieldNames: ['sparse'],
};
const embedding = (pairs: Readonly<Record<string, string>>): Function => ({
  ...{ name: 'meaning', type: 2, inputFieldNames: ['text'], outputFieldNames: ['vector'] },
  params: params(pairs),
});
const withFunctions = (...functions: Function[]) =>
  createRequest('c', { fields: [key(), vector(), analysed, text({ name: 'plain' }), sparse], functions });

const functions: readonly Case<ReturnType<typeof createRequest>>[] = [
  [
    'a nameless function',
    withFunctions({ ...bm25, name: '' }),
    1100,
    `function name cannot be empty${ENDING}`,
  ],
  [
    'a function that nobody has',
    withFunctions({ ...bm25, type: 5 }),
    1100,
    `function words: functions of type MolFingerprint are not supported yet${ENDING}`,
  ],
  [
    'signatures that are no bits',
    withFunctions({ ...bm25, type: 4 }),
    1100,
    `minhash function output field 'sparse' is not binary vector type${ENDING}`,
  ],
  [
    'a model that makes no dense vectors',
    withFunctions({ ...bm25, type: 2 }),
    1100,
    `TextEmbedding function output field must be a FloatVector or Int8Vector field${ENDING}`,
  ],
  [
    'a model of no text',
    withFunctions({ ...embedding({}), inputFieldNames: ['id'] }),
    1100,
    `TextEmbedding function input field must be a VARCHAR/TEXT field${ENDING}`,
  ],
  [
    'a model of nobody',
    withFunctions(embedding({ provider: 'acme' })),
    1100,
    /^unsupported text embedding service provider: \[acme\] , list of supported \[openai, /,
  ],
  [
    'a model whose key the server was not given',
    withFunctions(embedding({ provider: 'voyageai', credential: 'nobody' })),
    1100,
    `nobody is not a apikey crediential, can not find key: apikey${ENDING}`,
  ],
  [
    'a model of another dimension',
    withFunctions(embedding({ provider: 'openai', dim: '7' })),
    1100,
    /dimension \[4\] does not match the dimension \[7\] provided in Function params/,
  ],
  [
    'a model at an address that nobody has allowed',
    withFunctions(embedding({ provider: 'tei', endpoint: 'http://169.254.169.254/latest' })),
    1100,
    /is not among those that the server's configuration names in function.textEmbedding.providers.tei.url/,
  ],
  [
    'a function of nothing',
    withFunctions({ ...bm25, inputFieldNames: [] }),
    1100,
    `function input field names cannot be empty, function: words${ENDING}`,
  ],
  [
    'a function for nothing',
    withFunctions({ ...bm25, outputFieldNames: [] }),
    1100,
    `function output field names cannot be empty, function: words${ENDING}`,
  ],
  [
    'a function of its own output',
    withFunctions({ ...bm25, inputFieldNames: ['sparse'] }),
    1100,
    `function input field cannot be both input and output in the same function, function: words, field: sparse${ENDING}`,
  ],
  [
    'parameters of BM25',
    withFunctions({ ...bm25, params: params({ bm25_k1: '2' }) }),
    1100,
    `BM25 function accepts no params${ENDING}`,
  ],
  [
    'a function of an unknown field',
    withFunctions({ ...bm25, inputFieldNames: ['title'] }),
    1100,
    `function input field not found: title${ENDING}`,
  ],
  [
    'a function for an unknown field',
    withFunctions({ ...bm25, outputFieldNames: ['title'] }),
    1100,
    `function output field not found: title${ENDING}`,
  ],
  [
    'a function of a vector',
    withFunctions({ ...bm25, inputFieldNames: ['vector'] }),
    1100,
    `BM25 function input field must be a VARCHAR/TEXT field, got 1 field with type FloatVector, function: words${ENDING}`,
  ],
  [
    'a function of a text without an analyzer',
    withFunctions({ ...bm25, inputFieldNames: ['plain'] }),
    1100,
    NEEDS_ANALYZER.replace('text', 'plain'),
  ],
  [
    'a function for a dense vector',
    withFunctions({ ...bm25, outputFieldNames: ['vector'] }),
    1100,
    `BM25 function output field must be a SparseFloatVector field, but got FloatVector, function: words${ENDING}`,
  ],
  [
    'a function for the key',
    withFunctions({ ...bm25, outputFieldNames: ['id'] }),
    1100,
    `function output field cannot be primary key: function words, field id${ENDING}`,
  ],
  ['the same function twice', withFunctions(bm25, bm25), 1100, `duplicate function name: words${ENDING}`],
  [
    'two functions for one field',
    withFunctions(bm25, { ...bm25, name: 'again' }),
    1100,
    `duplicate function output field: function again, field sparse${ENDING}`,
  ],
];

const poem = [int64s('id', 5n), texts('text', 'a rose'), texts('lang', 'en'), texts('verse', 'a rose')];

const writes = [
  [
    'vectors that a function makes',
    {
      collectionName: 'poems',
      numRows: 1,
      fieldsData: [...poem, sparseColumn(Buffer.from('010000000000803f', 'hex'))],
    },
    1100,
    `field sparse is a function output, no data may be sent for it${ENDING}`,
  ],
] as const;

const searchPoems = {
  collectionName: 'poems',
  dslType: 1,
  nq: 1n,
  placeholderGroup: textQueries('roses'),
  searchParams: params({ topk: '3' }),
};
const OUT_OF_RANGE = (value: string) =>
  `Out of range in json: param 'drop_ratio_search' (${value}) should be in range [0.000000, 1.000000)`;
const DROPPED: readonly (readonly [value: string, reason: string])[] = [
  ['1', OUT_OF_RANGE('1')],
  ['-0.1', OUT_OF_RANGE('-0.1')],
  ['"half"', "invalid float value, key: 'drop_ratio_search', value: 'half'"],
  ['true', "Type conflict in json: param 'drop_ratio_search' (true) should be a number"],
];

const lexical = (pairs: Readonly<Record<string, string>>) => ({ type: 0, params: params(pairs) });
const HIGHLIGHTS: readonly (readonly [string, ReturnType<typeof lexical>, number, string])[] = [
  [
    'of nothing',
    lexical({}),
    1100,
    `highlighter should have highlight_query or highlight_search_text${ENDING}`,
  ],
  ['by a model', { type: 1, params: [] }, 10, 'semantic highlighter: service unimplemented'],
  [
    'without tags',
    lexical({ highlight_search_text: 'True', post_tags: '[]' }),
    1100,
    `post_tags cannot be empty list${ENDING}`,
  ],
  [
    'with tags that are no list',
    lexical({ highlight_search_text: 'True', pre_tags: '"<b>"' }),
    1100,
    `unmarshal pre_tags as string array failed: it is no list of strings${ENDING}`,
  ],
  [
    'with empty fragments',
    lexical({ highlight_search_text: 'True', fragment_size: '0' }),
    1100,
    `invalid fragment_size: 0${ENDING}`,
  ],
  [
    'of a query without a text',
    lexical({ highlight_query: '[{"type": "TextMatch", "field": "text"}]' }),
    1100,
    `unmarshal highlight queries failed: must set \`text\` in query${ENDING}`,
  ],
  [
    'of an unknown kind of query',
    lexical({ highlight_query: '[{"type": "Fuzzy", "field": "text", "text": "rose"}]' }),
    1100,
    `unmarshal highlight queries failed: invalid highlight query type: Fuzzy${ENDING}`,
  ],
  [
    'of an unknown field',
    lexical({ highlight_query: '[{"type": "TextMatch", "field": "title", "text": "rose"}]' }),
    1100,
    `highlight field not found in schema: title${ENDING}`,
  ],
  [
    'of a field without an analyzer',
    lexical({ highlight_query: '[{"type": "TextMatch", "field": "lang", "text": "rose"}]' }),
    1100,
    `highlight field lang should enable analyzer${ENDING}`,
  ],
];

const INDEX_ENDING = `${ENDING}[expected=valid index params][actual=invalid index params]`;

/** What goes wrong with the functions of schemas, and the fields that they make. */
export const TEXT_MISTAKES: readonly Mistake[] = [
  ...mistakesOf('CreateCollection', functions),
  ...mistakesOf('Insert', writes),
  ...mistakesOf('Upsert', writes),
  ...mistakesOf('CreateIndex', [
    [
      'inner products of words',
      {
        collectionName: 'poems',
        fieldName: 'sparse',
        extraParams: params({ index_type: 'SPARSE_INVERTED_INDEX', metric_type: 'IP' }),
      },
      1100,
      `index metric type of BM25 function output field must be BM25, got IP${INDEX_ENDING}`,
    ],
    [
      'a k1 that is too large',
      {
        collectionName: 'poems',
        fieldName: 'sparse',
        extraParams: params({ index_type: 'SPARSE_WAND', metric_type: 'BM25', bm25_k1: '3.5' }),
      },
      1100,
      `Out of range in json: param 'bm25_k1' (3.5) should be in range [0.000000, 3.000000]${INDEX_ENDING}`,
    ],
  ]),
  ...mistakesOf('Search', [
    [
      'words for a field that no function makes',
      { ...searchPoems, collectionName: 'shapes', searchParams: params({ topk: '3', anns_field: 'sparse' }) },
      1100,
      `vector type must be the same, field sparse - type SparseFloatVector, search info type VarChar${ENDING}`,
    ],
    [
      'inner products of words',
      { ...searchPoems, searchParams: params({ topk: '3', metric_type: 'IP' }) },
      1100,
      'metric type not match: invalid parameter[expected=BM25][actual=IP]',
    ],
    [
      'words and their vectors as output',
      { ...searchPoems, outputFields: ['text', 'sparse'] },
      65535,
      'not allowed to retrieve raw data of field sparse',
    ],
    ...HIGHLIGHTS.map(
      ([what, highlighter, code, reason]) =>
        [`a highlighter ${what}`, { ...searchPoems, highlighter }, code, reason] as const,
    ),
    ...DROPPED.map(
      ([value, reason]) =>
        [
          `a share ${value} of words to be dropped`,
          { ...searchPoems, searchParams: params({ topk: '3', params: `{"drop_ratio_search": ${value}}` }) },
          1100,
          `${reason}${ENDING}`,
        ] as const,
    ),
  ]),
  ...mistakesOf('AddCollectionFunction', [
    [
      'a collection that is not there',
      { collectionName: 'nobody', functionSchema: bm25 },
      100,
      'collection not found[database=default][collection=nobody]',
    ],
    [
      'a function that makes vectors of words',
      { collectionName: 'poems', functionSchema: bm25 },
      1100,
      `Currently does not support adding BM25 function${ENDING}`,
    ],
    [
      'a function that makes signatures',
      { collectionName: 'poems', functionSchema: { ...bm25, type: 4 } },
      1100,
      `Currently does not support adding MinHash function${ENDING}`,
    ],
    [
      'a function that asks a model, over the words of another',
      { collectionName: 'poems', functionSchema: { ...bm25, type: 2 } },
      1100,
      `TextEmbedding function output field must be a FloatVector or Int8Vector field${ENDING}`,
    ],
    ['no function', { collectionName: 'poems' }, 1100, `function schema is not set${ENDING}`],
  ]),
  ...mistakesOf('AlterCollectionFunction', [
    [
      'an unknown function',
      { collectionName: 'poems', functionName: 'sense' },
      1100,
      `Function sense not exists${ENDING}`,
    ],
    [
      'a function that makes vectors of words',
      { collectionName: 'poems', functionName: 'words', functionSchema: bm25 },
      1100,
      `Currently does not support alter BM25 function${ENDING}`,
    ],
  ]),
  ...mistakesOf('DropCollectionFunction', [
    [
      'an unknown function',
      { collectionName: 'poems', functionName: 'sense' },
      1100,
      `Function sense not exists${ENDING}`,
    ],
    [
      'a function that makes vectors of words',
      { collectionName: 'poems', functionName: 'words' },
      1100,
      `Currently does not support droping BM25 function${ENDING}`,
    ],
  ]),
  ...mistakesOf('AlterCollectionField', [
    [
      'no analyzer for the input of a function',
      {
        collectionName: 'poems',
        fieldName: 'text',
        properties: params({ enable_analyzer: 'false' }),
      },
      1100,
      NEEDS_ANALYZER,
    ],
    [
      'an unknown analyzer',
      {
        collectionName: 'poems',
        fieldName: 'text',
        properties: params({ analyzer_params: '{"type": "elvish"}' }),
      },
      1100,
      `unknown build-in analyzer type: elvish${ENDING}`,
    ],
  ]),
  ...mistakesOf('Query', [
    [
      'the output of a function',
      { collectionName: 'poems', expr: 'id > 0', outputFields: ['sparse'] },
      65535,
      'not allowed to retrieve raw data of field sparse',
    ],
  ]),
];
