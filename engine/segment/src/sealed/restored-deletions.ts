import type { FieldId, Int64Column, SegmentId } from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import type { SegmentFile } from '../files/segment-file.ts';
import { firstAtLeast } from '../first-at-least.ts';
import { type DeletedRowTimes, RowTimes } from './row-times.ts';
import { ROW_FIELD, SEGMENT_FIELD } from './shard-cut.ts';

/** Deletions read between two looks at the clock. */
const PIECE = 4096;
/** What the deletion files of a shard say, by segment. */
export class RestoredDeletions {
  static readonly NONE = new RestoredDeletions(new Map());
  readonly #bySegment: ReadonlyMap<SegmentId, DeletedRowTimes>;

  private constructor(bySegment: ReadonlyMap<SegmentId, DeletedRowTimes>) {
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
    const bySegment = new Map<SegmentId, DeletedRowTimes>();
    for (const [id, times] of found) bySegment.set(id, await times.sorted(share));
    return new RestoredDeletions(bySegment);
  }

  /** Of rows `first .. first + count` of a segment, counted from `first`. */
  of(id: SegmentId, first: number, count: number): DeletedRowTimes {
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
