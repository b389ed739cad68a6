import { type CollectionInfo, DataType, type KeyColumn } from '@elanus/model';
import type { PartExplanation, ReadExplanation, RecallAnalysis, StageTime } from '@elanus/rpc';
import type { JsonOut } from '../../rest/json-text.ts';
import { keyAt } from '../hits.ts';

/** The methods whose requests are explained. */
export type ExplainedRequest = 'Search' | 'HybridSearch' | 'Query';

/** What is told of a request. Times are milliseconds; stages follow each other and leave nothing out. */
export function explanationJson(
  request: ExplainedRequest,
  collection: CollectionInfo,
  { stages, reads }: { readonly stages: readonly StageTime[]; readonly reads: readonly ReadExplanation[] },
): JsonOut {
  return {
    request,
    collection: collection.name,
    ...timesOf(stages),
    reads: reads.map((read) => readJson(read, collection)),
  };
}

function readJson(read: ReadExplanation, collection: CollectionInfo): JsonOut {
  const { target, analysis } = read;
  return {
    kind: read.kind,
    ...(target === null ? {} : { field: target.fieldName, metric: target.metric, queries: target.queries }),
    read_timestamp: read.readTimestamp,
    ...timesOf(read.stages),
    ...(read.parts.some(({ filter }) => filter !== null) ? { filter_bytes_read: read.filterBytes } : {}),
    segments: read.parts.map((part) => partJson(part, collection)),
    ...(analysis === null ? {} : analysisJson(analysis)),
  };
}

function partJson(
  { segmentIds, partitionId, state, rows, filter, search }: PartExplanation,
  { partitions }: CollectionInfo,
): JsonOut {
  return {
    segment_ids: [...segmentIds],
    partition: partitions.find(({ id }) => id === partitionId)?.name ?? null,
    state,
    rows,
    filter:
      filter === null
        ? null
        : {
            selectivity_estimated: filter.estimated === null ? null : rounded(filter.estimated),
            selectivity: rounded(filter.actual),
            found_by: [...filter.ways],
          },
    ...(search === null
      ? {}
      : {
          strategy: search.strategy,
          why: search.why,
          ef: search.ef,
          candidates: search.candidates,
          distances: search.distances,
          bytes_read: search.bytesRead,
          hits: search.hits,
        }),
  };
}

function analysisJson({ recalls, missed, missedKeys }: RecallAnalysis): { readonly [key: string]: JsonOut } {
  return {
    recall: Array.from(recalls, rounded),
    missed: missed.map(({ query, score }, at) => ({ query, key: keyJson(missedKeys, at), score })),
  };
}

function keyJson(keys: KeyColumn, at: number): JsonOut {
  return keys.dataType === DataType.Int64 ? keys.values[at]! : String(keyAt(keys, at));
}

function timesOf(stages: readonly StageTime[]): { readonly ms: number; readonly stages: JsonOut } {
  return {
    ms: rounded(stages.reduce((sum, { ms }) => sum + ms, 0)),
    stages: Object.fromEntries(stages.map(({ stage, ms }) => [stage, rounded(ms)])),
  };
}

/** To six places behind the point. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
