import type { CollectionSchema, Column, FieldId } from '@elanus/model';

/** What a thread is told of the file that it makes. */
export type FileSpec =
  | {
      readonly format: 'parquet' | 'json lines';
      readonly schema: CollectionSchema;
      readonly fields: readonly FieldId[];
    }
  /** One field's file of `rows` rows; texts have `width` characters at most. */
  | {
      readonly format: 'numpy';
      readonly schema: CollectionSchema;
      readonly field: FieldId;
      readonly rows: number;
      readonly width: number;
    };

export type ExportRequest =
  | { readonly kind: 'begin'; readonly file: FileSpec }
  | { readonly kind: 'rows'; readonly rows: number; readonly columns: ReadonlyMap<FieldId, Column> }
  | { readonly kind: 'end' }
  /** How many characters the longest text has. */
  | { readonly kind: 'measure'; readonly column: Column };

export type ExportReply =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'width'; readonly width: number }
  | { readonly kind: 'failed'; readonly reason: string };
