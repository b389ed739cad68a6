/** Files of the same rows in several formats, and their import. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { npyHeader, ParquetFileWriter } from '@elanus/formats';
import type { HttpConnection } from './http-connection.ts';
import type { Peer } from './peers.ts';

const POLL_MS = 20;

/** Where the servers that are started may read files. */
export const importDirectory = mkdtempSync(join(process.env.ELANUS_BENCH_DIR ?? tmpdir(), 'bench-import-'));
process.env.ELANUS_IMPORT_DIRECTORY = importDirectory;
process.once('exit', () => rmSync(importDirectory, { recursive: true, force: true }));

export interface Imported {
  readonly seconds: number;
  /** The most memory of its own that the server had meanwhile. */
  readonly peakMiB: number;
}

/** From the call until all rows can be read, and durably. Throws when the import fails. */
export async function importFile(
  peer: Peer,
  line: HttpConnection,
  { collection, files }: { readonly collection: string; readonly files: readonly string[] },
): Promise<Imported> {
  const post = async (call: string, body: object) =>
    JSON.parse(await line.post(`/v2/vectordb/jobs/import/${call}`, Buffer.from(JSON.stringify(body))))
      .data as {
      jobId: string;
      state: string;
      reason?: string;
    };
  let peakMiB = peer.memory().ownMiB;
  const startedMs = performance.now();
  const { jobId } = await post('create', { collectionName: collection, files: [files] });
  for (;;) {
    const { state, reason } = await post('describe', { jobId });
    if (state === 'Failed') throw new Error(reason);
    if (state === 'Completed') return { seconds: (performance.now() - startedMs) / 1000, peakMiB };
    peakMiB = Math.max(peakMiB, peer.memory().ownMiB);
    await sleep(POLL_MS);
  }
}

/** Rows with ids from 0 on, whose vectors are those of `vectors` over and over: a row group for each round. */
export async function parquetFile(
  path: string,
  rows: number,
  vectors: Float32Array,
  dim: number,
): Promise<void> {
  const groupRows = vectors.length / dim;
  const writer = new ParquetFileWriter([
    { name: 'id', type: 'int64', nullable: false },
    { name: 'vector', type: { list: 'float' }, nullable: false },
  ]);
  await using file = await open(path, 'w');
  const lists = listsOf(vectors, dim);
  for (let from = 0; from < rows; from += groupRows) {
    const ids = Array.from({ length: groupRows }, (_, row) => BigInt(from + row));
    const columns = new Map<string, readonly (bigint | readonly number[])[]>([
      ['id', ids],
      ['vector', lists],
    ]);
    await file.writeFile(await writer.write(groupRows, columns));
  }
  await file.writeFile(await writer.finish());
}

/** The same rows as files of NumPy in a folder, one for each field. */
export async function numpyFiles(
  folder: string,
  rows: number,
  vectors: Float32Array,
  dim: number,
): Promise<readonly string[]> {
  const paths = [join(folder, 'id.npy'), join(folder, 'vector.npy')] as const;
  await using ids = await open(paths[0], 'w');
  await ids.writeFile(npyHeader('<i8', [rows]));
  await ids.writeFile(BigInt64Array.from({ length: rows }, (_, row) => BigInt(row)));
  await using file = await open(paths[1], 'w');
  await file.writeFile(npyHeader('<f4', [rows, dim]));
  await eachRound(rows, vectors.length / dim, () => file.writeFile(vectors));
  return paths;
}

/** The same rows as JSON, one on each line, numbers of four digits. */
export async function jsonLinesFile(
  path: string,
  rows: number,
  vectors: Float32Array,
  dim: number,
): Promise<void> {
  await using file: FileHandle = await open(path, 'w');
  const texts = listsOf(vectors, dim).map((vector) =>
    JSON.stringify(vector.map((one) => Number(one.toFixed(4)))),
  );
  await eachRound(rows, texts.length, (from) =>
    file.writeFile(texts.map((text, row) => `{"id":${from + row},"vector":${text}}\n`).join('')),
  );
}

async function eachRound(rows: number, size: number, write: (from: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < rows; from += size) await write(from);
}

function listsOf(vectors: Float32Array, dim: number): readonly number[][] {
  return Array.from({ length: vectors.length / dim }, (_, row) => [
    ...vectors.subarray(row * dim, (row + 1) * dim),
  ]);
}
