import type { Json } from '../harness/program.ts';
import type { Answer } from './milvus-service.ts';

/** One place where two answers are not the same. */
export interface Difference {
  readonly step: string;
  readonly path: string;
  readonly elanus: Json | undefined;
  readonly milvus: Json | undefined;
}

/** What every server gives out anew, and what newer versions of the protocol have added. */
const ownToEachServer = new Set([
  'base',
  'channels',
  'collectionID',
  'collectionId',
  'collectionIds',
  'collSegIDs',
  'collSealTimes',
  'collFlushTs',
  'createdTimestamp',
  'createdTimestamps',
  'createdUtcTimestamp',
  'createdUtcTimestamps',
  'dbId',
  'dbIds',
  'detail',
  'extraInfo',
  'flushCollSegIDs',
  'indexID',
  'partitionIDs',
  'physicalChannelNames',
  'requestTime',
  'retriable',
  'sessionTs',
  'startPositions',
  'timestamp',
  'updateTimestamp',
  'updateTimestampStr',
  'virtualChannelNames',
  'version',
]);

/** The places where two answers to a step differ, once what is each server's own is left out. */
export function compareAnswers(step: string, elanus: Answer, milvus: Answer): readonly Difference[] {
  return [...differences(step, '', normalised(elanus), normalised(milvus))];
}

function* differences(
  step: string,
  path: string,
  elanus: Json | undefined,
  milvus: Json | undefined,
): Generator<Difference> {
  if (isObject(elanus) && isObject(milvus)) {
    for (const key of new Set([...Object.keys(elanus), ...Object.keys(milvus)])) {
      yield* differences(step, path === '' ? key : `${path}.${key}`, elanus[key], milvus[key]);
    }
  } else if (JSON.stringify(elanus) !== JSON.stringify(milvus)) {
    yield { step, path, elanus, milvus };
  }
}

type JsonObject = { readonly [key: string]: Json };

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function normalised(value: Json): Json {
  if (typeof value === 'string') return value.replace(/\d{15,}/g, '<id>');
  if (typeof value === 'number') return Math.fround(value);
  if (Array.isArray(value)) return value.map((item: Json) => normalised(item)).sort(byFieldName);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([key]) => !ownToEachServer.has(key));
  return Object.fromEntries(
    entries.map(([key, item]) => [key, key === 'outputFields' ? sortedNames(item) : normalised(item)]),
  );
}

/** Milvus gives the names of the fields in an order of its own each time. */
function sortedNames(names: Json): Json {
  return Array.isArray(names) ? names.map(String).sort() : names;
}

/** Columns may come in any order; everything else keeps its own. */
function byFieldName(a: Json, b: Json): number {
  if (!isObject(a) || !isObject(b)) return 0;
  return String(a.fieldName ?? '').localeCompare(String(b.fieldName ?? ''));
}
