import type { RowFilter } from '@elanus/expr';
import type { KeyColumn } from '@elanus/model';
import type { LoopShare } from './loop-share.ts';
import type { ChunkView, ReadScope, Shard } from './shard.ts';

/** What a filter asks for. */
export interface RowSelection {
  /** Only rows with one of these keys can match; `null`: any row can. */
  readonly keys: KeyColumn | null;
  /** Says of such a row whether it matches; `null`: it does. */
  readonly matches: RowFilter | null;
}

/** A read over all shards of a collection. */
export interface Read {
  readonly shards: readonly Shard[];
  readonly scope: ReadScope;
  readonly selection: RowSelection | null;
  readonly share: LoopShare;
  readonly signal?: AbortSignal | undefined;
}

/** Gives up the thread when this turn's time is used up. @throws the signal's reason when it has aborted */
export async function takeTurns(read: Pick<Read, 'share' | 'signal'>): Promise<void> {
  if (read.share.isSpent()) await read.share.nextTurn(read.signal);
}

/** What the read may see, of all shards at the same moment. */
export function viewShards(read: Read): readonly ChunkView[] {
  return read.shards.flatMap((shard) => shard.view(read.scope));
}
