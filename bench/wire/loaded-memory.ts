import { drain, withConnections } from './measure.ts';
import { search, searchIds } from './messages.ts';
import type { Memory, Peer } from './peers.ts';
import type { Table } from './table.ts';

const QUERIES_PER_SEARCH = 100;
const CONNECTIONS = 2;
const EF = 64;
const MIB = 1024 * 1024;
/** Of an HNSW with M 16. */
const LINK_BYTES = 128;

export interface LoadedCollection {
  readonly collection: string;
  readonly rows: number;
  readonly dim: number;
  readonly layout: string;
  /** Vectors near which searches look: all of them together have to lead everywhere. */
  readonly samples: Iterable<Float32Array>;
}

/**
 * What a loaded collection with an HNSW index takes once searches have been everywhere, above `idle`: memory of the
 * process' own and mapped files that are in memory, beside vectors plus links.
 */
export async function measureLoadedMemory(
  table: Table,
  server: Peer,
  idle: Memory,
  { collection, rows, dim, layout, samples }: LoadedCollection,
): Promise<void> {
  let queries = 0;
  await withConnections(server, CONNECTIONS, async (connections) => {
    for (const vectors of samples) {
      const requests = [];
      for (let at = 0; at < vectors.length; at += QUERIES_PER_SEARCH * dim) {
        const some = vectors.subarray(at, at + QUERIES_PER_SEARCH * dim);
        requests.push(
          search(collection, some, dim, { limit: 10, consistency: 'bounded', parameters: { ef: EF } }),
        );
        queries += some.length / dim;
      }
      await drain(connections, requests, searchIds);
    }
  });
  const { ownMiB, mappedMiB } = server.memory();
  const above = { own: ownMiB - idle.ownMiB, mapped: mappedMiB - idle.mappedMiB };
  const whole = (rows * (dim * 4 + LINK_BYTES)) / MIB;
  const ratio = (above.own + above.mapped) / whole;
  table.add(server, {
    measurement: `memory above idle, ${rows.toLocaleString('en-US')} x ${dim}, HNSW ${layout}, after searches everywhere`,
    value: above.own + above.mapped,
    unit: 'MiB',
    better: 'less',
    note: `${ratio.toFixed(2)} x vectors plus links (${Math.round(whole)} MiB); own ${Math.round(above.own)}, mapped ${Math.round(above.mapped)}; ${queries} queries`,
  });
}
