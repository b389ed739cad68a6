import { DataType, invalidParameter } from '@elanus/model';
import type { Methods, schema_IDs } from '@elanus/proto';
import type { ReadOptions, SearchTask } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { checkElementFilter } from './list-search.ts';
import { readMinHashScoring } from './min-hash-scoring.ts';
import type { Parameters } from './parameters.ts';
import { planReadFilter } from './read-filter.ts';
import { partitionsOf, type ReadTarget } from './read-target.ts';
import { readRecallTarget } from './recall-target.ts';
import { findSearchField, searchMetric } from './search-field.ts';
import { readQueries } from './search-queries.ts';
import { behind, type IteratorPage, readScoreRange, type ScoreRange } from './search-range.ts';
import { readWalk, type WalkRequest } from './search-walk.ts';
import { readSparseScoring } from './sparse-scoring.ts';
import { storedQueries } from './stored-queries.ts';

/** What a search is, but for the time that it looks at. */
export type SearchLeg = Omit<SearchTask, 'guarantee' | 'snapshot'>;

/** The part of a request that says what is looked for and where: a Search is one, a HybridSearch has several. */
export type LegRequest = Pick<
  Methods['Search']['request'],
  'dsl' | 'exprTemplateValues' | 'placeholderGroup' | 'ids' | 'nq'
>;

export interface LegOptions {
  readonly parameters: Parameters;
  /** Hits wanted of each query. */
  readonly hits: number;
  readonly iterator: IteratorPage | null;
  /** Of instants in the filter that are written without an offset. */
  readonly timeZone: string;
  /** Of what is asked of models. */
  readonly read: ReadOptions;
}

/** Hits of one request, over all of its queries. */
const HITS_MAX = 16_384 * 1024;

/** Reads and checks one search. @throws MilvusError for everything that is wrong with it */
export async function planLeg(
  dependencies: AccessDependencies,
  target: ReadTarget,
  request: LegRequest,
  options: LegOptions,
): Promise<SearchLeg> {
  const { parameters, hits, iterator, timeZone } = options;
  const field = findSearchField(target, parameters);
  const { dsl, exprTemplateValues } = request;
  const filter = await planReadFilter(dependencies, target, dsl, exprTemplateValues, timeZone);
  const index = await dependencies.index.vectorIndex(target.collection.id, field.id);
  const { schema } = target.collection;
  const metric = searchMetric(index, field, schema, parameters);
  checkElementFilter(filter, schema, { field, metric });
  const range = readScoreRange(parameters, metric);
  const sparse = readSparseScoring(field, metric, index, parameters);
  const minHash = readMinHashScoring(metric, index, parameters);
  const placeholders = request.placeholderGroup ?? new Uint8Array();
  const queries =
    request.ids === undefined
      ? await readQueries(dependencies, schema, { field, metric }, placeholders, parameters, options.read)
      : await storedQueries(
          dependencies,
          target,
          { field, metric },
          checkedIds(request.ids, dependencies),
          iterator?.snapshot ?? null,
        );
  checkQueryCount(queries.count, request.nq, dependencies.limits.queriesMax);
  checkHitCount(queries.count, hits);
  const answer = answerOf(range, iterator);
  const recallTarget = readRecallTarget(parameters, target.collection);
  const ofLists = queries.lists !== undefined;
  const asked = readWalk(index, parameters, { hits, answer, ofLists });
  const walk = isExact({ field, filter, answer, ofLists, recallTarget }) ? null : asked;
  const pageRange = iterator?.lastBound == null ? range : behind(range, iterator.lastBound, metric);
  return {
    collection: target.collection,
    partitionIds: partitionsOf(target, filter),
    filter,
    field,
    metric,
    queries,
    limit: hits,
    ...pageRange,
    walk,
    ...(recallTarget === null ? {} : { recallTarget }),
    ...(sparse === null ? {} : { sparse }),
    ...(minHash === null ? {} : { minHash }),
  };
}

/** Whether all rows are compared, whatever the index. */
function isExact({
  field: { dataType },
  filter,
  answer,
  ofLists,
  recallTarget,
}: Pick<SearchTask, 'field' | 'filter'> & {
  readonly answer: WalkRequest['answer'];
  readonly ofLists: boolean;
  readonly recallTarget: number | null;
}): boolean {
  const ofElements = dataType === DataType.ArrayOfVector && !ofLists;
  if (ofElements && (answer !== 'nearest' || filter?.elementFilter != null)) return true;
  // Nobody knows how many rows lie within a radius, how many pages follow, or which rows the vectors of a list miss: only the
  // exact answer keeps a promise there.
  return recallTarget !== null && (answer !== 'nearest' || ofLists || ofElements);
}

function answerOf({ radius, rangeFilter }: ScoreRange, iterator: IteratorPage | null): WalkRequest['answer'] {
  if (iterator !== null) return 'page';
  // A walk from the centre may not reach the whole of a ring.
  if (rangeFilter !== null) return 'complete';
  return radius === null ? 'nearest' : 'within-radius';
}

/** As many as there may be queries, before anything is read for them. */
function checkedIds(ids: schema_IDs, { limits }: Pick<AccessDependencies, 'limits'>): schema_IDs {
  const count = (ids.intId?.data ?? ids.strId?.data)?.length ?? 0;
  if (count > 0) checkQueryCount(count, 0n, limits.queriesMax);
  return ids;
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

/** Refuses answers that would take gigabytes. @throws MilvusError 1100 */
export function checkHitCount(queries: number, hits: number): void {
  if (queries * hits <= HITS_MAX) return;
  throw invalidParameter(
    `nq x (offset+topk) [${queries * hits}] is invalid, it should be at most ${HITS_MAX}`,
  );
}
