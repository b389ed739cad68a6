import { type Condition, printOfText } from '@elanus/expr';
import { DataType, type FieldId, type VarCharColumn } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import { type Read, takeTurns } from '../read.ts';
import type { ChunkView } from '../shard.ts';
import { sharedBytes } from '../shared-memory.ts';

/** The prints of a text column's rows, a byte each; `null` as long as nobody has asked often enough. */
interface TextPrints {
  asked: number;
  prints: Uint8Array<SharedArrayBuffer> | null;
}

/** Of chunks that do not change any more. */
const known = new WeakMap<Chunk, Map<FieldId, TextPrints>>();

/** Prints take as long to be made as texts to be compared several times: who asks once never pays for them. */
const ASKED_MIN = 2;
const ROWS_AT_ONCE = 8_192;

/** The prints of a chunk's texts, if they were made: see `ColumnSource`. */
export function knownPrints(chunk: Chunk, id: FieldId): Uint8Array | undefined {
  return known.get(chunk)?.get(id)?.prints ?? undefined;
}

/** Bytes of all prints of a chunk. */
export function bytesOfPrints(chunk: Chunk): number {
  let bytes = 0;
  for (const { prints } of known.get(chunk)?.values() ?? []) bytes += prints?.length ?? 0;
  return bytes;
}

/** Makes the prints of texts that a filter compares with one text, once that was asked of a chunk before. */
export async function makePrints(
  read: Read,
  views: readonly ChunkView[],
  condition: Condition,
): Promise<void> {
  const fields = comparedTexts(condition);
  if (fields.size === 0) return;
  for (const { chunk } of views) {
    if (!chunk.isClosed) continue;
    const ofChunk = known.get(chunk) ?? new Map<FieldId, TextPrints>();
    known.set(chunk, ofChunk);
    for (const id of fields) {
      const entry = ofChunk.get(id) ?? { asked: 0, prints: null };
      ofChunk.set(id, entry);
      entry.asked += 1;
      if (entry.prints === null && entry.asked >= ASKED_MIN) entry.prints = await printsOf(read, chunk, id);
    }
  }
}

async function printsOf(read: Read, chunk: Chunk, id: FieldId): Promise<Uint8Array<SharedArrayBuffer>> {
  const { bytes, offsets } = chunk.column(id) as VarCharColumn;
  const prints = sharedBytes(chunk.rows);
  for (let start = 0; start < prints.length; start += ROWS_AT_ONCE) {
    await takeTurns(read);
    const end = Math.min(prints.length, start + ROWS_AT_ONCE);
    for (let row = start; row < end; row++)
      prints[row] = printOfText(bytes, offsets[row]!, offsets[row + 1]!);
  }
  return prints;
}

/** Text fields that the condition compares with a text for equality. */
function comparedTexts(condition: Condition): ReadonlySet<FieldId> {
  const fields = new Set<FieldId>();
  const left: Condition[] = [condition];
  for (let next = left.pop(); next !== undefined; next = left.pop())
    if (next.kind === 'and' || next.kind === 'or') for (const operand of next.operands) left.push(operand);
    else if (next.kind === 'compare' && next.operator === '==' && next.operand.kind === 'column')
      if (next.operand.field.dataType === DataType.VarChar) fields.add(next.operand.field.id);
  return fields;
}
