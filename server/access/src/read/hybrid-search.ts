import type { MetricType } from '@elanus/model';
import type { ReadOptions, SearchHits } from '@elanus/rpc';
import type { AccessDependencies, Handler } from '../handler.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { releaseQueries } from '../wire/query-vectors.ts';
import { encodeSearchResults } from '../wire/search-results.ts';
import type { ReadAccounts } from './explain/read-accounts.ts';
import { arrangeGroups } from './group/arrange-groups.ts';
import { groupsOfHits, groupsOfLegs } from './group/group-columns.ts';
import { searchGrouped } from './group/grouped-search.ts';
import { type HybridPlan, planHybridSearch } from './hybrid-plan.ts';
import { fetchOutput } from './output-columns.ts';
import { decaying } from './rank/decay-hits.ts';
import { type FusedHit, type Fusion, fuseHits, type Legs, legScoring } from './rank/fuse-hits.ts';
import { hitsOfFusion } from './rank/fused-hits.ts';
import { legColumn } from './rank/leg-columns.ts';
import { rankByModel } from './rank/model-hits.ts';
import { findReadTarget } from './read-target.ts';
import { rounded } from './rounded.ts';

/** HybridSearch: find the target, plan, let the worker search all legs at one time, fuse, fetch what is returned, reply. */
export function hybridSearchHandler(
  dependencies: AccessDependencies,
  accounts: ReadAccounts,
): Handler<'HybridSearch'> {
  return async (request, context) => {
    const beganMs = dependencies.clock.monotonicMs();
    const ref = { database: context.database, collection: request.collectionName };
    const target = await findReadTarget(dependencies, ref, request.partitionNames, 'search');
    const plan = await planHybridSearch(dependencies, target, request, context);
    const account = accounts.open(plan.explain, target.collection, beganMs);
    const found = await searchLegs(dependencies, plan, account?.options(context) ?? context);
    const legs = { hits: found, metrics: metricsOf(plan) };
    const kept = await answered(dependencies, plan, legs, await fuse(dependencies, plan, legs, context));
    const hits = await runInSlices(hitsOfFusion(legs.hits, kept), dependencies.share);
    for (const { queries } of plan.tasks) releaseQueries(queries);
    account?.lap('rank');
    const columns = await fetchOutput(dependencies, target.collection, hits, plan.output, plan.format);
    const groups = await groupsOfHits(dependencies, target.collection, plan.grouping, hits);
    account?.lap('fetch');
    const answer = encodeSearchResults({
      collectionName: request.collectionName,
      primaryKey: target.collection.schema.primaryKey,
      limit: plan.window.limit,
      hits: rounded(hits, plan.roundDecimal),
      columns: [...legColumns(plan, legs, kept.flat()), ...columns],
      groups,
      outputNames: [...plan.legFields, ...plan.output.names],
      sessionTimestamp: 0n,
      iterator: null,
      recalls: null,
    });
    return accounts.close(account, answer, target.collection, beganMs);
  };
}

/** What each of the legs finds, all of them among the same rows. */
async function searchLegs(
  dependencies: AccessDependencies,
  { tasks, legFilters, grouping }: HybridPlan,
  options: ReadOptions,
): Promise<readonly SearchHits[]> {
  if (grouping === null) return await dependencies.reader.searchTogether(tasks, options);
  const searches = tasks.map((task, leg) => ({
    task,
    grouping,
    filter: legFilters[leg]!,
    groups: task.limit,
  }));
  const found = await searchGrouped(dependencies, searches, options);
  return found.map(({ hits }) => hits);
}

function metricsOf({ tasks }: HybridPlan): readonly MetricType[] {
  return tasks.map(({ metric }) => metric);
}

/** The rows of the window, of each query. */
async function answered(
  dependencies: AccessDependencies,
  { tasks, grouping, window }: HybridPlan,
  legs: Legs,
  fusion: Fusion,
): Promise<readonly (readonly FusedHit[])[]> {
  if (grouping === null)
    return fusion.queries.map((hits) => hits.slice(window.offset, window.offset + window.limit));
  const { keys, size, scorer } = grouping;
  const identityOf = await groupsOfLegs(dependencies, tasks[0]!.collection, keys, legs.hits);
  return arrangeGroups(fusion, { identityOf, size, scorer, window });
}

async function fuse(
  dependencies: AccessDependencies,
  plan: HybridPlan,
  legs: Legs,
  options: ReadOptions,
): Promise<Fusion> {
  const { ranking } = plan;
  const { collection } = plan.tasks[0]!;
  if (ranking.kind === 'model') return await rankByModel(dependencies, collection, legs, ranking, options);
  const factorOf =
    ranking.kind === 'decay' ? await decaying(dependencies, collection, legs.hits, ranking) : null;
  return await runInSlices(fuseHits(legs, ranking, factorOf), dependencies.share);
}

function legColumns({ legFields, ranking, tasks }: HybridPlan, legs: Legs, hits: readonly FusedHit[]) {
  if (legFields.length === 0) return [];
  const scoring = legScoring(legs, ranking);
  const vectorFields = tasks.map(({ field }) => field.name);
  return legFields.map((name) => legColumn(name, hits, scoring, vectorFields));
}
