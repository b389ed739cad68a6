import type { Predicate, RowFilter } from '@elanus/expr';
import { filterViews, hasSample } from './filter/filter-views.ts';
import { countBits } from './filter/match-bits.ts';
import { type Read, viewShards } from './read.ts';
import type { RowList } from './row-list.ts';
import { rowsByKey } from './rows-by-key.ts';
import type { ChunkView, Shard } from './shard.ts';

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
  const selected = await rowsOf(read);
  if (read.trace != null) {
    read.trace.selected = selected;
    read.trace.stages.lap('filter');
  }
  return selected;
}

async function rowsOf(read: Read): Promise<readonly SelectedRows[]> {
  if (read.selection?.keys != null) return bitsOfRows(await rowsByKey(read, read.selection.keys));
  const matches = read.selection?.matches ?? null;
  if (matches === null) return isOfEverything(read) ? everythingNow(read) : wholeViews(read);
  return await filteredRows(read, matches);
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
  const generations = generationsOf(shards);
  const last = known.get(shards);
  const lastRows = last?.generations === generations ? last.rows.deref() : undefined;
  if (lastRows !== undefined) return lastRows;
  const rows = wholeViews(read);
  known.set(shards, { generations, rows: new WeakRef(rows) });
  return rows;
}

function generationsOf(shards: readonly Shard[]): number {
  return shards.reduce((sum, { generation }) => sum + generation, 0);
}

/** What a filter has last found among everything. */
interface LastMatches {
  readonly shards: readonly Shard[];
  readonly generations: number;
  readonly rows: WeakRef<readonly SelectedRows[]>;
}

const lastMatches = new WeakMap<Predicate, LastMatches>();

/** The rows of a filter: the very same list while somebody asks with the same predicate and nothing changes. */
async function filteredRows(read: Read, matches: RowFilter): Promise<readonly SelectedRows[]> {
  const predicate = read.selection?.predicate ?? null;
  const isKept =
    predicate !== null && read.trace == null && isOfEverything(read) && !hasSample(predicate.condition);
  if (!isKept) return await filterViews(read, viewShards(read), matches, predicate);
  const { shards } = read;
  const generations = generationsOf(shards);
  const last = lastMatches.get(predicate);
  const isSame = last?.shards === shards && last.generations === generations;
  const lastRows = isSame ? last.rows.deref() : undefined;
  if (lastRows !== undefined) {
    read.filters?.cache.noteKnown(lastRows.length);
    return lastRows;
  }
  // What is published from here on is not among the views, and has another generation.
  const rows = await filterViews(read, viewShards(read), matches, predicate);
  lastMatches.set(predicate, { shards, generations, rows: new WeakRef(rows) });
  return rows;
}

/** How many rows the bits name. */
export function countSelected(selected: SelectedRows): number {
  // Bits may be made when they are asked for, which a count does not need.
  if (selected.count !== null) return selected.count;
  const { view, allowed } = selected;
  return allowed === null ? view.rows : countBits(allowed, view.rows);
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
