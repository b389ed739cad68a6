import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pythonWith } from '../python.ts';
import type { Peer } from './peers.ts';
import type { Table } from './table.ts';

const QUERIES = 500;
/** milvus-lite answers some fifteen a second. */
const QUERIES_LITE = 100;

/** The same through pymilvus, whose own work is most of what it takes. */
export async function measurePymilvus(peer: Peer, table: Table): Promise<void> {
  const python = pythonWith('pymilvus-2.4.15', ['pymilvus==2.4.15', 'setuptools<80']);
  const queries = peer.name.startsWith('milvus-lite') ? QUERIES_LITE : QUERIES;
  const script = join(import.meta.dirname, 'pymilvus_client.py');
  const output = execFileSync(python, [script, peer.host, String(peer.port), String(queries)], {
    encoding: 'utf8',
  });
  const figures = JSON.parse(output.trim().split('\n').at(-1)!) as Record<string, number>;
  for (const [name, value] of Object.entries(figures)) {
    const unit = name.startsWith('insert') ? 'rows/s' : 'queries/s';
    table.add(peer, { measurement: `pymilvus: ${name}`, value, unit, better: 'more' });
  }
}
