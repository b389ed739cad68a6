import { untilAtRest } from './at-rest.ts';
import { type IndexedRows, indexedCollection } from './indexed-collection.ts';
import { LeanConnection } from './lean-connection.ts';
import { ask, type Request, search, searchIds } from './messages.ts';
import type { Peer } from './peers.ts';
import { GRAPH, LIMIT, type SearchSubject } from './search-subject.ts';

/** Elanus, and whoever speaks as it does. */
export class MilvusSubject implements SearchSubject {
  readonly takesBatches = true;
  readonly #peer: Peer;
  readonly #dim: number;
  readonly #collection: string;

  constructor(peer: Peer, dim: number) {
    this.#peer = peer;
    this.#dim = dim;
    this.#collection = `search_${dim}`;
  }

  open(): Promise<LeanConnection> {
    return LeanConnection.connect(this.#peer.host, this.#peer.port);
  }

  async fill(line: LeanConnection, rows: IndexedRows): Promise<void> {
    await indexedCollection(line, this.#collection, rows, GRAPH);
    if (this.#peer.admin !== null) await untilAtRest(this.#peer, rows.vectors.length / rows.dim);
  }

  /** Each request says it. */
  async useEf(): Promise<void> {}

  requestOf(queries: Float32Array, ef: number, below: number | null): Request {
    const settings = { limit: LIMIT, consistency: 'bounded', parameters: { ef } } as const;
    const filter = below === null ? {} : { filter: `number < ${below}` };
    return search(this.#collection, queries, this.#dim, { ...settings, ...filter });
  }

  idsOf(answer: Buffer): readonly number[] {
    return searchIds(answer);
  }

  async drop(line: LeanConnection): Promise<void> {
    await ask(line, 'DropCollection', { collectionName: this.#collection }, 'common.Status');
  }
}
