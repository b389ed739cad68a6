/**
 * Rows that a Node program inserts a second by the official SDK: batches of 5,000 vectors of 128 dimensions, which it has as
 * arrays. `node-sdk-inserts.ts HOST PORT ROWS`.
 */
import { performance } from 'node:perf_hooks';
import { DataType, MilvusClient } from '@zilliz/milvus2-sdk-node';
import { clusteredVectors } from './vectors.ts';

const COLLECTION = 'inserted_by_the_node_sdk';
const DIM = 128;
const BATCH_ROWS = 5_000;

const [host, port, rows] = process.argv.slice(2) as [string, string, string];
const client = new MilvusClient({ address: `${host}:${port}` });
await client.createCollection({
  collection_name: COLLECTION,
  fields: [
    { name: 'id', data_type: DataType.Int64, is_primary_key: true },
    { name: 'vector', data_type: DataType.FloatVector, dim: DIM },
  ],
});
const numbers = clusteredVectors(BATCH_ROWS, DIM, 8);
const vectors = Array.from({ length: BATCH_ROWS }, (_, row) => [
  ...numbers.subarray(row * DIM, (row + 1) * DIM),
]);
const startedMs = performance.now();
for (let first = 0; first < Number(rows); first += BATCH_ROWS) {
  const data = vectors.map((vector, at) => ({ id: first + at, vector }));
  const { status } = await client.insert({ collection_name: COLLECTION, data });
  if (status.error_code !== 'Success') throw new Error(status.reason);
}
console.log((1000 * Number(rows)) / (performance.now() - startedMs));
await client.dropCollection({ collection_name: COLLECTION });
await client.closeConnection();
