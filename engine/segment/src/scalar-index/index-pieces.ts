import type { SegmentId, Timestamp } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import { giveToReads, type UsedFile } from '../sealed/files-in-use.ts';
import type { ChunkView, Shard } from '../shard.ts';
import { keepWords } from '../words/known-words.ts';
import { PieceWords } from '../words/piece-words.ts';
import type { IndexedBlock } from './build-scalar-index.ts';
import type { IndexedPlace, NumberedRows, ScalarIndexData } from './scalar-index.ts';

/** A chunk's rows within a piece. */
export interface PieceChunk {
  readonly chunk: Chunk;
  readonly rows: number;
  /** What the piece calls its first row: a multiple of 8, mostly of 32. */
  readonly firstRow: number;
}

/** Chunks of one partition in one shard, in the order of their rows, and the index over them. */
export interface ScalarPiece {
  readonly shard: Shard;
  readonly chunks: readonly PieceChunk[];
  /** By chunk what the piece calls its first row. */
  readonly firstRows: ReadonlyMap<Chunk, number>;
  /** What it says stays the same; its arrays may move to a file. */
  index: ScalarIndexData;
  /** The file that the index is kept in; `null` while there is none. */
  file: SegmentId | null;
  /** The file where it is mapped, which the arrays of the index are part of; `null` while there is none. */
  mapped: Uint8Array | null;
  /** What is mapped, where its bytes may be elsewhere while nobody uses them; `null`: they stay, or there is no file. */
  content: UsedFile | null;
  /** Files whose place that of the piece takes. */
  readonly replacedFiles: readonly SegmentId[];
}

/** An index in a file, and where the file is mapped. */
export interface MappedScalarIndex {
  readonly index: ScalarIndexData;
  readonly mapped: Uint8Array;
  /** Used until a piece has the index; left out, or `null`: the bytes stay. */
  readonly content?: UsedFile | null;
}

/** Whether two pieces number the same rows alike, so that their answers can be joined bit by bit. */
export function haveSameRows(a: ScalarPiece, b: ScalarPiece): boolean {
  if (a.chunks.length !== b.chunks.length) return false;
  return a.chunks.every(({ chunk, firstRow }, at) => {
    const other = b.chunks[at]!;
    return chunk === other.chunk && firstRow === other.firstRow;
  });
}

/** Chunks that should get one index. */
export interface PlannedScalarPiece {
  readonly shard: Shard;
  readonly chunks: readonly PieceChunk[];
  /** Rows in all, and those among them that had no index. */
  readonly rows: number;
  readonly newRows: number;
  readonly replaced: readonly ScalarPiece[];
}

/** A piece takes in those before it that are at most so many times its size: so there are few of them. */
const ABSORBED_SIZE_MAX = 2;
/** The same once writes are at rest, when fewer pieces are worth more work. */
const ABSORBED_SIZE_AT_REST_MAX = 16;
/** A piece is built in one go, and is held twice while it takes in others. */
const PIECE_ROWS_MAX = 4_000_000;

export interface PieceLimits {
  /** Rows that are worth a piece. */
  readonly rowsMin?: number;
  /** Rows of a piece at most. */
  readonly rowsMax?: number;
  /** What pieces are over: any chunks that do not change any more, or each over all of one sealed segment. */
  readonly over?: 'chunks' | 'segment';
}

const ROWS_MIN = 32_768;
const ROWS_AT_REST_MIN = 4_096;

/** One index of a collection, as far as it is built: pieces over chunks that do not change any more. */
export class ScalarIndexPieces {
  readonly place: IndexedPlace;
  readonly #rowsMin: number;
  readonly #rowsMax: number;
  readonly #over: 'chunks' | 'segment';
  /** Until this resolves there may be files whose indexes are not in use yet; `null`: there are none. */
  restoring: Promise<void> | null = null;
  #pieces: readonly ScalarPiece[] = [];
  readonly #pieceOf = new Map<Chunk, ScalarPiece>();

  constructor(place: IndexedPlace, limits: PieceLimits = {}) {
    this.place = place;
    this.#rowsMin = limits.rowsMin ?? ROWS_MIN;
    this.#rowsMax = limits.rowsMax ?? PIECE_ROWS_MAX;
    this.#over = limits.over ?? 'chunks';
  }

  get pieces(): readonly ScalarPiece[] {
    return this.#pieces;
  }

  /** The piece that covers a chunk. */
  pieceOf(chunk: Chunk): ScalarPiece | undefined {
    return this.#pieceOf.get(chunk);
  }

  /** What to build next over the chunks of these shards, while writes go on or when they are at rest; `null`: nothing. */
  nextPiece(views: readonly ChunkView[], writes: 'going-on' | 'at-rest'): PlannedScalarPiece | null {
    this.#forgetAllBut(views);
    for (const group of bySegment(views)) {
      const planned = this.#over === 'segment' ? this.#nextSealed(group) : this.#nextOfSegment(group, writes);
      if (planned !== null) return planned;
    }
    return null;
  }

