import { invalidInput, invalidParameter, MilvusError } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { SearchTask } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { guaranteeOf } from './guarantee.ts';
import { type InstantFormat, readInstantFormat } from './instant-format.ts';
import { expandOutputFields, type OutputFields } from './output-fields.ts';
import { Parameters } from './parameters.ts';
import { partitionsOf, type ReadTarget, requireLoaded, requireSameCollection } from './read-target.ts';
import { findSearchField, searchMetric } from './search-field.ts';
import { readQueries } from './search-queries.ts';
import { behind, type IteratorPage, readIteratorPage, readScoreRange } from './search-range.ts';
import { readWalk } from './search-walk.ts';
import { planServedFilter } from './served-filter.ts';
import { readSparseScoring } from './sparse-scoring.ts';
import { refuseElementWise, refuseUnservedSearch } from './unserved.ts';

type SearchRequest = Methods['Search']['request'];

/** One search, checked and complete. */
export interface SearchPlan {
  readonly task: SearchTask;
  /** Hits of each query to leave out at the front. */
  readonly offset: number;
  /** Decimal places of the scores; -1 leaves them as they are. */
  readonly roundDecimal: number;
  readonly output: OutputFields;
  readonly format: InstantFormat;
  readonly iterator: IteratorPage | null;
}

const ROUND_DECIMAL_MAX = 6;

/** Turns a request into a plan. @throws MilvusError for everything that is wrong with the request */
export async function planSearch(
  dependencies: AccessDependencies,
  target: ReadTarget,
  request: SearchRequest,
): Promise<SearchPlan> {
  const parameters = new Parameters(request.searchParams);
  refuseUnservedSearch(request, parameters);
  requireSameCollection(target, parameters);
  const field = findSearchField(target, parameters);
  const iterator = readIteratorPage(parameters, request);
  const { limit, offset } = readWindow(parameters, iterator, dependencies.limits.topKMax);
  const roundDecimal = readRoundDecimal(parameters);
  const output = expandOutputFields(target, request.outputFields, 'when asked');
  const format = readInstantFormat(parameters, target.collection);
  const { dsl, exprTemplateValues } = request;
  const filter = await planReadFilter(dependencies, target, dsl, exprTemplateValues, format.timeZone);
  refuseElementWise(filter);
  const index = await dependencies.index.vectorIndex(target.collection.id, field.id);
  const { schema } = target.collection;
  const metric = searchMetric(index, field, schema, parameters);
  const range = readScoreRange(parameters, metric);
  const sparse = readSparseScoring(field, metric, index, parameters);
  const placeholders = request.placeholderGroup ?? new Uint8Array();
  const queries = await readQueries(dependencies, schema, field, placeholders, parameters);
  checkQueryCount(queries.count, request.nq, dependencies.limits.queriesMax);
  if (iterator?.protocol === 'v2' && queries.count > 1) {
    throw invalidParameter(`a search iterator takes one query vector, but got ${queries.count}`);
  }
  // The pages of an iterator and the rows beyond a bound must come out whole: no row may be missed between two of them.
  const isPart = iterator !== null || range.rangeFilter !== null;
  const answer = isPart ? 'complete' : range.radius !== null ? 'within-radius' : 'nearest';
  const walk = readWalk(index, parameters, { hits: limit + offset, answer });
  const guarantee = await guaranteeOf(dependencies, target.collection, request);
  const pageRange = iterator?.lastBound == null ? range : behind(range, iterator.lastBound, metric);
  const task: SearchTask = {
    collection: target.collection,
    partitionIds: partitionsOf(target, filter),
    guarantee,
    snapshot: iterator?.snapshot ?? null,
    filter,
    field,
    metric,
    queries,
    limit: limit + offset,
    ...pageRange,
    walk,
    ...(sparse === null ? {} : { sparse }),
  };
  return { task, offset, roundDecimal, output, format, iterator };
}

/** The filter of a search or a query, bound to the schema. */
export async function planReadFilter(
  dependencies: Pick<AccessDependencies, 'share'>,
  target: ReadTarget,
  text: string,
  templates: SearchRequest['exprTemplateValues'],
  timeZone: string,
): Promise<SearchTask['filter']> {
  try {
    const { schema } = target.collection;
    const filter = await planServedFilter(dependencies, schema, text, templates, timeZone);
    if (filter) requireLoaded(target, filter.fieldIds);
    return filter;
  } catch (error) {
    throw error instanceof MilvusError ? error.within('failed to create query plan') : error;
  }
}

function readWindow(
  parameters: Parameters,
  iterator: IteratorPage | null,
  topKMax: number,
): { readonly limit: number; readonly offset: number } {
  const range = `it should be in range [1, ${topKMax}]`;
  const asked = iterator?.batchSize ?? parameters.integer('topk');
  if (asked === undefined || asked === null) throw invalidParameter('topk not found in search_params');
  const limit = iterator ? Math.min(asked, topKMax) : asked;
  if (limit < 1 || limit > topKMax)
    throw invalidParameter(`topk [${limit}] is invalid, ${range}, but got ${limit}`);
  const offset = parameters.integer('offset') ?? 0;
  if (offset < 0 || offset > topKMax) {
    throw invalidParameter(
      `offset [${offset}] is invalid, it should be in range [0, ${topKMax}], but got ${offset}`,
    );
  }
  const window = limit + offset;
  if (window > topKMax)
    throw invalidParameter(`offset+topk [${window}] is invalid, ${range}, but got ${window}`);
  return { limit, offset };
}

function readRoundDecimal(parameters: Parameters): number {
  const places = parameters.integer('round_decimal') ?? -1;
  if (places >= -1 && places <= ROUND_DECIMAL_MAX) return places;
  throw invalidInput(
    `round_decimal [${places}] is invalid, it should be -1 or an integer in range [0, ${ROUND_DECIMAL_MAX}]: invalid parameter`,
  );
}

function checkQueryCount(count: number, announced: bigint, queriesMax: number): void {
  if (announced !== 0n && announced !== BigInt(count)) {
    throw invalidParameter(`nq [${announced}] does not equal the number of placeholder values [${count}]`);
  }
  if (count >= 1 && count <= queriesMax) return;
  throw invalidParameter(
    `nq [${count}] is invalid, nq (number of search vector per search request) should be in range [1, ${queriesMax}], but got ${count}`,
  );
}
