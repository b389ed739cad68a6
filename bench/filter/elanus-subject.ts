/** Elanus' own way from a filter to the number of rows, without the wire: one thread, nothing remembered. */
import { compilePredicate, planFilter } from '@elanus/expr';
import {
  type IndexId,
  type PartitionId,
  parseJsonPath,
  type SegmentId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import { LoopShare, systemClock } from '@elanus/runtime';
import {
  blocksOf,
  buildScalarIndex,
  countShards,
  FilterCache,
  type Read,
  ScalarIndexes,
  Shard,
  scalarIndexSpec,
} from '@elanus/segment';
import { batchOf, FIELDS, type FilterQuestion, SCHEMA } from './filter-data.ts';

const BATCH_ROWS = 50_000;
const share = new LoopShare(systemClock);

export class ElanusSubject {
  readonly #shard = new Shard({ segmentId: 1n as SegmentId, schema: SCHEMA, seed: 1, share });
  readonly #indexes = new ScalarIndexes();
  readonly #none = new ScalarIndexes();
  readonly #built = new Set<string>();

  static async withRows(rows: number): Promise<ElanusSubject> {
    const subject = new ElanusSubject();
    for (let start = 0, time = 1n; start < rows; start += BATCH_ROWS, time++) {
      const batch = batchOf(start, Math.min(rows, start + BATCH_ROWS));
      const parts = [{ partitionId: 1n as PartitionId, batch }];
      const record = { kind: 'insert', duplicates: 'replace', parts } as const;
      (await subject.#shard.prepare(record, time as Timestamp))!.publish();
    }
    return subject;
  }

  /** Builds the index that helps with a question; the milliseconds of processor time that it took. */
  build({ index: { field: name, type, path, cast } }: FilterQuestion): number | null {
    const key = `${type} ${path ?? name}`;
    if (this.#built.has(key)) return null;
    this.#built.add(key);
    const field = FIELDS.find((one) => one.name === name)!;
    const spec = scalarIndexSpec({
      indexType: type,
      field,
      steps: path === undefined ? null : parseJsonPath(path, field),
      castType: cast ?? null,
      gramMin: 3,
    })!;
    const pieces = this.#indexes.open(BigInt(this.#built.size) as IndexId, spec);
    const planned = pieces.nextPiece(
      this.#shard.view({ partitionIds: null, at: TIMESTAMP_MAX }),
      'going-on',
    )!;
    const before = process.cpuUsage();
    pieces.adopt(planned, buildScalarIndex(spec, blocksOf(planned, spec.place), 1));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  }

  /** Rows that match, found without any index, or with those that were built. */
  async count(filter: string, ways: 'scan' | 'indexes'): Promise<number> {
    const predicate = planFilter(filter, SCHEMA)!;
    const read: Read = {
      shards: [this.#shard],
      scope: { partitionIds: null, at: TIMESTAMP_MAX },
      selection: { keys: null, matches: compilePredicate(predicate), predicate },
      filters: {
        cache: new FilterCache(0),
        indexes: ways === 'scan' ? this.#none : this.#indexes,
        threads: null,
      },
      share,
    };
    return await countShards(read);
  }
}
