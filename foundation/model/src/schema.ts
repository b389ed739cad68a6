import type { DataType, MetricType } from './data-type.ts';
import type { ChannelName, CollectionId, DatabaseId, FieldId, IndexId, PartitionId } from './ids.ts';
import type { KeyValue } from './key-value.ts';
import type { Timestamp } from './timestamp.ts';

/**
 * A default value, already of the field's type: bigint for Int64 and (microseconds) for Timestamptz, number for the
 * other numerics.
 */
export type DefaultValue = boolean | number | bigint | string;

export interface FieldSchema {
  readonly id: FieldId;
  readonly name: string;
  readonly description: string;
  readonly dataType: DataType;
  /** Of an Array field, or a vector type of an ArrayOfVector; otherwise `null`. */
  readonly elementType: DataType | null;
  readonly isPrimaryKey: boolean;
  readonly autoId: boolean;
  readonly isPartitionKey: boolean;
  readonly isClusteringKey: boolean;
  /** True only of the hidden field `$meta`. */
  readonly isDynamic: boolean;
  readonly nullable: boolean;
  readonly defaultValue: DefaultValue | null;
  /** Dimensions of a dense vector field, or of the vectors in an ArrayOfVector; otherwise `null`. */
  readonly dim: number | null;
  /** Longest VarChar value (or array element) in UTF-8 bytes; otherwise `null`. */
  readonly maxLength: number | null;
  /** Most elements of an Array or ArrayOfVector row; otherwise `null`. */
  readonly maxCapacity: number | null;
  /** As the client sent them, for describe. */
  readonly typeParams: readonly KeyValue[];
}

/** A field with nothing special about it; `changes` say what is. */
export function plainField(
  id: FieldId,
  name: string,
  dataType: DataType,
  changes: Partial<FieldSchema> = {},
): FieldSchema {
  return {
    id,
    name,
    description: '',
    dataType,
    elementType: null,
    isPrimaryKey: false,
    autoId: false,
    isPartitionKey: false,
    isClusteringKey: false,
    isDynamic: false,
    nullable: false,
    defaultValue: null,
    dim: null,
    maxLength: null,
    maxCapacity: null,
    typeParams: [],
    ...changes,
  };
}

/** What makes the values of one field of those of another, where rows come in and where they are asked for. */
export interface SchemaFunction {
  /** From 100, in the order of the schema. */
  readonly id: number;
  readonly name: string;
  readonly description: string;
  /**
   * `BM25`: the words of a text and how often each occurs, as a sparse vector. `TextEmbedding`: what a model, asked over
   * HTTP, makes of a text. `MinHash`: a signature of the set of a text's shingles, as a binary vector.
   */
  readonly type: 'BM25' | 'TextEmbedding' | 'MinHash';
  readonly input: FieldId;
  readonly output: FieldId;
  /** As the client sent them, for describe. */
  readonly params: readonly KeyValue[];
  /** It came when there may have been rows, which lack what it makes until that is made in the background. */
  readonly fillsEarlierRows?: true;
}

/**
 * An array of structs. It has no values of its own: each sub-field is a field of the schema, an Array or ArrayOfVector
 * called `name[sub]`, and in every row all of them have as many elements or are null together.
 */
export interface StructArraySchema {
  readonly id: FieldId;
  readonly name: string;
  readonly description: string;
  readonly nullable: boolean;
  /** As the client sent them, for describe. */
  readonly typeParams: readonly KeyValue[];
  /** Of its sub-fields, in creation order. */
  readonly fieldIds: readonly FieldId[];
}

export interface CollectionSchema {
  readonly name: string;
  readonly description: string;
  /** In creation order, user fields only; those of arrays of structs are among them. */
  readonly fields: readonly FieldSchema[];
  readonly structArrays: readonly StructArraySchema[];
  readonly primaryKey: FieldSchema;
  readonly partitionKey: FieldSchema | null;
  /** `$meta`, when the collection takes rows with undeclared keys. */
  readonly dynamicField: FieldSchema | null;
  /** In creation order. No two make the same field. */
  readonly functions: readonly SchemaFunction[];
  /** The highest id that a field, dropped ones included, ever had: no id names two fields. */
  readonly lastFieldId: FieldId;
  /** Grows by one with every change of the schema. */
  readonly version: number;
}

export const DYNAMIC_FIELD_NAME = '$meta';

