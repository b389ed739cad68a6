import { DataType } from '@elanus/model';
import type { Draft, schema_FieldSchema } from '@elanus/proto';
import { type Mistake, mistakesOf } from './mistake.ts';
import { createRequest, key, params, text, vector } from './request-drafts.ts';

type Field = Draft<schema_FieldSchema>;

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
    `create stemmer failed : unsupport language: elvish${ENDING}`,
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

/** Parameters that no analyzer has, and analyzers that fields can't have. */
export const ANALYZER_MISTAKES: readonly Mistake[] = [
  ...mistakesOf('CreateCollection', analyzers),
  ...mistakesOf('RunAnalyzer', runs),
];
