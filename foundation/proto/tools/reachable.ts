import protobuf from 'protobufjs';

/** Every message that the methods of `service` and `further` can hold, sorted by name. */
export function reachableTypes(
  service: protobuf.Service,
  further: readonly protobuf.Type[],
): readonly protobuf.Type[] {
  const found = new Map<string, protobuf.Type>();
  const visit = (type: protobuf.Type) => {
    if (found.has(type.fullName)) return;
    found.set(type.fullName, type);
    for (const field of type.fieldsArray) {
      if (field.resolvedType instanceof protobuf.Type) visit(field.resolvedType);
    }
  };
  for (const method of service.methodsArray) {
    method.resolve();
    visit(method.resolvedRequestType!);
    visit(method.resolvedResponseType!);
  }
  for (const type of further) visit(type);
  return [...found.values()].sort((left, right) => (left.fullName < right.fullName ? -1 : 1));
}

/** `.milvus.proto.schema.FieldData` → `schema.FieldData`: what the rest of Elanus calls it. */
export function messageName(type: protobuf.Type): string {
  return type.fullName.replace(/^\.milvus\.proto\./, '');
}

/** A name for identifiers: `schema_FieldData`. */
export function identifier(type: protobuf.Type): string {
  return messageName(type).replaceAll('.', '_');
}

/**
 * Fields that carry rows. They stay bytes here: `access/wire` reads them straight into columns and writes them
 * straight from columns.
 */
const RAW_FIELDS: ReadonlySet<string> = new Set([
  'milvus.InsertRequest.fieldsData',
  'milvus.UpsertRequest.fieldsData',
  'milvus.QueryResults.fieldsData',
  'milvus.SearchResults.results',
]);

export function isRaw(field: protobuf.Field): boolean {
  return RAW_FIELDS.has(`${messageName(field.parent as protobuf.Type)}.${field.name}`);
}

/** Members of a oneof, `optional` fields and messages may be absent; all others have a default. */
export function mayBeAbsent(field: protobuf.Field): boolean {
  if (field.repeated || field.map) return false;
  return field.partOf !== null || field.resolvedType instanceof protobuf.Type;
}
