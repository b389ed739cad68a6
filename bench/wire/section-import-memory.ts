import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { HttpConnection } from './http-connection.ts';
import { importDirectory, importFile, jsonLinesFile, numpyFiles, parquetFile } from './import-files.ts';
import { withConnections } from './measure.ts';
import { ask } from './messages.ts';
import { startElanus } from './peers.ts';
import { emptyCollection } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const DIM = 128;
const GROUP_ROWS = 5_000;

interface Format {
  readonly name: string;
  readonly rows: { readonly small: number; readonly large: number };
  /** The files that were written. */
  write(name: string, rows: number, vectors: Float32Array): Promise<readonly string[]>;
}

/** Rows are staged by 48 MiB of columns: small files have several of these; of JSON lines, which take long, one. */
const FORMATS: readonly Format[] = [
  {
    name: 'Parquet',
    rows: { small: 500_000, large: 3_000_000 },
    write: async (name, rows, vectors) => {
      const path = join(importDirectory, `${name}.parquet`);
      await parquetFile(path, rows, vectors, DIM);
      return [path];
    },
  },
  {
    name: 'NumPy',
    rows: { small: 500_000, large: 3_000_000 },
    write: async (name, rows, vectors) => {
      const folder = join(importDirectory, name);
      mkdirSync(folder);
      return await numpyFiles(folder, rows, vectors, DIM);
    },
  },
  {
    name: 'JSON lines',
    rows: { small: 100_000, large: 400_000 },
    write: async (name, rows, vectors) => {
      const path = join(importDirectory, `${name}.jsonl`);
      await jsonLinesFile(path, rows, vectors, DIM);
      return [path];
    },
  },
];

/**
 * How much more memory an import takes whose files are several times as large: the most that a server which was just started has of
 * its own. The name of the server.
 */
export async function measureImportMemory(table: Table, scale: number): Promise<string> {
  let shown = '';
  const vectors = clusteredVectors(GROUP_ROWS, DIM, 2);
  for (const format of FORMATS) {
    for (const size of ['small', 'large'] as const) {
      const rows = Math.ceil((format.rows[size] * scale) / GROUP_ROWS) * GROUP_ROWS;
      const files = await format.write(`${format.name} ${size}`, rows, vectors);
      const peer = await startElanus();
      const line = new HttpConnection(peer);
      try {
        await withConnections(peer, 1, async ([connection]) => {
          await emptyCollection(connection!, 'imported', DIM);
          const { seconds, peakMiB } = await importFile(peer, line, { collection: 'imported', files });
          shown = peer.name;
          const note = `${Math.round(rows / seconds)} rows/s`;
          const measurement = `peak memory of an import, ${rows} x ${DIM}, ${format.name}`;
          table.add(peer, { measurement, value: peakMiB, unit: 'MiB', better: 'less', note });
          await ask(connection!, 'DropCollection', { collectionName: 'imported' }, 'common.Status');
        });
      } finally {
        line.close();
        await peer.stop();
      }
    }
  }
  return shown;
}
