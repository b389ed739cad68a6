import { DataType, type FieldId, type FieldSchema } from '@elanus/model';
import { TIMESTAMP_FIELD_ID, TIMESTAMP_NAME } from './segment-file-format.ts';

/** What a file says of a column's field. */
export type FileField = Pick<
  FieldSchema,
  'id' | 'name' | 'dataType' | 'elementType' | 'dim' | 'nullable' | 'isPrimaryKey'
>;

/** The time of each row's write, or of each deletion. */
export const TIMESTAMP_FIELD: FileField = {
  id: TIMESTAMP_FIELD_ID as FieldId,
  name: TIMESTAMP_NAME,
  dataType: DataType.Int64,
  elementType: null,
  dim: null,
  nullable: false,
  isPrimaryKey: false,
};
