import { invalidParameter } from '@elanus/model';
import type {
  Draft,
  schema_FunctionChain,
  schema_FunctionChainExpr,
  schema_FunctionChainExprArg,
  schema_FunctionChainOp,
  schema_FunctionParamValue,
} from '@elanus/proto';
import { Body, isObject, optional, required } from './body.ts';
import type { Json, JsonObject } from './json-reader.ts';
import { incorrectJson } from './rest-errors.ts';

const CHAIN = { name: optional('string'), stage: optional('any'), ops: optional('array') };
const OP = {
  op: optional('string'),
  expr: optional('object'),
  inputs: optional('strings'),
  outputs: optional('strings'),
  params: optional('object'),
};
const EXPRESSION = { name: optional('string'), args: optional('array'), params: optional('object') };
const COLUMN = { name: required('string') };
const PREFIX = 'FunctionChainStage';
const STAGES = ['Unspecified', 'Ingestion', 'PreProcess', 'L0Rerank', 'L1Rerank', 'L2Rerank', 'PostProcess'];

/** One of `functionChains`, as a Search has it. @throws MilvusError 1100 for a stage that there is not */
export function sentChain(json: Json): Draft<schema_FunctionChain> {
  const body = new Body(json, CHAIN);
  const stage = body.has('stage') ? body.any('stage') : 0;
  return { name: body.text('name'), stage: stageOf(stage), ops: body.list('ops').map(sentOp) };
}

/** By its number, or by its name as the protocol writes it. */
function stageOf(stage: Json): number {
  const number = typeof stage === 'string' ? STAGES.findIndex((name) => stage === `${PREFIX}${name}`) : stage;
  if (typeof number === 'number' && number in STAGES) return number;
  throw invalidParameter(`there is no function chain stage ${JSON.stringify(stage)?.slice(0, 100)}`);
}

function sentOp(json: Json): Draft<schema_FunctionChainOp> {
  const body = new Body(json, OP);
  return {
    op: body.text('op'),
    ...(body.has('expr') ? { expr: sentExpression(body.object('expr')) } : {}),
    inputs: body.texts('inputs'),
    outputs: body.texts('outputs'),
    params: sentParams(body.object('params')),
  };
}

function sentExpression(json: JsonObject): Draft<schema_FunctionChainExpr> {
  const body = new Body(json, EXPRESSION);
  return {
    name: body.text('name'),
    args: body.list('args').map(sentArgument),
    params: sentParams(body.object('params')),
  };
}

/** A column by its name, or as an object that has it; or a literal. */
function sentArgument(json: Json): Draft<schema_FunctionChainExprArg> {
  const body = new Body(json, { column: optional('any'), literal: optional('any') });
  if (!body.has('column')) return { literal: sentValue(body.has('literal') ? body.any('literal') : null) };
  const column = body.any('column');
  return { column: { name: typeof column === 'string' ? column : new Body(column, COLUMN).text('name') } };
}

function sentParams(json: JsonObject): Map<string, Draft<schema_FunctionParamValue>> {
  return new Map(Object.entries(json).map(([name, value]) => [name, sentValue(value)]));
}

function sentValue(json: Json): Draft<schema_FunctionParamValue> {
  if (typeof json === 'boolean') return { boolValue: json };
  if (typeof json === 'string') return { stringValue: json };
  if (typeof json === 'bigint') return { int64Value: BigInt.asIntN(64, json) };
  if (typeof json === 'number')
    return Number.isSafeInteger(json) ? { int64Value: BigInt(json) } : { doubleValue: json };
  if (Array.isArray(json)) return { arrayValue: { values: json.map(sentValue) } };
  if (isObject(json)) return { objectValue: { fields: sentParams(json) } };
  throw incorrectJson('a parameter of a function chain is null');
}
