import { type FieldSchema, fieldByName, invalidInput, invalidParameter } from '@elanus/model';
import type { schema_FunctionSchema, schema_FunctionScore } from '@elanus/proto';
import type { AccessDependencies } from '../../handler.ts';
import { isNumberType } from '../number-type.ts';
import { Parameters } from '../parameters.ts';
import { type ReadTarget, requireLoaded } from '../read-target.ts';
import { type Boosting, readBoosting } from './boosting.ts';
import type { DecayRanking, Ranking } from './ranking.ts';
import { readModel } from './read-model.ts';
import { numberIn, readBoolean, readRrf, readWeighted } from './read-rank-params.ts';

/** What the functions of a request do with its scores. */
export interface FunctionScore {
  /** `null`: nothing but boosts. */
  readonly ranking: Ranking | null;
  /** `null`: no boosts. */
  readonly boosting: Boosting | null;
}

/** `FunctionType.Rerank`. */
const RERANK = 3;
const RERANKERS = ['decay', 'model', 'rrf', 'weighted'];

/** `legs`: how many searches a hybrid search has; 1 of a search, which knows neither rrf nor weighted. */
export interface FunctionScoreUse {
  readonly kind: 'search' | 'hybrid search';
  readonly legs: number;
}

/** Reads `function_score`. @throws MilvusError 1100 for what is wrong with it */
export function readFunctionScore(
  dependencies: Pick<AccessDependencies, 'models'>,
  target: ReadTarget,
  sent: schema_FunctionScore,
  use: FunctionScoreUse,
): FunctionScore {
  if (sent.functions.length === 0) throw invalidParameter('function_score has no functions');
  const functions = sent.functions.map((schema) => ({ schema, parameters: new Parameters(schema.params) }));
  const boosts = functions.filter(({ parameters }) => rerankerOf(parameters) === 'boost');
  const others = functions.filter(({ parameters }) => rerankerOf(parameters) !== 'boost');
  if (use.kind === 'hybrid search' && boosts.length > 0)
    throw invalidParameter('boost rerank is not supported in hybrid search');
  if (others.length > 1) throw invalidParameter('Currently only supports one rerank');
  const [other] = others;
  return {
    ranking: other === undefined ? null : readRanking(dependencies, target, other, use),
    boosting: boosts.length === 0 ? null : readBoosting(target, boosts, new Parameters(sent.params)),
  };
}

function rerankerOf(parameters: Parameters): string | undefined {
  return parameters.text('reranker')?.toLowerCase();
}

function readRanking(
  { models }: Pick<AccessDependencies, 'models'>,
  target: ReadTarget,
  { schema, parameters }: { readonly schema: schema_FunctionSchema; readonly parameters: Parameters },
  { kind, legs }: FunctionScoreUse,
): Ranking {
  if (schema.type !== RERANK) throw invalidParameter(`${schema.type} is not rerank function`);
  const reranker = rerankerOf(parameters);
  switch (reranker) {
    case 'decay':
      return readDecay(target, schema, parameters);
    case 'model':
      return readModel(models, target, schema);
    case 'rrf':
    case 'weighted':
      if (kind === 'search') throw invalidParameter(`The ${reranker} rerank only supports hybrid search`);
      if (schema.inputFieldNames.length > 0)
        throw invalidParameter(`The ${reranker} function does not support input fields`);
      return reranker === 'rrf' ? readRrf(parameters) : readWeighted(parameters, legs);
    default:
      throw invalidParameter(
        `Unsupported rerank function: [${reranker ?? ''}] , list of supported [${RERANKERS.join(',')}]`,
      );
  }
}

const CURVES = ['gauss', 'exp', 'linear'] as const;
const MODES = ['max', 'sum', 'avg'] as const;

function readDecay(
  target: ReadTarget,
  { inputFieldNames }: schema_FunctionSchema,
  parameters: Parameters,
): DecayRanking {
  const field = decayField(target, inputFieldNames);
  const named = parameters.text('function');
  if (named === undefined) throw invalidParameter('Decay function lost param: function');
  const curve = CURVES.find((name) => name === named.toLowerCase());
  if (curve === undefined)
    throw invalidParameter(`Invalid decay function: ${named}, only support [${CURVES.join(',')}]`);
  const origin = requiredNumber(parameters, 'origin');
  const scale = requiredNumber(parameters, 'scale');
  const offset = optionalNumber(parameters, 'offset', 0);
  const decay = optionalNumber(parameters, 'decay', 0.5);
  if (scale <= 0) throw invalidParameter(`Decay function scale must > 0, but got ${scale}`);
  if (offset < 0) throw invalidParameter(`Decay function offset must => 0, but got ${offset}`);
  if (decay <= 0 || decay >= 1)
    throw invalidParameter(`Decay function decay must 0 < decay < 1, but got ${decay}`);
  const asked = parameters.text('score_mode') ?? 'max';
  const mode = MODES.find((name) => name === asked.toLowerCase());
  if (mode === undefined)
    throw invalidParameter(`Unsupported score mode: [${asked}], only supports: [${MODES.join(', ')}]`);
  const normalises = readBoolean(parameters, 'norm_score');
  return { kind: 'decay', curve, fieldName: field.name, origin, scale, offset, decay, mode, normalises };
}

function decayField(target: ReadTarget, names: readonly string[]): FieldSchema {
  const [name] = names;
  if (name === undefined || names.length !== 1)
    throw invalidParameter('Decay function only supports single input');
  const field = fieldByName(target.collection.schema, name);
  if (field === undefined) throw invalidInput(`Function input field ${name} not found: invalid parameter`);
  if (!isNumberType(field.dataType))
    throw invalidParameter(`Decay rerank: unsupported input field type of ${name}, only support numeric`);
  requireLoaded(target, [field.id]);
  return field;
}

function requiredNumber(parameters: Parameters, name: string): number {
  if (parameters.text(name) === undefined) throw invalidParameter(`Decay function lost param: ${name}`);
  return optionalNumber(parameters, name, 0);
}

function optionalNumber(parameters: Parameters, name: string, usual: number): number {
  const text = parameters.text(name);
  const value = text === undefined ? usual : numberIn(text);
  if (value !== null) return value;
  throw invalidParameter(`Param ${name}:${text} is not a number`);
}
