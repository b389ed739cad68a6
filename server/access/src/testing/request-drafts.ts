import { DataType } from '@elanus/model';
import {
  type Draft,
  encode,
  type Methods,
  type schema_CollectionSchema,
  type schema_FieldData,
  type schema_FieldSchema,
} from '@elanus/proto';

type CreateDraft = Draft<Methods['CreateCollection']['request']>;
type FieldDraft = Draft<schema_FieldSchema>;

/** A request that is right in every respect; `schema` and `request` put something else in. */
export function createRequest(
  name: string,
  schema: Draft<schema_CollectionSchema> = {},
  request: CreateDraft = {},
): CreateDraft {
  const message = { name, fields: [key(), vector()], ...schema };
  return { collectionName: name, schema: encode('schema.CollectionSchema', message), ...request };
}

/** `id`, an Int64 and the primary key. */
export function key(options: FieldDraft = {}): FieldDraft {
  return { name: 'id', dataType: DataType.Int64, isPrimaryKey: true, ...options };
}

/** `vector`, four floats. */
export function vector(options: FieldDraft = {}): FieldDraft {
  return { name: 'vector', dataType: DataType.FloatVector, typeParams: params({ dim: '4' }), ...options };
}

/** `text`, a VarChar of up to 64 bytes. */
export function text(options: FieldDraft = {}): FieldDraft {
  return { name: 'text', dataType: DataType.VarChar, typeParams: params({ max_length: '64' }), ...options };
}

export function params(pairs: Readonly<Record<string, string>>) {
  return Object.entries(pairs).map(([name, value]) => ({ key: name, value }));
}

/** One element of `fields_data`. */
export function column(draft: Draft<schema_FieldData>): Uint8Array {
  return encode('schema.FieldData', draft);
}

export function int64s(fieldName: string, ...data: bigint[]): Uint8Array {
  return column({ type: DataType.Int64, fieldName, scalars: { longData: { data } } });
}

export function texts(fieldName: string, ...data: string[]): Uint8Array {
  return column({ type: DataType.VarChar, fieldName, scalars: { stringData: { data } } });
}

/** The column `vector`. */
export function vectors(...rows: readonly (readonly number[])[]): Uint8Array {
  const floatVector = { data: rows.flat() };
  const dim = BigInt(rows[0]!.length);
  return column({ type: DataType.FloatVector, fieldName: 'vector', vectors: { dim, floatVector } });
}

/** The column `$meta`. */
export function metas(...rows: readonly string[]): Uint8Array {
  const data = rows.map((row) => Buffer.from(row));
  return column({ type: DataType.JSON, isDynamic: true, scalars: { jsonData: { data } } });
}

/** `placeholder_group` with these query vectors. */
export function placeholder(...queries: readonly (readonly number[])[]): Uint8Array {
  const values = queries.map((query) => new Uint8Array(Float32Array.from(query).buffer));
  return encode('common.PlaceholderGroup', { placeholders: [{ tag: '$0', type: 101, values }] });
}

/** `placeholder_group` with these texts. */
export function textQueries(...queries: readonly string[]): Uint8Array {
  const values = queries.map((query) => Buffer.from(query));
  return encode('common.PlaceholderGroup', {
    placeholders: [{ tag: '$0', type: DataType.VarChar, values }],
  });
}
