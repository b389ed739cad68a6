import type { FieldId } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import { type Read, takeTurns } from '../read.ts';
import type { ChunkView } from '../shard.ts';
import { SparseRows } from './sparse-rows.ts';
import { TermCounts } from './term-counts.ts';

/** What is known of the words of some rows. */
export interface RowTerms {
  rows: number;
  /** Words of all rows. */
  totalLength: number;
  /** Parallel to the dimensions asked for, which ascend: rows that have each. */
  readonly frequencies: Float64Array;
}

/** Rows of a chunk as somebody sees them. */
type Rows = Pick<ChunkView, 'rows' | 'live'>;

/** Rows that are counted between two looks at the clock; a multiple of 8. */
const ROWS_PER_TURN = 256;

/**
 * The words of the live rows of one chunk, counted when they are first asked for and kept up to date from then on: new
 * rows are added, deleted ones taken away.
 */
export class ChunkTerms {
  readonly #chunk: Chunk;
  readonly #field: FieldId;
  readonly #counts = new TermCounts();
  /** Rows that were looked at, and bits of those that count. */
  #rows = 0;
  #live = new Uint8Array(0);
  #liveRows = 0;
  #totalLength = 0;
  /** Whose rows exactly those are that count; `null`: nobody has asked since the last change. */
  #sameAs: Rows | null = null;

  constructor(chunk: Chunk, field: FieldId) {
    this.#chunk = chunk;
    this.#field = field;
  }

  /** Counts what the view sees and nobody has counted, in turns. Afterwards `addTo` knows the rows of the view. */
  async catchUp(view: Rows, read: Read): Promise<void> {
    if (this.#isSame(view)) return;
    const vectors = new SparseRows(this.#chunk.column(this.#field));
    // Others may do the same meanwhile: what one step begins it ends.
    for (let row = 0; row < view.rows; row += ROWS_PER_TURN) {
      const end = Math.min(view.rows, row + ROWS_PER_TURN);
      const removed = this.#takeAway(view, row, end, vectors);
      const added = this.#count(view, end, vectors);
      if (removed || added) await takeTurns(read);
    }
    if (!this.#isBehindMe(view)) this.#sameAs = { rows: view.rows, live: view.live };
  }

  /** Adds what the rows of `view` have of `dimensions` to `sum`, exactly as the view sees them. */
  addTo(sum: RowTerms, view: Rows, dimensions: Uint32Array): void {
    sum.rows += this.#liveRows;
    sum.totalLength += this.#totalLength;
    for (let at = 0; at < dimensions.length; at++) sum.frequencies[at]! += this.#counts.of(dimensions[at]!);
    if (!this.#isSame(view) && this.#isBehindMe(view)) this.#correct(sum, view, dimensions);
  }

  /** The bits of a view never change, so that the same object means the same rows. */
  #isSame({ rows, live }: Rows): boolean {
    return this.#sameAs !== null && this.#sameAs.rows === rows && this.#sameAs.live === live;
  }

  /** Takes away the rows `from .. to` that count and that the view does not see; whether there were any. */
  #takeAway(view: Rows, from: number, to: number, vectors: SparseRows): boolean {
    if (view.live === null) return false;
    let found = false;
    for (let at = from >> 3; 8 * at < to; at++) {
      const gone = byteOf(this.#live, at, Math.min(this.#rows, view.rows)) & ~view.live[at]!;
      if (gone === 0) continue;
      found = true;
      this.#live[at]! &= ~gone;
      for (let bit = 0; bit < 8; bit++) if ((gone >> bit) & 1) this.#remove(8 * at + bit, vectors);
    }
    if (found) this.#sameAs = null;
    return found;
  }

  /** Counts the rows of the view up to `end` that nobody has looked at; whether there were any. */
  #count(view: Rows, end: number, vectors: SparseRows): boolean {
    if (this.#rows >= end) return false;
    this.#sameAs = null;
    if (8 * this.#live.length < end) {
      const grown = new Uint8Array(Math.max(64, 2 * this.#live.length, Math.ceil(end / 8)));
      grown.set(this.#live);
      this.#live = grown;
    }
    for (let row = this.#rows; row < end; row++) {
      if (view.live !== null && ((view.live[row >> 3]! >> (row & 7)) & 1) === 0) continue;
      this.#live[row >> 3]! |= 1 << (row & 7);
      this.#liveRows += 1;
      this.#totalLength += vectors.length(row);
      const last = vectors.start(row + 1);
      for (let at = vectors.start(row); at < last; at += 2) this.#counts.add(vectors.words[at]!);
    }
    this.#rows = end;
    return true;
  }

  #remove(row: number, vectors: SparseRows): void {
    this.#liveRows -= 1;
    this.#totalLength -= vectors.length(row);
    const end = vectors.start(row + 1);
    for (let at = vectors.start(row); at < end; at += 2) this.#counts.remove(vectors.words[at]!);
  }

  /** Whether the view, which is of an earlier time, sees other rows than those that count. */
  #isBehindMe(view: Rows): boolean {
    if (this.#rows > view.rows) return true;
    for (let at = 0; 8 * at < view.rows; at++)
      if (byteOf(view.live, at, view.rows) !== byteOf(this.#live, at, view.rows)) return true;
    return false;
  }

  /** Adds the difference between the rows of the view and those that count. */
  #correct(sum: RowTerms, view: Rows, dimensions: Uint32Array): void {
    const vectors = new SparseRows(this.#chunk.column(this.#field));
    for (let at = 0; 8 * at < this.#rows; at++) {
      const seen = byteOf(view.live, at, view.rows);
      const different = seen ^ byteOf(this.#live, at, this.#rows);
      if (different === 0) continue;
      for (let bit = 0; bit < 8; bit++)
        if ((different >> bit) & 1)
          addRow(sum, vectors, 8 * at + bit, { sign: (seen >> bit) & 1 ? 1 : -1, dimensions });
    }
  }
}

function addRow(
  sum: RowTerms,
  vectors: SparseRows,
  row: number,
  { sign, dimensions }: { readonly sign: 1 | -1; readonly dimensions: Uint32Array },
): void {
  sum.rows += sign;
  sum.totalLength += sign * vectors.length(row);
  const end = vectors.start(row + 1);
  for (let word = vectors.start(row), at = 0; word < end && at < dimensions.length; ) {
    const difference = vectors.words[word]! - dimensions[at]!;
    if (difference === 0) sum.frequencies[at]! += sign;
    if (difference <= 0) word += 2;
    if (difference >= 0) at += 1;
  }
}

/** Byte `at` of `bits`, `null` being all ones, without the bits of rows from `rows` on. */
function byteOf(bits: Uint8Array | null, at: number, rows: number): number {
  const left = rows - 8 * at;
  if (left <= 0) return 0;
  const byte = bits === null ? 0xff : (bits[at] ?? 0);
  return left >= 8 ? byte : byte & ((1 << left) - 1);
}
