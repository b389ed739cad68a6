import { assert, type CollectionSchema, DataType, type KeyColumn, type PartitionId } from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import type { Chunk } from '../chunk.ts';
import { type KeyIndex, NO_ROW } from '../key-index.ts';
import type { Moment } from '../moment.ts';
import { openKeyIndex } from '../open-key-index.ts';
import type { PreparedWrite } from '../prepared-write.ts';
import type { SealedFile } from '../sealed/sealed-file.ts';
import type { StoredKeys } from '../sealed/stored-keys.ts';
import type { ChunkLocations } from './chunk-locations.ts';

/** Keys taken out of the index between two looks at the clock. */
const UNLINKED_ROWS_MAX = 2048;

/** Rows that a write has just appended to a chunk. */
export interface AppendedRows {
  /** Their keys are `start .. end` of these. */
  readonly keys: KeyColumn;
  readonly start: number;
  readonly end: number;
  readonly chunk: Chunk;
  /** Of the chunk. */
  readonly firstRow: number;
  /** What becomes of the rows that had the keys before. */
  readonly duplicates: 'replace' | 'keep';
}

/**
 * Where the rows of each key are. Rows of this process are chained: the index knows a key's newest row, each row the one
 * before it. Older rows are looked for in their files, whose keys are open.
 */
export class ShardKeys {
  readonly #index: KeyIndex;
  readonly #locations: ChunkLocations;
  readonly #stored: StoredKeys;
  /** Until this is set a key's older rows are all dead, and nobody has to look at them. */
  #hasDuplicates = false;

  constructor(options: {
    readonly schema: CollectionSchema;
    readonly locations: ChunkLocations;
    readonly stored: StoredKeys;
    /** 32 random bits. */
    readonly seed: number;
  }) {
    const { dataType } = options.schema.primaryKey;
    assert(dataType === DataType.Int64 || dataType === DataType.VarChar, 'a key is a number or a text');
    this.#locations = options.locations;
    this.#stored = options.stored;
    this.#index = openKeyIndex(dataType, options.locations, options.seed);
  }

  get byteLength(): number {
    return this.#index.byteLength;
  }

  /** Whether neither the index nor a file can have any key of an open file. */
  knowsNoneOf(file: SealedFile): boolean {
    return this.#index.size === 0 && this.#stored.areApart(file);
  }

  /** The locations of the rows of one key that are visible at a moment; mostly none or one. */
  find(
    keys: KeyColumn,
    row: number,
    moment: Moment,
    partitionIds: ReadonlySet<PartitionId> | null,
  ): readonly number[] {
    const found: number[] = [];
    let location = this.#index.find(keys, row);
    let mayBeOlder = true;
    while (location !== NO_ROW) {
      const chunk = this.#locations.at(location);
      const at = location - chunk.firstLocation;
      const isWanted = partitionIds === null || partitionIds.has(chunk.partitionId);
      if (isWanted && chunk.isVisibleAt(at, moment)) found.push(location);
      // The row that had the key at that time is the only one that can count.
      mayBeOlder = this.#hasDuplicates || at >= chunk.rowsAt(moment);
      if (!mayBeOlder) break;
      location = chunk.previous(at);
    }
    if (!mayBeOlder || this.#stored.isEmpty) return found;
    for (const older of this.#stored.find(keys, row)) {
      const chunk = this.#locations.get(older);
      if (chunk === undefined || chunk.isDead) continue;
      const isWanted = partitionIds === null || partitionIds.has(chunk.partitionId);
      // Rows whose keys are on their way from the index to the file are found in both.
      if (isWanted && chunk.isVisibleAt(older - chunk.firstLocation, moment) && !found.includes(older))
        found.push(older);
    }
    return found;
  }

  /** Takes in the keys of new rows; the rows that had them before are deleted or stay beside them. */
  put(rows: AppendedRows, write: PreparedWrite): void {
    const { keys, start, end, chunk, firstRow, duplicates } = rows;
    const replaced = new Uint32Array(end - start);
    this.#index.put(keys, start, end, chunk.firstLocation + firstRow, replaced);
    if (!this.#stored.isEmpty) this.#replaceStored(rows, replaced, write);
    for (let i = 0; i < end - start; i++) {
      if (replaced[i] === NO_ROW) continue;
      chunk.setPrevious(firstRow + i, replaced[i]!);
      if (duplicates === 'replace') this.#deleteChain(replaced[i]!, null, write);
      else this.#hasDuplicates = true;
    }
  }

  /** Deletes all rows of one key that are in `partitionIds`; `null`: in any. */
  delete(
    keys: KeyColumn,
    row: number,
    partitionIds: ReadonlySet<PartitionId> | null,
    write: PreparedWrite,
  ): void {
    const location = this.#index.find(keys, row);
    this.#deleteChain(location, partitionIds, write);
    if (this.#stored.isEmpty || this.#hasReplacedStored(location)) return;
    for (const older of this.#stored.find(keys, row)) this.#deleteAt(older, partitionIds, write);
  }

  /** Takes the rows of chunks out of the chains of their keys: only the keys are left, or their file answers for them. */
  async unlink(rests: readonly Chunk[], share: LoopShare): Promise<void> {
    for (const rest of rests) {
      if (rest.keysAreStored) continue;
      for (let row = 0; row < rest.rows; row++) {
        if (row % UNLINKED_ROWS_MAX === 0 && share.isSpent()) await share.nextTurn();
        this.#unlinkRow(rest, row);
      }
    }
  }

  /** Whether the files need not be asked: whoever is known to the index has replaced what was there before. */
  #hasReplacedStored(location: number): boolean {
    return location !== NO_ROW && !this.#hasDuplicates;
  }

  /** Looks for the keys of new rows in the files; `replaced` says where the key index has found them. */
  #replaceStored(rows: AppendedRows, replaced: Uint32Array, write: PreparedWrite): void {
    const { keys, start, end, duplicates } = rows;
    this.#stored.findAll(keys, start, end, {
      isWanted: (i) => !this.#hasReplacedStored(replaced[i]!),
      found: (location) => {
        if (duplicates === 'replace') this.#deleteAt(location, null, write);
        else this.#hasDuplicates = true;
      },
    });
  }

  /** Deletes the row at `location` and, where there may be more, the older ones of its key. */
  #deleteChain(location: number, partitionIds: ReadonlySet<PartitionId> | null, write: PreparedWrite): void {
    for (let at = location; at !== NO_ROW; ) {
      this.#deleteAt(at, partitionIds, write);
      const chunk = this.#locations.at(at);
      at = this.#hasDuplicates ? chunk.previous(at - chunk.firstLocation) : NO_ROW;
    }
  }

  #deleteAt(location: number, partitionIds: ReadonlySet<PartitionId> | null, write: PreparedWrite): void {
    const chunk = this.#locations.get(location);
    // All rows of a file may have been deleted long ago.
    if (chunk === undefined) return;
    if (partitionIds === null || partitionIds.has(chunk.partitionId))
      write.delete(chunk, location - chunk.firstLocation);
  }

  #unlinkRow(chunk: Chunk, row: number): void {
    const location = chunk.firstLocation + row;
    const older = chunk.previous(row);
    let newer = this.#index.find(chunk.keys, row);
    if (newer === location) {
      this.#index.move(chunk.keys, row, location, older);
      return;
    }
    while (newer !== NO_ROW) {
      const other = this.#locations.at(newer);
      const next = other.previous(newer - other.firstLocation);
      if (next === location) {
        other.setPrevious(newer - other.firstLocation, older);
        return;
      }
      newer = next;
    }
  }
}
