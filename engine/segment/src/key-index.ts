import type { KeyColumn } from '@elanus/model';

/** A location that no row has. */
export const NO_ROW = 0xffff_ffff;

/**
 * Where the newest row of each primary key is. Rows are known by their location in the shard, a number
 * below 2^32 - 1. Costs are bounded per key, however many keys there are.
 */
export interface KeyIndex {
  /** Bytes of memory taken. */
  readonly byteLength: number;
  /** Keys known. */
  readonly size: number;
  /**
   * Sets the keys of rows `start .. end` to the locations `firstLocation` and following, in order (so of a
   * key that occurs twice the last one stays); `replaced[i]` becomes the location that the i-th of these
   * keys had until then, or `NO_ROW`. The rows must be readable at their locations already.
   */
  put(keys: KeyColumn, start: number, end: number, firstLocation: number, replaced: Uint32Array): void;
  /** The location of the key in row `row` of `keys`, or `NO_ROW`. */
  find(keys: KeyColumn, row: number): number;
  /** Moves the key in row `row` of `keys` from location `from` to `to`; `NO_ROW` forgets it. Does nothing when it is elsewhere. */
  move(keys: KeyColumn, row: number, from: number, to: number): void;
}

/** Reads keys that are in the shard: the index holds no copy of texts. */
export interface KeyReader {
  /** Whether the text at `location` is `bytes[start .. end]`. */
  isTextAt(location: number, bytes: Uint8Array, start: number, end: number): boolean;
}
