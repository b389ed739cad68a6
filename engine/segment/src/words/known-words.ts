import type { FieldId } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import type { ChunkWords } from './chunk-words.ts';

const known = new WeakMap<Chunk, Map<FieldId, ChunkWords>>();

/** The words of a field of the chunk, as far as a filter has asked for them. */
export function knownWords(chunk: Chunk, field: FieldId): ChunkWords | undefined {
  return known.get(chunk)?.get(field);
}

/** From now on these are the words of the field. */
export function keepWords(chunk: Chunk, field: FieldId, words: ChunkWords): void {
  const fields = known.get(chunk);
  if (fields === undefined) known.set(chunk, new Map([[field, words]]));
  else fields.set(field, words);
}
