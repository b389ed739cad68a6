import { type CollectionSchema, type Column, DataType, type FieldId } from '@elanus/model';
import { LoopShare, type Random, systemClock } from '@elanus/runtime';
import { columnBuffer } from '../column-buffer.ts';
import { storedFields } from '../stored-fields.ts';
import { randomBatch, type TestKey } from '../testing/random-rows.ts';
import type { SegmentFileLabel } from './segment-file-footer.ts';
import { encodeSegmentFile, type SegmentFileContent } from './segment-file-writer.ts';

export const share = new LoopShare(systemClock);

export const LABEL: SegmentFileLabel = {
  collectionId: 451n,
  partitionId: -(2n ** 63n),
  segmentId: 2n ** 63n - 1n,
  channel: 'elanus-dml_0_451v0',
  notes: { collection: 'ü "quoted"', __proto__: 'text' },
};

/** A file's bytes where a map or a read would put them. */
export async function fileOf(content: SegmentFileContent): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeSegmentFile(content, { share })) pieces.push(piece.slice());
  return alignedCopy(Buffer.concat(pieces));
}

/** The same bytes in memory of their own. */
export function alignedCopy(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

/** Keys of a type, all different. */
export function testKeys(type: DataType, count: number, random: Random): TestKey[] {
  return Array.from({ length: count }, (_, index) =>
    type === DataType.Int64
      ? BigInt.asIntN(64, (BigInt(random.uint32()) << 40n) + BigInt(index))
      : `key-${random.below(100)}-${index}`,
  );
}

/** Rows of the schema in pieces of these lengths, laid out as writers and growing segments have them. */
export function contentFixture(
  schema: CollectionSchema,
  lengths: readonly number[],
  random: Random,
): SegmentFileContent {
  const batches = lengths.map((length) =>
    randomBatch(schema, testKeys(schema.primaryKey.dataType, length, random), random),
  );
  const columns = storedFields(schema).map((field) => ({
    field,
    pieces: batches.map(({ columns, length }) => {
      const column = columns.get(field.id)!;
      return random.chance(0.5) ? column : asGrown(field.id, schema, column, length);
    }),
  }));
  const timestamps = lengths.map((length) =>
    BigInt64Array.from({ length }, (_, row) => (1_700_000_000_000n << 18n) + BigInt(row)),
  );
  return { kind: 'rows', label: LABEL, columns, timestamps };
}

/** The column as a growing segment has it: in longer arrays, and here behind a first row that does not count. */
function asGrown(id: FieldId, schema: CollectionSchema, column: Column, length: number): Column {
  const field = storedFields(schema).find((candidate) => candidate.id === id)!;
  const buffer = columnBuffer(field, 5);
  buffer.append(column, 0, length);
  return buffer.column();
}
