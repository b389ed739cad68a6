import type { IndexedRows } from './indexed-collection.ts';
import type { Line } from './measure.ts';
import type { Request } from './messages.ts';
import type { Peer } from './peers.ts';
import { copied, execute, int32, PostgresLine, prepare, vectorValue } from './postgres-line.ts';
import { GRAPH, LIMIT, type SearchSubject } from './search-subject.ts';

const BATCH_ROWS = 2_000;
const BUILD_MEMORY = '2GB';
/** Of a row of the answer: the length of its only value, and the value. */
const ROW_BYTES = 8;
const EF_MAX = 1_000;

/** PostgreSQL with pgvector. */
export class PgvectorSubject implements SearchSubject {
  readonly takesBatches = false;
  readonly #peer: Peer;
  readonly #dim: number;

  constructor(peer: Peer, dim: number) {
    this.#peer = peer;
    this.#dim = dim;
  }

  open(): Promise<PostgresLine> {
    return PostgresLine.connect(this.#peer.host);
  }

  async fill(line: PostgresLine, { dim, vectors, numbers }: IndexedRows): Promise<void> {
    await line.run(`create table items (id int primary key, number int, vector vector(${dim}))`);
    const rows = vectors.length / dim;
    for (let first = 0; first < rows; first += BATCH_ROWS) {
      const batch = Array.from({ length: Math.min(BATCH_ROWS, rows - first) }, (_, at) => [
        int32(first + at),
        int32(numbers?.[first + at] ?? 0),
        vectorValue(vectors.subarray((first + at) * dim, (first + at + 1) * dim)),
      ]);
      await line.copy('copy items from stdin (format binary)', copied(batch));
    }
    await line.run(`set maintenance_work_mem = '${BUILD_MEMORY}'`);
    const graph = `with (m = ${GRAPH.M}, ef_construction = ${GRAPH.efConstruction})`;
    await line.run(`create index on items using hnsw (vector vector_l2_ops) ${graph}`);
    await line.run('vacuum analyze items');
  }

  async useEf(lines: readonly PostgresLine[], ef: number): Promise<void> {
    for (const line of lines) {
      // Goes on where a filter has left too few of those in view.
      await line.run('set hnsw.iterative_scan = relaxed_order');
      await line.run(`set hnsw.ef_search = ${Math.min(ef, EF_MAX)}; deallocate all`);
      await line.call('', prepare('all', `select id from items order by vector <-> $1 limit ${LIMIT}`));
      const filtered = `select id from items where number < $2 order by vector <-> $1 limit ${LIMIT}`;
      await line.call('', prepare('some', filtered));
    }
  }

  requestOf(queries: Float32Array, _ef: number, below: number | null): Request {
    const vector = vectorValue(queries.subarray(0, this.#dim));
    return below === null
      ? { path: '', frame: execute('all', [vector]) }
      : { path: '', frame: execute('some', [vector, int32(below)]) };
  }

  idsOf(answer: Buffer): readonly number[] {
    return Array.from({ length: answer.length / ROW_BYTES }, (_, row) =>
      answer.readInt32BE(row * ROW_BYTES + 4),
    );
  }

  async drop(line: Line): Promise<void> {
    await (line as PostgresLine).run('drop table items');
  }
}
