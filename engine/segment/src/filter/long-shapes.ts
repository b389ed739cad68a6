import { type Condition, shapeBytesMax } from '@elanus/expr';
import type { FieldId, GeometryColumn } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import type { Read } from '../read.ts';
import type { ChunkView } from '../shard.ts';

/** Bytes of the longest WKT of a column. */
interface LongestShapes {
  readonly any: number;
  /** Of those that are no points. */
  readonly extended: number;
}

/** Of chunks that do not change any more. */
const known = new WeakMap<Chunk, Map<FieldId, LongestShapes>>();

/** Whether the condition asks about shapes, and some of them may hold the event loop for longer than it may be held. */
export async function hasLongShapes(
  read: Read,
  views: readonly ChunkView[],
  condition: Condition,
): Promise<boolean> {
  for (const [id, bytesMax] of shapeBytesMax(condition))
    for (const view of views) {
      if (read.share.isSpent()) await read.share.nextTurn(read.signal);
      const { any, extended } = longestOf(view, id);
      if (bytesMax === 0 ? any > 0 : extended > bytesMax) return true;
    }
  return false;
}

function longestOf({ chunk, rows }: ChunkView, id: FieldId): LongestShapes {
  const ofChunk = known.get(chunk) ?? new Map<FieldId, LongestShapes>();
  const longest = ofChunk.get(id) ?? longestIn(chunk.column(id) as GeometryColumn, rows);
  if (chunk.isClosed && rows === chunk.rows) known.set(chunk, ofChunk.set(id, longest));
  return longest;
}

function longestIn(column: GeometryColumn, rows: number): LongestShapes {
  let any = 0;
  let extended = 0;
  for (let row = 0; row < rows; row++) {
    const bytes = column.offsets[row + 1]! - column.offsets[row]!;
    any = Math.max(any, bytes);
    if (bytes > extended && !isPoint(column, row)) extended = bytes;
  }
  return { any, extended };
}

/** Whether the shape in a row may take long, where `bytesMax` are those of the condition. */
export function isLongAt(chunk: Chunk, row: number, bytesMax: ReadonlyMap<FieldId, number>): boolean {
  for (const [id, most] of bytesMax) {
    const column = chunk.column(id) as GeometryColumn;
    const bytes = column.offsets[row + 1]! - column.offsets[row]!;
    if (bytes > most && (most === 0 || !isPoint(column, row))) return true;
  }
  return false;
}

/** Whether a WKT begins as POINT does, however it is written, and no other shape. */
function isPoint({ bytes, offsets }: GeometryColumn, row: number): boolean {
  const start = offsets[row]!;
  return (bytes[start]! | 0x20) === 0x70 && (bytes[start + 2]! | 0x20) === 0x69;
}
