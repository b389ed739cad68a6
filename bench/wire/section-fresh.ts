import { latencies, quantile, withConnections } from './measure.ts';
import { insert, search, searchIds } from './messages.ts';
import type { Peer } from './peers.ts';
import { emptyCollection, expectInserted } from './section-insert.ts';
import type { Table } from './table.ts';
import { clusteredVectors } from './vectors.ts';

const DIM = 128;
const ROWS_BEFORE = 10_000;
const ROUNDS = 60;

/** A row is inserted and at once searched for: is it found, and what does the strong read cost? */
export async function measureFreshRows(peer: Peer, table: Table): Promise<void> {
  const vectors = clusteredVectors(ROWS_BEFORE + 2 * ROUNDS, DIM, 2);
  const vectorOf = (row: number) => vectors.subarray(row * DIM, (row + 1) * DIM);
  await withConnections(peer, 1, async ([connection]) => {
    const collection = 'fresh';
    await emptyCollection(connection!, collection, DIM);
    for (let row = 0; row < ROWS_BEFORE; row += 1_000) {
      const { path, frame } = insert(collection, row, vectors.subarray(row * DIM, (row + 1_000) * DIM), DIM);
      expectInserted(await connection!.call(path, frame));
    }
    const times: Record<'strong' | 'bounded', number[]> = { strong: [], bounded: [] };
    const found = { strong: 0, bounded: 0 };
    for (let round = 0; round < 2 * ROUNDS; round += 1) {
      const consistency = round % 2 === 0 ? 'strong' : 'bounded';
      const row = ROWS_BEFORE + round;
      const written = insert(collection, row, vectorOf(row), DIM);
      expectInserted(await connection!.call(written.path, written.frame));
      const request = search(collection, vectorOf(row), DIM, { limit: 1, consistency });
      times[consistency].push(
        ...(await latencies(connection!, [request], (answer) => {
          if (searchIds(answer)[0] === row) found[consistency] += 1;
        })),
      );
    }
    for (const consistency of ['strong', 'bounded'] as const) {
      table.add(peer, {
        measurement: `${consistency} search right after an insert, p50`,
        value: quantile(times[consistency], 0.5),
        unit: 'ms',
        better: 'less',
        note: `finds the row in ${Math.round((100 * found[consistency]) / ROUNDS)} %`,
      });
    }
  });
}
