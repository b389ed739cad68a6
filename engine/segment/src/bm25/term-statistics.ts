import type { FieldId } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import { type Read, viewShards } from '../read.ts';
import type { ChunkView } from '../shard.ts';
import { ChunkTerms, type RowTerms } from './chunk-terms.ts';

const known = new WeakMap<Chunk, Map<FieldId, ChunkTerms>>();

/**
 * What all rows that a read may see, whatever its filter, have of the words of a field: rows of the partitions searched at
 * the time of the read, deleted ones left out. Rows are counted once, by the first read that sees them.
 */
export class TermStatistics {
  readonly #views: readonly ChunkView[];
  readonly #field: FieldId;

  private constructor(views: readonly ChunkView[], field: FieldId) {
    this.#views = views;
    this.#field = field;
  }

  static async open(read: Read, field: FieldId): Promise<TermStatistics> {
    const views = viewShards(read);
    for (const view of views) await termsOf(view.chunk, field).catchUp(view, read);
    return new TermStatistics(views, field);
  }

  /** Of `dimensions`, which ascend. */
  sum(dimensions: Uint32Array): RowTerms {
    const sum: RowTerms = { rows: 0, totalLength: 0, frequencies: new Float64Array(dimensions.length) };
    for (const view of this.#views) termsOf(view.chunk, this.#field).addTo(sum, view, dimensions);
    return sum;
  }
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
