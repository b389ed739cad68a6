/**
 * Loads a data set into a server, asks it questions and says how well and how fast it answered.
 *
 *   npm run example:packages                              the Debian packages, on a server of its own
 *   npm run example:packages -- --address 127.0.0.1:19530 on a server that runs
 *   npm run example:packages -- --file rows.jsonl         your own rows, one JSON object a line
 */
import { parseArgs } from 'node:util';
import { ElanusProcess } from '@elanus/tests-harness';
import { DataType, MilvusClient } from '@zilliz/milvus2-sdk-node';
import { type DataSet, loadJsonLines, loadPackages } from './data-set.ts';
import { ProgressBar } from './progress-bar.ts';

const COLLECTION = 'example_packages';
const ROWS_PER_INSERT = 500;
const HITS_PER_QUERY = 10;
/** Two sums of the same products may differ in the last bits: a hit counts when its score is this close. */
const SCORE_TOLERANCE = 1e-5;

const { values: options } = parseArgs({ options: { address: { type: 'string' }, file: { type: 'string' } } });
const data = options.file ? loadJsonLines(options.file) : loadPackages(console.log);
await using server = options.address ? undefined : await ElanusProcess.start();
const client = new MilvusClient({ address: server?.address ?? options.address! });

console.log(`Data: ${data.origin}, ${data.rowCount.toLocaleString('en')} rows`);
await createCollection(client, data);
await insertAll(client, data);
await ask(client, data);
await client.dropCollection({ collection_name: COLLECTION });
await client.closeConnection();

async function createCollection(
  client: MilvusClient,
  { fields, vectorField, metric }: DataSet,
): Promise<void> {
  await client.dropCollection({ collection_name: COLLECTION });
  const created = await client.createCollection({
    collection_name: COLLECTION,
    fields: fields.map(({ data_type, element_type, ...field }) => ({
      ...field,
      data_type: DataType[data_type as keyof typeof DataType],
      ...(element_type && { element_type: DataType[element_type as keyof typeof DataType] }),
    })),
    enable_dynamic_field: true,
    index_params: [{ field_name: vectorField, index_type: 'AUTOINDEX', metric_type: metric }],
  } as Parameters<MilvusClient['createCollection']>[0]);
  if (created.error_code !== 'Success') throw new Error(created.reason);
  await client.loadCollectionSync({ collection_name: COLLECTION });
}

async function insertAll(client: MilvusClient, data: DataSet): Promise<void> {
  using bar = new ProgressBar('Insert', data.rowCount);
  for (let start = 0; start < data.rowCount; start += ROWS_PER_INSERT) {
    const rows = data.rows(start, Math.min(start + ROWS_PER_INSERT, data.rowCount));
    const inserted = await client.insert({ collection_name: COLLECTION, data: rows as never });
    if (inserted.status.error_code !== 'Success') throw new Error(inserted.status.reason);
    bar.advance(rows.length);
  }
}

async function ask(client: MilvusClient, data: DataSet): Promise<void> {
  const names = data.fields.map((field) => field.name).filter((name) => name !== data.vectorField);
  const key = data.fields.find((field) => field.is_primary_key)!.name;
  let found = 0;
  let wanted = 0;
  const startedMs = performance.now();
  for (const query of data.queries) {
    const { results } = await client.search({
      collection_name: COLLECTION,
      anns_field: data.vectorField,
      data: [...query.vector],
      limit: HITS_PER_QUERY,
      // The SDK asks for every field unless told otherwise, vectors and long texts included.
      output_fields: [key],
      consistency_level: 'Strong' as never,
    });
    const best = query.bestScores!;
    const hits = Math.min(HITS_PER_QUERY, best.length, data.rowCount);
    const worstRight = best[hits - 1]! - SCORE_TOLERANCE;
    wanted += hits;
    found += results.filter((hit) => hit.score >= worstRight).length;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(`Recall@${HITS_PER_QUERY}: ${(found / wanted).toFixed(4)} over ${data.queries.length} queries`);
  console.log(`Queries per second, one after the other: ${Math.round(data.queries.length / seconds)}`);
  for (const query of data.queries.slice(0, 3)) {
    const { results } = await client.search({
      collection_name: COLLECTION,
      anns_field: data.vectorField,
      data: [...query.vector],
      limit: 3,
      output_fields: names,
    });
    console.log(`\n“${query.text}”`);
    for (const hit of results) console.log(`  ${hit.score.toFixed(3)}  ${data.describe(hit)}`);
  }
}
