import { invalidParameter } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { AggregateRows, QueryTask, ReadOptions, ReadTask } from '@elanus/rpc';
import { collectionRef } from '../definition/collection-ref.ts';
import type { AccessDependencies, Handler } from '../handler.ts';
import { encodeCount, encodeQueryResults } from '../wire/query-results.ts';
import { aggregatedColumns, groupOrderOf } from './aggregate/aggregated-columns.ts';
import { type Aggregation, readAggregation } from './aggregate/read-aggregation.ts';
import { elementsBehind, readElementCursor } from './element-cursor.ts';
import { readExplainLevel } from './explain/explain-level.ts';
import type { ReadAccounts } from './explain/read-accounts.ts';
import { guaranteeOf, pinnedTime } from './guarantee.ts';
import { type InstantFormat, readInstantFormat } from './instant-format.ts';
import { matchingElements } from './matching-elements.ts';
import { type OrderEntry, orderOf, readOrderEntries } from './order/read-order.ts';
import { fetchOutput } from './output-columns.ts';
import { expandOutputFields } from './output-fields.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { planReadFilter } from './read-filter.ts';
import { findReadTarget, partitionsOf, type ReadTarget, requireSameCollection } from './read-target.ts';
import { readLimitWindow } from './read-window.ts';

type QueryRequest = Methods['Query']['request'];

const EVERYTHING = { limit: null, offset: 0 };

/** Query: find the target, plan, let the worker find rows, groups or their number, fetch what is returned, reply. */
export function queryHandler(dependencies: AccessDependencies, accounts: ReadAccounts): Handler<'Query'> {
  return async (request, context) => {
    const beganMs = dependencies.clock.monotonicMs();
    const ref = collectionRef(context.database, request.collectionName, dependencies.limits);
    const target = await findReadTarget(dependencies, ref, request.partitionNames, 'query');
    const parameters = readParameters(request.queryParams);
    requireSameCollection(target, parameters);
    const aggregation = readAggregation(target, request.outputFields, parameters);
    const isCount = aggregation !== null && isPlainCount(aggregation, parameters);
    const window = readLimitWindow(parameters, dependencies.limits.topKMax) ?? EVERYTHING;
    if (request.expr.trim() === '' && aggregation === null && window.limit === null) {
      throw invalidParameter('empty expression should be used with limit');
    }
    const isIterator = parameters.flag('iterator');
    const order = readOrder(parameters, window.limit, isIterator);
    const groupOrder = aggregation === null ? [] : groupOrderOf(aggregation, order);
    const format = readInstantFormat(parameters, target.collection);
    const task = await planRead(dependencies, target, request, isIterator, format);
    const { collection } = target;
    const account = accounts.open(readExplainLevel(parameters, collection), collection, beganMs);
    const options = account?.options(context) ?? context;
    if (isCount) {
      const count = await dependencies.reader.count(task, options);
      return accounts.close(account, encodeCount(request.collectionName, count), collection, beganMs);
    }
    const answer = {
      collectionName: request.collectionName,
      primaryKey: target.collection.schema.primaryKey,
    };
    if (aggregation !== null) {
      const groups = await groupsOf(dependencies, task, aggregation, options);
      const columns = await aggregatedColumns(
        dependencies,
        target,
        aggregation,
        groups,
        {
          orderBy: groupOrder,
          ...window,
        },
        format,
      );
      account?.lap('fetch');
      const outputNames = columns.map(({ field }) => field.name);
      const encoded = encodeQueryResults({
        ...answer,
        columns,
        outputNames,
        sessionTimestamp: 0n,
        elementIndices: null,
      });
      return accounts.close(account, encoded, collection, beganMs);
    }
    const output = expandOutputFields(target, request.outputFields, 'always');
    const orderBy = orderOf(target, order);
    const cursor = task.filter?.elementFilter ? readElementCursor(parameters) : null;
    const limit = cursor === null || window.limit === null ? window.limit : window.limit + 1;
    const found = await dependencies.reader.query(
      { ...task, ...window, limit, orderBy } satisfies QueryTask,
      options,
    );
    const matching = await matchingElements(dependencies, target.collection, found, task.filter);
    const { rows, elementIndices } =
      cursor === null || matching === null
        ? { rows: found, elementIndices: matching }
        : elementsBehind(found, matching, cursor, window.limit);
    const columns = await fetchOutput(dependencies, target.collection, rows, output, format);
    account?.lap('fetch');
    const encoded = encodeQueryResults({
      ...answer,
      columns,
      outputNames: output.names,
      sessionTimestamp: isIterator && task.snapshot === null ? rows.readTimestamp : 0n,
      elementIndices,
    });
    return accounts.close(account, encoded, collection, beganMs);
  };
}

async function groupsOf(
  { reader }: Pick<AccessDependencies, 'reader'>,
  task: ReadTask,
  { groupBy, aggregates }: Aggregation,
  options: ReadOptions,
): Promise<AggregateRows> {
  return await reader.aggregate({ ...task, groupBy: groupBy.map(({ id }) => id), aggregates }, options);
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

/** `count(*)` alone needs no columns. @throws MilvusError 1100 when it is to be cut to a window */
function isPlainCount({ groupBy, aggregates, columns }: Aggregation, parameters: Parameters): boolean {
  const isPlain = groupBy.length === 0 && columns.length === 1 && aggregates[0]!.field === null;
  if (isPlain && parameters.text('limit') !== undefined)
    throw invalidParameter('count entities with pagination is not allowed');
  return isPlain;
}

/** @throws MilvusError 1100 for an order without a limit, or one that an iterator could not follow */
function readOrder(parameters: Parameters, limit: number | null, isIterator: boolean): readonly OrderEntry[] {
  const entries = readOrderEntries(parameters.text('order_by_fields'));
  if (entries.length === 0) return entries;
  if (isIterator) throw invalidParameter('ORDER BY is not supported in a query iterator');
  if (limit === null) throw invalidParameter('ORDER BY requires explicit limit');
  return entries;
}
