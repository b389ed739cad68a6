import type { Column, FieldId } from '@elanus/model';
import type { Read } from '../read.ts';
import type { ChunkView } from '../shard.ts';
import { sharedBytes } from '../shared-memory.ts';
import type { FilterBlock, FilterRequest } from '../threads/segment-requests.ts';
import { shareColumn } from '../threads/share-column.ts';

import { asksForWords, countConstants } from './condition-size.ts';
import type { FilterSearch, ViewMatches } from './filter-views.ts';

/** Work of one task: long beside the way to the thread, short beside what a client waits for. */
const TASK_NS = 4_000_000;
/** A filter with more constants takes as long to be sent as to be used. */
const SENT_CONSTANTS_MAX = 20_000;

/** Rows whose columns are handed over at a stretch, a multiple of 8: those in mapped files are copied for it. */
const BLOCK_ROWS = 8_192;

/** What threads answer first. */
export const NO_ROWS: FilterRequest = { kind: 'filter', condition: { kind: 'never' }, blocks: [] };

/** Tests row by row on other threads; `null` when the filter or its columns can't go there. */
export async function scanOnThreads(
  read: Read,
  views: readonly ChunkView[],
  { predicate, tools }: FilterSearch,
  costOfTest: number,
): Promise<readonly ViewMatches[] | null> {
  const { condition, fieldIds } = predicate;
  const { threads } = tools;
  if (threads === null || asksForWords(condition)) return null;
  if (countConstants(condition) > SENT_CONSTANTS_MAX) return null;
  if (!threads.isWarm) {
    const warming = threads.warmUp(NO_ROWS).catch(() => {});
    // Whoever waits for the threads to start waits longer than for most filters.
    if (costOfTest < TASK_NS) return null;
    await warming;
  }
  const blocks: FilterBlock[] = [];
  const bitsOf: Uint8Array[] = [];
  for (const { chunk, rows } of views) {
    const bits = sharedBytes(Math.ceil(rows / 8));
    bitsOf.push(bits);
    for (let start = 0; start < rows; start += BLOCK_ROWS) {
      if (read.share.isSpent()) await read.share.nextTurn(read.signal);
      const end = Math.min(start + BLOCK_ROWS, rows);
      const columns = new Map<FieldId, Column>();
      const prints = new Map<FieldId, Uint8Array>();
      for (const id of fieldIds) {
        const column = shareColumn(chunk.column(id), start, end);
        if (column === null) return null;
        columns.set(id, column);
        const ofTexts = chunk.prints(id);
        if (ofTexts !== undefined) prints.set(id, ofTexts.subarray(start, end));
      }
      blocks.push({ columns, prints, rows: end - start, bits: bits.subarray(start >> 3, (end + 7) >> 3) });
    }
  }
  const tasks = grouped(blocks, TASK_NS / costOfTest).map((group) =>
    // Whoever has gone away leaves the threads to others.
    threads.run({ kind: 'filter', condition, blocks: group }, read.signal),
  );
  const settled = await Promise.allSettled(tasks);
  read.signal?.throwIfAborted();
  const counts: number[] = [];
  for (const task of settled) {
    // A thread that has ended is no reason to refuse an answer.
    if (task.status === 'rejected' || task.value.kind !== 'filter') return null;
    counts.push(...task.value.counts);
  }
  let block = 0;
  return views.map((view, at) => {
    let count = 0;
    for (let start = 0; start < view.rows; start += BLOCK_ROWS) count += counts[block++]!;
    return { view, allowed: bitsOf[at]!, count };
  });
}

/** Neighbours of about so many rows together. */
function grouped(blocks: readonly FilterBlock[], rowsWanted: number): readonly (readonly FilterBlock[])[] {
  const groups: FilterBlock[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const block of blocks) {
    if (rows >= rowsWanted) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)!.push(block);
    rows += block.rows;
  }
  return groups;
}
