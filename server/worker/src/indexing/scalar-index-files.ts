import { dropPages } from '@elanus/kernel';
import type { IndexFileInfo, IndexInfo, SegmentId } from '@elanus/model';
import type { HeldFile } from '@elanus/object-store';
import type { Disk } from '@elanus/runtime';
import {
  decodeScalarIndex,
  giveToReads,
  type MappedScalarIndex,
  type ScalarPiece,
  type SegmentThreads,
  type Shard,
} from '@elanus/segment';
import { mapHeldFile } from '../files/map-held-file.ts';
import type { IndexedRuns, IndexFiles } from './index-files.ts';
import type { MappedIndex } from './mapped-indexes.ts';

/** Whether a piece is over whole segments that are in files, and its index is in none. */
export function isToStore({ shard, file, chunks }: ScalarPiece): boolean {
  if (file !== null) return false;
  const segmentRows = new Map<SegmentId, number>();
  for (const { chunk } of chunks) {
    if (chunk.stored === null) return false;
    const { id, rows } = chunk.stored.file.info;
    segmentRows.set(id, rows);
  }
  const runs = runsOf(shard, chunks);
  return runs?.every(({ segmentId, from, to }) => from === 0 && to === segmentRows.get(segmentId)) ?? false;
}

function runsOf(shard: Shard, chunks: ScalarPiece['chunks']) {
  return shard.segmentRunsOf(
    chunks.map(({ chunk, rows, firstRow }) => ({ chunk, from: 0, to: rows, firstRow })),
  );
}

/** Keeps scalar indexes over sealed rows in files. */
export class ScalarIndexFiles {
  readonly #files: IndexFiles;
  readonly #threads: SegmentThreads;

  /** `threads` make and check the files. */
  constructor(files: IndexFiles, threads: SegmentThreads) {
    this.#files = files;
    this.#threads = threads;
  }

  /** The files of an index that count, in the order they were published. */
  of(info: IndexInfo): readonly IndexFileInfo[] {
    return this.#files.of({ ...info, indexId: info.id });
  }

  /** Writes the index of a piece that `isToStore`. @throws as `IndexFiles.publish` */
  async store(info: IndexInfo, piece: ScalarPiece, useless: readonly IndexFileInfo['id'][]): Promise<void> {
    const runs = runsOf(piece.shard, piece.chunks);
    if (runs === null) return;
    const answer = await this.#threads.run({ kind: 'encode', index: piece.index });
    if (answer.kind !== 'encode') return;
    const { collectionId, fieldId } = info;
    const replaced = [...piece.replacedFiles, ...useless];
    const about: IndexedRuns = { collectionId, indexId: info.id, fieldId, runs, replaced };
    const rows = piece.chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
    const file = await this.#files.publish({ ...about, rows }, async (draft, disk) => {
      await write(disk, draft, answer.parts);
      return answer.crc32;
    });
    piece.file = file.id;
    // What was built is no longer needed in memory.
    const { index, mapped, content } = await map(await this.#files.hold(file), file);
    piece.index = index;
    piece.mapped = mapped;
    piece.content = content ?? null;
    giveToReads(content);
  }

  /** The index in a file, all of which was read and added up. @throws when it can't be used */
  async open(file: IndexFileInfo): Promise<MappedScalarIndex> {
    const held = await this.#files.hold(file);
    try {
      await this.#threads.run({ kind: 'verify', path: held.path });
    } catch (error) {
      held.release();
      throw error;
    }
    return await map(held, file);
  }
}

async function map(held: HeldFile, { file }: IndexFileInfo): Promise<MappedScalarIndex> {
  const mapped = await mapHeldFile(held, file);
  return { index: decodeScalarIndex(mapped, 'trusted'), mapped, content: held.isLasting ? null : held };
}

/** Pages given back at a stretch: about a millisecond. */
const STRETCH_BYTES = 32 * 1024 * 1024;

/** A piece that is used from its file, for whoever looks after the memory; `null` when it is in memory of its own. */
export function mappedScalarIndex(
  piece: ScalarPiece,
  share: { isSpent(): boolean; nextTurn(): Promise<void> },
): MappedIndex | null {
  const { mapped, chunks } = piece;
  if (mapped === null) return null;
  return {
    piece,
    lastUse: Math.max(...chunks.map(({ chunk }) => chunk.stored?.file.lastUse ?? 0)),
    bytes: mapped.length,
    async giveBack() {
      for (let at = 0; at < mapped.length; at += STRETCH_BYTES) {
        if (share.isSpent()) await share.nextTurn();
        dropPages(mapped.subarray(at, at + STRETCH_BYTES));
      }
    },
  };
}

/** Parts that go to the disk in one call. */
const PARTS_AT_ONCE = 64;

async function write(disk: Disk, path: string, parts: readonly Uint8Array[]): Promise<void> {
  await using file = await disk.open(path, 'build');
  let at = 0;
  for (let first = 0; first < parts.length; first += PARTS_AT_ONCE) {
    const some = parts.slice(first, first + PARTS_AT_ONCE).filter(({ length }) => length > 0);
    await file.write(some, at);
    at += some.reduce((sum, { length }) => sum + length, 0);
  }
  await file.sync();
}

/** The shard, of those, that keeps the rows of a file, and its chunks; `null` when not all of them are kept. */
export function keptChunks(shards: readonly Shard[], { runs }: IndexFileInfo) {
  for (const shard of shards) {
    const kept = shard.chunkRunsOf(runs);
    if (kept === null || kept.length === 0) continue;
    if (!kept.every(({ chunk, from, to }) => from === 0 && to === chunk.rows)) return null;
    return { shard, chunks: kept.map(({ chunk }) => chunk) };
  }
  return null;
}
