import { assert, MilvusError, TIMESTAMP_MIN, type Timestamp } from '@elanus/model';
import type { Moment } from '../moment.ts';

/**
 * When a shard was written to: the writes of this process have ordinals 1, 2, 3 ... and ascending timestamps; what was
 * there before the process started is known by its time alone.
 */
export class WriteTimes {
  /** Of write `ordinal` at `ordinal - 1`. */
  #timestamps = new BigInt64Array(16);
  #writes = 0;
  /** Up to when everything was restored, not written. */
  #checkpoint: Timestamp = TIMESTAMP_MIN;
  #historyStart: Timestamp = TIMESTAMP_MIN;

  /** The ordinal of the newest write; 0 before the first. */
  get writes(): number {
    return this.#writes;
  }

  /** Of the newest write. */
  get newest(): Timestamp {
    return this.#writes === 0 ? this.#checkpoint : this.timestampOf(this.#writes);
  }

  /** Earlier moments can't be read any more. */
  get historyStart(): Timestamp {
    return this.#historyStart;
  }

  /** Begins with what was written up to `checkpoint`, before the first write. */
  restore(checkpoint: Timestamp, historyStart: Timestamp): void {
    this.#checkpoint = checkpoint;
    this.#historyStart = historyStart;
  }

  /** From now on moments before `time` can't be read. */
  forgetBefore(time: Timestamp): void {
    this.#historyStart = time;
  }

  /** Gives the next write its ordinal. */
  note(timestamp: Timestamp): void {
    assert(timestamp > this.newest, 'writes are applied in the order of their timestamps');
    if (this.#writes === this.#timestamps.length) {
      const grown = new BigInt64Array(2 * this.#timestamps.length);
      grown.set(this.#timestamps);
      this.#timestamps = grown;
    }
    this.#timestamps[this.#writes] = timestamp;
    this.#writes += 1;
  }

  /** When a write of this process happened. */
  timestampOf(ordinal: number): Timestamp {
    return this.#timestamps[ordinal - 1] as Timestamp;
  }

  /** @throws MilvusError when that moment can't be read any more */
  momentAt(at: Timestamp): Moment {
    return { ordinal: this.#ordinalAt(at), at };
  }

  /** As `momentAt`, however long ago: enough for who asks what had been written then, not what had been deleted. */
  writtenAt(at: Timestamp): Moment {
    return { ordinal: this.#writesUpTo(at), at };
  }

  #ordinalAt(at: Timestamp): number {
    if (at >= this.newest) return this.#writes;
    if (at < this.#historyStart) throw snapshotTooOld();
    return this.#writesUpTo(at);
  }

  /** How many writes of this process had happened at a time. */
  #writesUpTo(at: Timestamp): number {
    let low = 0;
    let high = this.#writes;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#timestamps[middle]! <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function snapshotTooOld(): MilvusError {
  return new MilvusError('the rows of this moment are no longer kept', { code: 65535, inputError: true });
}
