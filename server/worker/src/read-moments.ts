import { physicalMs, type Timestamp } from '@elanus/model';

/** How long a moment that somebody has asked for by its time is taken to be asked for again. */
const ASKED_AGAIN_MS = 10 * 60 * 1_000;
const BUCKET_MS = 60_000;

/** The moments that reads look at: what they may see must not be given up. */
export class ReadMoments {
  /** Reads under way, by their moment. */
  readonly #open = new Map<Timestamp, number>();
  /** The earliest moment that was asked for by its time, by when it was, in minutes. */
  readonly #snapshots = new Map<number, Timestamp>();

  /** A read of `at` begins; what this returns ends it, and may be called once. */
  enter(at: Timestamp): () => void {
    this.#open.set(at, (this.#open.get(at) ?? 0) + 1);
    return () => {
      const left = this.#open.get(at)! - 1;
      if (left === 0) this.#open.delete(at);
      else this.#open.set(at, left);
    };
  }

  /** Somebody has asked for the moment `at` by its time, when the newest write was `now`. */
  noteSnapshot(at: Timestamp, now: Timestamp): void {
    const minute = Math.floor(physicalMs(now) / BUCKET_MS);
    const known = this.#snapshots.get(minute);
    if (known === undefined || at < known) this.#snapshots.set(minute, at);
    for (const old of this.#snapshots.keys())
      if ((minute - old) * BUCKET_MS > ASKED_AGAIN_MS) this.#snapshots.delete(old);
  }

  /** The earliest moment that somebody looks at, or may soon look at again; `now` when there is none before. */
  earliest(now: Timestamp): Timestamp {
    const minute = Math.floor(physicalMs(now) / BUCKET_MS);
    let earliest = now;
    for (const at of this.#open.keys()) if (at < earliest) earliest = at;
    for (const [asked, at] of this.#snapshots)
      if ((minute - asked) * BUCKET_MS <= ASKED_AGAIN_MS && at < earliest) earliest = at;
    return earliest;
  }
}
