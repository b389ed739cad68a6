import { invalidInput, metricOrder } from '@elanus/model';
import type { ReadOptions, SearchHits, SearchTask } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { hitsBetween, joinHits, keyAt } from './hits.ts';
import { OWN_VALUE, planOwnFilter, type SentFilter } from './own-filter.ts';
import { nextFloat32 } from './search-range.ts';

type Dependencies = Pick<AccessDependencies, 'reader' | 'share'>;

/** Hits of one search. */
const HITS_MAX = 16_384;
/** Rows with one score that a page holds at most: what a client and we have to have in memory at once. */
const TIES_MAX = 1_048_576;

/**
 * A page of about `batchSize` hits that ends between two scores: the next one begins strictly behind the last score, so
 * that a row that is left out here would never come. A page ends before equal scores that go beyond it; one that begins
 * with them is as long as they are.
 */
export async function findPage(
  dependencies: Dependencies,
  task: SearchTask,
  filter: SentFilter,
  batchSize: number,
  options: ReadOptions,
): Promise<SearchHits> {
  const wanted = Math.min(batchSize, HITS_MAX - 1);
  const found = await dependencies.reader.search({ ...task, limit: wanted + 1 }, options);
  const { scores } = found;
  if (scores.length <= wanted) return found;
  const beyond = scores[wanted]!;
  const firstOfTies = scores.indexOf(beyond);
  if (firstOfTies > 0) return hitsBetween(found, 0, firstOfTies);
  return await allTies(dependencies, { ...task, snapshot: found.readTimestamp }, filter, found, options);
}

/** Every row with the score of `found`, which are the first of them by key. */
async function allTies(
  dependencies: Dependencies,
  task: SearchTask,
  sent: SentFilter,
  found: SearchHits,
  options: ReadOptions,
): Promise<SearchHits> {
  const score = found.scores[0]!;
  const radius = nextFloat32(score, metricOrder(task.metric) === 'ascending' ? 'up' : 'down');
  const exact = { ...task, radius, rangeFilter: score, limit: HITS_MAX, walk: null };
  const { schema } = task.collection;
  const parts = [found];
  for (let total = found.keys.length; ; ) {
    const last = parts.at(-1)!;
    const name = `${OWN_VALUE}last`;
    const condition = {
      // The row of the last hit may have further elements that tie.
      text: `${schema.primaryKey.name} ${last.elements === undefined ? '>' : '>='} {${name}}`,
      values: new Map([[name, keyAt(last.keys, last.keys.length - 1)]]),
    };
    const filter = await planOwnFilter(dependencies, schema, condition, sent);
    const next = await dependencies.reader.search({ ...exact, filter }, options);
    const fresh = elementsBehind(next, last);
    if (fresh.keys.length > 0) parts.push(fresh);
    total += fresh.keys.length;
    if (next.keys.length < HITS_MAX) break;
    if (total > TIES_MAX) throw tooManyTies(score);
  }
  const { hits } = await runInSlices(joinHits(parts), dependencies.share);
  return hits;
}

/** The hits without elements that are the last of `before` or stand before it in its row. */
function elementsBehind(hits: SearchHits, { keys, elements: known }: SearchHits): SearchHits {
  const { elements } = hits;
  if (elements === undefined || known === undefined) return hits;
  const last = keyAt(keys, keys.length - 1);
  let seen = 0;
  while (seen < elements.length && elements[seen]! <= known.at(-1)! && keyAt(hits.keys, seen) === last)
    seen += 1;
  return hitsBetween(hits, seen, Number.POSITIVE_INFINITY);
}

function tooManyTies(score: number): Error {
  return invalidInput(
    `more than ${TIES_MAX} rows have the score ${score}, a filter may leave fewer: invalid parameter`,
  );
}
