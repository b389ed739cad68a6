import { assert, type CollectionInfo, DataType, fieldByName } from '@elanus/model';
import type { ReadOptions, RowLocations } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { runInSlices } from '../../rows/sliced-work.ts';
import { textsOf } from '../../rows/texts-of.ts';
import { compareKeys } from '../hits.ts';
import { type FusedHit, type Fusion, type Legs, rowsByQuery } from './fuse-hits.ts';
import type { ModelRanking } from './ranking.ts';

/** Rows whose texts are in memory at a time. */
const ROWS_AT_ONCE = 256;

/**
 * The rows of each query that any of the searches has found, in the order in which a model puts them, equal scores by key.
 * @throws MilvusError 2400 when the model does not answer for all of them
 */
export async function rankByModel(
  dependencies: Pick<AccessDependencies, 'reader' | 'share'>,
  collection: CollectionInfo,
  legs: Legs,
  ranking: ModelRanking,
  options: ReadOptions,
): Promise<Fusion> {
  const { queries: texts, reranker } = ranking;
  const queries = await runInSlices(rowsByQuery(legs), dependencies.share);
  assert(queries.length === texts.length, 'each query has its text');
  for (const [at, hits] of queries.entries()) {
    for (let from = 0; from < hits.length; from += ROWS_AT_ONCE) {
      const part = hits.slice(from, from + ROWS_AT_ONCE);
      const documents = await textsOfHits(dependencies, collection, legs, ranking, part);
      const scores = await reranker.rerank(texts[at]!, documents, options);
      for (const [place, hit] of part.entries()) hit.score = scores[place]!;
    }
    hits.sort((a, b) => b.score - a.score || compareKeys(a.key, b.key));
  }
  return { queries, order: 'descending' };
}

async function textsOfHits(
  { reader }: Pick<AccessDependencies, 'reader'>,
  collection: CollectionInfo,
  legs: Legs,
  { fieldName }: ModelRanking,
  hits: readonly FusedHit[],
): Promise<readonly string[]> {
  const { id } = fieldByName(collection.schema, fieldName)!;
  const columns = await reader.fetch(collection.id, locationsOf(legs, hits), [id]);
  const column = columns.get(id);
  assert(column?.dataType === DataType.VarChar, 'a model reads texts');
  return textsOf(column);
}

/** Where the rows are, in the order of the hits; segments of several searches stand one behind the other. */
function locationsOf({ hits: legs }: Legs, hits: readonly FusedHit[]): RowLocations {
  const segmentIds = legs.flatMap(({ locations }) => locations.segmentIds);
  const firsts: number[] = [];
  let count = 0;
  for (const { locations } of legs) {
    firsts.push(count);
    count += locations.segmentIds.length;
  }
  const segments = new Uint32Array(hits.length);
  const rows = new Uint32Array(hits.length);
  for (const [at, { places }] of hits.entries()) {
    const leg = places.findIndex((place) => place >= 0);
    const { locations } = legs[leg]!;
    const place = places[leg]!;
    segments[at] = firsts[leg]! + locations.segments[place]!;
    rows[at] = locations.rows[place]!;
  }
  return { segmentIds, segments, rows };
}
