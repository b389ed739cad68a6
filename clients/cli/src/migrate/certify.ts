import { decode, encode } from '@elanus/proto';
import { indexesOf, type SourceCollection } from './copy-collection.ts';
import { CallRefused, type MilvusClient } from './milvus-client.ts';
import { readRows } from './read-rows.ts';
import { type DecodedColumn, decodedColumns, RowChecksum } from './row-values.ts';

/** What both servers say of one collection. */
export interface CollectionCertificate {
  readonly database: string;
  readonly collection: string;
  /** Those that were read. */
  readonly rows: { readonly source: number; readonly target: number };
  /** What the servers themselves count; `null`: one that can't. */
  readonly counted: { readonly source: number | null; readonly target: number | null };
  readonly checksum: { readonly source: string; readonly target: string };
  /** Of the hits of sampled queries, by field: 0 to 1. */
  readonly overlap: Readonly<Record<string, number>>;
  readonly isEqual: boolean;
}

const FLOAT_VECTOR = 101;
const STRONG = 0;
const QUERIES = 20;
const HITS = 10;

/** Reads all rows of both again and compares them, and the answers to queries by vectors of theirs. */
export async function certify(
  source: MilvusClient,
  target: MilvusClient,
  collection: SourceCollection,
): Promise<CollectionCertificate> {
  const [there, here] = [await summary(source, collection), await summary(target, collection)];
  const counted = { source: await countOf(source, collection), target: await countOf(target, collection) };
  const overlap: Record<string, number> = {};
  for (const index of await indexesOf(source, collection)) {
    const field = collection.schema!.fields.find(({ name }) => name === index.fieldName);
    const vectors = there.vectors.get(index.fieldName) ?? [];
    if (field?.dataType !== FLOAT_VECTOR || vectors.length === 0) continue;
    const metric = index.params.find(({ key }) => key === 'metric_type')?.value ?? 'L2';
    const ask = { collection, field: field.name, metric, vectors };
    const [hits, own] = [await hitsOf(source, ask), await hitsOf(target, ask)];
    const shared = hits.map(
      (ids, at) => ids.filter((id) => own[at]!.includes(id)).length / Math.max(1, ids.length),
    );
    overlap[field.name] = shared.reduce((sum, one) => sum + one, 0) / shared.length;
  }
  return {
    database: collection.dbName || 'default',
    collection: collection.collectionName,
    rows: { source: there.checksum.rows, target: here.checksum.rows },
    counted,
    checksum: { source: there.checksum.text, target: here.checksum.text },
    overlap,
    isEqual:
      there.checksum.rows === here.checksum.rows &&
      there.checksum.text === here.checksum.text &&
      [there.checksum.rows, null].includes(counted.source) &&
      [here.checksum.rows, null].includes(counted.target),
  };
}

/** Whoever reads page by page may miss rows without knowing. `null`: the server does not count. */
async function countOf(
  client: MilvusClient,
  { collectionName, dbName }: SourceCollection,
): Promise<number | null> {
  const request = { collectionName, expr: '', outputFields: ['count(*)'], consistencyLevel: STRONG };
  try {
    const { fieldsData } = await client.call('Query', dbName || 'default', request);
    const [count] = decodedColumns(fieldsData);
    return count === undefined || count.length !== 1 ? null : Number(count.valueAt(0));
  } catch (error) {
    if (error instanceof CallRefused) return null;
    throw error;
  }
}

interface Summary {
  readonly checksum: RowChecksum;
  /** Some of each field. */
  readonly vectors: ReadonlyMap<string, readonly (readonly number[])[]>;
}

async function summary(client: MilvusClient, collection: SourceCollection): Promise<Summary> {
  const checksum = new RowChecksum();
  const vectors = new Map<string, (readonly number[])[]>();
  const fields = collection.schema!.fields.filter(({ dataType }) => dataType === FLOAT_VECTOR);
  for await (const { columns } of readRows(client, collection, { partition: null, after: null })) {
    checksum.add(columns);
    for (const { name } of fields) {
      const known = vectors.get(name) ?? [];
      vectors.set(name, known);
      const column = columns.find((each) => each.name === name);
      if (column !== undefined) sample(column, known);
    }
  }
  return { checksum, vectors };
}

/** Rows that lie evenly in the first page. */
function sample(column: DecodedColumn, known: (readonly number[])[]): void {
  const step = Math.max(1, Math.floor(column.length / QUERIES));
  for (let row = 0; row < column.length && known.length < QUERIES; row += step) {
    const vector = column.valueAt(row);
    if (Array.isArray(vector)) known.push(vector as readonly number[]);
  }
}

async function hitsOf(
  client: MilvusClient,
  ask: {
    readonly collection: SourceCollection;
    readonly field: string;
    readonly metric: string;
    readonly vectors: readonly (readonly number[])[];
  },
): Promise<string[][]> {
  const { collectionName, dbName } = ask.collection;
  const values = ask.vectors.map((vector) => new Uint8Array(Float32Array.from(vector).buffer));
  const { results } = await client.call('Search', dbName || 'default', {
    collectionName,
    dslType: 1,
    placeholderGroup: encode('common.PlaceholderGroup', {
      placeholders: [{ tag: '$0', type: FLOAT_VECTOR, values }],
    }),
    nq: BigInt(values.length),
    consistencyLevel: STRONG,
    searchParams: Object.entries({
      anns_field: ask.field,
      topk: String(HITS),
      metric_type: ask.metric,
      params: JSON.stringify({ ef: 128, nprobe: 64 }),
      round_decimal: '-1',
      offset: '0',
    }).map(([key, value]) => ({ key, value })),
  });
  const found = decode('schema.SearchResultData', results ?? new Uint8Array(0));
  const ids = (found.ids?.intId?.data ?? found.ids?.strId?.data ?? []).map(String);
  let from = 0;
  return found.topks.map((count) => {
    const own = ids.slice(from, from + Number(count));
    from += Number(count);
    return own;
  });
}
