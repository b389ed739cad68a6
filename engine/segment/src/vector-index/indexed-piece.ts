import type { VectorIndex } from '@elanus/kernel';
import type { SegmentId } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import { PieceRecalls } from '../recall/piece-recalls.ts';
import { type FilesInUse, giveToReads, type UsedFile } from '../sealed/files-in-use.ts';
import type { SelectedRows } from '../select-rows.ts';
import { copyBits, intersectBits } from './bitmap.ts';
import { GatheredSearches } from './gathered-searches.ts';
import type { VectorLoan } from './vector-loan.ts';

/** Rows of one chunk that a piece is about. */
export interface PieceRows {
  /** `null` once the rows are no longer kept. */
  readonly chunk: Chunk | null;
  /** The rows `from .. to` of the chunk; `from` is a multiple of 8, and so is `to` unless the chunk ends there. */
  readonly from: number;
  readonly to: number;
  /** What the piece calls row `from`. */
  readonly firstRow: number;
}

/** Rows that are there. */
export type KeptRows = PieceRows & { readonly chunk: Chunk };

/** The file of a piece's index. */
export interface PieceFile {
  readonly id: SegmentId;
  /** Called when nothing reads the file any more. */
  readonly release: () => void;
  /**
   * The bytes of the file and of the vectors beside it, which are used until the piece has the file; then by searches. Left
   * out: they stay where they are.
   */
  readonly content?: UsedFile;
}

/** Runs of rows of one partition, in the order they were written, and the index over their vectors. */
export class IndexedPiece {
  readonly rows: number;
  /** The effort that searches take. */
  readonly recalls = new PieceRecalls();
  /** Bits of the rows that have a vector; `null`: all have. */
  readonly present: Uint8Array | null;
  /** As `elementStarts` says of its rows. */
  readonly starts: Uint32Array | null;
  /** Files whose place that of the piece takes. */
  readonly replacedFiles: readonly SegmentId[];
  #index: VectorIndex;
  #gathered: GatheredSearches;
  #file: PieceFile | null;
  readonly #loan: VectorLoan | undefined;
  #use: FilesInUse | null;
  #runs: readonly PieceRows[];
  /** The last bitmap that was all about deletions, and what it was made of: it serves until the next deletion. */
  #lastSources: readonly (Uint8Array | null)[] = [];
  #lastBits: Uint8Array | null = null;
  #isClosed = false;

  /** The piece owns `index` and `file`. */
  constructor(
    index: VectorIndex,
    runs: readonly PieceRows[],
    options: {
      readonly present: Uint8Array | null;
      readonly starts?: Uint32Array | null;
      readonly file?: PieceFile | null;
      readonly replacedFiles?: readonly SegmentId[];
      /** Where the index has its vectors from, as long as it is in memory. */
      readonly loan?: VectorLoan;
      /** Files that an index in memory has its vectors from. */
      readonly use?: FilesInUse;
    },
  ) {
    this.#index = index;
    this.#gathered = new GatheredSearches(index);
    this.#runs = runs;
    this.rows = runs.reduce((sum, { from, to }) => sum + to - from, 0);
    this.present = options.present;
    this.starts = options.starts ?? null;
    this.#file = options.file ?? null;
    this.replacedFiles = options.replacedFiles ?? [];
    this.#loan = options.loan;
    this.#use = options.use ?? null;
    this.#use?.endReading();
    giveToReads(this.#file?.content);
  }

  get index(): VectorIndex {
    return this.#index;
  }

  /** Searches that may go together with others. */
  get gathered(): GatheredSearches {
    return this.#gathered;
  }

  /** Where the index is kept; `null` as long as it is in memory only. */
  get file(): PieceFile | null {
    return this.#file;
  }

  /** Rows that a file has are read from there from now on, but by the index itself as long as it is in memory. */
  endLoan(): void {
    this.#loan?.end();
  }

  /** From now on the same index is used from its file; searches under way go on with the other. */
  moveTo(index: VectorIndex, file: PieceFile): void {
    this.#closeIndex();
    this.#file?.release();
    this.#index = index;
    this.#gathered = new GatheredSearches(index);
    this.#file = file;
    giveToReads(file.content);
    this.#endUse();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get runs(): readonly PieceRows[] {
    return this.#runs;
  }

  /** The number of the run that has a row of the piece. */
  runOf(row: number): number {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#runs[middle]!.firstRow <= row) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * Bits of the piece's rows that a read wants, by run; `undefined` for a run that it wants nothing of. `null`: all.
   * `sources` says whether others will come with the very same bitmaps.
   */
  allowed(wanted: readonly (SelectedRows | undefined)[], sources: 'lasting' | 'passing'): Uint8Array | null {
    const isWhole = (run: PieceRows, number: number): boolean => (wanted[number]?.view.rows ?? 0) >= run.to;
    const runsAreWhole = this.#runs.every(isWhole);
    if (runsAreWhole && wanted.every((part) => part?.allowed === null)) return this.present;
    const isLasting = sources === 'lasting' && runsAreWhole;
    if (isLasting && wanted.every((part, at) => part!.allowed === this.#lastSources[at]))
      return this.#lastBits;
    const bits = new Uint8Array(Math.ceil(this.rows / 8));
    for (const [number, { from, to, firstRow }] of this.#runs.entries()) {
      const part = wanted[number];
      if (part === undefined) continue;
      const end = Math.min(to, part.view.rows);
      if (end > from) copyBits(bits, firstRow, part.allowed, from, end - from);
    }
    if (this.present !== null) intersectBits(bits, this.present);
    if (isLasting) {
      this.#lastSources = wanted.map((part) => part!.allowed);
      this.#lastBits = bits;
    }
    return bits;
  }

  /** Lets go of rows that nobody can read any more. */
  forget(chunk: Chunk): void {
    this.#runs = this.#runs.map((run) => (run.chunk === chunk ? { ...run, chunk: null } : run));
  }

  /** Frees the index once the searches that use it are done. */
  close(): void {
    this.#isClosed = true;
    this.#loan?.end();
    this.#closeIndex();
    this.#file?.release();
    this.#endUse();
  }

  #endUse(): void {
    this.#use?.[Symbol.dispose]();
    this.#use = null;
  }

  /** What waits to go together is searched all the same. */
  #closeIndex(): void {
    this.#gathered.flush();
    this.#index.close();
  }
}
