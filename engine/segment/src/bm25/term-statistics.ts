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
  readonly #counted: readonly { readonly view: ChunkView; readonly terms: ChunkTerms }[];

  private constructor(counted: readonly { readonly view: ChunkView; readonly terms: ChunkTerms }[]) {
    this.#counted = counted;
  }

  static async open(read: Read, field: FieldId): Promise<TermStatistics> {
    const counted = viewShards(read).map((view) => ({ view, terms: termsOf(view.chunk, field) }));
    for (const { view, terms } of counted) await terms.catchUp(view, read);
    return new TermStatistics(counted);
  }

  /** Of `dimensions`, which ascend. */
  sum(dimensions: Uint32Array): RowTerms {
    const sum: RowTerms = { rows: 0, totalLength: 0, frequencies: new Float64Array(dimensions.length) };
    for (const { view, terms } of this.#counted) terms.addTo(sum, view, dimensions);
    return sum;
  }
}

/** What was counted of a field of a chunk counts no more: it has other values. */
export function forgetTerms(chunk: Chunk, field: FieldId): void {
  known.get(chunk)?.delete(field);
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
