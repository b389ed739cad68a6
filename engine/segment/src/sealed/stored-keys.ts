import type { KeyColumn } from '@elanus/model';
import { keyHasher } from '../files/key-filter.ts';
import type { KeyHash } from '../files/key-hash.ts';
import type { SealedFile } from './sealed-file.ts';

/** Where rows of a file are: row `firstRow` at `firstLocation` of the shard, the others follow until the next place. */
export interface FilePlace {
  readonly firstRow: number;
  readonly firstLocation: number;
}

interface LocatedFile {
  readonly file: SealedFile;
  /** In the order of the rows, the first at row 0. */
  readonly places: readonly FilePlace[];
}

/**
 * Where the rows of sealed segments are, by key: each file is asked, as far as it is open. The key index of the shard does
 * not know these rows, but for those that were handed over a moment ago.
 */
export class StoredKeys {
  /** Oldest first. */
  #files: LocatedFile[] = [];
  readonly #hash: KeyHash = { low: 0, high: 0 };

  /** Whether there are no such rows. */
  get isEmpty(): boolean {
    return this.#files.length === 0;
  }

  /** Whether keys are found in all files. */
  get areOpen(): boolean {
    return this.#files.every(({ file }) => file.isOpen);
  }

  /** Adds the rows of a file. */
  add(file: SealedFile, places: readonly FilePlace[]): void {
    this.#files.push({ file, places });
  }

  /** Whether the file is asked. */
  has(file: SealedFile): boolean {
    return this.#files.some((one) => one.file === file);
  }

  /** Whether no key of an open file can be in any of these, as far as they are open. */
  areApart({ keys }: SealedFile): boolean {
    return this.#files.every(({ file }) => !file.isOpen || !file.keys.mayShare(keys));
  }

  /** Asks another file of the same rows in the place of one. */
  refile(before: SealedFile, after: SealedFile): void {
    this.#files = this.#files.map((one) => (one.file === before ? { ...one, file: after } : one));
  }

  /** Looks for no keys in a file any more. */
  forget(isForgotten: (file: SealedFile) => boolean): void {
    this.#files = this.#files.filter(({ file }) => !isForgotten(file));
  }

  /** Opens all files as far as they can be opened: keys in the others are not found. */
  async open(): Promise<void> {
    const closed = this.#files.filter(({ file }) => !file.isOpen);
    await Promise.allSettled(closed.map(({ file }) => file.open()));
  }

  /** As `open`. Rows in files that can't be opened may be replaced by a write: they are not shown again. */
  async openToWrite(): Promise<void> {
    for (const { file } of this.#files) {
      if (file.isOpen) continue;
      try {
        await file.open();
      } catch (error) {
        file.giveUp(error instanceof Error ? (error.cause ?? error) : error);
      }
    }
  }

  /** The locations of a key's rows, those of the file that was added last first. */
  find(keys: KeyColumn, row: number): readonly number[] {
    const found: number[] = [];
    keyHasher(keys)(row, this.#hash);
    for (let at = this.#files.length - 1; at >= 0; at--) {
      const { file, places } = this.#files[at]!;
      if (!file.isOpen) continue;
      for (const stored of file.keys.find(keys, row, this.#hash)) found.push(locationOf(places, stored));
    }
    return found;
  }

  /** Looks for keys `start .. end` at once: tells `found` of every row of key `start + i`, unless it is not wanted. */
  findAll(
    keys: KeyColumn,
    start: number,
    end: number,
    { isWanted, found }: { isWanted(i: number): boolean; found(location: number): void },
  ): void {
    const mayBe = new Uint8Array(end - start);
    for (const { file, places } of this.#files) {
      if (!file.isOpen) continue;
      file.keys.mayHold(keys, start, end, mayBe);
      for (let i = 0; i < end - start; i++) {
        if (mayBe[i] === 0 || !isWanted(i)) continue;
        for (const row of file.keys.rowsOf(keys, start + i)) found(locationOf(places, row));
      }
    }
  }
}

function locationOf(places: readonly FilePlace[], row: number): number {
  let low = 0;
  let high = places.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (places[middle]!.firstRow <= row) low = middle;
    else high = middle - 1;
  }
  const { firstRow, firstLocation } = places[low]!;
  return firstLocation + row - firstRow;
}
