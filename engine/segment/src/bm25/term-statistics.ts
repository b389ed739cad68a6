import type { FieldId } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import { type Read, viewShards } from '../read.ts';
import { ChunkTerms, type RowTerms } from './chunk-terms.ts';

const known = new WeakMap<Chunk, Map<FieldId, ChunkTerms>>();

/**
 * What all rows that the read may see, whatever its filter, have of `dimensions`, which ascend: rows of the partitions
 * searched at the time of the read, deleted ones left out. Rows are counted once, by the first read that sees them.
 */
export async function termStatistics(read: Read, field: FieldId, dimensions: Uint32Array): Promise<RowTerms> {
  const sum: RowTerms = { rows: 0, totalLength: 0, frequencies: new Float64Array(dimensions.length) };
  for (const view of viewShards(read)) await termsOf(view.chunk, field).addTo(sum, view, dimensions, read);
  return sum;
}

function termsOf(chunk: Chunk, field: FieldId): ChunkTerms {
  let fields = known.get(chunk);
  if (fields === undefined) {
    fields = new Map();
    known.set(chunk, fields);
  }
  let terms = fields.get(field);
  if (terms === undefined) {
    terms = new ChunkTerms(chunk, field);
    fields.set(field, terms);
  }
  return terms;
}
