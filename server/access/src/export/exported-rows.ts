import {
  type CollectionInfo,
  type Column,
  DataType,
  type FieldId,
  type KeyColumn,
  type PartitionId,
  TIMESTAMP_MAX,
  type Timestamp,
} from '@elanus/model';
import type { ReadTask, RowLocations } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { planServedFilter } from '../read/served-filter.ts';

/** Rows whose keys and places are in memory at a time. */
const PAGE_ROWS = 128 * 1024;

/** Which rows are wanted, as of one moment. */
export interface RowSelection {
  readonly collection: CollectionInfo;
  readonly partitionIds: readonly PartitionId[] | null;
  /** Empty: all. */
  readonly filter: string;
  /** `null`: of when they are first asked for. */
  readonly asOf: Timestamp | null;
}

/** Some rows: a column for each field that was asked for. */
export interface ExportedBatch {
  readonly rows: number;
  readonly columns: ReadonlyMap<FieldId, Column>;
}

/** Rows of a collection as of one moment, in the order of their keys, as often as they are asked for. */
export class ExportedRows {
  readonly #selection: RowSelection;
  readonly #dependencies: Pick<AccessDependencies, 'reader' | 'share'>;
  readonly #signal: AbortSignal;
  #snapshot: Timestamp | null;

  constructor(
    selection: RowSelection,
    dependencies: Pick<AccessDependencies, 'reader' | 'share'>,
    signal: AbortSignal,
  ) {
    this.#selection = selection;
    this.#snapshot = selection.asOf;
    this.#dependencies = dependencies;
    this.#signal = signal;
  }

  /** The moment; `null` before the first rows. */
  get timestamp(): Timestamp | null {
    return this.#snapshot;
  }

  /** How many there are. The moment is that of the first call of any. */
  async count(): Promise<number> {
    // A page of nothing says when.
    const first = await this.#page(null, 1);
    this.#snapshot ??= first.readTimestamp;
    const task = await this.#task(null);
    return Number(await this.#dependencies.reader.count(task, { signal: this.#signal }));
  }

  /** Batches of at most `rowsMax` rows, the first `skip` rows left out. */
  async *batches(fields: readonly FieldId[], rowsMax: number, skip = 0): AsyncGenerator<ExportedBatch> {
    const { collection } = this.#selection;
    // Rows of equal keys may lie across the end of a page, which goes on behind its last key.
    const isPaged = collection.duplicateKey !== 'keep';
    const pageRows = isPaged ? PAGE_ROWS : null;
    let after: bigint | string | null = null;
    let left = skip;
    for (;;) {
      const { keys, locations, readTimestamp } = await this.#page(after, pageRows);
      this.#snapshot ??= readTimestamp;
      const first = Math.min(left, keys.length);
      left -= first;
      for (let from = first; from < keys.length; from += rowsMax) {
        this.#signal.throwIfAborted();
        const to = Math.min(keys.length, from + rowsMax);
        const own: RowLocations = {
          segmentIds: locations.segmentIds,
          segments: locations.segments.subarray(from, to),
          rows: locations.rows.subarray(from, to),
        };
        yield { rows: to - from, columns: await this.#dependencies.reader.fetch(collection.id, own, fields) };
      }
      if (!isPaged || keys.length < PAGE_ROWS) return;
      after = lastKey(keys);
    }
  }

  async #page(after: bigint | string | null, limit: number | null) {
    const task = await this.#task(after);
    return await this.#dependencies.reader.query({ ...task, limit, offset: 0 }, { signal: this.#signal });
  }

  async #task(after: bigint | string | null): Promise<ReadTask> {
    const { collection, partitionIds, filter } = this.#selection;
    const { schema } = collection;
    const own = filter.trim() === '' ? [] : [`(${filter})`];
    const behind = after === null ? [] : [`${schema.primaryKey.name} > {elanus_after}`];
    const templates = new Map(
      after === null
        ? []
        : [['elanus_after', typeof after === 'bigint' ? { int64Val: after } : { stringVal: after }]],
    );
    const text = [...own, ...behind].join(' and ');
    const predicate =
      text === ''
        ? null
        : await planServedFilter(this.#dependencies, schema, text, templates as never, 'UTC');
    return {
      collection,
      partitionIds,
      guarantee: TIMESTAMP_MAX,
      snapshot: this.#snapshot,
      filter: predicate,
    };
  }
}

function lastKey(keys: KeyColumn): bigint | string {
  const row = keys.length - 1;
  if (keys.dataType === DataType.Int64) return keys.values[row]!;
  return Buffer.from(keys.bytes.subarray(keys.offsets[row], keys.offsets[row + 1])).toString();
}
