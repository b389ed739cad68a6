import { DataType } from '@elanus/model';
import type { Draft, schema_FieldSchema, schema_FunctionSchema } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { sparseColumn } from './prepared-collections.ts';
import { createRequest, int64s, key, params, text, textQueries, texts, vector } from './request-drafts.ts';

type Field = Draft<schema_FieldSchema>;
type Function = Draft<schema_FunctionSchema>;

const ENDING = ': invalid parameter';
const NEEDS_ANALYZER = `field text which has enable_match or is input of BM25 function must also enable_analyzer${ENDING}`;

const withText = (pairs: Readonly<Record<string, string>>, ...more: Field[]) =>
  createRequest('c', {
    fields: [key(), vector(), text({ typeParams: params({ max_length: '64', ...pairs }) }), ...more],
  });
const withParams = (analyzer: object | string) =>
  withText({
    enable_analyzer: 'true',
    analyzer_params: typeof analyzer === 'string' ? analyzer : JSON.stringify(analyzer),
  });
const withSeveral = (several: object, pairs: Readonly<Record<string, string>> = {}, ...more: Field[]) =>
  withText({ enable_analyzer: 'true', multi_analyzer_params: JSON.stringify(several), ...pairs }, ...more);
const filtered = (filter: unknown) => withParams({ tokenizer: 'standard', filter: [filter] });
const lang = text({ name: 'lang' });

type Case<Request> = readonly [what: string, request: Request, code: number, reason: string];

const analyzers: readonly Case<ReturnType<typeof createRequest>>[] = [
  ['a text that is matched without an analyzer', withText({ enable_match: 'true' }), 1100, NEEDS_ANALYZER],
  [
    'an unknown analyzer',
    withParams({ type: 'elvish' }),
    1100,
    `unknown build-in analyzer type: elvish${ENDING}`,
  ],
  [
    'an unknown tokenizer',
    withParams({ tokenizer: 'elvish' }),
    1100,
    `unsupported tokenizer: elvish${ENDING}`,
  ],
  [
    'an analyzer without a tokenizer',
    withParams({ filter: ['lowercase'] }),
    1100,
    `tokenizer name or type must be set${ENDING}`,
  ],
  [
    'an unknown key of an analyzer',
    withParams({ tokenizer: 'standard', stemmer: 'english' }),
    1100,
    `unknown analyzer option key: stemmer${ENDING}`,
  ],
  ['an unknown filter', filtered('elvish'), 1100, `build analyzer failed, filter not found :elvish${ENDING}`],
  ['an unknown kind of filter', filtered({ type: 'elvish' }), 1100, `unsupport filter type: elvish${ENDING}`],
  [
    'a length filter without a length',
    filtered({ type: 'length' }),
    1100,
    `lenth max param was none or not uint${ENDING}`,
  ],
  [
    'a stemmer of no language',
    filtered({ type: 'stemmer', language: 'elvish' }),
    1100,
    `unsupported language: elvish${ENDING}`,
  ],
  [
    'a Text that is longer than texts may be',
    withText({}, { name: 'long', dataType: DataType.Text, typeParams: params({ max_length: '2097153' }) }),
    1100,
    `the maximum length specified for the field(long) should be in (0, 2097152], but got 2097153 instead${ENDING}`,
  ],
  [
    'a Text as primary key',
    createRequest('c', { fields: [{ ...key(), dataType: DataType.Text }, vector()] }),
    1100,
    `the data type of primary key should be Int64 or VarChar${ENDING}`,
  ],
  [
    'several analyzers beside one',
    withSeveral({ by_field: 'lang', analyzers: { default: {} } }, { analyzer_params: '{}' }, lang),
    1100,
    `field text analyzer params should be none if has multi analyzer params${ENDING}`,
  ],
  [
    'several analyzers and a match',
    withSeveral({ by_field: 'lang', analyzers: { default: {} } }, { enable_match: 'true' }, lang),
    1100,
    `multi analyzer now only support for bm25, but now field text enable match${ENDING}`,
  ],
  [
    'several analyzers without a default one',
    withSeveral({ by_field: 'lang', analyzers: { english: {} } }, {}, lang),
    1100,
    `multi analyzer must set default analyzer for all unknown value, field text${ENDING}`,
  ],
  [
    'several analyzers by a field that is not there',
    withSeveral({ by_field: 'lang', analyzers: { default: {} } }),
    1100,
    `multi analyzer dependent field lang of field text does not exist${ENDING}`,
  ],
  [
    'several analyzers by a number',
    withSeveral({ by_field: 'id', analyzers: { default: {} } }),
    1100,
    `multi analyzer now only support varchar by_field, but field id is not${ENDING}`,
  ],
];

