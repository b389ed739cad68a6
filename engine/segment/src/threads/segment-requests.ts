import type { Condition, JsonPlaces } from '@elanus/expr';
import type { Column, FieldId } from '@elanus/model';
import type { IndexedBlock } from '../scalar-index/build-scalar-index.ts';
import type { ScalarIndexData, ScalarIndexSpec } from '../scalar-index/scalar-index.ts';

/** Rows to test. All arrays lie in shared memory. */
export interface FilterBlock {
  readonly columns: ReadonlyMap<FieldId, Column>;
  /** Of JSON paths by their names, where they are kept. */
  readonly places: ReadonlyMap<string, JsonPlaces>;
  readonly rows: number;
  /** Takes the answer: a bit for each row. */
  readonly bits: Uint8Array;
  /** Whether the bits say before which rows are to be tested; else all are. */
  readonly areMarked: boolean;
}

export interface FilterRequest {
  readonly kind: 'filter';
  readonly condition: Condition;
  readonly blocks: readonly FilterBlock[];
}

export interface BuildRequest {
  readonly kind: 'build';
  readonly spec: ScalarIndexSpec;
  readonly blocks: readonly IndexedBlock[];
  readonly seed: number;
  /** One number in shared memory: how many blocks the thread has gone through. */
  readonly progress: Int32Array;
}

/** Makes the bytes of an index' file, or adds up those of one that lies at `path`. */
export type FileRequest =
  | { readonly kind: 'encode'; readonly index: ScalarIndexData }
  | { readonly kind: 'verify'; readonly path: string };

export type SegmentRequest = FilterRequest | BuildRequest | FileRequest;

export type SegmentResult =
  /** How many rows match, block by block. */
  | { readonly kind: 'filter'; readonly counts: readonly number[] }
  /** The filter can't be answered for these rows: why, as the user is told. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'build'; readonly index: ScalarIndexData }
  /** Parts of the file, one behind the other, and the checksum of them all. */
  | { readonly kind: 'encode'; readonly parts: readonly Uint8Array[]; readonly crc32: number }
  | { readonly kind: 'verify' };
