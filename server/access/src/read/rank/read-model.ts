import { FunctionParams, type Models } from '@elanus/functions';
import { DataType, dataTypeName, fieldByName, invalidInput, invalidParameter } from '@elanus/model';
import type { schema_FunctionSchema } from '@elanus/proto';
import { type ReadTarget, requireLoaded } from '../read-target.ts';
import type { ModelRanking, Ranking } from './ranking.ts';

/** @throws MilvusError 1100 for a field that is no text, queries that are none, and a model that the server can't ask */
export function readModel(
  models: Models,
  target: ReadTarget,
  { inputFieldNames, params }: schema_FunctionSchema,
): ModelRanking {
  const [name] = inputFieldNames;
  if (name === undefined || inputFieldNames.length !== 1)
    throw invalidParameter(
      `Rerank model only supports single input, but gets [[${inputFieldNames.join(' ')}]] input`,
    );
  const field = fieldByName(target.collection.schema, name);
  if (field === undefined) throw invalidInput(`Function input field ${name} not found: invalid parameter`);
  if (field.dataType !== DataType.VarChar)
    throw invalidParameter(`Rerank model only support varchar, bug got [${dataTypeName(field.dataType)}]`);
  requireLoaded(target, [field.id]);
  const read = new FunctionParams(params);
  const reranker = models.reranker(read);
  return { kind: 'model', fieldName: name, queries: queriesOf(read.text('queries')), reranker };
}

function queriesOf(text: string | undefined): readonly string[] {
  if (text === undefined) throw invalidParameter('Rerank function lost params queries');
  const queries = parsed(text);
  if (!Array.isArray(queries) || !queries.every((query) => typeof query === 'string'))
    throw invalidParameter('Parse rerank params [queries] failed, err: it is no JSON list of texts');
  if (queries.length === 0) throw invalidParameter('Rerank function lost params queries');
  return queries;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidParameter(`Parse rerank params [queries] failed, err: ${(error as Error).message}`);
  }
}

/** @throws MilvusError 1100 when a model has not one text for each query of the search */
export function checkModelQueries(ranking: Ranking | null, queryCount: number): void {
  if (ranking?.kind !== 'model' || ranking.queries.length === queryCount) return;
  throw invalidParameter(
    `nq must equal to queries size, but got nq [${queryCount}], queries size [${ranking.queries.length}], queries: [[${ranking.queries.join(' ')}]]`,
  );
}
