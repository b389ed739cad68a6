/** A thread of its own that inserts: the latency of a search is measured beside it, not behind it. */
import { parentPort, workerData } from 'node:worker_threads';
import { LeanConnection } from './lean-connection.ts';
import { drain } from './measure.ts';
import { insert } from './messages.ts';
import { expectInserted } from './section-insert.ts';
import { clusteredVectors, INSERT_LOAD_SEED } from './vectors.ts';

export interface InsertLoad {
  readonly host: string;
  readonly port: number;
  readonly collection: string;
  readonly dim: number;
  readonly batchRows: number;
  readonly batches: number;
  readonly connections: number;
  /** How many different batches there are; 1 by default: every batch holds the same vectors. */
  readonly distinctBatches?: number;
}

const {
  host,
  port,
  collection,
  dim,
  batchRows,
  batches,
  connections,
  distinctBatches = 1,
} = workerData as InsertLoad;
const batchLength = batchRows * dim;
const vectors = clusteredVectors(distinctBatches * batchRows, dim, INSERT_LOAD_SEED);
const requests = Array.from({ length: batches }, (_, at) => {
  const from = (at % distinctBatches) * batchLength;
  return insert(collection, at * batchRows, vectors.subarray(from, from + batchLength), dim);
});
const lines = await Promise.all(
  Array.from({ length: connections }, () => LeanConnection.connect(host, port)),
);
parentPort!.once('message', async () => {
  const seconds = await drain(lines, requests, expectInserted);
  for (const line of lines) line.close();
  parentPort!.postMessage(seconds);
});
parentPort!.postMessage('ready');
