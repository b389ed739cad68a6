import type { Column, FieldSchema } from '@elanus/model';

/** One column of an answer. */
export interface OutputColumn {
  readonly field: FieldSchema;
  readonly column: Column;
}
