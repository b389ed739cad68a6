import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { compileCondition, type JsonPlaces, type RowFilter } from '@elanus/expr';
import { type Column, type FieldId, MilvusError } from '@elanus/model';
import { keepMatching, matchBits, rowsAtOnce, testOfFilter } from '../filter/match-bits.ts';
import { buildScalarIndex } from '../scalar-index/build-scalar-index.ts';
import { decodeScalarIndex, encodeScalarIndex } from '../scalar-index/index-file.ts';
import type { FilterRequest, SegmentRequest, SegmentResult } from './segment-requests.ts';
import type { ThreadReply, ThreadTask } from './thread-pool.ts';

/** A thread that tests rows and builds indexes, one task at a time. */
async function answer(request: SegmentRequest): Promise<SegmentResult> {
  switch (request.kind) {
    case 'filter':
      return filterBlocks(request);
    case 'build': {
      const { spec, blocks, seed, progress } = request;
      const onBlock = (count: number): void => {
        Atomics.store(progress, 0, count);
      };
      if (spec.kind !== 'words')
        return { kind: 'build', index: buildScalarIndex(spec, blocks, seed, onBlock) };
      // Most threads never cut a text.
      const { openAnalyzer } = await import('@elanus/functions');
      const { buildWordIndex } = await import('../scalar-index/build-word-index.ts');
      const analyzer = await openAnalyzer(spec.analyzer);
      return { kind: 'build', index: buildWordIndex(spec, blocks, analyzer, onBlock) };
    }
    case 'encode': {
      const parts = encodeScalarIndex(request.index);
      return { kind: 'encode', parts, crc32: parts.reduce((sum, part) => crc32(part, sum), 0) };
    }
    case 'verify':
      decodeScalarIndex(readFileSync(request.path), 'checked');
      return { kind: 'verify' };
  }
}

function filterBlocks({ condition, blocks }: FilterRequest): SegmentResult {
  const filter = compileCondition(condition);
  try {
    return { kind: 'filter', counts: blocks.map((block) => filterBlock(filter, block)) };
  } catch (error) {
    if (error instanceof MilvusError) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

function filterBlock(
  filter: RowFilter,
  { columns, places, rows, bits, areMarked }: FilterRequest['blocks'][number],
): number {
  const source = {
    column: (id: FieldId): Column => columns.get(id)!,
    places: (path: string): JsonPlaces | undefined => places.get(path),
  };
  if (areMarked) return keepMatching(testOfFilter(filter, source), 0, bits);
  const step = rowsAtOnce(filter);
  let count = 0;
  for (let start = 0; start < rows; start += step)
    count += matchBits(filter, source, start, Math.min(start + step, rows), bits);
  return count;
}

const port = parentPort!;
const { niceness } = workerData as { readonly niceness: number };
try {
  // On Linux this is about the calling thread alone.
  if (niceness !== 0 && process.platform === 'linux') setPriority(0, niceness);
} catch {
  // Who may not be nice works on as he is.
}
port.on('message', async ({ id, request }: ThreadTask<SegmentRequest>) => {
  let reply: ThreadReply<SegmentResult>;
  try {
    reply = { id, result: await answer(request) };
  } catch (error) {
    reply = { id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  port.postMessage(reply);
});
