import type { VectorBlock } from '@elanus/kernel';
import type { FieldSchema } from '@elanus/model';
import { blockKeys, keysFrom, type RowsToScan } from './scan-rows.ts';
import { listsOf } from './vector-index/piece-elements.ts';

/** Rows that are lists of vectors, as the kernel takes them. An empty list, which a null is too, is never a hit. */
export function listBlocks(field: FieldSchema, parts: readonly RowsToScan[]): VectorBlock[] {
  return parts.map(({ selected: { view, allowed }, from, to }) => {
    const { elements, offsets } = listsOf(view.chunk.column(field.id));
    return {
      bytes: elements.bytes,
      offsets: null,
      rows: to - from,
      lists: offsets.subarray(from),
      allowed: allowed?.subarray(from >> 3) ?? null,
      inverseNorms: null,
      keys: keysFrom(blockKeys(view.chunk.keys), from),
    };
  });
}
