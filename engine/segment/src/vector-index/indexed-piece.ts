import type { VectorIndex } from '@elanus/kernel';
import type { Chunk } from '../chunk.ts';
import type { SelectedRows } from '../select-rows.ts';
import { copyBits, intersectBits } from './bitmap.ts';

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

/** Runs of rows of one partition, in the order they were written, and the index over their vectors. */
export class IndexedPiece {
  readonly index: VectorIndex;
  readonly rows: number;
  #runs: readonly PieceRows[];
  readonly #present: Uint8Array | null;
  /** The last bitmap that was all about deletions, and what it was made of: it serves until the next deletion. */
  #lastSources: readonly (Uint8Array | null)[] = [];
  #lastBits: Uint8Array | null = null;
  #isClosed = false;

  /** `present`: bits of the rows that have a vector; `null`: all have. The piece owns `index`. */
  constructor(index: VectorIndex, runs: readonly PieceRows[], present: Uint8Array | null) {
    this.index = index;
    this.#runs = runs;
    this.rows = runs.reduce((sum, { from, to }) => sum + to - from, 0);
    this.#present = present;
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
    if (runsAreWhole && wanted.every((part) => part?.allowed === null)) return this.#present;
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
    if (this.#present !== null) intersectBits(bits, this.#present);
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
    this.index.close();
  }
}
