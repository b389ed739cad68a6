import type { Timestamp } from '@elanus/model';

/** A moment in the life of a shard. */
export interface Moment {
  /** Writes of this process that had happened. */
  readonly ordinal: number;
  /** What was written before the process started is known by its time. */
  readonly at: Timestamp;
}
