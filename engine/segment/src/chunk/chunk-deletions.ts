import type { Timestamp } from '@elanus/model';
import { firstAtLeast } from '../first-at-least.ts';
import type { Moment } from '../moment.ts';
import { grownUint32, sharedBytes, sharedUint32 } from '../shared-memory.ts';

/** Deleted before the process started: when, says the list of restored deletions. */
const DELETED_BEFORE = 0xffff_ffff;

/** Rows that were deleted before this process started, ascending, and when. */
export interface RestoredRowDeletions {
  readonly rows: Uint32Array;
  readonly timestamps: BigInt64Array;
}

/**
 * Which rows of a chunk are deleted, and since when. A deletion is marked first, for the moments at and after its write,
 * and published later, for those who read what is true now. Takes no memory until the first one.
 */
export class ChunkDeletions {
  /** Of the chunk. */
  #rows = 0;
  /** The ordinal of the write that deleted each row, 0 for none. */
  #deletedBy: Uint32Array<SharedArrayBuffer> | null = null;
  /** A bit for each row that is visible now; bits of later rows are set. Nothing while all are. */
  #live: Uint8Array<SharedArrayBuffer> | null = null;
  /** A reader holds `#live`: it may not change any more. */
  #liveIsLent = false;
  #restored: RestoredRowDeletions | null = null;

  /** Those of `rows` rows from before the process started, published. */
  static restored(rows: number, restored: RestoredRowDeletions): ChunkDeletions {
    const deletions = new ChunkDeletions();
    deletions.#rows = rows;
    if (restored.rows.length === 0) return deletions;
    deletions.#restored = restored;
    deletions.#deletedBy = sharedUint32(rows);
    for (const row of restored.rows) {
      deletions.#deletedBy[row] = DELETED_BEFORE;
      deletions.publish(row);
    }
    return deletions;
  }

  get byteLength(): number {
    return (this.#deletedBy?.byteLength ?? 0) + (this.#live?.length ?? 0);
  }

  /** When the last of the rows that were deleted before this process started was; `null`: none was. */
  get lastRestored(): Timestamp | null {
    let last: bigint | null = null;
    for (const timestamp of this.#restored?.timestamps ?? [])
      if (last === null || timestamp > last) last = timestamp;
    return last as Timestamp | null;
  }

  /** The chunk has `rows` rows now; nobody has deleted the new ones. */
  grow(rows: number): void {
    this.#rows = rows;
    if (this.#deletedBy !== null) this.#deletedBy = grownUint32(this.#deletedBy, rows);
    if (this.#live !== null && this.#live.length * 8 < rows) this.#live = this.#grownLive(this.#live);
  }

  /** Notes that write `ordinal` deletes the row; false when another has. */
  mark(row: number, ordinal: number): boolean {
    this.#deletedBy ??= sharedUint32(Math.max(this.#rows, 64));
    if (this.#deletedBy[row] !== 0) return false;
    this.#deletedBy[row] = ordinal;
    return true;
  }

  /** Hides a marked row from those who read what is true now. */
  publish(row: number): void {
    if (this.#live === null) this.#live = sharedBytes(Math.ceil(this.#rows / 8)).fill(0xff);
    else if (this.#liveIsLent) this.#live = new Uint8Array(this.#live.buffer.slice(0));
    this.#liveIsLent = false;
    this.#live[row >> 3]! &= ~(1 << (row & 7));
  }

  /** Bits of the rows whose deletion nobody has published; `null`: all. It never changes again. */
  lendLive(): Uint8Array | null {
    this.#liveIsLent = true;
    return this.#live;
  }

  /** Bits of the first `rows` rows that were not deleted at a moment; `null`: all. */
  liveAt({ ordinal, at }: Moment, rows: number): Uint8Array | null {
    const deletedBy = this.#deletedBy;
    if (deletedBy === null) return null;
    const live = sharedBytes(Math.ceil(rows / 8));
    for (let row = 0; row < rows; row++) {
      const by = deletedBy[row]!;
      if (by === 0 || (by > ordinal && by !== DELETED_BEFORE)) live[row >> 3]! |= 1 << (row & 7);
    }
    if (this.#restored === null) return live;
    for (const [i, row] of this.#restored.rows.entries())
      if (row < rows && this.#restored.timestamps[i]! > at) live[row >> 3]! |= 1 << (row & 7);
    return live;
  }

  /** Whether the row was deleted at a moment. */
  isDeletedAt(row: number, { ordinal, at }: Moment): boolean {
    const by = this.#deletedBy?.[row] ?? 0;
    if (by === DELETED_BEFORE) return this.#restoredAt(row) <= at;
    return by !== 0 && by <= ordinal;
  }

  /** Rows that writes of this process have deleted, and by which, in the order of the rows. */
  *byWrites(): Generator<{ readonly row: number; readonly ordinal: number }> {
    const deletedBy = this.#deletedBy;
    if (deletedBy === null) return;
    for (let row = 0; row < this.#rows; row++) {
      const ordinal = deletedBy[row]!;
      if (ordinal !== 0 && ordinal !== DELETED_BEFORE) yield { row, ordinal };
    }
  }

  /** Rows that were deleted up to write `ordinal` of this process, and when; `timestampOf` knows these writes. In no order. */
  *times(
    ordinal: number,
    timestampOf: (ordinal: number) => Timestamp,
  ): Generator<{ readonly row: number; readonly timestamp: Timestamp }> {
    for (const [i, row] of this.#restored?.rows.entries() ?? [])
      yield { row, timestamp: this.#restored!.timestamps[i] as Timestamp };
    for (const { row, ordinal: by } of this.byWrites())
      if (by <= ordinal) yield { row, timestamp: timestampOf(by) };
  }

  /** When a row was deleted that was so before this process started. */
  #restoredAt(row: number): bigint {
    const { rows, timestamps } = this.#restored!;
    return timestamps[firstAtLeast(rows, row)]!;
  }

  /** A larger copy, so that a reader's own stays as it is. */
  #grownLive(live: Uint8Array): Uint8Array<SharedArrayBuffer> {
    const grown = sharedBytes(Math.max(2 * live.length, Math.ceil(this.#rows / 8))).fill(0xff);
    grown.set(live);
    this.#liveIsLent = false;
    return grown;
  }
}