/** What an insert of an existing primary key does (property `elanus.duplicate_key`). */
export type DuplicateKeyPolicy = 'replace' | 'reject' | 'keep';

export const ConsistencyLevel = { Strong: 0, Session: 1, Bounded: 2, Eventually: 3, Customized: 4 } as const;
export type ConsistencyLevel = (typeof ConsistencyLevel)[keyof typeof ConsistencyLevel];

export interface PartitionInfo {
  readonly id: PartitionId;
  readonly name: string;
  readonly createdTimestamp: Timestamp;
}

/** One collection as of one moment. A change makes a new object: holders keep a consistent view. */
export interface CollectionInfo {
  readonly id: CollectionId;
  readonly databaseId: DatabaseId;
  readonly databaseName: string;
  readonly name: string;
  readonly schema: CollectionSchema;
  /** One per shard; the shard of a key is its hash modulo their number. */
  readonly channels: readonly ChannelName[];
  /** In creation order; `_default` first, or the hidden ones of a partition key. */
  readonly partitions: readonly PartitionInfo[];
  readonly consistencyLevel: ConsistencyLevel;
  readonly properties: readonly KeyValue[];
  readonly duplicateKey: DuplicateKeyPolicy;
  readonly createdTimestamp: Timestamp;
  /** Of the last change of schema, name or properties: clients send it back as `schema_timestamp`. */
  readonly updatedTimestamp: Timestamp;
}

export interface IndexInfo {
  readonly id: IndexId;
  readonly collectionId: CollectionId;
  readonly fieldId: FieldId;
  readonly name: string;
  /** As the client named it: `HNSW`, `AUTOINDEX`, `INVERTED`. */
  readonly indexType: string;
  /** Of a vector index; otherwise `null`. */
  readonly metricType: MetricType | null;
  /** What describe answers, flattened: `index_type`, `metric_type`, then the build parameters. */
  readonly params: readonly KeyValue[];
  readonly createdTimestamp: Timestamp;
}

/**
 * What the index on the words of a text field is known by, within its collection: nobody defines it. Ids that are handed
 * out begin near the timestamp of the first start, far above those of fields.
 */
export function textIndexId(field: FieldId): IndexId {
  return BigInt(field) as IndexId;
}

/** The field called `name`, `$meta` included; `undefined` when there is none. */
export function fieldByName(schema: CollectionSchema, name: string): FieldSchema | undefined {
  if (schema.dynamicField?.name === name) return schema.dynamicField;
  return schema.fields.find((field) => field.name === name);
}

/** The field with `id`, `$meta` included; `undefined` when there is none. */
export function fieldById(schema: CollectionSchema, id: FieldId): FieldSchema | undefined {
  if (schema.dynamicField?.id === id) return schema.dynamicField;
  return schema.fields.find((field) => field.id === id);
}

/** The function whose output the field is; `undefined` when clients give its values. */
export function functionOfOutput(schema: CollectionSchema, id: FieldId): SchemaFunction | undefined {
  return schema.functions.find(({ output }) => output === id);
}

/** The function whose output the field is, when rows may lack it that were there before the function. */
export function fillingFunction(schema: CollectionSchema, id: FieldId): SchemaFunction | undefined {
  const made = functionOfOutput(schema, id);
  return made?.fillsEarlierRows === true ? made : undefined;
}

/** The name of the field that holds sub-field `sub` of the array of structs `struct`. No field of a client's has one like it. */
export function subFieldName(struct: string, sub: string): string {
  return `${struct}[${sub}]`;
}

/** What a client calls a sub-field within its struct; the name of any other field as it is. */
export function plainFieldName({ name }: FieldSchema): string {
  const at = name.indexOf('[');
  return at < 0 ? name : name.slice(at + 1, -1);
}

export function isSubField({ name }: FieldSchema): boolean {
  return name.includes('[');
}

/** The array of structs that a field belongs to; `undefined` when it is none of a struct. */
export function structOf(schema: CollectionSchema, { id }: FieldSchema): StructArraySchema | undefined {
  return schema.structArrays.find(({ fieldIds }) => fieldIds.includes(id));
}

/** The sub-fields of an array of structs, in creation order. */
export function subFieldsOf(schema: CollectionSchema, { fieldIds }: StructArraySchema): FieldSchema[] {
  return fieldIds.map((id) => schema.fields.find((field) => field.id === id)!);
}
