import { DataType, type FieldSchema } from '@elanus/model';
import type { Draft, schema_AggBucket } from '@elanus/proto';
import type { SearchHits } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import type { SearchPlan } from '../search-plan.ts';
import { bucketHits } from './bucket-hits.ts';
import { type BucketLevel, fieldsOfLevel } from './read-search-aggregation.ts';

/** The buckets of a search's hits, and how many each query has. */
export interface SearchBuckets {
  readonly buckets: readonly Draft<schema_AggBucket>[];
  readonly counts: readonly number[];
}

const SHOWN: ReadonlySet<DataType> = new Set<DataType>([
  DataType.Bool,
  DataType.Int8,
  DataType.Int16,
  DataType.Int32,
  DataType.Int64,
  DataType.Float,
  DataType.Double,
  DataType.VarChar,
]);

/** Puts the hits of each query into buckets. */
export async function searchBuckets(
  { reader, share }: Pick<AccessDependencies, 'reader' | 'share'>,
  { task, output }: SearchPlan,
  level: BucketLevel,
  hits: SearchHits,
): Promise<SearchBuckets> {
  const shown = output.fields.filter(({ dataType }) => SHOWN.has(dataType));
  const fields = [...new Set<FieldSchema>([...fieldsOfLevel(level), ...shown])].map(({ id }) => id);
  const columns = await reader.fetch(task.collection.id, hits.locations, fields);
  const source = { hits, metric: task.metric, columns, shown };
  const buckets: Draft<schema_AggBucket>[] = [];
  const counts: number[] = [];
  let first = 0;
  for (const count of hits.counts) {
    if (share.isSpent()) await share.nextTurn();
    const start = first;
    const places = Array.from({ length: count }, (_, at) => start + at);
    const own = bucketHits(source, level, places);
    buckets.push(...own);
    counts.push(own.length);
    first += count;
  }
  return { buckets, counts };
}
