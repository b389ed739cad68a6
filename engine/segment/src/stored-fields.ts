import type { CollectionSchema, FieldSchema } from '@elanus/model';

/** The fields that rows are stored with. */
export function storedFields(schema: CollectionSchema): readonly FieldSchema[] {
  return schema.dynamicField === null ? schema.fields : [...schema.fields, schema.dynamicField];
}