  /** Live rows of these chunks, written up to `at`, that wait to be indexed: none while they are too few. */
  pendingRows(views: readonly ChunkView[], at: Timestamp): number {
    let pending = 0;
    for (const group of bySegment(views)) {
      const waiting = group.filter(({ chunk }) => chunk.isClosed && !this.#pieceOf.has(chunk));
      const rows = waiting.reduce((sum, { chunk }) => sum + chunk.rows, 0);
      if (rows < this.#rowsMin) continue;
      for (const { shard, chunk } of waiting)
        pending += Math.min(chunk.liveRows, shard.rowsOfChunkAt(chunk, at));
    }
    return pending;
  }

  /** Uses what was built from now on. */
  adopt(planned: PlannedScalarPiece, index: ScalarIndexData): void {
    const { shard, chunks, replaced } = planned;
    const replacedFiles = replaced.flatMap((old) =>
      old.file === null ? old.replacedFiles : [old.file, ...old.replacedFiles],
    );
    this.#pieces = this.#pieces.filter((old) => !replaced.includes(old));
    const firstRows = firstRowsOf(chunks);
    this.#add({ shard, chunks, firstRows, index, file: null, mapped: null, content: null, replacedFiles });
  }

  /**
   * Uses an index out of a file for these chunks of a shard, in the order of its rows; false when it numbers them in a way
   * that can't be used, or some of them have an index already.
   */
  restore(
    shard: Shard,
    chunks: readonly Chunk[],
    { index, mapped, content = null }: MappedScalarIndex,
    file: SegmentId,
  ): boolean {
    const pieces = numberedAs(chunks, index.blocks);
    if (pieces === null || chunks.some((chunk) => this.#pieceOf.has(chunk) || !chunk.isClosed)) return false;
    const firstRows = firstRowsOf(pieces);
    this.#add({ shard, chunks: pieces, firstRows, index, file, mapped, content, replacedFiles: [] });
    giveToReads(content);
    return true;
  }

  #add(piece: ScalarPiece): void {
    this.#pieces = [...this.#pieces, piece];
    for (const { chunk, firstRow } of piece.chunks) {
      this.#pieceOf.set(chunk, piece);
      if (piece.index.spec.kind === 'words')
        keepWords(chunk, this.place.fieldId, new PieceWords(piece, firstRow));
    }
  }

  /** Frees everything; rows are tested one by one from now on. */
  close(): void {
    this.#pieces = [];
    this.#pieceOf.clear();
  }

  /** Lets go of pieces none of whose chunks is read any more. */
  #forgetAllBut(views: readonly ChunkView[]): void {
    const known = new Set(views.map(({ chunk }) => chunk));
    const isUsed = ({ chunks }: ScalarPiece): boolean => chunks.some(({ chunk }) => known.has(chunk));
    if (this.#pieces.every(isUsed)) return;
    this.#pieces = this.#pieces.filter(isUsed);
    for (const [chunk, piece] of this.#pieceOf) if (!isUsed(piece)) this.#pieceOf.delete(chunk);
  }

  /** A sealed segment without an index. Small ones, too: each is cut anew after a start otherwise. */
  #nextSealed(group: readonly ChunkView[]): PlannedScalarPiece | null {
    const ofSegment = new Map<SegmentId, Chunk[]>();
    for (const { chunk } of group) {
      if (!chunk.isClosed || chunk.stored === null || this.#pieceOf.has(chunk)) continue;
      const { id } = chunk.stored.file.info;
      const known = ofSegment.get(id);
      if (known === undefined) ofSegment.set(id, [chunk]);
      else known.push(chunk);
    }
    for (const own of ofSegment.values()) {
      const newRows = rowsOf(own);
      // A segment whose chunks are not all there is being cut, or dropped.
      if (newRows !== own[0]!.stored!.file.info.rows) continue;
      const chunks = numbered(own, Number.MAX_SAFE_INTEGER);
      return { shard: group[0]!.shard, chunks, rows: newRows, newRows, replaced: [] };
    }
    return null;
  }

  /**
   * A sealed segment that several pieces have a part in, or one has some of whose rows: all of them in one. After a start
   * rows are cut otherwise, so that only whole segments find their index in a file.
   */
  #dividedSegment(shard: Shard, closed: readonly Chunk[]): PlannedScalarPiece | null {
    const ownerOf = new Map<SegmentId, ScalarPiece | undefined>();
    for (const chunk of closed) {
      const id = chunk.stored?.file.info.id;
      if (id === undefined) continue;
      const piece = this.#pieceOf.get(chunk);
      if (!ownerOf.has(id)) ownerOf.set(id, piece);
      if (ownerOf.get(id) === piece) continue;
      const inSegment = closed.filter((one) => one.stored?.file.info.id === id);
      const replaced = [...new Set(inSegment.map((one) => this.#pieceOf.get(one)))].filter(
        (one) => one !== undefined,
      );
      const taken = new Set([
        ...inSegment,
        ...replaced.flatMap(({ chunks }) => chunks.map((one) => one.chunk)),
      ]);
      const chunks = numbered(
        closed.filter((one) => taken.has(one)),
        Number.MAX_SAFE_INTEGER,
      );
      const rows = rowsOf(chunks.map((one) => one.chunk));
      if (rows > this.#rowsMax) continue;
      const newRows = rowsOf(inSegment.filter((one) => !this.#pieceOf.has(one)));
      return { shard, chunks, rows, newRows, replaced };
    }
    return null;
  }

  #nextOfSegment(group: readonly ChunkView[], writes: 'going-on' | 'at-rest'): PlannedScalarPiece | null {
    const isAtRest = writes === 'at-rest';
    const closed = group.filter(({ chunk }) => chunk.isClosed).map(({ chunk }) => chunk);
    const waiting = closed.filter((chunk) => !this.#pieceOf.has(chunk));
    const pieces = [...new Set(closed.map((chunk) => this.#pieceOf.get(chunk)))].filter(
      (piece) => piece !== undefined,
    );
    const newRows = rowsOf(waiting);
    const isEnough = newRows >= (isAtRest ? Math.min(ROWS_AT_REST_MIN, this.#rowsMin) : this.#rowsMin);
    if (!isEnough && !isAtRest) return null;
    const divided = isAtRest ? this.#dividedSegment(group[0]!.shard, closed) : null;
    if (divided !== null) return divided;
    const replaced: ScalarPiece[] = [];
    let rows = isEnough ? newRows : 0;
    for (const piece of pieces.toSorted((a, b) => a.index.rows - b.index.rows)) {
      const sizeMax = isAtRest ? ABSORBED_SIZE_AT_REST_MAX : ABSORBED_SIZE_MAX;
      if (rows > 0 && piece.index.rows > sizeMax * rows) break;
      if (rows + piece.index.rows > this.#rowsMax) break;
      replaced.push(piece);
      rows += piece.index.rows;
    }
    if (!isEnough && replaced.length < 2) return null;
    const isTaken = (chunk: Chunk): boolean => {
      const piece = this.#pieceOf.get(chunk);
      return piece === undefined || replaced.includes(piece);
    };
    const chunks = numbered(closed.filter(isTaken), this.#rowsMax);
    const { shard } = group[0]!;
    return { shard, chunks, rows: rowsOf(chunks.map(({ chunk }) => chunk)), newRows, replaced };
  }
}

/** The columns of a planned piece, for whoever builds it. */
export function blocksOf({ chunks }: PlannedScalarPiece, { fieldId }: IndexedPlace): readonly IndexedBlock[] {
  return chunks.map(({ chunk, rows, firstRow }) => ({ column: chunk.column(fieldId), rows, firstRow }));
}

/** The views by shard and partition. */
function bySegment(views: readonly ChunkView[]): readonly (readonly ChunkView[])[] {
  const groups = new Map<Shard, Map<bigint, ChunkView[]>>();
  for (const view of views) {
    const ofShard = groups.get(view.shard) ?? new Map<bigint, ChunkView[]>();
    groups.set(view.shard, ofShard);
    const known = ofShard.get(view.chunk.partitionId);
    if (known === undefined) ofShard.set(view.chunk.partitionId, [view]);
    else known.push(view);
  }
  return [...groups.values()].flatMap((ofShard) => [...ofShard.values()]);
}

function firstRowsOf(chunks: readonly PieceChunk[]): ReadonlyMap<Chunk, number> {
  return new Map(chunks.map(({ chunk, firstRow }) => [chunk, firstRow]));
}

function rowsOf(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { rows }) => sum + rows, 0);
}

function numbered(chunks: readonly Chunk[], rowsMax: number): readonly PieceChunk[] {
  const kept: PieceChunk[] = [];
  let firstRow = 0;
  let rows = 0;
  for (const chunk of chunks) {
    rows += chunk.rows;
    if (kept.length > 0 && rows > rowsMax) break;
    kept.push({ chunk, rows: chunk.rows, firstRow });
    firstRow += Math.ceil(chunk.rows / 32) * 32;
  }
  return kept;
}

/**
 * Chunks with the numbers that their rows had in `blocks`, which may have been cut elsewhere; `null` when the rows of one
 * chunk do not follow each other there, or do not begin at a whole byte.
 */
function numberedAs(chunks: readonly Chunk[], blocks: readonly NumberedRows[]): readonly PieceChunk[] | null {
  const pieces: PieceChunk[] = [];
  let block = 0;
  let used = 0;
  for (const chunk of chunks) {
    const first = blocks[block];
    if (first === undefined || (first.firstRow + used) % 8 !== 0) return null;
    const firstRow = first.firstRow + used;
    for (let left = chunk.rows; left > 0; ) {
      const current = blocks[block];
      // Where the number of the next row is.
      if (current === undefined || current.firstRow + used !== firstRow + chunk.rows - left) return null;
      const taken = Math.min(left, current.rows - used);
      left -= taken;
      used += taken;
      if (used < current.rows) continue;
      block += 1;
      used = 0;
    }
    pieces.push({ chunk, rows: chunk.rows, firstRow });
  }
  return block === blocks.length ? pieces : null;
}
