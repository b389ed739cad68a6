import type { milvus_DescribeCollectionResponse, schema_FieldSchema } from '@elanus/proto';
import type { MilvusClient } from './milvus-client.ts';
import { type DecodedColumn, decodedColumns } from './row-values.ts';

const STRONG = 0;
const INT64 = 5;
const INT64_MIN = String(-(2n ** 63n));
/** Milvus' own limit of a read. */
const ROWS_MAX = 16_384;
const ROWS_MIN = 64;
/** Bytes of an answer that are aimed at. */
const PAGE_BYTES = 4 * 1024 * 1024;
/** Bytes of a value without a fixed size. */
const VALUE_BYTES = 64;

export interface RowPage {
  /** As they came. */
  readonly fieldsData: readonly Uint8Array[];
  readonly columns: readonly DecodedColumn[];
  readonly rows: number;
  /** The largest. */
  readonly lastKey: string;
}

/**
 * Rows of a collection or a partition in the order of their keys, a page at a time. A page may be short before the last one:
 * where Milvus puts answers of several shards together, it stops at the end of the first.
 */
export async function* readRows(
  client: MilvusClient,
  { dbName, collectionName, schema }: milvus_DescribeCollectionResponse,
  { partition, after }: { readonly partition: string | null; readonly after: string | null },
): AsyncGenerator<RowPage> {
  const key = schema!.fields.find(({ isPrimaryKey }) => isPrimaryKey)!;
  const limit = pageRows(schema!.fields);
  let last = after;
  for (;;) {
    const { fieldsData } = await client.call('Query', dbName || 'default', {
      collectionName,
      expr: last === null ? everything(key) : behind(key, last),
      outputFields: ['*'],
      partitionNames: partition === null ? [] : [partition],
      consistencyLevel: STRONG,
      queryParams: [
        { key: 'limit', value: String(limit) },
        { key: 'iterator', value: 'True' },
        { key: 'reduce_stop_for_best', value: 'True' },
      ],
    });
    const columns = decodedColumns(fieldsData);
    const keys = columns.find(({ name }) => name === key.name);
    if (keys === undefined || keys.length === 0) return;
    last = largest(keys, key);
    yield { fieldsData, columns, rows: keys.length, lastKey: last };
  }
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

function pageRows(fields: readonly schema_FieldSchema[]): number {
  const rowBytes = fields.reduce((sum, { typeParams }) => {
    const dim = Number(typeParams.find(({ key }) => key === 'dim')?.value ?? 0);
    return sum + (dim === 0 ? VALUE_BYTES : 4 * dim);
  }, 0);
  return Math.max(ROWS_MIN, Math.min(ROWS_MAX, Math.floor(PAGE_BYTES / rowBytes)));
}
