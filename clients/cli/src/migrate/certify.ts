import { CallRefused, type MilvusClient } from './milvus-client.ts';
import { overlapOf, VECTOR_TYPES } from './overlap.ts';
import { countRows, readRows } from './read-rows.ts';
import { RowChecksum } from './row-values.ts';
import { SampledVectors } from './sampled-vectors.ts';
import { indexesOf, type SourceCollection } from './source-collection.ts';

/** What both servers say of one collection. */
export interface CollectionCertificate {
  readonly database: string;
  readonly collection: string;
  /** Those that were read. */
  readonly rows: { readonly source: number; readonly target: number };
  /** What the servers themselves count; `null`: one that can't. */
  readonly counted: { readonly source: number | null; readonly target: number | null };
  readonly checksum: { readonly source: string; readonly target: string };
  /** Of the hits of sampled queries, by field: 0 to 1; `null`: one of the servers refuses them. */
  readonly overlap: Readonly<Record<string, number | null>>;
  readonly isEqual: boolean;
}

const EVERYTHING = { partition: null, after: null };

/** Reads all rows of both again and compares them, and the answers to queries by vectors of theirs. */
export async function certify(
  source: MilvusClient,
  target: MilvusClient,
  collection: SourceCollection,
): Promise<CollectionCertificate> {
  const vectors = collection.schema!.fields.filter(
    ({ dataType }) => dataType >= VECTOR_TYPES.first && dataType <= VECTOR_TYPES.last,
  );
  const sampled = new SampledVectors(vectors.map(({ name }) => name));
  const there = await checksumOf(source, collection, sampled);
  const here = await checksumOf(target, collection);
  const counted = {
    source: await countRows(source, collection, EVERYTHING),
    target: await countRows(target, collection, EVERYTHING),
  };
  const overlap: Record<string, number | null> = {};
  for (const { fieldName, params } of await indexesOf(source, collection)) {
    const field = vectors.find(({ name }) => name === fieldName);
    const queries = sampled.of(fieldName);
    if (field === undefined || queries.length === 0) continue;
    const metric = params.find(({ key }) => key === 'metric_type')?.value ?? 'L2';
    const ask = { field: fieldName, dataType: field.dataType, metric, vectors: queries };
    overlap[fieldName] = await unlessRefused(overlapOf(source, target, collection, ask));
  }
  return {
    database: collection.dbName || 'default',
    collection: collection.collectionName,
    rows: { source: there.rows, target: here.rows },
    counted,
    checksum: { source: there.text, target: here.text },
    overlap,
    isEqual:
      there.rows === here.rows &&
      there.text === here.text &&
      [there.rows, null].includes(counted.source) &&
      [here.rows, null].includes(counted.target),
  };
}

async function checksumOf(
  client: MilvusClient,
  collection: SourceCollection,
  sampled?: SampledVectors,
): Promise<RowChecksum> {
  const checksum = new RowChecksum();
  for await (const { columns } of readRows(client, collection, EVERYTHING))
    checksum.add(columns, (row, hash) => sampled?.offer(hash, columns, row));
  return checksum;
}

async function unlessRefused(asked: Promise<number>): Promise<number | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof CallRefused) return null;
    throw error;
  }
}