const analysed = text({ typeParams: params({ max_length: '64', enable_analyzer: 'true' }) });
const sparse: Field = { name: 'sparse', dataType: DataType.SparseFloatVector };
const bm25: Function = {
  name: 'words',
  type: 1,
  inputFieldNames: ['text'],
  outputFieldNames: ['sparse'],
};
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
    'a function that needs a service',
    withFunctions({ ...bm25, type: 2 }),
    1100,
    `function words: functions of type TextEmbedding are not supported yet${ENDING}`,
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

const NO_JSON = /^analyzer params is not valid JSON: .*: invalid parameter$/s;
const hello = [Buffer.from('hello')];

const runs = [
  ['text that is no JSON', { analyzerParams: '{', placeholder: hello }, 1100, NO_JSON],
  [
    'an unknown analyzer',
    { analyzerParams: '{"type": "elvish"}', placeholder: hello },
    1100,
    `unknown build-in analyzer type: elvish${ENDING}`,
  ],
  [
    'a field of no collection',
    { fieldName: 'text', placeholder: hello },
    1100,
    `collection name must be specified with field name${ENDING}`,
  ],
  [
    'an unknown collection',
    { collectionName: 'nobody', fieldName: 'text', placeholder: hello },
    100,
    'collection not found[database=default][collection=nobody]',
  ],
  [
    'an unknown field',
    { collectionName: 'poems', fieldName: 'title', placeholder: hello },
    1100,
    `fieldName title not found in collection poems${ENDING}`,
  ],
  [
    'a field without an analyzer',
    { collectionName: 'poems', fieldName: 'lang', placeholder: hello },
    1100,
    `analyzer is not enabled of field lang${ENDING}`,
  ],
  [
    'the name of one analyzer of one',
    { collectionName: 'poems', fieldName: 'text', placeholder: hello, analyzerNames: ['english'] },
    1100,
    `analyzer names should be none if field text has one analyzer${ENDING}`,
  ],
  [
    'two names for one text',
    { collectionName: 'poems', fieldName: 'verse', placeholder: hello, analyzerNames: ['a', 'b'] },
    1100,
    `the number of analyzer names (2) should be 1 or that of the texts (1)${ENDING}`,
  ],
] as const;

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
    'with tags that do not end',
    lexical({ highlight_search_text: 'True', pre_tags: '["<b>", "<i>"]', post_tags: '["</b>"]' }),
    1100,
    `pre_tags (2) and post_tags (1) should have the same length${ENDING}`,
  ],
  [
    'with tags that are no list',
    lexical({ highlight_search_text: 'True', pre_tags: '"<b>"' }),
    1100,
    `pre_tags should be a list of strings${ENDING}`,
  ],
  [
    'with empty fragments',
    lexical({ highlight_search_text: 'True', fragment_size: '0' }),
    1100,
    `invalid fragment_size: 0, it should be an integer of 1 or more${ENDING}`,
  ],
  [
    'of an unknown kind of query',
    lexical({ highlight_query: '[{"type": "Fuzzy", "field": "text", "text": "rose"}]' }),
    1100,
    `unsupport highlight query type: "Fuzzy"${ENDING}`,
  ],
  [
    'of an unknown field',
    lexical({ highlight_query: '[{"type": "TextMatch", "field": "title", "text": "rose"}]' }),
    1100,
    `highlight field title not exist${ENDING}`,
  ],
  [
    'of a field without an analyzer',
    lexical({ highlight_query: '[{"type": "TextMatch", "field": "lang", "text": "rose"}]' }),
    1100,
    `highlight field lang should enable analyzer${ENDING}`,
  ],
];

const INDEX_ENDING = `${ENDING}[expected=valid index params][actual=invalid index params]`;

/** What goes wrong with analyzers, the functions of schemas, and the fields that they make. */
export const TEXT_MISTAKES: readonly Mistake[] = [
  ...mistakesOf('CreateCollection', [...analyzers, ...functions]),
  ...mistakesOf('RunAnalyzer', runs),
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
      'a function that needs a service',
      { collectionName: 'poems', functionSchema: { ...bm25, type: 2 } },
      1100,
      `function words: functions of type 2 are not supported yet${ENDING}`,
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
