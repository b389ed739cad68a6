import type { SearchHits } from '@elanus/rpc';
import type { AccessDependencies, Handler } from '../handler.ts';
import { encodeSearchResults } from '../wire/search-results.ts';
import { withoutFirst } from './hits.ts';
import { fetchOutput } from './output-columns.ts';
import { findReadTarget } from './read-target.ts';
import { planSearch, type SearchPlan } from './search-plan.ts';
import { boundBeforeAll } from './search-range.ts';

/** Search: find the target, plan, let the worker search, drop the offset, fetch what is returned, reply. */
export function searchHandler(dependencies: AccessDependencies): Handler<'Search'> {
  return async (request, context) => {
    const ref = { database: context.database, collection: request.collectionName };
    const target = await findReadTarget(dependencies, ref, request.partitionNames, 'search');
    const plan = await planSearch(dependencies, target, request);
    const found = await dependencies.reader.search(plan.task, context);
    const hits = withoutFirst(found, plan.offset);
    const columns = await fetchOutput(dependencies, target.collection, hits, plan.output, plan.format);
    return encodeSearchResults({
      collectionName: request.collectionName,
      primaryKey: target.collection.schema.primaryKey,
      limit: plan.task.limit - plan.offset,
      hits: rounded(hits, plan.roundDecimal),
      columns,
      outputNames: plan.output.names,
      sessionTimestamp: plan.iterator && plan.iterator.snapshot === null ? hits.readTimestamp : 0n,
      iterator: iteratorResult(plan, hits),
    });
  };
}

/** What a page of a v2 iterator tells its client: the token, and the score after which the next page begins. */
function iteratorResult(plan: SearchPlan, hits: SearchHits): { token: string; lastBound: number } | null {
  const page = plan.iterator;
  if (page?.protocol !== 'v2') return null;
  const lastBound = hits.scores.at(-1) ?? page.lastBound ?? boundBeforeAll(plan.task.metric);
  return { token: page.token || crypto.randomUUID(), lastBound };
}

function rounded(hits: SearchHits, places: number): SearchHits {
  if (places < 0) return hits;
  const scale = 10 ** places;
  return { ...hits, scores: hits.scores.map((score) => Math.round(score * scale) / scale) };
}
