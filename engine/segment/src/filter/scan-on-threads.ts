import { type JsonPlaces, pathName, pathsOf, shapeBytesMax } from '@elanus/expr';
import { type Column, type FieldId, type GeometryColumn, invalidInput } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import { firstAtLeast } from '../first-at-least.ts';
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

/** Bytes of shapes that are tested by one task, when they are long. */
const LONG_BLOCK_BYTES = 65_536;

/** What threads answer first. */
export const NO_ROWS: FilterRequest = { kind: 'filter', condition: { kind: 'never' }, blocks: [] };

/** Rows of a view that are to be tested. */
export interface MarkedView {
  readonly view: ChunkView;
  /** Their bits; `null`: all rows. */
  readonly marked: Uint8Array | null;
}

/** All rows of a view. */
export function wholeView(view: ChunkView): MarkedView {
  return { view, marked: null };
}

/**
 * Tests row by row on other threads; `null` when the filter or its columns can't go there.
 * @throws MilvusError 1100 when a row is beyond what a filter may ask about
 */
export async function scanOnThreads(
  read: Read,
  views: readonly MarkedView[],
  { predicate, tools, areLong, costOfTest }: FilterSearch,
): Promise<readonly ViewMatches[] | null> {
  const { condition } = predicate;
  const { threads } = tools;
  if (threads === null || asksForWords(condition)) return null;
  if (!areLong && countConstants(condition) > SENT_CONSTANTS_MAX) return null;
  if (!threads.isWarm) {
    const warming = threads.warmUp(NO_ROWS).catch(() => {});
    // Whoever waits for the threads to start waits longer than for most filters.
    if (!areLong) return null;
    await warming;
  }
  const shapes = areLong ? [...shapeBytesMax(condition).keys()] : [];
  const paths = pathsOf(condition).map(pathName);
  const answers = views.map(({ view }) => ({
    view,
    allowed: sharedBytes(Math.ceil(view.rows / 8)),
    count: 0,
  }));
  const blocks: FilterBlock[] = [];
  const answerOf: number[] = [];
  for (const [at, { view, marked }] of views.entries()) {
    const bits = answers[at]!.allowed;
    if (marked !== null) bits.set(marked);
    for (let start = 0, end = 0; start < view.rows; start = end) {
      if (read.share.isSpent()) await read.share.nextTurn(read.signal);
      end = endOfBlock(view, shapes, start);
      const ofBlock = bits.subarray(start >> 3, (end + 7) >> 3);
      if (marked !== null && ofBlock.every((byte) => byte === 0)) continue;
      const block = blockOf(view.chunk, { ids: predicate.fieldIds, paths }, start, end);
      if (block === null) return null;
      blocks.push({ ...block, bits: ofBlock, areMarked: marked !== null });
      answerOf.push(at);
    }
  }
  const rowsOfTask = areLong ? 1 : TASK_NS / costOfTest;
  const tasks = grouped(blocks, rowsOfTask).map((group) =>
    // Whoever has gone away leaves the threads to others.
    threads.run({ kind: 'filter', condition, blocks: group }, read.signal),
  );
  const settled = await Promise.allSettled(tasks);
  read.signal?.throwIfAborted();
  let block = 0;
  for (const task of settled) {
    if (task.status === 'fulfilled' && task.value.kind === 'refused') throw invalidInput(task.value.reason);
    // A thread that has ended is no reason to refuse an answer.
    if (task.status === 'rejected' || task.value.kind !== 'filter') return null;
    for (const count of task.value.counts) answers[answerOf[block++]!]!.count += count;
  }
  return answers;
}

/** Rows `start .. end` of a chunk in memory that threads share; `null` when their columns can't be. */
function blockOf(
  chunk: Chunk,
  { ids, paths }: { readonly ids: ReadonlySet<FieldId>; readonly paths: readonly string[] },
  start: number,
  end: number,
): Omit<FilterBlock, 'bits' | 'areMarked'> | null {
  const columns = new Map<FieldId, Column>();
  for (const id of ids) {
    const column = shareColumn(chunk.column(id), start, end);
    if (column === null) return null;
    columns.set(id, column);
  }
  const places = new Map<string, JsonPlaces>();
  for (const path of paths) {
    const ofPath = chunk.places(path);
    if (ofPath !== undefined) places.set(path, ofPath.subarray(start, end));
  }
  return { columns, places, rows: end - start };
}

/** Where the rows from `start` on, a multiple of 8, are enough, or have enough bytes of long shapes. */
function endOfBlock({ chunk, rows }: ChunkView, shapes: readonly FieldId[], start: number): number {
  let end = Math.min(start + BLOCK_ROWS, rows);
  for (const id of shapes) {
    const { offsets } = chunk.column(id) as GeometryColumn;
    const row = firstAtLeast(offsets, offsets[start]! + LONG_BLOCK_BYTES, start, end);
    if (row < end) end = Math.max(start + 8, row & ~7);
  }
  return Math.min(end, rows);
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
