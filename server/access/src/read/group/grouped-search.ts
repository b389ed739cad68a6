import type { GraphWalk, QueryVectors, ReadOptions, SearchHits, SearchTask } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { runInSlices } from '../../rows/sliced-work.ts';
import { bestHitFirst, joinHits, keyAt, takeHits } from '../hits.ts';
import { OWN_VALUE, type OwnCondition, planOwnFilter, type SentFilter } from '../own-filter.ts';
import { GroupCollector } from './group-collector.ts';
import { valuesOfGroups } from './group-columns.ts';
import { outsideGroups, withinGroups } from './group-filter.ts';
import type { GroupValue } from './group-key.ts';
import type { Grouping } from './read-grouping.ts';

/** The hits of a grouped search, query after query, in each group after group, best first. */
export interface GroupedHits {
  readonly hits: SearchHits;
  /** Per query the number of hits of each of its groups. */
  readonly groupSizes: readonly (readonly number[])[];
}

export interface GroupedSearch {
  /** Its limit does not count. */
  readonly task: SearchTask;
  readonly grouping: Grouping;
  /** What `task.filter` was made of. */
  readonly filter: SentFilter;
  /** Groups wanted of each query. */
  readonly groups: number;
}

type Dependencies = Pick<AccessDependencies, 'reader' | 'share'>;

const HITS_MAX = 16_384;
/** Hits looked at first, beside twice those that the groups could hold. */
const HITS_MIN = 16;

/**
 * The best groups of each query, complete: rows of groups that are full already are left out of the next look, so that
 * a few large groups can't hide the others. Several searches see the same rows. REQUIRES: at least one search.
 */
export async function searchGrouped(
  dependencies: Dependencies,
  searches: readonly GroupedSearch[],
  options: ReadOptions,
): Promise<readonly GroupedHits[]> {
  const wanted = searches.map(({ task, grouping, groups }) => hitsOfFirstLook(task, groups, grouping.size));
  const tasks = searches.map(({ task }, at) => looking(task, wanted[at]!));
  const found = await dependencies.reader.searchTogether(tasks, options);
  return await Promise.all(
    searches.map((search, at) => groupHits(dependencies, search, [found[at]!], wanted[at]!, options)),
  );
}

/** No more than an effort that was asked for has in view: the first look finds the same, however many groups are wanted. */
function hitsOfFirstLook({ walk }: SearchTask, groups: number, size: number): number {
  const wanted = hitsOfGroups(groups, size);
  return walk?.isAskedFor ? Math.min(wanted, walk.ef) : wanted;
}

/** Hits that the first look for so many groups of this size asks for, at most. */
export function hitsOfGroups(groups: number, size: number): number {
  return Math.min(HITS_MAX, 2 * groups * size + HITS_MIN);
}

/** Groups what a first look has found, with hits `wanted` of each query, and looks further where that is not enough. */
async function groupHits(
  dependencies: Dependencies,
  search: GroupedSearch,
  found: SearchHits[],
  wanted: number,
  options: ReadOptions,
): Promise<GroupedHits> {
  const first = found[0]!;
  const values = await valuesOf(dependencies, search, first);
  const collectors: GroupCollector[] = [];
  let start = 0;
  for (const [query, count] of first.counts.entries()) {
    const collector = new GroupCollector({ ...search.grouping, groups: search.groups });
    collectors.push(collector);
    for (let place = start; place < start + count && !collector.isDone; place += 1)
      collector.take(
        values.map((column) => column[place]!),
        { list: 0, place },
      );
    start += count;
    if (!collector.isDone && count === wanted)
      await lookFurther(dependencies, search, { query, collector, found, wanted }, options);
  }
  return await runInSlices(groupedHits(search.task, found, collectors), dependencies.share);
}

interface FurtherLook {
  readonly query: number;
  readonly collector: GroupCollector;
  /** All that was found so far; what is found now is added. */
  readonly found: SearchHits[];
  /** Hits of the look before. */
  readonly wanted: number;
}

