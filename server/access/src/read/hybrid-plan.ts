import { invalidParameter } from '@elanus/model';
import type { Methods } from '@elanus/proto';
import type { ExplainLevel, ReadOptions, SearchTask } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { readExplainLevel } from './explain/explain-level.ts';
import type { GroupScorer } from './group/arrange-groups.ts';
import { type Grouping, readGrouping } from './group/read-grouping.ts';
import { guaranteeOf } from './guarantee.ts';
import { type InstantFormat, readInstantFormat } from './instant-format.ts';
import { checkListSearch } from './list-search.ts';
import { expandOutputFields, type OutputFields } from './output-fields.ts';
import type { SentFilter } from './own-filter.ts';
import { type Parameters, readParameters } from './parameters.ts';
import { isLegField, type LegField } from './rank/leg-columns.ts';
import type { Ranking } from './rank/ranking.ts';
import { readFunctionScore } from './rank/read-function-score.ts';
import { checkModelQueries } from './rank/read-model.ts';
import { readRankParams } from './rank/read-rank-params.ts';
import type { ReadTarget } from './read-target.ts';
import { type HitWindow, readRankWindow, readRoundDecimal, readTopK } from './read-window.ts';
import { planLeg } from './search-leg.ts';
import { refuseUnservedLeg } from './unserved.ts';

type HybridRequest = Methods['HybridSearch']['request'];

/** One hybrid search, checked and complete. */
export interface HybridPlan {
  /** One a leg; all with the same guarantee and number of queries. */
  readonly tasks: readonly SearchTask[];
  /** What the filter of each leg was made of. */
  readonly legFilters: readonly SentFilter[];
  readonly ranking: Ranking;
  readonly grouping: HybridGrouping | null;
  /** Of hits or, when they are grouped, of groups. */
  readonly window: HitWindow;
  readonly roundDecimal: number;
  readonly output: OutputFields;
  readonly format: InstantFormat;
  /** Those that were asked for beside the fields of the collection. */
  readonly legFields: readonly LegField[];
  /** What the answer tells of itself; `null`: nothing. */
  readonly explain: ExplainLevel | null;
}

export interface HybridGrouping extends Grouping {
  readonly scorer: GroupScorer;
}

const LEGS_MAX = 1024;

/** Turns a request into a plan. @throws MilvusError for everything that is wrong with the request */
export async function planHybridSearch(
  dependencies: AccessDependencies,
  target: ReadTarget,
  request: HybridRequest,
  read: ReadOptions,
): Promise<HybridPlan> {
  const { topKMax } = dependencies.limits;
  checkLegCount(request.requests.length);
  const parameters = readParameters(request.rankParams);
  const window = readRankWindow(parameters, topKMax);
  const roundDecimal = readRoundDecimal(parameters);
  const ranking = readRanking(dependencies, target, request, parameters);
  const own = request.requests.map(({ searchParams }) => readParameters(searchParams));
  const grouped = groupingParameters(parameters, own);
  const scorer = parameters.text('rank_group_scorer') ?? 'max';
  const grouping = readHybridGrouping(target, grouped, scorer, dependencies.limits.groupSizeMax);
  const legFields = request.outputFields.map((name) => name.trim()).filter(isLegField);
  const fields = request.outputFields.filter((name) => !isLegField(name.trim()));
  const output = expandOutputFields(target, fields, 'when asked');
  const format = readInstantFormat(formatting(request, parameters), target.collection);
  const guarantee = await guaranteeOf(dependencies, target.collection, request);
  const tasks: SearchTask[] = [];
  for (const [at, leg] of request.requests.entries()) {
    const ofLeg = own[at]!;
    refuseUnservedLeg(leg, ofLeg, { ranking: parameters, grouped });
    const options = {
      parameters: ofLeg,
      hits: readTopK(ofLeg, topKMax),
      iterator: null,
      timeZone: format.timeZone,
      read,
    };
    tasks.push({ ...(await planLeg(dependencies, target, leg, options)), guarantee, snapshot: null });
  }
  checkTogether(tasks, grouping);
  checkModelQueries(ranking, tasks[0]!.queries.count);
  return {
    tasks,
    legFilters: request.requests.map(({ dsl, exprTemplateValues }) => ({
      text: dsl,
      templates: exprTemplateValues,
      timeZone: format.timeZone,
    })),
    ranking,
    grouping,
    window,
    roundDecimal,
    output,
    format,
    legFields: [...new Set(legFields)],
    explain: explainLevelOfAll([parameters, ...own], target),
  };
}

