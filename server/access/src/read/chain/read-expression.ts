import { FunctionParams } from '@elanus/functions';
import { invalidParameter } from '@elanus/model';
import type { schema_FunctionChainExpr } from '@elanus/proto';
import type { AccessDependencies } from '../../handler.ts';
import { ChainParams } from './chain-params.ts';
import type {
  ChainExpression,
  CombineExpression,
  DecayExpression,
  TreesExpression,
} from './function-chain.ts';
import type { ChainColumns } from './read-chains.ts';

const MODES = ['multiply', 'sum', 'max', 'min', 'avg', 'weighted'] as const;
const NULLS = ['propagate', 'as_zero', 'skip'] as const;
const CURVES = ['gauss', 'exp', 'linear'] as const;
const OUTPUTS = ['default', 'raw'] as const;
const DECIMALS_MAX = 6;

/** @throws MilvusError 1100 for what is wrong with it */
export function readExpression(
  { models }: Pick<AccessDependencies, 'models'>,
  { name: sentName, args, params: sentParams }: schema_FunctionChainExpr,
  columns: ChainColumns,
  queryCount: number,
): ChainExpression {
  const name = sentName.trim();
  const inputs = args.map(({ column }, at) => {
    const input = column?.name.trim() ?? '';
    if (input === '') throw invalidParameter(`expr arg[${at}]: a column is required`);
    return input;
  });
  const params = new ChainParams(name, sentParams);
  const single = (kind: 'number' | 'text'): [string] => {
    const [input, ...others] = inputs;
    if (input === undefined || others.length > 0)
      throw invalidParameter(`${name}: expected 1 input column, got ${inputs.length}`);
    columns.read(input, kind);
    return [input];
  };
  switch (name) {
    case '':
      throw invalidParameter('expr name is empty');
    case 'num_combine':
      for (const input of inputs) columns.read(input, 'number');
      return readCombine(inputs, params);
    case 'decay':
      return { kind: 'decay', inputs: single('number'), curve: readCurve(params) };
    case 'round_decimal': {
      const decimal = params.integer('decimal');
      if (decimal === undefined || decimal < 0 || decimal > DECIMALS_MAX)
        throw invalidParameter(
          `round_decimal: decimal must be in range [0, ${DECIMALS_MAX}], got ${decimal ?? 'none'}`,
        );
      return { kind: 'round_decimal', inputs: single('number'), decimal };
    }
    case 'rerank_model': {
      if (columns.stage !== 'L2')
        throw invalidParameter(`function rerank_model is not supported at stage ${columns.stage}_rerank`);
      const queries = params.texts('queries') ?? [];
      if (queries.length !== queryCount)
        throw invalidParameter(`model: queries count (${queries.length}) != nq count (${queryCount})`);
      const reranker = models.reranker(new FunctionParams(params.pairs()));
      return { kind: 'rerank_model', inputs: single('text'), queries, reranker };
    }
    case 'xgboost':
      if (columns.stage !== 'L0')
        throw invalidParameter(`function xgboost is not supported at stage ${columns.stage}_rerank`);
      for (const input of inputs) columns.read(input, 'number');
      return readTrees(inputs, params);
    default:
      throw invalidParameter(`unknown function: ${name}`);
  }
}

function readTrees(inputs: readonly string[], params: ChainParams): TreesExpression {
  for (const name of params.names) {
    if (name === 'feature_names' || name === 'objective')
      throw invalidParameter(`xgboost: parameter "${name}" is not supported`);
    if (name !== 'model_resource' && name !== 'output')
      throw invalidParameter(`xgboost: unknown parameter "${name}"`);
  }
  const resource = params.text('model_resource') ?? '';
  if (resource === '') throw invalidParameter('xgboost: model_resource is required');
  const output = wordOf(params.text('output') || 'default', OUTPUTS, 'xgboost: invalid output');
  if (inputs.length === 0) throw invalidParameter('xgboost: expected at least one feature column');
  return { kind: 'xgboost', inputs, resource, output };
}

function readCombine(inputs: readonly string[], params: ChainParams): CombineExpression {
  const mode = wordOf(params.text('mode') || 'multiply', MODES, 'num_combine: invalid mode');
  const nulls = wordOf(params.text('null_policy') ?? 'propagate', NULLS, 'num_combine: invalid null_policy');
  const weights = params.numbers('weights') ?? [];
  if (inputs.length < 2)
    throw invalidParameter(`num_combine: expected at least 2 input columns, got ${inputs.length}`);
  if (mode === 'weighted' && weights.length === 0)
    throw invalidParameter('num_combine: weighted mode requires weights');
  if (mode === 'weighted' && weights.length !== inputs.length)
    throw invalidParameter(
      `num_combine: weighted mode requires ${inputs.length} weights, got ${weights.length}`,
    );
  return { kind: 'num_combine', inputs, mode, weights: mode === 'weighted' ? weights : [], nulls };
}

function readCurve(params: ChainParams): DecayExpression['curve'] {
  const curve = wordOf(params.text('function') ?? '', CURVES, 'decay: invalid function');
  const [origin, scale] = [params.number('origin'), params.number('scale')];
  if (origin === undefined) throw invalidParameter('decay: origin is required');
  if (scale === undefined) throw invalidParameter('decay: scale is required');
  const offset = params.number('offset') ?? 0;
  const decay = params.number('decay') ?? 0.5;
  if (scale <= 0) throw invalidParameter(`decay: scale must be > 0, got ${scale}`);
  if (offset < 0) throw invalidParameter(`decay: offset must be >= 0, got ${offset}`);
  if (decay <= 0 || decay >= 1) throw invalidParameter(`decay: decay must be in range (0, 1), got ${decay}`);
  return { curve, origin, scale, offset, decay };
}

function wordOf<Word extends string>(text: string, words: readonly Word[], what: string): Word {
  const word = words.find((each) => each === text);
  if (word !== undefined) return word;
  throw invalidParameter(`${what} "${text}", must be one of [${words.join(', ')}]`);
}
