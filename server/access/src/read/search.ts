import type { Timestamp } from '@elanus/model';
import type { SearchHits } from '@elanus/rpc';
import type { AccessDependencies, Handler } from '../handler.ts';
import { releaseQueries } from '../wire/query-vectors.ts';
import { encodeSearchBuckets, encodeSearchResults } from '../wire/search-results.ts';
import { searchBuckets } from './aggregate/search-buckets.ts';
import { TreeModels } from './chain/tree-models.ts';
import type { ReadAccounts } from './explain/read-accounts.ts';
import { findHits } from './find-hits.ts';
import { groupsOfHits } from './group/group-columns.ts';
import { highlightHits } from './highlight/highlight-hits.ts';
import { fetchOutput } from './output-columns.ts';
import { findReadTarget } from './read-target.ts';
import { rounded } from './rounded.ts';
import { planSearch, type SearchPlan } from './search-plan.ts';
import { boundBeforeAll } from './search-range.ts';

/** Search: find the target, plan, find the hits, fetch what is returned, reply. */
export function searchHandler(access: AccessDependencies, accounts: ReadAccounts): Handler<'Search'> {
  const dependencies = { ...access, trees: new TreeModels(access) };
  return async (request, context) => {
    const beganMs = dependencies.clock.monotonicMs();
    const ref = { database: context.database, collection: request.collectionName };
    const target = await findReadTarget(dependencies, ref, request.partitionNames, 'search');
    const plan = await planSearch(dependencies, target, request, context);
    const account = accounts.open(plan.explain, target.collection, beganMs);
    const hits = await findHits(dependencies, plan, account?.options(context) ?? context);
    releaseQueries(plan.task.queries);
    account?.lap('rank');
    if (plan.buckets !== null) {
      const { buckets, counts } = await searchBuckets(dependencies, plan, plan.buckets, hits);
      account?.lap('fetch');
      const answer = encodeSearchBuckets({
        collectionName: request.collectionName,
        primaryKey: target.collection.schema.primaryKey,
        limit: plan.window.limit,
        hitCount: hits.keys.length,
        buckets,
        counts,
      });
      return accounts.close(account, answer, target.collection, beganMs);
    }
    const columns = await fetchOutput(dependencies, target.collection, hits, plan.output, plan.format);
    const groups = await groupsOfHits(dependencies, target.collection, plan.grouping, hits);
    const highlights = plan.highlighting
      ? await highlightHits(dependencies, target.collection, hits, plan.highlighting, context)
      : [];
    account?.lap('fetch');
    const answer = encodeSearchResults({
      collectionName: request.collectionName,
      primaryKey: target.collection.schema.primaryKey,
      limit: plan.window.limit,
      hits: rounded(hits, plan.roundDecimal),
      columns,
      groups,
      highlights,
      outputNames: plan.output.names,
      sessionTimestamp: sessionTimestamp(plan, hits),
      iterator: iteratorResult(plan, hits),
      recalls: plan.task.recallTarget === undefined ? null : (hits.recalls ?? null),
    });
    return accounts.close(account, answer, target.collection, beganMs);
  };
}

/** The moment that all pages of an iterator look at, for whoever has to send it with the next one. */
function sessionTimestamp({ iterator }: SearchPlan, { readTimestamp }: SearchHits): Timestamp | 0n {
  if (iterator === null) return 0n;
  if (iterator.snapshot === null) return readTimestamp;
  return iterator.passesOn ? iterator.snapshot : 0n;
}

/** What a page of a v2 iterator tells its client: the token, and the score after which the next page begins. */
function iteratorResult(plan: SearchPlan, hits: SearchHits): { token: string; lastBound: number } | null {
  const page = plan.iterator;
  if (page?.protocol !== 'v2') return null;
  const lastBound = hits.scores.at(-1) ?? page.lastBound ?? boundBeforeAll(plan.task.metric);
  return { token: page.token || crypto.randomUUID(), lastBound };
}
