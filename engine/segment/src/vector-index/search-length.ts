/** How long the search of a piece takes, as far as it is known before: it decides which thread makes it, and with which others. */
import type { IndexSearch } from '@elanus/kernel';
import type { Read } from '../read.ts';
import type { WeighedSearch } from '../search-shards.ts';
import type { IndexedPiece } from './indexed-piece.ts';

/** What a short walk keeps in view, and the bytes of these vectors. */
const SHORT_EF_MAX = 128;
const SHORT_BYTES_MAX = 512 * 1024;
/** Rows that a search of lists goes through in as short a time, whatever the number of lists. */
const SHORT_LISTS_ROWS_MAX = 65_536;
/** Rows, and bytes of a query, that a sparse index goes through in as short a time. */
const SHORT_SPARSE_ROWS_MAX = 131_072;
const SHORT_SPARSE_BYTES_MAX = 12 * 8;
/** What one walk keeps in view, and the bytes of these vectors, that is done in about a millisecond. */
const GATHERED_EF_MAX = 1024;
const GATHERED_BYTES_MAX = 4 * 1024 * 1024;
/** The same of one that takes less than half a millisecond: the way to another thread and back takes a tenth. */
const BRIEF_EF_MAX = 512;
const BRIEF_BYTES_MAX = 1024 * 1024;
/** Coordinates of rows that a filter leaves, a byte each in codes: however far the rows are, they are gone through in some milliseconds (decision 47). */
const GATHERED_FILTERED_COORDINATES_MAX = 32 * 1024 * 1024;
/** What one walk keeps in view, and the bytes of these vectors, that takes about as long as its request takes to be read and answered. */
const CROWD_EF_MAX = 320;
const CROWD_BYTES_MAX = 512 * 1024;

/** Whether a search takes some tens of microseconds at most: as long as the way to another thread and back. */
export function isShort(
  { queryCount, ef, sparse, lists, byShare }: IndexSearch,
  { queries }: WeighedSearch,
  { selection }: Read,
  { rows, index }: IndexedPiece,
): boolean {
  // Who reads from the disk waits for it.
  if (index.layout === 'disk') return false;
  // What a filter leaves decides how far it goes: nobody knows before.
  if (queryCount > 1 || selection !== null) return false;
  const { length } = queries.bytes;
  if (sparse != null) return rows <= SHORT_SPARSE_ROWS_MAX && length <= SHORT_SPARSE_BYTES_MAX;
  if ((lists != null || byShare === true) && rows > SHORT_LISTS_ROWS_MAX) return false;
  return ef <= SHORT_EF_MAX && ef * length <= SHORT_BYTES_MAX;
}

/** Whether the search, which looks at `rows` rows at most, may wait for others: one walk that is over before anybody could cancel it. */
export function goesWithOthers(
  { queryCount, ef, isMeasured }: IndexSearch,
  { queries }: WeighedSearch,
  { selection }: Read,
  rows: number,
): boolean {
  if (queryCount !== 1 || isMeasured) return false;
  const { length } = queries.bytes;
  if (selection !== null && rows * (queries.dim ?? 0) > GATHERED_FILTERED_COORDINATES_MAX) return false;
  return ef <= GATHERED_EF_MAX && ef * length <= GATHERED_BYTES_MAX;
}

/** Whether a walk, when nobody waits beside it, is as a rule sooner made here than handed to another thread. */
export function isBrief({ ef }: IndexSearch, { queries }: WeighedSearch): boolean {
  return ef <= BRIEF_EF_MAX && ef * queries.bytes.length <= BRIEF_BYTES_MAX;
}

/**
 * Whether a crowd of such walks is sooner answered when one processor is left to the thread that reads and answers. Under a filter a
 * walk is as long, as a rule, and what it is not is scanned in as short a time.
 */
export function leavesProcessor({ ef }: IndexSearch, { queries }: WeighedSearch): boolean {
  return ef <= CROWD_EF_MAX && ef * queries.bytes.length <= CROWD_BYTES_MAX;
}
