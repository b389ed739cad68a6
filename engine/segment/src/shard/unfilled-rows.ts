import type { Column, FieldId } from '@elanus/model';
import { forgetTerms } from '../bm25/term-statistics.ts';
import type { Chunk } from '../chunk.ts';
import type { SealedFile } from '../sealed/sealed-file.ts';
import type { SealedSegments } from '../sealed/sealed-segments.ts';
import type { StoredKeys } from '../sealed/stored-keys.ts';
import type { ShardPartitions } from './shard-partitions.ts';

/** The parts of a shard that have to do with rows which lack values. */
export interface UnfilledRowsOptions {
  readonly partitions: ShardPartitions;
  readonly sealed: SealedSegments;
  readonly storedKeys: StoredKeys;
  /** Called when a read might find other rows. */
  readonly onChange: () => void;
}

/** The rows of a shard that lack what a function makes which is newer than they are, and how they come by it. */
export class UnfilledRows {
  readonly #shard: UnfilledRowsOptions;

  constructor(options: UnfilledRowsOptions) {
    this.#shard = options;
  }

  /** Those in memory. */
  chunks(id: FieldId): readonly Chunk[] {
    return this.#awaiting(id).filter(({ stored }) => stored === null);
  }

  /** Those in files; of a file that is closed nobody knows. */
  files(id: FieldId): readonly SealedFile[] {
    return [...new Set(this.#awaiting(id).flatMap(({ stored }) => stored?.file ?? []))];
  }

  /** Whether any row lacks it, or may lack it in the file that a flush is writing. */
  isLeft(id: FieldId): boolean {
    const { partitions, sealed } = this.#shard;
    const isOnItsWay = (chunk: Chunk) => chunk.stored === null && chunk.isFilled(id) && sealed.has(chunk);
    return [...partitions].some(({ chunks }) =>
      chunks.some((chunk) => chunk.awaits(id) || isOnItsWay(chunk)),
    );
  }

  /** Gives rows in memory what was made of them; they may have moved to a file meanwhile, and lack it there. */
  fill(chunk: Chunk, id: FieldId, column: Column): void {
    if (chunk.stored !== null || !chunk.awaits(id)) return;
    chunk.fill(id, column);
    this.#changed([chunk], [id]);
  }

  /**
   * Reads rows from another file from now on, which is open and has the same rows in the same places, and more columns.
   * In one tick. False when they are not read from the file `before` any more, or it turned out to be damaged.
   */
  refile(before: SealedFile, after: SealedFile, added: readonly FieldId[]): boolean {
    const { sealed, storedKeys } = this.#shard;
    if (before.isBroken || !sealed.files.includes(before)) return false;
    storedKeys.refile(before, after);
    this.#changed(sealed.refile(before, after), added);
    return true;
  }

  #awaiting(id: FieldId): readonly Chunk[] {
    return [...this.#shard.partitions].flatMap(({ chunks }) => chunks.filter((chunk) => chunk.awaits(id)));
  }

  #changed(chunks: readonly Chunk[], ids: readonly FieldId[]): void {
    for (const chunk of chunks) for (const id of ids) forgetTerms(chunk, id);
    this.#shard.onChange();
  }
}
