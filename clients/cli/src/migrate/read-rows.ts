import type { schema_FieldSchema } from '@elanus/proto';
import { CallRefused, type MilvusClient } from './milvus-client.ts';
import { type DecodedColumn, decodedColumns } from './row-values.ts';
import type { SourceCollection } from './source-collection.ts';

const STRONG = 0;
const INT64 = 5;
const INT64_MIN = String(-(2n ** 63n));
/** Of the first page: nobody knows yet how large rows are. */
const FIRST_ROWS = 256;
/** Milvus' own limit of a read. */
const ROWS_MAX = 16_384;
/** Rows of the next page over those of the last one, at most. */
const GROWTH_MAX = 4;
/** Bytes of an answer that are aimed at, and that an insert takes. */
const PAGE_BYTES = { aim: 4 * 1024 * 1024, max: 32 * 1024 * 1024 } as const;

export interface RowPage {
  /** As they came. */
  readonly fieldsData: readonly Uint8Array[];
  readonly columns: readonly DecodedColumn[];
  readonly rows: number;
  /** The largest. */
  readonly lastKey: string;
}

/** Rows of a collection or of a partition of it: all, or those behind a key. */
export interface RowRange {
  readonly partition: string | null;
  readonly after: string | null;
}

/**
 * Rows in the order of their keys, a page at a time. A page may be short before the last one: where Milvus puts answers of
 * several shards together, it stops at the end of the first.
 */
export async function* readRows(
  client: MilvusClient,
  collection: SourceCollection,
  range: RowRange,
): AsyncGenerator<RowPage> {
  const key = keyOf(collection);
  let last = range.after;
  let limit = FIRST_ROWS;
  for (;;) {
    const page = await readPage(client, collection, { ...range, after: last }, limit);
    if (page === 'too large') {
      limit = Math.max(1, Math.floor(limit / GROWTH_MAX));
      continue;
    }
    const { fieldsData, columns, bytes } = page;
    const keys = columns.find(({ name }) => name === key.name);
    if (keys === undefined || keys.length === 0) return;
    last = largest(keys, key);
    yield { fieldsData, columns, rows: keys.length, lastKey: last };
    const fitting = Math.floor((PAGE_BYTES.aim * keys.length) / bytes);
    limit = Math.max(1, Math.min(fitting, GROWTH_MAX * limit, ROWS_MAX));
  }
}

interface ReadPage extends Pick<RowPage, 'fieldsData' | 'columns'> {
  readonly bytes: number;
}

/** `too large`: more than the server gives at once, or than an insert takes. @throws CallRefused when it does not give one row */
async function readPage(
  client: MilvusClient,
  collection: SourceCollection,
  { partition, after }: RowRange,
  limit: number,
): Promise<ReadPage | 'too large'> {
  try {
    const { fieldsData } = await client.call('Query', collection.dbName || 'default', {
      collectionName: collection.collectionName,
      expr: rowsBehind(collection, after),
      outputFields: ['*'],
      partitionNames: partition === null ? [] : [partition],
      consistencyLevel: STRONG,
      queryParams: [
        { key: 'limit', value: String(limit) },
        { key: 'iterator', value: 'True' },
        { key: 'reduce_stop_for_best', value: 'True' },
      ],
    });
    const bytes = fieldsData.reduce((sum, field) => sum + field.length, 0);
    if (bytes > PAGE_BYTES.max && limit > 1) return 'too large';
    return { fieldsData, columns: decodedColumns(fieldsData), bytes };
  } catch (error) {
    // No code says so in all versions; a refusal for another reason is told when one row is asked for.
    if (error instanceof CallRefused && limit > 1) return 'too large';
    throw error;
  }
}

/** How many rows there are. Whoever reads page by page may miss some without knowing. `null`: the server does not count. */
export async function countRows(
  client: MilvusClient,
  collection: SourceCollection,
  { partition, after }: RowRange,
): Promise<number | null> {
  try {
    const { fieldsData } = await client.call('Query', collection.dbName || 'default', {
      collectionName: collection.collectionName,
      expr: after === null ? '' : rowsBehind(collection, after),
      outputFields: ['count(*)'],
      partitionNames: partition === null ? [] : [partition],
      consistencyLevel: STRONG,
    });
    const [count] = decodedColumns(fieldsData);
    return count === undefined || count.length !== 1 ? null : Number(count.valueAt(0));
  } catch (error) {
    if (error instanceof CallRefused) return null;
    throw error;
  }
}

function keyOf({ schema }: SourceCollection): schema_FieldSchema {
  return schema!.fields.find(({ isPrimaryKey }) => isPrimaryKey)!;
}

/** `null`: all of them. */
function rowsBehind(collection: SourceCollection, after: string | null): string {
  const key = keyOf(collection);
  return after === null ? everything(key) : behind(key, after);
}

/** All rows, in an expression. Milvus reads no smallest int64 in one. */
function everything({ name, dataType }: schema_FieldSchema): string {
  return dataType === INT64 ? `${name} < 0 || ${name} >= 0` : `${name} >= ""`;
}

/** The rows behind a key. */
function behind({ name }: schema_FieldSchema, key: string): string {
  return key === INT64_MIN ? `${name} >= ${BigInt(key) + 1n}` : `${name} > ${key}`;
}

/** As it is written in an expression. */
function largest(keys: DecodedColumn, { dataType }: schema_FieldSchema): string {
  if (dataType !== INT64) {
    let text = '';
    for (let row = 0; row < keys.length; row++) {
      const own = keys.valueAt(row) as string;
      if (Buffer.compare(Buffer.from(own), Buffer.from(text)) > 0) text = own;
    }
    return JSON.stringify(text);
  }
  let number = BigInt(INT64_MIN);
  for (let row = 0; row < keys.length; row++) {
    const own = BigInt(keys.valueAt(row) as string);
    if (own > number) number = own;
  }
  return String(number);
}
