import { residentBytes } from '@elanus/kernel';
import { type FieldId, isDenseVector } from '@elanus/model';
import type { SegmentReport } from '@elanus/rpc';
import type { LoopShare } from '@elanus/runtime';
import type { Shard, ShardSegment } from '@elanus/segment';
import type { ServedCollection } from './served-collection.ts';

/** Bytes whose pages are counted at a stretch: about a millisecond. */
const COUNTED_BYTES = 32 * 1024 * 1024;

/** What there is of a collection, by segment. */
export async function reportSegments(
  { shards, info }: ServedCollection,
  share: LoopShare,
): Promise<readonly SegmentReport[]> {
  const fields = info.schema.fields.filter(({ dataType }) => isDenseVector(dataType)).map(({ id }) => id);
  const reports: SegmentReport[] = [];
  for (const shard of shards) {
    for (const segment of shard.segments()) {
      const covered = fields.map((field) => coverOf(shard, segment, field));
      const rows = segment.chunks.reduce((sum, chunk) => sum + chunk.rows, 0);
      reports.push({
        id: segment.id ?? shard.segmentId,
        partitionId: segment.partitionId,
        state: segment.id === null ? 'growing' : 'sealed',
        rows: segment.liveRows,
        diskBytes: segment.file?.info.file.bytes ?? 0,
        memoryBytes:
          (await memoryOfRows(segment, share)) +
          covered.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
        indexedFields: fields.filter((_, at) => covered[at]!.rows === rows && rows > 0),
      });
    }
  }
  return reports;
}

/** How many of a segment's rows an index covers, and their part of its memory. */
function coverOf(
  shard: Shard,
  { partitionId, chunks }: ShardSegment,
  field: FieldId,
): { readonly rows: number; readonly memoryBytes: number } {
  const own = new Set(chunks);
  let rows = 0;
  let memoryBytes = 0;
  for (const piece of shard.vectorIndexes.find(field, partitionId)?.pieces ?? []) {
    let covered = 0;
    for (const { chunk, from, to } of piece.runs) if (chunk !== null && own.has(chunk)) covered += to - from;
    rows += covered;
    memoryBytes += Math.round((piece.index.memoryBytes * covered) / Math.max(piece.rows, 1));
  }
  return { rows, memoryBytes };
}

async function memoryOfRows({ chunks, file }: ShardSegment, share: LoopShare): Promise<number> {
  let bytes = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const mapped = file?.mapped ?? null;
  if (mapped === null) return bytes;
  for (let at = 0; at < mapped.length; at += COUNTED_BYTES) {
    if (share.isSpent()) await share.nextTurn();
    bytes += residentBytes(mapped.subarray(at, at + COUNTED_BYTES));
  }
  return bytes;
}