/** The most that the request or one of its legs asks for: clients have their search parameters in the legs. */
function explainLevelOfAll(
  parameters: readonly Parameters[],
  { collection }: ReadTarget,
): ExplainLevel | null {
  const levels = parameters.map((one) => readExplainLevel(one, collection));
  if (levels.includes('analyze')) return 'analyze';
  return levels.includes('explain') ? 'explain' : null;
}

/** Clients put `timezone` and `time_fields` into the legs, all of them alike. */
function formatting({ requests }: HybridRequest, parameters: Parameters): Parameters {
  const isThere = parameters.text('timezone') ?? parameters.text('time_fields');
  return isThere === undefined ? readParameters(requests[0]!.searchParams) : parameters;
}

function checkLegCount(legs: number): void {
  if (legs === 0) throw invalidParameter('minimum of ann search requests is 1');
  if (legs > LEGS_MAX) throw invalidParameter(`maximum of ann search requests is ${LEGS_MAX}`);
}

function readRanking(
  dependencies: Pick<AccessDependencies, 'models'>,
  target: ReadTarget,
  request: HybridRequest,
  parameters: Parameters,
): Ranking {
  const { functionScore } = request;
  const legs = request.requests.length;
  if (request.functionChains.length > 0 && functionScore === undefined)
    throw invalidParameter('function_chains are not supported in hybrid search');
  if (functionScore === undefined) return readRankParams(parameters, legs);
  if (request.functionChains.length > 0)
    throw invalidParameter('function_score and function_chains cannot be used together');
  const use = { kind: 'hybrid search', legs } as const;
  const { ranking } = readFunctionScore(dependencies, target, functionScore, use);
  return ranking ?? readRankParams(parameters, legs);
}

const SCORERS: readonly GroupScorer[] = ['max', 'sum', 'avg'];

const GROUPING_NAMES = ['group_by_field', 'group_by_fields', 'group_size', 'strict_group_size'];

/** Where the wish for groups stands: clients that know no better write it into each of the legs. */
function groupingParameters(ranking: Parameters, legs: readonly Parameters[]): Parameters {
  const first = legs[0]!;
  const isOfAll = legs.every((leg) => GROUPING_NAMES.every((name) => leg.text(name) === first.text(name)));
  return isOfAll && GROUPING_NAMES.every((name) => ranking.text(name) === undefined) ? first : ranking;
}

function readHybridGrouping(
  target: ReadTarget,
  parameters: Parameters,
  asked: string,
  groupSizeMax: number,
): HybridGrouping | null {
  const grouping = readGrouping(target, parameters, groupSizeMax);
  if (grouping === null) return null;
  const scorer = SCORERS.find((name) => name === asked.toLowerCase());
  if (scorer !== undefined) return { ...grouping, scorer };
  throw invalidParameter(`input group scorer type: ${asked} is not supported`);
}

/** Hits of all legs together, over all of their queries: what fusing them takes memory for. */
const HITS_MAX = 4 * 1024 * 1024;

function checkTogether(tasks: readonly SearchTask[], grouping: HybridGrouping | null): void {
  const [first] = tasks;
  for (const leg of tasks)
    checkListSearch({ leg, grouping, iterator: null, isRanked: true, kind: 'hybrid search' });
  if (grouping !== null && tasks.some(({ radius }) => radius !== null))
    throw invalidParameter('Not allowed to do range-search when doing search-group-by');
  const odd = tasks.find(({ queries }) => queries.count !== first!.queries.count);
  if (odd !== undefined) {
    throw invalidParameter(
      `nq of all sub search requests must be the same, but got ${first!.queries.count} and ${odd.queries.count}`,
    );
  }
  const size = grouping?.size ?? 1;
  const hits = tasks.reduce((sum, { queries, limit }) => sum + queries.count * limit * size, 0);
  if (hits > HITS_MAX)
    throw invalidParameter(`nq x topk of all sub search requests [${hits}] should be at most ${HITS_MAX}`);
}
