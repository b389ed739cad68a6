import { DataType, type FieldSchema } from '@elanus/model';
import { fieldFixture } from '@elanus/model/testing';

/** A field for tests: named after nothing, of id 100, long enough, with what `options` say. */
export function fieldOf(dataType: DataType, options: Partial<FieldSchema> = {}): FieldSchema {
  return fieldFixture(100, 'f', dataType, {
    maxLength: dataType === DataType.VarChar ? 1_000 : null,
    maxCapacity: dataType === DataType.Array ? 100 : null,
    ...options,
  });
}
