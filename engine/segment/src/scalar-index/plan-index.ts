import { DataType, type FieldSchema } from '@elanus/model';
import type { IndexedPlace, ListedKind, ScalarIndexSpec, WordSpec } from './scalar-index.ts';

/** A definition as clients make it, checked before. */
export interface ScalarIndexDefinition {
  /** As described: `INVERTED`, `BITMAP`, `STL_SORT`, `TRIE` in its spellings, `NGRAM`, `RTREE`, `AUTOINDEX`. */
  readonly indexType: string;
  readonly field: FieldSchema;
  /** Of an index within documents; `null` otherwise. */
  readonly steps: readonly string[] | null;
  /** `json_cast_type`, in upper case. */
  readonly castType: string | null;
  /** `min_gram` of an NGRAM index. */
  readonly gramMin: number | null;
}

const GRAM_BYTES_MAX = 4;

/**
 * What to build for a definition; `null` when nothing is, because no index could make filters on the field cheaper. Types
 * that keep lists of rows by value are built alike: what suits the values, a list or a bitmap, is chosen value by value.
 */
export function scalarIndexSpec(
  definition: ScalarIndexDefinition,
): Exclude<ScalarIndexSpec, WordSpec> | null {
  const { indexType, field, steps, castType, gramMin } = definition;
  const place: IndexedPlace = { fieldId: field.id, steps };
  switch (indexType) {
    case 'NGRAM':
      // A character has one byte or more, so a literal that is long enough in characters is so in bytes.
      return { kind: 'grams', place, gramBytes: Math.min(GRAM_BYTES_MAX, Math.max(1, gramMin ?? 1)) };
    case 'RTREE':
      return { kind: 'boxes', place };
    default:
      break;
  }
  if (field.dataType === DataType.Geometry) return { kind: 'boxes', place };
  if (steps !== null) return castType === null ? null : ofDocuments(place, castType);
  const isArray = field.dataType === DataType.Array;
  const kind = kindOfType(isArray ? field.elementType! : field.dataType);
  if (kind === null) return null;
  return { kind: 'values', place, of: isArray ? 'elements' : 'value', kinds: [kind] };
}

/** Values that were cast are equal to themselves only in their own kind, so a cast is no more than a choice of kinds. */
function ofDocuments(place: IndexedPlace, castType: string): Exclude<ScalarIndexSpec, WordSpec> | null {
  switch (castType) {
    case 'BOOL':
      return { kind: 'values', place, of: 'value', kinds: ['boolean'] };
    case 'DOUBLE':
      return { kind: 'values', place, of: 'value', kinds: ['number'] };
    case 'VARCHAR':
      return { kind: 'values', place, of: 'value', kinds: ['text'] };
    case 'ARRAY_BOOL':
      return { kind: 'values', place, of: 'elements', kinds: ['boolean'] };
    case 'ARRAY_DOUBLE':
      return { kind: 'values', place, of: 'elements', kinds: ['number'] };
    case 'ARRAY_VARCHAR':
      return { kind: 'values', place, of: 'elements', kinds: ['text'] };
    case 'JSON':
      return { kind: 'values', place, of: 'both', kinds: ['boolean', 'number', 'text'] };
    default:
      return null;
  }
}

function kindOfType(type: DataType): ListedKind | null {
  switch (type) {
    case DataType.VarChar:
      return 'text';
    case DataType.Bool:
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
    case DataType.Int64:
    case DataType.Float:
    case DataType.Double:
    case DataType.Timestamptz:
      return 'number';
    default:
      return null;
  }
}
