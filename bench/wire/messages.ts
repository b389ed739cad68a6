/** Requests and answers of the Milvus protocol for benchmarks: encoded once, before anything is measured. */
import { createRequire } from 'node:module';
import { Root, type Type } from 'protobufjs';
import { framed, type LeanConnection } from './lean-connection.ts';

const PACKAGE = 'milvus.proto';
const SERVICE = '/milvus.proto.milvus.MilvusService/';
const require = createRequire(import.meta.url);
const descriptors = require('@zilliz/milvus2-sdk-node/dist/milvus/proto-json/milvus.base.js') as {
  default: object;
};
const root = Root.fromJSON(descriptors.default as Parameters<typeof Root.fromJSON>[0]);

export type Message = Readonly<Record<string, unknown>>;

function typeOf(name: string): Type {
  return root.lookupType(`${PACKAGE}.${name}`);
}

export function encode(name: string, message: Message): Uint8Array {
  return typeOf(name).encode(message).finish();
}

interface AnsweredStatus {
  readonly code?: number;
  readonly errorCode?: number;
  readonly reason?: string;
}

/** The members of answers that benchmarks read. */
export interface Answer extends AnsweredStatus {
  readonly status?: AnsweredStatus;
  readonly results?: { readonly ids?: { readonly intId?: { readonly data?: readonly string[] } } };
  readonly indexDescriptions?: readonly {
    readonly state: number;
    readonly indexedRows?: string;
    readonly pendingIndexRows?: string;
  }[];
  readonly progress?: string;
  readonly [member: string]: unknown;
}

/** A decoded message with every field present, int64 as strings. */
export function decode(name: string, bytes: Uint8Array): Answer {
  const type = typeOf(name);
  return type.toObject(type.decode(bytes), { longs: String, defaults: true }) as Answer;
}

/** One request, ready to be sent any number of times. */
export interface Request {
  readonly path: string;
  readonly frame: Buffer;
}

export function request(method: string, message: Message, type = `milvus.${method}Request`): Request {
  return { path: SERVICE + method, frame: framed(encode(type, message)) };
}

/** Sends a request and returns the answer, decoded; throws when its status is not success. */
export async function ask(
  connection: LeanConnection,
  method: string,
  message: Message,
  answer: string,
): Promise<Answer> {
  const { path, frame } = request(method, message);
  const decoded = decode(answer, await connection.call(path, frame));
  throwOnError(answer === 'common.Status' ? decoded : decoded.status, method);
  return decoded;
}

const DATA_TYPE = { int32: 4, int64: 5, floatVector: 101 } as const;
const PLACEHOLDER_FLOAT_VECTOR = 101;
const PLACEHOLDER_TEXT = 21;
const BOOL_EXPRESSION = 1;
const CONSISTENCY = { strong: 0, bounded: 2 } as const;

/** `id` Int64 and `vector` FloatVector of `dim` dimensions; with numbers also `number` Int32. */
export function createCollection(collection: string, dim: number, withNumbers = false): Message {
  const schema = encode('schema.CollectionSchema', {
    name: collection,
    fields: [
      { name: 'id', isPrimaryKey: true, dataType: DATA_TYPE.int64 },
      {
        name: 'vector',
        dataType: DATA_TYPE.floatVector,
        typeParams: [{ key: 'dim', value: String(dim) }],
      },
      ...(withNumbers ? [{ name: 'number', dataType: DATA_TYPE.int32 }] : []),
    ],
  });
  return { collectionName: collection, schema, shardsNum: 1, consistencyLevel: CONSISTENCY.bounded };
}

export function createFlatIndex(collection: string): Message {
  return createIndex(collection, 'FLAT', {});
}

/** An index of `vector` by L2. */
export function createIndex(collection: string, type: string, parameters: object): Message {
  return {
    collectionName: collection,
    fieldName: 'vector',
    indexName: 'vector',
    extraParams: [
      { key: 'index_type', value: type },
      { key: 'metric_type', value: 'L2' },
      { key: 'params', value: JSON.stringify(parameters) },
    ],
  };
}

