import { invalidInput, invalidParameter } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { QueryTask, ReadTask } from '@elanus/rpc';
import { collectionRef } from '../definition/collection-ref.ts';
import type { AccessDependencies, Handler } from '../handler.ts';
import { encodeCount, encodeQueryResults } from '../wire/query-results.ts';
import { guaranteeOf, pinnedTime } from './guarantee.ts';
import { type InstantFormat, readInstantFormat } from './instant-format.ts';
import { matchingElements } from './matching-elements.ts';
import { fetchOutput } from './output-columns.ts';
import { expandOutputFields } from './output-fields.ts';
import { Parameters } from './parameters.ts';
import { findReadTarget, partitionsOf, type ReadTarget, requireSameCollection } from './read-target.ts';
import { planReadFilter } from './search-plan.ts';
import { refuseUnservedQuery } from './unserved.ts';

type QueryRequest = Methods['Query']['request'];

const COUNT = /^count\(\s*\*\s*\)$/i;
const AGGREGATE = /^(count|sum|avg|min|max)\s*\(.*\)$/i;

/** Query: find the target, plan, let the worker find rows or count them, fetch what is returned, reply. */
export function queryHandler(dependencies: AccessDependencies): Handler<'Query'> {
  return async (request, context) => {
    const ref = collectionRef(context.database, request.collectionName, dependencies.limits);
    const target = await findReadTarget(dependencies, ref, request.partitionNames, 'query');
    const parameters = new Parameters(request.queryParams);
    refuseUnservedQuery(parameters);
    requireSameCollection(target, parameters);
    const isCount = asksForCount(request, parameters);
    const window = readWindow(parameters, dependencies.limits.topKMax);
    if (request.expr.trim() === '' && !isCount && window.limit === null) {
      throw invalidParameter('empty expression should be used with limit');
    }
    const isIterator = parameters.flag('iterator');
    const format = readInstantFormat(parameters, target.collection);
    const task = await planRead(dependencies, target, request, isIterator, format);
    if (isCount) return encodeCount(request.collectionName, await dependencies.reader.count(task, context));
    const output = expandOutputFields(target, request.outputFields, 'always');
    const rows = await dependencies.reader.query({ ...task, ...window } satisfies QueryTask, context);
    const columns = await fetchOutput(dependencies, target.collection, rows, output, format);
    const elementIndices = await matchingElements(dependencies, target.collection, rows, task.filter);
    return encodeQueryResults({
      collectionName: request.collectionName,
      primaryKey: target.collection.schema.primaryKey,
      columns,
      outputNames: output.names,
      sessionTimestamp: isIterator && task.snapshot === null ? rows.readTimestamp : 0n,
      elementIndices,
    });
  };
}

async function planRead(
  dependencies: AccessDependencies,
  target: ReadTarget,
  request: QueryRequest,
  isIterator: boolean,
  { timeZone }: InstantFormat,
): Promise<ReadTask> {
  const { expr, exprTemplateValues } = request;
  const filter = await planReadFilter(dependencies, target, expr, exprTemplateValues, timeZone);
  return {
    collection: target.collection,
    partitionIds: partitionsOf(target, filter),
    guarantee: await guaranteeOf(dependencies, target.collection, request),
    snapshot: isIterator ? pinnedTime(request) : null,
    filter,
  };
}

/** Whether the query is `count(*)`, alone. @throws MilvusError for aggregates that are not served */
function asksForCount({ outputFields }: QueryRequest, parameters: Parameters): boolean {
  const aggregates = outputFields.filter((name) => AGGREGATE.test(name.trim()));
  if (aggregates.length === 0) return false;
  if (outputFields.length > 1 || !COUNT.test(aggregates[0]!.trim())) {
    throw invalidInput(
      `only count(*) alone is supported as an aggregate, got ${outputFields.join(', ')}: invalid parameter`,
    );
  }
  if (parameters.text('limit') !== undefined)
    throw invalidParameter('count entities with pagination is not allowed');
  return true;
}

function readWindow(
  parameters: Parameters,
  windowMax: number,
): { readonly limit: number | null; readonly offset: number } {
  const limit = parameters.integer('limit');
  if (limit === undefined) return { limit: null, offset: 0 };
  if (limit < 1 || limit > windowMax) {
    throw invalidParameter(
      `limit [${limit}] is invalid, it should be in range [1, ${windowMax}], but got ${limit}`,
    );
  }
  const offset = parameters.integer('offset') ?? 0;
  if (offset < 0 || offset > windowMax) {
    throw invalidParameter(
      `offset [${offset}] is invalid, it should be in range [0, ${windowMax}], but got ${offset}`,
    );
  }
  if (limit + offset > windowMax) {
    const window = limit + offset;
    throw invalidParameter(
      `invalid max query result window, (offset+limit) should be in range [1, ${windowMax}], but got ${window}`,
    );
  }
  return { limit, offset };
}
