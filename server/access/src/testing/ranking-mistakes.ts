import type { Draft, schema_FunctionSchema, schema_FunctionScore } from '@elanus/proto';
import { params } from './request-drafts.ts';

/** What is wrong with the functions of a search, the functions, and what their sender is told. */
export type ScoreMistake = readonly [what: string, score: Draft<schema_FunctionScore>, reason: string];

type FunctionDraft = Draft<schema_FunctionSchema>;

const RERANK = 3;

const reranker = (
  parameters: Readonly<Record<string, string>>,
  inputFieldNames: readonly string[] = [],
  type = RERANK,
): FunctionDraft => ({ name: 'f', type, inputFieldNames, params: params(parameters) });

const score = (...functions: readonly FunctionDraft[]): Draft<schema_FunctionScore> => ({ functions });

const DECAY = { reranker: 'decay', function: 'gauss', origin: '0', scale: '1' };
const decay = (changes: Readonly<Record<string, string>>, fields: readonly string[] = ['level']) =>
  score(reranker({ ...DECAY, ...changes }, fields));

const MODEL = { reranker: 'model', provider: 'tei', endpoint: 'http://127.0.0.1:1', queries: '["a"]' };
const model = (changes: Readonly<Record<string, string>>, fields: readonly string[] = ['title']) =>
  score(reranker({ ...MODEL, ...changes }, fields));

/** Wrong for searches and hybrid searches alike. */
export const SCORE_MISTAKES: readonly ScoreMistake[] = [
  ['no functions', score(), 'function_score has no functions'],
  [
    'an unknown reranker',
    score(reranker({ reranker: 'coin' })),
    'Unsupported rerank function: [coin] , list of supported [decay,model,rrf,weighted]',
  ],
  [
    'a reranker without a name',
    score(reranker({})),
    'Unsupported rerank function: [] , list of supported [decay,model,rrf,weighted]',
  ],
  ['a function of another kind', score(reranker(DECAY, ['level'], 1)), '1 is not rerank function'],
  [
    'two rerankers',
    score(reranker(DECAY, ['level']), reranker(DECAY, ['level'])),
    'Currently only supports one rerank',
  ],
  ['a model of nothing', model({}, []), 'Rerank model only supports single input, but gets [[]] input'],
  ['a model of numbers', model({}, ['level']), 'Rerank model only support varchar, bug got [Int8]'],
  ['a model of nobody', model({ provider: '' }), 'unknown rerank model provider:'],
  ['an unknown model', model({ provider: 'acme' }), 'unknown rerank model provider:acme'],
  [
    'a model at an address that nobody has allowed',
    model({ endpoint: 'http://169.254.169.254/' }),
    "endpoint: [http://169.254.169.254/] is not among those that the server's configuration names in function.rerank.model.providers.tei.url",
  ],
  [
    'a model at no address',
    model({ endpoint: 'ftp://a' }),
    'endpoint: [ftp://a] is not a valid http/https link',
  ],
  ['decay without a field', decay({}, []), 'Decay function only supports single input'],
  ['decay of two fields', decay({}, ['level', 'price']), 'Decay function only supports single input'],
  ['decay of no field', decay({}, ['nothing']), 'Function input field nothing not found'],
  [
    'decay of a text',
    decay({}, ['title']),
    'Decay rerank: unsupported input field type of title, only support numeric',
  ],
  ['decay without a function', decay({ function: '' }), 'Decay function lost param: function'],
  [
    'decay by an unknown function',
    decay({ function: 'cubic' }),
    'Invalid decay function: cubic, only support [gauss,exp,linear]',
  ],
  ['decay without an origin', decay({ origin: '' }), 'Decay function lost param: origin'],
  ['decay from nowhere', decay({ origin: 'here' }), 'Param origin:here is not a number'],
  ['decay without a scale', decay({ scale: '' }), 'Decay function lost param: scale'],
  ['decay at once', decay({ scale: '0' }), 'Decay function scale must > 0, but got 0'],
  ['decay before the origin', decay({ offset: '-1' }), 'Decay function offset must => 0, but got -1'],
  ['decay to nothing', decay({ decay: '0' }), 'Decay function decay must 0 < decay < 1, but got 0'],
  ['decay to all', decay({ decay: '1' }), 'Decay function decay must 0 < decay < 1, but got 1'],
  [
    'decay of an unknown sum',
    decay({ score_mode: 'median' }),
    'Unsupported score mode: [median], only supports: [max, sum, avg]',
  ],
  [
    'decay of scores that may be normalised',
    decay({ norm_score: 'maybe' }),
    'norm_score [maybe] is invalid, it should be true or false',
  ],
];

const BOOST = { reranker: 'boost', weight: '2' };
const boost = (changes: Readonly<Record<string, string>>, fields: readonly string[] = []) =>
  score(reranker({ ...BOOST, ...changes }, fields));

/** A boost that is right. */
export const A_BOOST = boost({});
/** A decay that is right. */
export const A_DECAY = decay({});

/** Wrong for searches that are alone. */
export const BOOST_MISTAKES: readonly ScoreMistake[] = [
  [
    'fusion of one search',
    score(reranker({ reranker: 'rrf' })),
    'The rrf rerank only supports hybrid search',
  ],
  [
    'weights of one search',
    score(reranker({ reranker: 'weighted', weights: '[1]' })),
    'The weighted rerank only supports hybrid search',
  ],
  ['a boost without a weight', boost({ weight: '' }), 'must set weight params for weight scorer'],
  ['a boost by a word', boost({ weight: 'heavy' }), 'parse function param weight failed: heavy'],
  ['a boost of a field', boost({}, ['level']), 'boost function does not support input fields'],
  ['a boost by luck', boost({ random_score: 'luck' }), 'parse random_score failed: luck'],
  [
    'a boost from a seed that is none',
    boost({ random_score: '{"seed": "x"}' }),
    'random seed must be an integer, but got "x"',
  ],
  [
    'a boost by the luck of no field',
    boost({ random_score: '{"seed": 1, "field": "nothing"}' }),
    'not found random score field: nothing',
  ],
  [
    'a boost by the luck of a text',
    boost({ random_score: '{"field": "title"}' }),
    'only support int64 field as random field, but got title',
  ],
  [
    'boosts that become one by division',
    { ...A_BOOST, params: params({ function_mode: 'divide' }) },
    'unknown function mode: divide',
  ],
  [
    'a boost that is subtracted',
    { ...A_BOOST, params: params({ boost_mode: 'minus' }) },
    'unknown boost mode: minus',
  ],
];
