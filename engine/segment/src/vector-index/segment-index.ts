import type { VectorIndex } from '@elanus/kernel';
import {
  assert,
  DataType,
  denseVectorBytes,
  type FieldSchema,
  isDenseVector,
  type MeasuredRecalls,
} from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import type { Moment } from '../moment.ts';
import type { FilesInUse } from '../sealed/files-in-use.ts';
import { IndexedPiece, type KeptRows, type PieceFile, type PieceRows } from './indexed-piece.ts';
import { elementStarts } from './piece-elements.ts';
import type { PieceVectors } from './piece-vectors.ts';
import type { VectorLoan } from './vector-loan.ts';

/**
 * A scan of so many bytes takes about as long as a walk of a graph: 0.1 ms at the 40 GB/s that one core reads.
 * Rows that have less are compared one by one, exactly, for ever.
 */
const PIECE_BYTES_MIN = 4 * 1024 * 1024;
/** Fewer rows are not worth a graph, however long they are. */
const PIECE_ROWS_MIN = 4096;
/** Sparse rows are compared one by one as slowly as a hundred thousand of them are searched by an index. */
const SPARSE_PIECE_ROWS_MIN = 1024;
/** Lists are as long as many rows. */
const LIST_PIECE_ROWS_MIN = 1024;
/**
 * A new piece takes in those before it that hardly add to its work, being at most this share of it, and others when
 * there are so many of about its size: rows stream in faster than they are built into indexes, and who began with the
 * last piece at each turn would build most rows twice.
 */
const ABSORBED_SHARE_MAX = 0.25;
const LIKE_PIECES_MIN = 3;
const LIKE_SIZE_MAX = 1.5;
/** When more are left a new piece takes in those that are at most so many times its size. */
const PIECES_MAX = 4;
const ABSORBED_SIZE_MAX = 2;
/**
 * Once writes have come to rest fewer pieces are worth more work: searches walk through each of them. Rows that are too
 * few to be a piece while others follow become one, then.
 */
const ABSORBED_SIZE_AT_REST_MAX = 8;
const ROWS_AT_REST_MIN = 1024;
/**
 * And whatever the sizes, once they have rested for about as long as the whole takes to be built: so many rows for each
 * second. Who writes again soon has not had much built in vain, and who only reads has one graph.
 */
const BUILT_PER_SECOND_OF_REST = 20_000;
/** More are not built anew, and their index not written anew, for the sake of a few. */
const BUILT_IN_ANY_CASE_MAX = 2_000_000;

export interface IndexLimits {
  /** Fewer rows get no index. Default: by the size of a row, at least 4096; 1024 of sparse vectors. */
  readonly rowsMin?: number;
}

/** An index to be built. */
export interface PlannedPiece extends PieceVectors {
  /** Rows that have no index yet; the others come from pieces that the new one replaces. */
  readonly newRows: number;
  /** The last pieces, which the new one replaces. */
  readonly replaced: readonly IndexedPiece[];
}

/** What a build began with, and the index needs as long as it is in memory. */
export interface LentVectors {
  readonly loan?: VectorLoan;
  /** The files of the vectors. */
  readonly use?: FilesInUse;
}

export interface SegmentIndexOptions {
  /** Those of the segment now, in the order of their rows. */
  readonly chunks: () => readonly Chunk[];
  /** Called when searches find other pieces than before. */
  readonly onChange: () => void;
  readonly limits?: IndexLimits;
}

/**
 * The indexes over the vectors of one field in one growing segment: pieces that follow each other from the first row
 * on, each over rows that will not change any more. Rows behind the last piece have none.
 */
export class SegmentIndex {
  readonly field: FieldSchema;
  readonly #chunks: () => readonly Chunk[];
  readonly #onChange: () => void;
  readonly #rowsMin: number;
  #pieces: readonly IndexedPiece[] = [];
  readonly #runsOfChunk = new Map<Chunk, readonly { readonly piece: IndexedPiece; readonly run: number }[]>();
  #isClosed = false;

