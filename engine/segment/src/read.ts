import type { Predicate, RowFilter } from '@elanus/expr';
import type { KeyColumn } from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import type { ReadTrace } from './explain/read-trace.ts';
import type { FilterTools } from './filter/filter-views.ts';
import type { FilesInUse } from './sealed/files-in-use.ts';
import type { ChunkView, ReadScope, Shard } from './shard.ts';

/** What a filter asks for. */
export interface RowSelection {
  /** Only rows with one of these keys can match; `null`: any row can. */
  readonly keys: KeyColumn | null;
  /** Says of such a row whether it matches; `null`: it does. */
  readonly matches: RowFilter | null;
  /** What `matches` was compiled from: indexes and what is known of earlier reads serve nobody else. */
  readonly predicate?: Predicate;
}

/** A read over all shards of a collection. */
export interface Read {
  readonly shards: readonly Shard[];
  readonly scope: ReadScope;
  readonly selection: RowSelection | null;
  /** Left out: rows are tested one by one on this thread. */
  readonly filters?: FilterTools;
  readonly share: LoopShare;
  readonly signal?: AbortSignal | undefined;
  /** Lasts as long as the read. Left out: the bytes of files stay where they are, whoever uses them. */
  readonly use?: FilesInUse;
  /** Where the read notes what it does; left out or `null`: nobody wants to know. */
  readonly trace?: ReadTrace | null;
}

/** What long work needs to let others have the thread. */
export type Turns = Pick<Read, 'share' | 'signal'>;

/** Gives up the thread when this turn's time is used up. @throws the signal's reason when it has aborted */
export async function takeTurns(read: Turns): Promise<void> {
  if (read.share.isSpent()) await read.share.nextTurn(read.signal);
}

/** Rows whose fixed-size values are copied between two looks at the clock. */
const PIECE_ROWS = 16_384;

/** Calls `work` for `0 .. length` in pieces, giving up the thread between them; at once, and returns `null`, for a single one. */
export function inPieces(
  read: Turns,
  length: number,
  work: (start: number, end: number) => void,
): Promise<void> | null {
  if (length > PIECE_ROWS) return inManyPieces(read, length, work);
  if (length > 0) work(0, length);
  return null;
}

async function inManyPieces(
  read: Turns,
  length: number,
  work: (start: number, end: number) => void,
): Promise<void> {
  for (let start = 0; start < length; start += PIECE_ROWS) {
    if (start > 0 && read.share.isSpent()) await read.share.nextTurn(read.signal);
    work(start, Math.min(start + PIECE_ROWS, length));
  }
}

/**
 * Opens the files that the read needs: to be awaited before anything looks at columns. `null` when all are open, which is
 * so but for the first reads after a start.
 */
export function openFiles({
  shards,
  scope,
  use,
}: Pick<Read, 'shards' | 'scope' | 'use'>): Promise<unknown> | null {
  const opening = shards.map((shard) => shard.openFiles(scope, use)).filter((pending) => pending !== null);
  return opening.length === 0 ? null : Promise.all(opening);
}

/** What the read may see, of all shards at the same moment. */
export function viewShards(read: Read): readonly ChunkView[] {
  return read.shards.flatMap((shard) => shard.view(read.scope));
}
