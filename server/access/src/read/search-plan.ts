import { DataType, invalidParameter } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { ExplainLevel, OrderKey, ReadOptions, SearchTask } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { type BucketLevel, readBucketLevel } from './aggregate/read-search-aggregation.ts';
import { checkChains } from './chain/check-chains.ts';
import type { FunctionChain } from './chain/function-chain.ts';
import { readFunctionChains } from './chain/read-chains.ts';
import { readExplainLevel } from './explain/explain-level.ts';
import { hitsOfGroups } from './group/grouped-search.ts';
import { type Grouping, readGrouping } from './group/read-grouping.ts';
import { guaranteeOf } from './guarantee.ts';
import { type Highlighting, readHighlighter } from './highlight/read-highlighter.ts';
import { type InstantFormat, readInstantFormat } from './instant-format.ts';
import { checkListSearch } from './list-search.ts';
import { orderOf, readOrderEntries } from './order/read-order.ts';
import { expandOutputFields, type OutputFields } from './output-fields.ts';
import type { SentFilter } from './own-filter.ts';
import { readParameters } from './parameters.ts';
import { type FunctionScore, readFunctionScore } from './rank/read-function-score.ts';
import { checkModelQueries } from './rank/read-model.ts';
import { planReadFilter } from './read-filter.ts';
import { type ReadTarget, requireSameCollection } from './read-target.ts';
import { type HitWindow, readHitWindow, readRoundDecimal } from './read-window.ts';
import { checkHitCount, planLeg } from './search-leg.ts';
import { type IteratorPage, readIteratorPage } from './search-range.ts';
import { refuseUnservedSearch } from './unserved.ts';

/** One search, checked and complete. */
export interface SearchPlan {
  readonly task: SearchTask;
  /** What `task.filter` was made of. */
  readonly filter: SentFilter;
  /** Of hits or, when they are grouped, of groups. */
  readonly window: HitWindow;
  readonly grouping: Grouping | null;
  /** What changes the scores; `null`: nothing does. */
  readonly functions: FunctionScore | null;
  /** What is done with the hits besides, one after the other. */
  readonly chains: readonly FunctionChain[];
  /** Fields to sort the answer by; empty: by score. */
  readonly orderBy: readonly OrderKey[];
  /** What the hits are put into; `null`: they are answered themselves. */
  readonly buckets: BucketLevel | null;
  /** Decimal places of the scores; -1 leaves them as they are. */
  readonly roundDecimal: number;
  readonly output: OutputFields;
  readonly format: InstantFormat;
  readonly iterator: IteratorPage | null;
  /** What is shown of the words that were found; `null`: nothing. */
  readonly highlighting: Highlighting | null;
  /** What the answer tells of itself; `null`: nothing. */
  readonly explain: ExplainLevel | null;
}

type SearchRequest = Methods['Search']['request'];

/** Turns a request into a plan. @throws MilvusError for everything that is wrong with the request */
export async function planSearch(
  dependencies: AccessDependencies,
  target: ReadTarget,
  request: SearchRequest,
  read: ReadOptions,
): Promise<SearchPlan> {
  const { topKMax, groupSizeMax } = dependencies.limits;
  const parameters = readParameters(request.searchParams);
  refuseUnservedSearch(request);
  requireSameCollection(target, parameters);
  const iterator = readIteratorPage(parameters, request);
  const buckets = readBuckets(target, request, topKMax);
  const asked = readHitWindow(parameters, iterator, topKMax);
  const window = buckets === null ? asked : poolWindow(request, asked, topKMax);
  const roundDecimal = readRoundDecimal(parameters);
  const format = readInstantFormat(parameters, target.collection);
  const grouping = readGrouping(target, parameters, groupSizeMax);
  const functions = await readFunctions(dependencies, target, request, format.timeZone);
  const orderBy = orderOf(target, readOrderEntries(parameters.text('order_by_fields')));
  const output = expandOutputFields(target, request.outputFields, 'when asked');
  const hits = window.limit + window.offset;
  const leg = await planLeg(dependencies, target, request, {
    parameters,
    hits,
    iterator,
    timeZone: format.timeZone,
    read,
  });
  const highlighting = readHighlighter(target, leg.field, request, parameters.text('analyzer_name'));
  if (grouping !== null) checkHitCount(leg.queries.count, hitsOfGroups(hits, grouping.size));
  const chains = readFunctionChains(dependencies, target, request.functionChains, leg.queries.count);
  checkTogether({ leg, grouping, functions, chains, orderBy, iterator });
  if (buckets !== null) checkAlone({ grouping, orderBy, iterator, highlighting, window: asked });
  const guarantee = await guaranteeOf(dependencies, target.collection, request);
  const task = { ...leg, guarantee, snapshot: iterator?.snapshot ?? null };
  const filter = { text: request.dsl, templates: request.exprTemplateValues, timeZone: format.timeZone };
  return {
    task,
    filter,
    window,
    grouping,
    functions,
    chains,
    orderBy,
    buckets,
    roundDecimal,
    output,
    format,
    iterator,
    highlighting,
    explain: readExplainLevel(parameters, target.collection),
  };
}