/** Looks at twice as many rows each time until the groups of one query are complete. */
async function lookFurther(
  dependencies: Dependencies,
  search: GroupedSearch,
  { query, collector, found, wanted: before }: FurtherLook,
  options: ReadOptions,
): Promise<void> {
  const { schema } = search.task.collection;
  const alone = {
    ...search.task,
    queries: oneQuery(search.task.queries, query),
    snapshot: found[0]!.readTimestamp,
  };
  for (let wanted = before; !collector.isDone; ) {
    wanted = Math.min(HITS_MAX, 2 * wanted);
    const condition = remaining(search, collector, found);
    const filter = await planOwnFilter(dependencies, schema, condition, search.filter);
    const next = await dependencies.reader.search(looking({ ...alone, filter }, wanted), options);
    const values = await valuesOf(dependencies, search, next);
    const list = found.push(next) - 1;
    let taken = 0;
    for (let place = 0; place < next.keys.length && !collector.isDone; place += 1)
      if (
        collector.take(
          values.map((column) => column[place]!),
          { list, place },
        )
      )
        taken += 1;
    if (next.keys.length < wanted || (taken === 0 && wanted === HITS_MAX)) return;
  }
}

/** Rows that could still come into a group, none of them among those that were taken. */
function remaining(
  { grouping, task }: GroupedSearch,
  collector: GroupCollector,
  found: readonly SearchHits[],
): OwnCondition {
  const taken = collector.groups.flatMap(({ hits }) => hits);
  const keys = taken.map(({ list, place }) => keyAt(found[list]!.keys, place));
  const name = `${OWN_VALUE}taken`;
  const { relation, groups } = collector.openGroups();
  const isNew = `${task.collection.schema.primaryKey.name} not in {${name}}`;
  if (relation === 'anywhere') return { text: isNew, values: new Map([[name, keys]]) };
  const within =
    relation === 'within' ? withinGroups(grouping.keys, groups) : outsideGroups(grouping.keys, groups);
  return {
    text: `(${isNew}) and (${within.text})`,
    values: new Map([...within.values, [name, keys]]),
  };
}

/** The task with another number of hits, and a walk that goes as far as that takes. */
function looking(task: SearchTask, limit: number): SearchTask {
  const walk: GraphWalk | null = task.walk && { ...task.walk, ef: Math.max(task.walk.ef, limit) };
  return { ...task, limit, walk };
}

async function valuesOf(
  dependencies: Dependencies,
  { task, grouping }: GroupedSearch,
  { locations }: SearchHits,
): Promise<readonly (readonly GroupValue[])[]> {
  return await valuesOfGroups(dependencies, task.collection, grouping.keys, locations);
}

function oneQuery(queries: QueryVectors, at: number): QueryVectors {
  if (queries.count === 1) return queries;
  const { offsets, bytes } = queries;
  if (offsets !== null) {
    const [from, to] = [offsets[at]!, offsets[at + 1]!];
    return { ...queries, count: 1, bytes: bytes.subarray(from, to), offsets: Uint32Array.of(0, to - from) };
  }
  const size = bytes.length / queries.count;
  return { ...queries, count: 1, bytes: bytes.subarray(at * size, (at + 1) * size) };
}

/**
 * The hits that were taken, group after group. A later look may find what an index has missed before, so that groups, and
 * the hits of each, are put in order at the end.
 */
function* groupedHits(
  { metric }: Pick<SearchTask, 'metric'>,
  found: readonly SearchHits[],
  collectors: readonly GroupCollector[],
) {
  const { hits, starts } = yield* joinHits(found);
  const compare = bestHitFirst(hits, metric);
  const positions: number[] = [];
  const counts = new Uint32Array(collectors.length);
  const groupSizes: (readonly number[])[] = [];
  for (const [query, collector] of collectors.entries()) {
    const groups = collector.groups.map((group) =>
      group.hits.map(({ list, place }) => starts[list]! + place).sort(compare),
    );
    groups.sort(([a], [b]) => compare(a!, b!));
    for (const group of groups) for (const position of group) positions.push(position);
    groupSizes.push(groups.map(({ length }) => length));
    counts[query] = groupSizes[query]!.reduce((sum, size) => sum + size, 0);
    yield;
  }
  return { hits: takeHits(hits, counts, Uint32Array.from(positions)), groupSizes };
}

/** Without the first groups of each query. */
export function withoutGroups({ hits, groupSizes }: GroupedHits, offset: number): GroupedHits {
  if (offset === 0) return { hits, groupSizes };
  const positions: number[] = [];
  const counts = new Uint32Array(hits.counts.length);
  let first = 0;
  for (const [query, sizes] of groupSizes.entries()) {
    const left = sizes.slice(0, offset).reduce((sum, size) => sum + size, 0);
    const count = hits.counts[query]!;
    for (let place = first + left; place < first + count; place += 1) positions.push(place);
    counts[query] = count - left;
    first += count;
  }
  return {
    hits: takeHits(hits, counts, Uint32Array.from(positions)),
    groupSizes: groupSizes.map((sizes) => sizes.slice(offset)),
  };
}
