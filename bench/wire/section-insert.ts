import { diskRate } from './disk-rate.ts';
import type { LeanConnection } from './lean-connection.ts';
import { drain, quantile, withConnections } from './measure.ts';
import { ask, createCollection, createFlatIndex, decode, insert } from './messages.ts';
import type { Peer } from './peers.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const MEBIBYTE = 1024 * 1024;
const BYTES_PER_TURN = 60 * 1000 * 1000;
const BYTES_PER_TURN_LITE = 2 * 1000 * 1000;
/** 255 to 285 MB/s at 4,000 to 6,000 syncs/s, which the goal speaks of, is a disk that syncs pieces of about so many bytes. */
const SMALL_PIECE_BYTES = 64 * 1024;
const SMALL_BYTES_PER_TURN = 24 * 1000 * 1000;
const DIMENSIONS = [128, 768];
const BATCH_ROWS = [1_000, 5_000];
const CONNECTIONS = [1, 2, 8];
const WARM_UP_BATCHES = 100;
/** The machine's speed wanders within a second by more than what is looked for: the disk and the servers take turns. */
const ROUNDS = 7;

/**
 * Rows per second that were answered, by dimension, batch and connections, and their shares of what the disk appends and
 * syncs in small pieces and in pieces of a batch's bytes: medians of rounds in which the disk and each server have a turn.
 */
export async function measureInsert(peers: readonly Peer[], table: Table): Promise<void> {
  for (const peer of peers)
    await insertRun(peer, { dim: 128, batchRows: 1_000, connections: 2, batches: WARM_UP_BATCHES });
  for (const dim of DIMENSIONS)
    for (const batchRows of BATCH_ROWS)
      for (const connections of CONNECTIONS) await insertCell(peers, table, { dim, batchRows, connections });
}

type Cell = Omit<InsertRun, 'batches'>;

async function insertCell(peers: readonly Peer[], table: Table, cell: Cell): Promise<void> {
  const { dim, batchRows, connections } = cell;
  const bytesPerRow = dim * 4;
  const bytesPerBatch = batchRows * bytesPerRow;
  const smallPieceRates: number[] = [];
  const batchRates: number[] = [];
  const rates = new Map<Peer, number[]>(peers.map((peer) => [peer, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    smallPieceRates.push(diskRate(SMALL_PIECE_BYTES, SMALL_BYTES_PER_TURN));
    batchRates.push(diskRate(bytesPerBatch, BYTES_PER_TURN));
    for (const peer of peers) {
      const bytes = peer.name.startsWith('milvus-lite') ? BYTES_PER_TURN_LITE : BYTES_PER_TURN;
      const batches = Math.max(connections, Math.ceil(bytes / bytesPerBatch));
      rates.get(peer)!.push(await insertRun(peer, { ...cell, batches }));
    }
  }
  for (const [peer, rowsPerSecond] of rates) {
    const shareOf = (diskRates: readonly number[]) => {
      const ofDisk = rowsPerSecond.map((rate, round) => (rate * bytesPerRow) / diskRates[round]!);
      const mebibytes = Math.round(quantile(diskRates, 0.5) / MEBIBYTE);
      return `${Math.round(quantile(ofDisk, 0.5) * 100)} % of the disk's ${mebibytes} MiB/s`;
    };
    const syncs = Math.round(quantile(smallPieceRates, 0.5) / SMALL_PIECE_BYTES);
    table.add(peer, {
      measurement: `insert ${batchRows} x ${dim}, ${connections} connections`,
      value: quantile(rowsPerSecond, 0.5),
      unit: 'rows/s',
      better: 'more',
      note: `${shareOf(smallPieceRates)} in pieces of ${SMALL_PIECE_BYTES / 1024} KiB (${syncs} syncs/s), ${shareOf(batchRates)} in pieces of a batch`,
    });
  }
}

interface InsertRun {
  readonly dim: number;
  readonly batchRows: number;
  readonly connections: number;
  readonly batches: number;
}

async function insertRun(peer: Peer, { dim, batchRows, connections, batches }: InsertRun): Promise<number> {
  const collection = `insert_${dim}_${batchRows}_${connections}`;
  const vectors = clusteredVectors(batchRows, dim, 1);
  return await withConnections(peer, connections, async (lines) => {
    await emptyCollection(lines[0]!, collection, dim);
    const requests = Array.from({ length: batches }, (_, at) =>
      insert(collection, at * batchRows, vectors, dim),
    );
    const seconds = await drain(lines, requests, expectInserted);
    await ask(lines[0]!, 'DropCollection', { collectionName: collection }, 'common.Status');
    return (batches * batchRows) / seconds;
  });
}

/** A loaded collection without rows. */
export async function emptyCollection(
  connection: LeanConnection,
  collection: string,
  dim: number,
): Promise<void> {
  await ask(connection, 'CreateCollection', createCollection(collection, dim), 'common.Status');
  await ask(connection, 'CreateIndex', createFlatIndex(collection), 'common.Status');
  await ask(connection, 'LoadCollection', { collectionName: collection, replicaNumber: 1 }, 'common.Status');
}

export function expectInserted(answer: Buffer): void {
  // A MutationResult that begins with a status of two bytes or fewer is a success: decode only the others.
  if (answer.length > 1 && answer[0] === 0x0a && answer[1]! > 2) {
    const { status } = decode('milvus.MutationResult', answer);
    if (status?.code || status?.errorCode) throw new Error(`Insert: ${status.reason}`);
  }
}
