import type { FieldId, Int64Column, SegmentId } from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import type { SegmentFile } from '../files/segment-file.ts';
import { firstAtLeast } from '../first-at-least.ts';
import { ROW_FIELD, SEGMENT_FIELD } from './shard-cut.ts';

/** Rows ascending, and when each was deleted. */
interface DeletedRows {
  readonly rows: Uint32Array;
  readonly timestamps: BigInt64Array;
}

/** Deletions read between two looks at the clock. */
const PIECE = 4096;
/** 16,384 rows are sorted in about a millisecond. */
const GROUP_BITS = 14;

/** What the deletion files of a shard say, by segment. */
export class RestoredDeletions {
  static readonly NONE = new RestoredDeletions(new Map());
  readonly #bySegment: ReadonlyMap<SegmentId, DeletedRows>;

  private constructor(bySegment: ReadonlyMap<SegmentId, DeletedRows>) {
    this.#bySegment = bySegment;
  }

  /** @throws SegmentFileError; what the files' sources throw */
  static async read(files: readonly SegmentFile[], share: LoopShare): Promise<RestoredDeletions> {
    const found = new Map<SegmentId, RowTimes>();
    for (const file of files) {
      const column = async (id: FieldId) => ((await file.column(id, { share })) as Int64Column).values;
      const segments = await column(SEGMENT_FIELD.id);
      const rows = await column(ROW_FIELD.id);
      const timestamps = await file.timestamps({ share });
      for (let i = 0; i < segments.length; i++) {
        if (i % PIECE === 0 && share.isSpent()) await share.nextTurn();
        const id = segments[i] as SegmentId;
        let times = found.get(id);
        if (times === undefined) {
          times = new RowTimes();
          found.set(id, times);
        }
        times.note(Number(rows[i]), timestamps[i]!);
      }
    }
    const bySegment = new Map<SegmentId, DeletedRows>();
    for (const [id, times] of found) bySegment.set(id, await times.sorted(share));
    return new RestoredDeletions(bySegment);
  }

  /** Of rows `first .. first + count` of a segment, counted from `first`. */
  of(id: SegmentId, first: number, count: number): DeletedRows {
    const all = this.#bySegment.get(id);
    if (all === undefined) return { rows: new Uint32Array(0), timestamps: new BigInt64Array(0) };
    const start = firstAtLeast(all.rows, first);
    const end = firstAtLeast(all.rows, first + count);
    return {
      rows: all.rows.subarray(start, end).map((row) => row - first),
      timestamps: all.timestamps.slice(start, end),
    };
  }
}

/** Rows of a segment and when each was first deleted, in groups of neighbours that are sorted at a stretch. */
class RowTimes {
  readonly #groups = new Map<number, Map<number, bigint>>();
  #rows = 0;

  note(row: number, timestamp: bigint): void {
    const group = this.#groups.get(row >>> GROUP_BITS) ?? new Map<number, bigint>();
    const known = group.get(row);
    if (known === undefined) this.#rows += 1;
    if (known === undefined || timestamp < known) group.set(row, timestamp);
    this.#groups.set(row >>> GROUP_BITS, group);
  }

  async sorted(share: LoopShare): Promise<DeletedRows> {
    const rows = new Uint32Array(this.#rows);
    const timestamps = new BigInt64Array(this.#rows);
    let at = 0;
    for (const number of [...this.#groups.keys()].sort((a, b) => a - b)) {
      const times = this.#groups.get(number)!;
      for (const row of Uint32Array.from(times.keys()).sort()) {
        rows[at] = row;
        timestamps[at] = times.get(row)!;
        at += 1;
      }
      if (share.isSpent()) await share.nextTurn();
    }
    return { rows, timestamps };
  }
}
