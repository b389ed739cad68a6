import type { schema_CollectionSchema } from '@elanus/proto';
import type { FileKind } from './import-units.ts';

/** What a thread is told about the files that it reads. */
export interface UnitSpec {
  readonly kind: FileKind;
  /** By the field whose values it has; of rows: under the empty name. */
  readonly files: readonly {
    readonly name: string;
    readonly size: number;
    /** Of an open file, which the thread reads itself; left out: it asks for bytes. */
    readonly descriptor?: number;
  }[];
  readonly schema: schema_CollectionSchema;
  readonly separator: string;
  readonly nullText: string;
  /** Rows that are passed over. */
  readonly skip: number;
}

export type UnitRequest =
  /**
   * Reads the next rows; only they and the ones before can be encoded from then on. `spares` is memory of earlier rows that
   * nobody reads any more.
   */
  | { readonly kind: 'next'; readonly spares: readonly SharedArrayBuffer[] }
  /** Rows `from .. to` of a batch as the wire has them. */
  | { readonly kind: 'encode'; readonly batch: number; readonly from: number; readonly to: number }
  /** The bytes that the thread has asked for. */
  | { readonly kind: 'bytes'; readonly ask: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'no bytes'; readonly ask: number; readonly reason: string };

/** Rows as Insert takes them. */
export interface EncodedRows {
  readonly fieldsData: readonly Uint8Array[];
  readonly numRows: number;
}

export type UnitReply =
  | {
      readonly kind: 'rows';
      readonly batch: number;
      readonly rows: number;
      /** Bytes that the thread has read itself by now. */
      readonly bytesRead: number;
      /** `null`: some of them are not as the schema wants them. */
      readonly encoded: EncodedRows | null;
    }
  | { readonly kind: 'end' }
  | { readonly kind: 'encoded'; readonly encoded: EncodedRows }
  /** The rows asked for are not as the schema wants them. */
  | { readonly kind: 'bad rows'; readonly reason: string }
  /** The file is not what it should be. */
  | { readonly kind: 'bad file'; readonly reason: string }
  /** Nothing is wrong with the file. */
  | { readonly kind: 'failed'; readonly reason: string }
  | {
      readonly kind: 'read';
      readonly ask: number;
      readonly file: number;
      readonly offset: number;
      readonly length: number;
    }
  /** How many rows there are, as soon as the file says it. */
  | { readonly kind: 'total'; readonly rows: number };
