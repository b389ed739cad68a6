import type { Timestamp } from '@elanus/model';

/** Hands out strictly growing hybrid timestamps without waiting: whoever orders writes needs them in the same tick. */
export interface TimestampSource {
  next(): Timestamp;
}