  constructor(field: FieldSchema, { chunks, onChange, limits = {} }: SegmentIndexOptions) {
    this.field = field;
    this.#chunks = chunks;
    this.#onChange = onChange;
    this.#rowsMin = limits.rowsMin ?? rowsMinOf(field);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get pieces(): readonly IndexedPiece[] {
    return this.#pieces;
  }

  /** The runs of a chunk that have an index, in the order of its rows: run `run` of `piece`. */
  runsOf(chunk: Chunk): readonly { readonly piece: IndexedPiece; readonly run: number }[] {
    return this.#runsOfChunk.get(chunk) ?? [];
  }

  /** What to build next where no write has come for `restMs`, 0: while they go on; `null`: nothing. */
  nextPiece(restMs = 0): PlannedPiece | null {
    if (this.#isClosed) return null;
    const newRuns = this.#rowsToIndexNext();
    const isAtRest = restMs > 0 && this.#pieces.length > 0;
    const rowsMin = isAtRest ? Math.min(ROWS_AT_REST_MIN, this.#rowsMin) : this.#rowsMin;
    const newRows = countRows(newRuns);
    const isEnough = newRows >= rowsMin;
    if (!isEnough && !isAtRest) return null;
    // Too few new rows are no reason to build, but go along with the pieces that are put together.
    const rowsToBegin = isEnough ? newRows : 0;
    const firstReplaced = isAtRest
      ? this.#firstUpTo(ABSORBED_SIZE_AT_REST_MAX, rowsToBegin, rowsBuiltInAnyCase(restMs))
      : this.#firstAbsorbed(rowsToBegin);
    if (!isEnough && this.#pieces.length - firstReplaced < 2) return null;
    const replaced = this.#pieces.slice(firstReplaced);
    const oldRuns = replaced.flatMap((piece) => piece.runs.filter(isKept));
    const runs = numbered([...oldRuns, ...newRuns]);
    return { runs, field: this.field, rows: countRows(runs), newRows, replaced };
  }

  /** The first of the pieces that a new one with so many new rows takes in while writes go on. */
  #firstAbsorbed(newRows: number): number {
    let first = this.#pieces.length;
    let rows = newRows;
    for (;;) {
      while (first > 0 && this.#pieces[first - 1]!.rows <= ABSORBED_SHARE_MAX * rows)
        rows += this.#pieces[--first]!.rows;
      let like = first;
      while (like > 0 && this.#pieces[like - 1]!.rows <= LIKE_SIZE_MAX * rows) like -= 1;
      if (first - like < LIKE_PIECES_MIN) break;
      while (first > like) rows += this.#pieces[--first]!.rows;
    }
    return first < PIECES_MAX ? first : Math.min(first, this.#firstUpTo(ABSORBED_SIZE_MAX, newRows));
  }

  /**
   * The first of the last pieces that are each at most `sizeMax` times the size of all behind it; of any size behind
   * nothing, and as long as all together are no more than `rowsInAnyCase`.
   */
  #firstUpTo(sizeMax: number, newRows: number, rowsInAnyCase = 0): number {
    let first = this.#pieces.length;
    let rows = newRows;
    while (first > 0) {
      const piece = this.#pieces[first - 1]!;
      const isTooMuch = piece.rows > sizeMax * rows && rows + piece.rows > rowsInAnyCase;
      if (rows > 0 && isTooMuch) break;
      rows += piece.rows;
      first -= 1;
    }
    return first;
  }

  /**
   * Uses what was built of `planned` from now on, or frees it when nobody needs it any more. Owns `index`; `present` is
   * what `presentRows` says of it.
   */
  adopt(
    planned: PlannedPiece,
    index: VectorIndex,
    present: Uint8Array | null,
    { loan, use }: LentVectors = {},
  ): void {
    if (this.#isClosed) {
      index.close();
      loan?.end();
      use?.[Symbol.dispose]();
      return;
    }
    this.#onChange();
    const { replaced } = planned;
    const replacedFiles = replaced.flatMap(({ file, replacedFiles: earlier }) =>
      file === null ? earlier : [...earlier, file.id],
    );
    const piece = new IndexedPiece(index, planned.runs, {
      present,
      starts: elementStarts(planned),
      replacedFiles,
      ...(loan === undefined ? {} : { loan }),
      ...(use === undefined ? {} : { use }),
    });
    this.#pieces = [...this.#pieces.filter((old) => !replaced.includes(old)), piece];
    for (const [chunk, runs] of this.#runsOfChunk) {
      const kept = runs.filter((run) => !replaced.includes(run.piece));
      if (kept.length > 0) this.#runsOfChunk.set(chunk, kept);
      else this.#runsOfChunk.delete(chunk);
    }
    const known = new Set(this.#chunks());
    for (const [run, { chunk }] of planned.runs.entries()) {
      if (known.has(chunk)) this.#runsOfChunk.set(chunk, [...this.runsOf(chunk), { piece, run }]);
      else piece.forget(chunk);
    }
    for (const old of replaced) old.close();
    // Comparing row by row has become rare.
    for (const { chunk, to } of planned.runs)
      if (to === chunk.rows && chunk.isClosed) chunk.forgetCodes(this.field.id);
  }

  /** Whether these are rows without an index, and none before them in their chunks are. */
  canRestore(runs: readonly KeptRows[]): boolean {
    if (this.#isClosed || runs.length === 0) return false;
    const open = new Map(this.#rowsWithoutIndex().map((run) => [run.chunk, run]));
    return runs.every(({ chunk, from, to }) => {
      const next = open.get(chunk);
      return next !== undefined && next.from === from && to <= next.to;
    });
  }

  /** Uses an index from before the start, over rows that `canRestore`. Owns `index` and `file`. */
  restore(
    runs: readonly KeptRows[],
    index: VectorIndex,
    {
      present,
      file,
      recalls,
    }: {
      readonly present: Uint8Array | null;
      readonly file: PieceFile;
      /** What was known of its searches. */
      readonly recalls: readonly MeasuredRecalls[];
    },
  ): void {
    assert(this.canRestore(runs), 'pieces are restored in the order of their rows');
    this.#onChange();
    const starts = elementStarts({ runs, field: this.field });
    const piece = new IndexedPiece(index, runs, { present, starts, file });
    piece.recalls.restore(recalls);
    this.#pieces = [...this.#pieces, piece];
    for (const [run, { chunk }] of runs.entries())
      this.#runsOfChunk.set(chunk, [...this.runsOf(chunk), { piece, run }]);
  }

  /** Frees a piece that can't be used and those behind it: their rows are to be indexed anew. */
  discard(piece: IndexedPiece): void {
    const at = this.#pieces.indexOf(piece);
    if (at < 0) return;
    this.#onChange();
    const gone = this.#pieces.slice(at);
    this.#pieces = this.#pieces.slice(0, at);
    for (const [chunk, runs] of this.#runsOfChunk) {
      const kept = runs.filter((run) => !gone.includes(run.piece));
      if (kept.length > 0) this.#runsOfChunk.set(chunk, kept);
      else this.#runsOfChunk.delete(chunk);
    }
    for (const old of gone) old.close();
  }

  /** Lets go of a chunk that the segment does not keep any more; an index of nothing else is freed. */
  forget(chunk: Chunk): void {
    this.#onChange();
    for (const { piece } of this.runsOf(chunk)) piece.forget(chunk);
    this.#runsOfChunk.delete(chunk);
    const isUsed = (piece: IndexedPiece): boolean => piece.runs.some(isKept);
    for (const piece of this.#pieces) if (!isUsed(piece)) piece.close();
    this.#pieces = this.#pieces.filter(isUsed);
  }

  /**
   * Live rows that wait for an index, of those that were there at a moment: none while they are too few to get one. Rows
   * that lack what a newer function makes wait for that.
   */
  pendingRows(moment: Moment): number {
    if (this.#isClosed) return 0;
    const unfilled = this.#chunks().filter((chunk) => chunk.awaits(this.field.id));
    const waiting = unfilled.map((chunk) => ({ chunk, from: 0, to: chunk.rows }));
    const runs = this.#rowsWithoutIndex();
    if (countRows(runs) >= this.#rowsMin) waiting.push(...runs);
    return waiting.reduce((sum, { chunk, from, to }) => {
      const rows = Math.max(0, Math.min(to, chunk.rowsAt(moment)) - from);
      return sum + Math.min(rows, chunk.liveRows);
    }, 0);
  }

  /** Rows that an index covers, deleted ones included. */
  get indexedRows(): number {
    return this.#pieces.reduce((sum, { rows }) => sum + rows, 0);
  }

  get memoryBytes(): number {
    return this.#pieces.reduce((sum, { index }) => sum + index.memoryBytes, 0);
  }

  /** Frees everything; searches compare rows one by one from now on. */
  close(): void {
    this.#isClosed = true;
    this.#onChange();
    for (const piece of this.#pieces) piece.close();
    this.#pieces = [];
    this.#runsOfChunk.clear();
  }

  /** Rows in files by themselves when they are enough for a piece: then their index can be in a file, too. */
  #rowsToIndexNext(): readonly KeptRows[] {
    const all = this.#rowsWithoutIndex();
    const stored = all.filter(({ chunk }) => chunk.stored !== null);
    return countRows(stored) >= this.#rowsMin ? stored : all;
  }

  /**
   * Published rows that no piece has, behind the last one of their chunk; of a chunk that still grows those that fill whole
   * bytes of a bitmap. Mostly they are the last rows; what a compaction has put together may stand before others. Rows
   * that lack what a newer function makes are left out.
   */
  #rowsWithoutIndex(): readonly KeptRows[] {
    const runs: KeptRows[] = [];
    for (const chunk of this.#chunks()) {
      if (chunk.awaits(this.field.id)) continue;
      const last = this.#runsOfChunk.get(chunk)?.at(-1);
      const from = last === undefined ? 0 : last.piece.runs[last.run]!.to;
      const isGrowing = !chunk.isClosed || chunk.visibleRows < chunk.rows;
      const to = isGrowing ? chunk.visibleRows & ~7 : chunk.rows;
      if (to > from) runs.push({ chunk, from, to, firstRow: 0 });
    }
    return runs;
  }
}

/** So many rows become one piece, whatever the sizes of those that they are in, when no write has come for `restMs`. */
export function rowsBuiltInAnyCase(restMs: number): number {
  return Math.min((BUILT_PER_SECOND_OF_REST * restMs) / 1000, BUILT_IN_ANY_CASE_MAX);
}

function rowsMinOf({ dataType, dim }: FieldSchema): number {
  if (dataType === DataType.SparseFloatVector) return SPARSE_PIECE_ROWS_MIN;
  if (dataType === DataType.ArrayOfVector) return LIST_PIECE_ROWS_MIN;
  assert(isDenseVector(dataType) && dim !== null, 'an index is over vectors');
  return Math.max(PIECE_ROWS_MIN, Math.ceil(PIECE_BYTES_MIN / denseVectorBytes(dataType, dim)));
}

function isKept(run: PieceRows): run is KeptRows {
  return run.chunk !== null;
}

function countRows(runs: readonly PieceRows[]): number {
  return runs.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** The runs with their rows counted on from one to the next; two that meet within a chunk become one. */
function numbered(runs: readonly KeptRows[]): readonly KeptRows[] {
  const joined: KeptRows[] = [];
  let firstRow = 0;
  for (const { chunk, from, to } of runs) {
    const last = joined.at(-1);
    if (last?.chunk === chunk && last.to === from) joined[joined.length - 1] = { ...last, to };
    else joined.push({ chunk, from, to, firstRow });
    firstRow += to - from;
  }
  return joined;
}
