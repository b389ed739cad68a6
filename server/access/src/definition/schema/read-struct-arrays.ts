import {
  DataType,
  dataTypeName,
  type FieldId,
  type FieldSchema,
  invalidParameter,
  isArray,
  lastValueOf,
  type StructArraySchema,
  subFieldName,
} from '@elanus/model';
import type { schema_FieldSchema, schema_StructArrayFieldSchema } from '@elanus/proto';
import type { AccessLimits } from '../../limits.ts';
import { checkFieldName } from '../names.ts';
import { type SchemaContext, storedField } from './stored-field.ts';

/** An array of structs with the fields that hold its values. */
export interface ReadStructArray {
  readonly struct: StructArraySchema;
  readonly fields: readonly FieldSchema[];
}

/**
 * The array of structs that a client asks for. It has the id `id`, its sub-fields the ids behind it.
 * @throws MilvusError 1100, 1101 or 1701 for the first rule that is broken
 */
export function readStructArray(
  message: schema_StructArrayFieldSchema,
  id: number,
  context: SchemaContext,
): ReadStructArray {
  const { name, nullable } = message;
  if (message.fields.length === 0) throw invalidParameter(`struct array field ${name} has no sub-fields`);
  checkSubFieldNames(message, context.limits);
  const fields = message.fields.map((field, at) => {
    checkSubField(field, message);
    const typeParams = withCapacity(field, message);
    const own = { ...field, dataType: field.dataType as DataType, nullable, typeParams };
    return { ...storedField(own, id + 1 + at, context), name: subFieldName(name, field.name) };
  });
  const capacity = fields[0]!.maxCapacity;
  const other = fields.find(({ maxCapacity }) => maxCapacity !== capacity);
  if (other !== undefined) {
    throw invalidParameter(
      `max_capacity of the sub-fields of struct ${name} should be the same, but ${fields[0]!.name} has ${capacity} and ${other.name} has ${other.maxCapacity}`,
    );
  }
  const struct: StructArraySchema = {
    id: id as FieldId,
    name,
    description: message.description,
    nullable,
    typeParams: message.typeParams.map(({ key, value }) => ({ key, value })),
    fieldIds: fields.map((field) => field.id),
  };
  return { struct, fields };
}

function checkSubFieldNames(
  { fields }: schema_StructArrayFieldSchema,
  limits: Pick<AccessLimits, 'nameBytesMax'>,
): void {
  const seen = new Set<string>();
  for (const { name } of fields) {
    checkFieldName(name, limits);
    if (seen.has(name)) throw invalidParameter(`duplicated field name ${name} found`);
    seen.add(name);
  }
}

function checkSubField(field: schema_FieldSchema, struct: schema_StructArrayFieldSchema): void {
  const refuse = (what: string) =>
    invalidParameter(`sub-field ${field.name} of struct array field ${struct.name} ${what}`);
  if (!isArray(field.dataType as DataType)) {
    throw refuse(`can only be array or array of vector, but is ${dataTypeName(field.dataType)}`);
  }
  if (field.isPrimaryKey || field.isPartitionKey || field.isClusteringKey) throw refuse('can not be a key');
  if (field.autoID || field.isDynamic) throw refuse('can not be generated or dynamic');
  if (field.nullable && !struct.nullable) throw refuse('can be nullable with its struct only');
}

/** Clients write the capacity to each sub-field, or once to the struct. */
function withCapacity(
  { typeParams }: schema_FieldSchema,
  struct: schema_StructArrayFieldSchema,
): schema_FieldSchema['typeParams'] {
  const own = lastValueOf(typeParams, 'max_capacity');
  const common = lastValueOf(struct.typeParams, 'max_capacity');
  if (own !== undefined || common === undefined) return typeParams;
  return [...typeParams, { key: 'max_capacity', value: common }];
}

/** Whether the sub-fields hold vectors. */
export function vectorSubFields({ fields }: schema_StructArrayFieldSchema): number {
  return fields.filter(({ dataType }) => dataType === DataType.ArrayOfVector).length;
}
