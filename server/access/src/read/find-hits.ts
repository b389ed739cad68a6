import { assert } from '@elanus/model';
import type { ReadOptions, SearchHits, SearchTask } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { type ChainDependencies, runChains } from './chain/run-chains.ts';
import { arrangeGroups } from './group/arrange-groups.ts';
import { groupsOfLegs } from './group/group-columns.ts';
import { searchGrouped, withoutGroups } from './group/grouped-search.ts';
import type { Grouping } from './group/read-grouping.ts';
import { hitsBetween, withoutFirst } from './hits.ts';
import { findPage } from './iterator-page.ts';
import { orderHits } from './order/order-hits.ts';
import { boostHits } from './rank/boost-hits.ts';
import { decaying } from './rank/decay-hits.ts';
import { type Fusion, fuseHits } from './rank/fuse-hits.ts';
import { hitsOfFusion } from './rank/fused-hits.ts';
import { rankByModel } from './rank/model-hits.ts';
import type { RerankRanking } from './rank/ranking.ts';
import type { SearchPlan } from './search-plan.ts';

/** The hits of a plan, as they are answered: found, grouped, ranked again, cut to the window and put in order. */
export async function findHits(
  dependencies: AccessDependencies & ChainDependencies,
  plan: SearchPlan,
  options: ReadOptions,
): Promise<SearchHits> {
  const { task, grouping, orderBy, iterator } = plan;
  if (iterator?.protocol === 'v2' && task.queries.count === 1)
    return await findPage(dependencies, task, plan.filter, task.limit, options);
  const hits =
    grouping === null
      ? await rankedHits(dependencies, plan, options)
      : await groupedHits(dependencies, plan, grouping, options);
  return await orderHits(dependencies, task.collection, hits, orderBy);
}

async function rankedHits(
  dependencies: AccessDependencies & ChainDependencies,
  { task, window, functions, chains, format }: SearchPlan,
  options: ReadOptions,
): Promise<SearchHits> {
  const found = await dependencies.reader.search(task, options);
  if (chains.length > 0) {
    const left = await runChains(dependencies, task, found, chains, options);
    return hitsBetween(left, window.offset, window.offset + window.limit);
  }
  if (functions === null) return withoutFirst(found, window.offset);
  const { boosting } = functions;
  const boosted =
    boosting === null
      ? found
      : await boostHits(dependencies, task, found, boosting, format.timeZone, options);
  const reranking = rerankingOf(functions);
  if (reranking === null) return withoutFirst(boosted, window.offset);
  const fusion = await rankedAgain(dependencies, task, boosted, reranking, options);
  const hits = await runInSlices(hitsOfFusion([boosted], fusion.queries), dependencies.share);
  return hitsBetween(hits, window.offset, window.offset + window.limit);
}

async function groupedHits(
  dependencies: AccessDependencies,
  { task, window, functions, filter }: SearchPlan,
  grouping: Grouping,
  options: ReadOptions,
): Promise<SearchHits> {
  const groups = window.limit + window.offset;
  const [found] = await searchGrouped(dependencies, [{ task, grouping, filter, groups }], options);
  assert(found !== undefined, 'a search has an answer');
  const reranking = functions === null ? null : rerankingOf(functions);
  if (reranking === null) return withoutGroups(found, window.offset).hits;
  const fusion = await rankedAgain(dependencies, task, found.hits, reranking, options);
  const identityOf = await groupsOfLegs(dependencies, task.collection, grouping.keys, [found.hits]);
  const arranged = arrangeGroups(fusion, { identityOf, size: grouping.size, scorer: 'max', window });
  return await runInSlices(hitsOfFusion([found.hits], arranged), dependencies.share);
}

/** Of a single search nothing else ranks again. */
function rerankingOf({ ranking }: NonNullable<SearchPlan['functions']>): RerankRanking | null {
  if (ranking === null) return null;
  assert(ranking.kind === 'decay' || ranking.kind === 'model', 'a search has no others to fuse with');
  return ranking;
}

async function rankedAgain(
  dependencies: AccessDependencies,
  { collection, metric }: SearchTask,
  hits: SearchHits,
  ranking: RerankRanking,
  options: ReadOptions,
): Promise<Fusion> {
  const legs = { hits: [hits], metrics: [metric] };
  if (ranking.kind === 'model') return await rankByModel(dependencies, collection, legs, ranking, options);
  const factorOf = await decaying(dependencies, collection, [hits], ranking);
  return await runInSlices(fuseHits(legs, ranking, factorOf), dependencies.share);
}