/** `numbers`: those of the rows, of a collection with numbers. */
export function insert(
  collection: string,
  firstId: number,
  vectors: Float32Array,
  dim: number,
  numbers: Int32Array | null = null,
): Request {
  const rows = vectors.length / dim;
  return request('Insert', {
    collectionName: collection,
    numRows: rows,
    fieldsData: [
      {
        type: DATA_TYPE.int64,
        fieldName: 'id',
        scalars: { longData: { data: Array.from({ length: rows }, (_, row) => firstId + row) } },
      },
      { type: DATA_TYPE.floatVector, fieldName: 'vector', vectors: { dim, floatVector: { data: vectors } } },
      ...(numbers === null
        ? []
        : [{ type: DATA_TYPE.int32, fieldName: 'number', scalars: { intData: { data: numbers } } }]),
    ],
  });
}

export interface SearchSettings {
  readonly limit: number;
  readonly consistency: keyof typeof CONSISTENCY;
  /** Of the index; none by default. */
  readonly parameters?: object;
  /** The field by whose values hits are grouped. */
  readonly groupBy?: string;
  readonly filter?: string;
}

export function search(
  collection: string,
  queries: Float32Array,
  dim: number,
  settings: SearchSettings,
): Request {
  return request('Search', searchVectors(collection, queries, dim, settings));
}

/** A SearchRequest for the neighbours of `queries` in `vector`. */
export function searchVectors(
  collection: string,
  queries: Float32Array,
  dim: number,
  { limit, consistency, parameters = {}, groupBy, filter = '' }: SearchSettings,
): Message {
  const bytes = new Uint8Array(queries.buffer, queries.byteOffset, queries.byteLength);
  const count = queries.length / dim;
  const values = Array.from({ length: count }, (_, at) => bytes.subarray(at * dim * 4, (at + 1) * dim * 4));
  const settings = {
    anns_field: 'vector',
    topk: String(limit),
    metric_type: 'L2',
    params: JSON.stringify(parameters),
    round_decimal: '-1',
    ...(groupBy === undefined ? {} : { group_by_field: groupBy }),
  };
  const placeholder = { type: PLACEHOLDER_FLOAT_VECTOR, values };
  return { ...searchOf(collection, placeholder, settings, CONSISTENCY[consistency]), dsl: filter };
}

/** A SearchRequest for the best ten by BM25 of `words` in the sparse vectors of `field`. */
export function searchWords(collection: string, field: string, words: string): Message {
  const settings = { anns_field: field, topk: '10', metric_type: 'BM25', params: '{}' };
  const placeholder = { type: PLACEHOLDER_TEXT, values: [Buffer.from(words)] };
  return searchOf(collection, placeholder, settings, CONSISTENCY.bounded);
}

function searchOf(
  collection: string,
  { type, values }: { readonly type: number; readonly values: readonly Uint8Array[] },
  settings: Readonly<Record<string, string>>,
  consistency: number,
): Message {
  return {
    collectionName: collection,
    dslType: BOOL_EXPRESSION,
    nq: values.length,
    placeholderGroup: encode('common.PlaceholderGroup', { placeholders: [{ tag: '$0', type, values }] }),
    searchParams: pairs(settings),
    consistencyLevel: consistency,
    // Milvus 2.3 reads the level from here: 0 is strong, 2 bounded.
    guaranteeTimestamp: consistency,
  };
}

/** As KeyValuePairs. */
export function pairs(members: Readonly<Record<string, string>>): readonly Message[] {
  return Object.entries(members).map(([key, value]) => ({ key, value }));
}

export function queryKeys(collection: string, keys: readonly number[]): Request {
  return request('Query', {
    collectionName: collection,
    expr: `id in [${keys.join(', ')}]`,
    outputFields: ['id'],
    guaranteeTimestamp: CONSISTENCY.bounded,
    consistencyLevel: CONSISTENCY.bounded,
  });
}

/** The ids of a Search answer, query after query. */
export function searchIds(answer: Uint8Array): number[] {
  const decoded = decode('milvus.SearchResults', answer);
  throwOnError(decoded.status, 'Search');
  return (decoded.results?.ids?.intId?.data ?? []).map(Number);
}

function throwOnError(status: AnsweredStatus | undefined, method: string): void {
  if (status?.code || status?.errorCode) throw new Error(`${method}: ${status.code} ${status.reason}`);
}
