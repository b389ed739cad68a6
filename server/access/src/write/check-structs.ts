import {
  assert,
  type CollectionSchema,
  type Column,
  type FieldId,
  type FieldSchema,
  invalidParameter,
  plainFieldName,
  type StructArraySchema,
  subFieldsOf,
} from '@elanus/model';

/**
 * In every row each sub-field of an array of structs has as many elements as the first, or is null with it.
 * @throws MilvusError 1100 that names struct, row and sub-fields
 */
export function checkStructs(
  struct: StructArraySchema,
  schema: CollectionSchema,
  columns: ReadonlyMap<FieldId, Column>,
): void {
  const [first, ...others] = subFieldsOf(schema, struct);
  const reference = first && columns.get(first.id);
  // Nobody sent any of them.
  if (reference === undefined) return;
  for (const field of others) {
    const column = columns.get(field.id);
    assert(column !== undefined, 'sub-fields are sent together');
    const row = firstDifference(reference, column);
    if (row < 0) continue;
    throw invalidParameter(
      `inconsistent struct element count in struct '${struct.name}' at row ${row}: ${countAt(first!, reference, row)}, ${countAt(field, column, row)}`,
    );
  }
}

function firstDifference(left: Column, right: Column): number {
  assert('elements' in left && 'elements' in right, 'sub-fields are arrays');
  for (let row = 0; row < left.length; row++) {
    const count = left.offsets[row + 1]! - left.offsets[row]!;
    if (count !== right.offsets[row + 1]! - right.offsets[row]!) return row;
    if ((left.validity?.[row] ?? 1) !== (right.validity?.[row] ?? 1)) return row;
  }
  return -1;
}

function countAt(field: FieldSchema, column: Column, row: number): string {
  assert('elements' in column, 'sub-fields are arrays');
  const count = column.offsets[row + 1]! - column.offsets[row]!;
  return `'${plainFieldName(field)}' ${column.validity?.[row] === 0 ? 'is null' : `has ${count}`}`;
}
