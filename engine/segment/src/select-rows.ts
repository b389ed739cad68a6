import type { RowFilter } from '@elanus/expr';
import { type Read, viewShards } from './read.ts';
import type { RowList } from './row-list.ts';
import { rowsByKey } from './rows-by-key.ts';
import type { ChunkView, Shard } from './shard.ts';

/** Rows that a filter is given at a time at most; costly filters ask for fewer. */
const FILTER_ROWS = 1024;

/** The rows of a chunk that a read is about. */
export interface SelectedRows {
  readonly view: ChunkView;
  /** Bits of the first `view.rows` rows; `null`: all of them. */
  readonly allowed: Uint8Array | null;
  /** How many rows they name, of a filter; `null` when nobody has counted. */
  readonly count: number | null;
}

/** Every row that the read is about, as bits; chunks without any are left out. */
export async function selectRows(read: Read): Promise<readonly SelectedRows[]> {
  if (read.selection?.keys != null) return bitsOfRows(await rowsByKey(read, read.selection.keys));
  const matches = read.selection?.matches ?? null;
  if (matches === null) return isOfEverything(read) ? everythingNow(read) : wholeViews(read);
  return await filterViews(read, viewShards(read), matches);
}

function wholeViews(read: Read): readonly SelectedRows[] {
  return viewShards(read).map((view) => ({ view, allowed: view.live, count: null }));
}

function isOfEverything({ shards, scope }: Read): boolean {
  return scope.partitionIds === null && shards.every(({ appliedTimestamp }) => appliedTimestamp <= scope.at);
}

/**
 * What reads of everything have last found, and of which generations of their shards. Nothing is kept alive for it: the
 * garbage collector may take it at any time.
 */
const known = new WeakMap<
  readonly Shard[],
  { readonly generations: number; readonly rows: WeakRef<readonly SelectedRows[]> }
>();

/** All rows of this moment: the very same list until something changes, so that others can remember what it means. */
function everythingNow(read: Read): readonly SelectedRows[] {
  const { shards } = read;
  const generations = shards.reduce((sum, { generation }) => sum + generation, 0);
  const last = known.get(shards);
  const lastRows = last?.generations === generations ? last.rows.deref() : undefined;
  if (lastRows !== undefined) return lastRows;
  const rows = wholeViews(read);
  known.set(shards, { generations, rows: new WeakRef(rows) });
  return rows;
}

/** How many rows the bits name. */
export function countSelected({ view, allowed, count: known }: SelectedRows): number {
  if (known !== null) return known;
  if (allowed === null) return view.rows;
  let count = 0;
  const whole = view.rows >> 3;
  for (let at = 0; at < whole; at++) count += BITS_SET[allowed[at]!]!;
  const rest = view.rows & 7;
  return rest === 0 ? count : count + BITS_SET[allowed[whole]! & ((1 << rest) - 1)]!;
}

async function filterViews(
  read: Read,
  views: readonly ChunkView[],
  filter: RowFilter,
): Promise<readonly SelectedRows[]> {
  const selected: SelectedRows[] = [];
  const memory = new Uint8Array(views.reduce((sum, { rows }) => sum + bytesOfBits(rows), 0));
  const rowsAtOnce = Math.min(filter.rowsAtOnce ?? FILTER_ROWS, FILTER_ROWS);
  let used = 0;
  for (const view of views) {
    const allowed = memory.subarray(used, used + bytesOfBits(view.rows));
    let count = 0;
    for (let start = 0; start < view.rows; start += rowsAtOnce) {
      if (read.share.isSpent()) await read.share.nextTurn(read.signal);
      count += filterRows(view, filter, start, Math.min(start + rowsAtOnce, view.rows), allowed);
    }
    if (count === 0) continue;
    used += allowed.length;
    selected.push({ view, allowed, count });
  }
  return selected;
}

const matchesOfPiece = new Uint8Array(FILTER_ROWS);

/** Sets the bits of the rows in `start .. end` (`start` a multiple of 8) that live and match; returns how many. */
function filterRows(
  { chunk, live }: ChunkView,
  filter: RowFilter,
  start: number,
  end: number,
  bits: Uint8Array,
): number {
  const matches = matchesOfPiece;
  filter(chunk, start, end, matches);
  matches.fill(0, end - start, Math.min(matches.length, end - start + 7));
  let count = 0;
  for (let from = 0, at = start >> 3; from < end - start; from += 8, at++) {
    const byte =
      matches[from]! |
      (matches[from + 1]! << 1) |
      (matches[from + 2]! << 2) |
      (matches[from + 3]! << 3) |
      (matches[from + 4]! << 4) |
      (matches[from + 5]! << 5) |
      (matches[from + 6]! << 6) |
      (matches[from + 7]! << 7);
    const alive = live === null ? byte : byte & live[at]!;
    bits[at] = alive;
    count += BITS_SET[alive]!;
  }
  return count;
}

function bitsOfRows({ views, viewOf, rows }: RowList): readonly SelectedRows[] {
  const selected = views.map((view) => ({ view, allowed: new Uint8Array(bytesOfBits(view.rows)), count: 0 }));
  for (let i = 0; i < rows.length; i++) {
    const one = selected[viewOf[i]!]!;
    one.allowed[rows[i]! >> 3]! |= 1 << (rows[i]! & 7);
    one.count += 1;
  }
  return selected;
}

function bytesOfBits(rows: number): number {
  return Math.ceil(rows / 8);
}

const BITS_SET = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);
