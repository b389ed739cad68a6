import {
  type CollectionSchema,
  DataType,
  DYNAMIC_FIELD_NAME,
  FIRST_USER_FIELD_ID,
  type FieldSchema,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';

/** Makes a field once its id is known. */
export type FieldMaker = (id: number) => FieldSchema;

/** A field that `schemaOf` gives its id. */
export function field(name: string, dataType: DataType, options: Partial<FieldSchema> = {}): FieldMaker {
  return (id) => fieldFixture(id, name, dataType, options);
}

/** `id` (Int64, the key), the given fields and, if asked for, `$meta`. */
export function schemaOf(
  name: string,
  fields: readonly FieldMaker[],
  options: { readonly dynamic?: boolean } = {},
): CollectionSchema {
  const key = field('id', DataType.Int64, { isPrimaryKey: true });
  const meta = field(DYNAMIC_FIELD_NAME, DataType.JSON, { isDynamic: true, nullable: true });
  const makers = [key, ...fields, ...(options.dynamic ? [meta] : [])];
  return schemaFixture(
    makers.map((make, at) => make(FIRST_USER_FIELD_ID + at)),
    { name },
  );
}
