import type { FieldId } from '@elanus/model';
import { bytesOfLists, type ValueLists } from './value-lists.ts';

/** What an index is over. */
export interface IndexedPlace {
  readonly fieldId: FieldId;
  /** Into the field's documents; `null`: the field holds plain values or arrays. */
  readonly steps: readonly string[] | null;
}

/** Kinds of values that lists are kept of. */
export type ListedKind = 'number' | 'text' | 'boolean';

/** What to build; all that the types of index differ in. */
export type ScalarIndexSpec =
  | {
      /** Lists of rows by value. */
      readonly kind: 'values';
      readonly place: IndexedPlace;
      /** The values themselves, the elements of those that are arrays, or both. */
      readonly of: 'value' | 'elements' | 'both';
      /** Values of other kinds are left out. Plain fields have one kind. */
      readonly kinds: readonly ListedKind[];
    }
  | {
      /** Lists of rows by the runs of `gramBytes` bytes in their texts. */
      readonly kind: 'grams';
      readonly place: IndexedPlace;
      readonly gramBytes: number;
    }
  | {
      /** Boxes around shapes, in a tree. */
      readonly kind: 'boxes';
      readonly place: IndexedPlace;
    }
  | WordSpec;

/** Where words occur in texts: what text_match asks. */
export interface WordSpec {
  readonly kind: 'words';
  readonly place: IndexedPlace;
  /** The parameters of the analyzer that cuts the texts. */
  readonly analyzer: string;
}

/** An index over some rows, numbered from 0: plain data over typed arrays. */
export interface ScalarIndexData {
  readonly spec: ScalarIndexSpec;
  /** The number behind its last row; rows without a value count. */
  readonly rows: number;
  /** How the rows of its blocks are numbered. */
  readonly blocks: readonly NumberedRows[];
  readonly parts: readonly IndexPart[];
}

/** So many rows that are numbered from `firstRow` on. */
export interface NumberedRows {
  readonly rows: number;
  readonly firstRow: number;
}

export type IndexPart = ValuePart | GramPart | BoxPart | WordPart;

/** Rows by their values, or by the elements of their arrays. */
export interface ValuePart {
  readonly kind: 'values';
  readonly of: 'value' | 'elements';
  /** By kind of value; a kind that is not there was not indexed. */
  readonly lists: Partial<Readonly<Record<ListedKind, ValueLists>>>;
  /** Of elements: bits of the rows that have an array; `null`: all have. */
  readonly arrays: Uint8Array | null;
  /** Rows with a value that lists can't hold exactly: whoever asks has to look at them. */
  readonly unsure: Uint32Array;
}

/** Rows by the runs of bytes in their texts: which rows may hold a longer run. */
export interface GramPart {
  readonly kind: 'grams';
  readonly gramBytes: number;
  /** Runs as numbers, the first byte uppermost, ascending; the rows of run i are `rows[starts[i] .. starts[i + 1])`. */
  readonly grams: Uint32Array;
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
}

/** A packed tree of boxes: west, south, east, north of each. */
export interface BoxPart {
  readonly kind: 'boxes';
  /** Level by level, the leaves first; each inner box holds the next `fanout` of the level before it. */
  readonly boxes: Float64Array;
  /** How many boxes each level has. */
  readonly levels: Uint32Array;
  /** The row of each leaf. */
  readonly rows: Uint32Array;
}

/** Rows by the words of their texts, and the places of the words. */
export interface WordPart {
  readonly kind: 'words';
  /** The distinct words in UTF-8, in ascending order of their bytes: word i is `bytes[offsets[i] .. offsets[i + 1])`. */
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  /** Word i occurs at `starts[i] .. starts[i + 1]` of the lists below: once for each time, by row, then as it was cut. */
  readonly starts: Uint32Array;
  readonly rows: Uint32Array;
  readonly positions: Uint32Array;
}

/** Boxes of one level that the next one has a box around. */
export const BOX_FANOUT = 16;

export function bytesOfBits(rows: number): number {
  return Math.ceil(rows / 8);
}

/** Bytes of memory, or of a mapped file. */
export function memoryOfIndex({ parts }: ScalarIndexData): number {
  return parts.reduce((sum, part) => sum + memoryOfPart(part), 0);
}

function memoryOfPart(part: IndexPart): number {
  switch (part.kind) {
    case 'values': {
      const lists = Object.values(part.lists).reduce((sum, one) => sum + bytesOfLists(one), 0);
      return lists + (part.arrays?.byteLength ?? 0) + part.unsure.byteLength;
    }
    case 'grams':
      return part.grams.byteLength + part.starts.byteLength + part.rows.byteLength;
    case 'boxes':
      return part.boxes.byteLength + part.levels.byteLength + part.rows.byteLength;
    case 'words': {
      const words = part.bytes.byteLength + part.offsets.byteLength + part.starts.byteLength;
      return words + part.rows.byteLength + part.positions.byteLength;
    }
  }
}
