import { DataType } from '@elanus/model';
import type { schema_FieldSchema } from '@elanus/proto';
import { FIELD_DATA, LIST_DATA, VECTORS } from '../wire/field-data-format.ts';
import { MessageWriter } from '../wire/message-writer.ts';
import { vectorSlot } from '../wire/vector-values.ts';
import { headroomOf, type SpareMemory } from './spare-memory.ts';

/** Dense vectors of one field, each as its little-endian bytes. */
export interface DenseVectors {
  readonly dim: number;
  /** Those that are there, one after the other. */
  readonly bytes: Uint8Array;
  /** 1 for each row that has one; `null` of a field that cannot be null. */
  readonly validity: Uint8Array | null;
}

/**
 * Vectors as a `schema.FieldData` in shared memory, where they stay until they are in a file, whichever thread looks at them:
 * where they lie when all of a batch have room in front of them, copied once otherwise.
 */
export function vectorFieldData(
  { name, dataType }: Pick<schema_FieldSchema, 'name' | 'dataType'>,
  { dim, bytes, validity }: DenseVectors,
  { memory, isWhole }: { readonly memory: SpareMemory; readonly isWhole: boolean },
): Uint8Array {
  // A FloatVector is a message of floats, the others are bytes themselves.
  const list = dataType === DataType.FloatVector ? headOf(LIST_DATA, bytes.length) : NOTHING;
  const slot = headOf(vectorSlot(dataType as Parameters<typeof vectorSlot>[0]), list.length + bytes.length);
  const dimension = new MessageWriter().number(VECTORS.dim, dim).finish();
  const vectors = headOf(FIELD_DATA.vectors, dimension.length + slot.length + list.length + bytes.length);
  const about = new MessageWriter().number(FIELD_DATA.type, dataType).text(FIELD_DATA.fieldName, name);
  if (validity !== null) about.fixed(FIELD_DATA.validData, validity);
  const head = Buffer.concat([about.finish(), vectors, dimension, slot, list]);
  const headroom = isWhole ? headroomOf(bytes) : null;
  if (headroom !== null && head.length <= headroom.length) {
    const start = headroom.length - head.length;
    headroom.set(head, start);
    return new Uint8Array(bytes.buffer, start, head.length + bytes.length);
  }
  const whole = memory.take(head.length + bytes.length);
  whole.set(head);
  whole.set(bytes, head.length);
  return whole;
}

const NOTHING = new Uint8Array(0);

/** What stands before `length` bytes that are the value of a field. */
function headOf(field: number, length: number): Uint8Array {
  return new MessageWriter().head(field, length).finish();
}
