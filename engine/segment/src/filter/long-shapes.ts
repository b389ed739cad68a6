import type { Condition } from '@elanus/expr';
import type { FieldId, GeometryColumn } from '@elanus/model';
import type { Read } from '../read.ts';
import type { ChunkView } from '../shard.ts';

/** Bytes of a WKT that has so many corners that testing it may hold the event loop for longer than it may be held. */
const LONG_SHAPE_BYTES = 4_096;

/** Whether the condition asks about shapes, and some of them are long. */
export async function hasLongShapes(
  read: Read,
  views: readonly ChunkView[],
  condition: Condition,
): Promise<boolean> {
  const fields = shapeFields(condition);
  if (fields.size === 0) return false;
  for (const { chunk, rows } of views) {
    if (read.share.isSpent()) await read.share.nextTurn(read.signal);
    for (const id of fields) if (hasLongText(chunk.column(id) as GeometryColumn, rows)) return true;
  }
  return false;
}

function hasLongText({ offsets }: GeometryColumn, rows: number): boolean {
  for (let row = 0; row < rows; row++) if (offsets[row + 1]! - offsets[row]! > LONG_SHAPE_BYTES) return true;
  return false;
}

function shapeFields(condition: Condition): ReadonlySet<FieldId> {
  const fields = new Set<FieldId>();
  const left: Condition[] = [condition];
  for (let next = left.pop(); next !== undefined; next = left.pop())
    if (next.kind === 'and' || next.kind === 'or') for (const operand of next.operands) left.push(operand);
    else if (next.kind === 'geometry') fields.add(next.field.id);
  return fields;
}
