import { DataType, type FieldSchema, type KeyColumn, type Timestamp } from '@elanus/model';
import { type Draft, encode, type schema_AggBucket } from '@elanus/proto';
import type { SearchHits } from '@elanus/rpc';
import { writeIds, writeOutput } from './field-data-writer.ts';
import { MessageWriter } from './message-writer.ts';
import type { FieldOutput, OutputColumn } from './output-column.ts';
import { SUCCESS_STATUS } from './status.ts';

/** Everything a Search answer says. */
export interface SearchReply {
  readonly collectionName: string;
  readonly primaryKey: FieldSchema;
  /** Hits that were asked for per query. */
  readonly limit: number;
  readonly hits: SearchHits;
  readonly columns: readonly OutputColumn[];
  /** The values that the hits were grouped by; `null` when they were not. */
  readonly groups: { readonly columns: readonly FieldOutput[]; readonly isPlural: boolean } | null;
  /** What is shown of fields, a list of fragments for each hit; left out: nothing. */
  readonly highlights?: readonly {
    readonly fieldName: string;
    readonly fragments: readonly (readonly string[])[];
  }[];
  readonly outputNames: readonly string[];
  /** Set on the first page of an iterator, otherwise 0. */
  readonly sessionTimestamp: Timestamp | 0n;
  /** Set on the pages of a v2 iterator. */
  readonly iterator: { readonly token: string; readonly lastBound: number } | null;
  /** Of each query the recall that was measured for such a search; `null`: nobody has asked. */
  readonly recalls: Float32Array | null;
}

const RESULTS = { status: 1, results: 2, collectionName: 3, sessionTimestamp: 4 } as const;
const DATA = {
  queryCount: 1,
  topK: 2,
  fieldsData: 3,
  scores: 4,
  ids: 5,
  topKs: 6,
  outputFields: 7,
  groupByFieldValue: 8,
  allSearchCount: 9,
  iterator: 11,
  recalls: 12,
  primaryFieldName: 13,
  highlightResults: 14,
  elementIndices: 15,
  groupByFieldValues: 17,
  aggBuckets: 18,
  aggTopKs: 19,
} as const;
const HIGHLIGHTS = { fieldName: 1, datas: 2, fragments: 1 } as const;
const ITERATOR = { token: 1, lastBound: 2 } as const;
/** Of LongArray. */
const LONGS = 1;

/** `milvus.SearchResults` of a success. */
export function encodeSearchResults(reply: SearchReply): Uint8Array {
  const { hits } = reply;
  const writer = new MessageWriter();
  writer.bytes(RESULTS.status, SUCCESS_STATUS);
  writer.message(RESULTS.results, (data) => {
    data.number(DATA.queryCount, hits.counts.length);
    data.number(DATA.topK, reply.limit);
    for (const output of reply.columns)
      data.message(DATA.fieldsData, (member) => writeOutput(member, output));
    data.fixed(DATA.scores, hits.scores);
    data.message(DATA.ids, (ids) => writeIds(ids, hits.keys));
    data.varints(DATA.topKs, hits.counts);
    for (const name of reply.outputNames) data.text(DATA.outputFields, name);
    const groups = reply.groups;
    const groupMember = groups?.isPlural ? DATA.groupByFieldValues : DATA.groupByFieldValue;
    for (const output of groups?.columns ?? [])
      data.message(groupMember, (member) => writeOutput(member, output));
    data.number(DATA.allSearchCount, hits.keys.length);
    const { iterator } = reply;
    if (iterator) {
      data.message(DATA.iterator, (page) => {
        page.text(ITERATOR.token, iterator.token).float(ITERATOR.lastBound, iterator.lastBound);
      });
    }
    if (reply.recalls !== null) data.fixed(DATA.recalls, reply.recalls);
    data.text(DATA.primaryFieldName, reply.primaryKey.name);
    for (const { fieldName, fragments } of reply.highlights ?? [])
      data.message(DATA.highlightResults, (shown) => {
        shown.text(HIGHLIGHTS.fieldName, fieldName);
        for (const ofHit of fragments)
          shown.message(HIGHLIGHTS.datas, (hit) => {
            for (const fragment of ofHit) hit.text(HIGHLIGHTS.fragments, fragment);
          });
      });
    const { elements } = hits;
    if (elements !== undefined) data.message(DATA.elementIndices, (list) => list.varints(LONGS, elements));
  });
  writer.text(RESULTS.collectionName, reply.collectionName);
  writer.number(RESULTS.sessionTimestamp, reply.sessionTimestamp);
  return writer.finish();
}

/** Everything the answer of a search says whose hits are put into buckets. */
export interface BucketReply {
  readonly collectionName: string;
  readonly primaryKey: FieldSchema;
  /** Hits that were looked at per query at most. */
  readonly limit: number;
  /** Hits that are in the buckets, of all queries. */
  readonly hitCount: number;
  readonly buckets: readonly Draft<schema_AggBucket>[];
  /** Buckets of each query. */
  readonly counts: readonly number[];
}

/** `milvus.SearchResults` of a success without hits of its own. */
export function encodeSearchBuckets(reply: BucketReply): Uint8Array {
  const writer = new MessageWriter();
  writer.bytes(RESULTS.status, SUCCESS_STATUS);
  writer.message(RESULTS.results, (data) => {
    data.number(DATA.queryCount, reply.counts.length);
    data.number(DATA.topK, reply.limit);
    data.message(DATA.ids, (ids) => writeIds(ids, noKeys(reply.primaryKey)));
    data.varints(
      DATA.topKs,
      reply.counts.map(() => 0),
    );
    data.number(DATA.allSearchCount, reply.hitCount);
    data.text(DATA.primaryFieldName, reply.primaryKey.name);
    for (const bucket of reply.buckets) data.bytes(DATA.aggBuckets, encode('schema.AggBucket', bucket));
    data.varints(DATA.aggTopKs, reply.counts);
  });
  writer.text(RESULTS.collectionName, reply.collectionName);
  return writer.finish();
}

function noKeys({ dataType }: FieldSchema): KeyColumn {
  const none = { length: 0, validity: null };
  return dataType === DataType.Int64
    ? { dataType, ...none, values: new BigInt64Array(0) }
    : { dataType: DataType.VarChar, ...none, offsets: new Uint32Array(1), bytes: new Uint8Array(0) };
}