function readBuckets(
  target: ReadTarget,
  { searchAggregation }: SearchRequest,
  sizeMax: number,
): BucketLevel | null {
  return searchAggregation === undefined ? null : readBucketLevel(target, searchAggregation, sizeMax);
}

/** The hits that are put into buckets: `search_size` of them, or as many as the limit says. */
function poolWindow({ searchAggregation }: SearchRequest, asked: HitWindow, topKMax: number): HitWindow {
  const size = searchAggregation?.searchSize ?? 0n;
  if (size === 0n) return asked;
  if (size > 0n && size <= BigInt(topKMax)) return { limit: Number(size), offset: asked.offset };
  throw invalidParameter(`search_aggregation: search_size [${size}] should be in range [1, ${topKMax}]`);
}

/** Refuses what makes no sense beside buckets. */
function checkAlone({
  grouping,
  orderBy,
  iterator,
  highlighting,
  window,
}: Pick<SearchPlan, 'grouping' | 'orderBy' | 'iterator' | 'highlighting' | 'window'>): void {
  if (grouping !== null)
    throw invalidParameter('search_aggregation and group_by_field are mutually exclusive');
  if (orderBy.length > 0) throw invalidParameter('search_aggregation does not support order_by_fields');
  if (iterator !== null) throw invalidParameter('search_aggregation does not support search iterators');
  if (highlighting !== null) throw invalidParameter('search_aggregation does not support highlighter');
  if (window.offset > 0) throw invalidParameter('search_aggregation does not support offset');
}

async function readFunctions(
  dependencies: AccessDependencies,
  target: ReadTarget,
  { functionScore }: SearchRequest,
  timeZone: string,
): Promise<FunctionScore | null> {
  if (functionScore === undefined) return null;
  const functions = readFunctionScore(dependencies, target, functionScore, { kind: 'search', legs: 1 });
  for (const { filter } of functions.boosting?.boosts ?? [])
    await planReadFilter(dependencies, target, filter, new Map(), timeZone);
  return functions;
}

/** Refuses wishes that exclude each other. */
function checkTogether({
  leg,
  grouping,
  functions,
  chains,
  orderBy,
  iterator,
}: Pick<SearchPlan, 'grouping' | 'functions' | 'chains' | 'orderBy' | 'iterator'> & {
  readonly leg: Pick<SearchTask, 'collection' | 'queries' | 'radius' | 'field' | 'limit'>;
}): void {
  const isRanked = functions !== null || chains.length > 0;
  checkListSearch({ leg, grouping, iterator, isRanked, kind: 'search' });
  checkModelQueries(functions?.ranking ?? null, leg.queries.count);
  if (iterator?.protocol === 'v2' && leg.queries.count > 1)
    throw invalidParameter(`a search iterator takes one query vector, but got ${leg.queries.count}`);
  if (grouping !== null && iterator !== null) {
    throw invalidParameter(
      iterator.protocol === 'v2'
        ? 'GroupBy is not permitted when using a search iterator'
        : 'Not allowed to do groupBy when doing iteration',
    );
  }
  if (grouping !== null && leg.radius !== null)
    throw invalidParameter('Not allowed to do range-search when doing search-group-by');
  if (grouping !== null && leg.field.dataType === DataType.BinaryVector)
    throw invalidParameter('not support search_group_by operation based on binary vector column');
  if (functions?.boosting && (grouping !== null || iterator !== null))
    throw invalidParameter("don't support use segment scorer with group_by or search_iterator");
  if (functions?.ranking && iterator !== null)
    throw invalidParameter('rerank is not supported in a search iterator');
  if (chains.length > 0) checkChains(chains, { leg, grouping, orderBy, iterator });
  if (orderBy.length === 0) return;
  if (functions !== null) throw invalidParameter('order_by is not supported together with rerank');
  if (iterator !== null) throw invalidParameter('order_by is not supported in a search iterator');
}
