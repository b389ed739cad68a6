import type { VectorBlock } from '@elanus/kernel';
import { assert, DataType, type FieldSchema } from '@elanus/model';
import { blockKeys, type RowsToScan } from './scan-rows.ts';

/**
 * Rows that are lists of vectors, as the kernel takes them. An empty list, which a null is too, is never a hit.
 * REQUIRES: the parts begin with the first row of their chunk.
 */
export function listBlocks(field: FieldSchema, parts: readonly RowsToScan[]): VectorBlock[] {
  return parts.map(({ selected: { view, allowed }, from, to: rows }) => {
    const column = view.chunk.column(field.id);
    assert(column.dataType === DataType.ArrayOfVector && from === 0, 'lists of vectors have no index');
    return {
      bytes: column.elements.bytes,
      offsets: null,
      rows,
      lists: column.offsets,
      allowed,
      inverseNorms: null,
      keys: blockKeys(view.chunk.keys),
    };
  });
}
