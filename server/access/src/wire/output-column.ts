import type { Column, FieldSchema, StructArraySchema } from '@elanus/model';

/** One column of an answer: of a field, or of an array of structs with some or all of its sub-fields. */
export type OutputColumn = FieldOutput | StructOutput;

export interface FieldOutput {
  readonly field: FieldSchema;
  /** Instants are texts already. */
  readonly column: Column;
}

export interface StructOutput {
  readonly struct: StructArraySchema;
  readonly subFields: readonly FieldOutput[];
}
