import type { FieldId } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import type { ChunkWords } from './chunk-words.ts';
import type { PieceWords } from './piece-words.ts';

/** Cut when a filter asked for them, or out of a text index. */
export type KnownWords = ChunkWords | PieceWords;

const known = new WeakMap<Chunk, Map<FieldId, KnownWords>>();

/** The words of a field of the chunk, as far as they are known. */
export function knownWords(chunk: Chunk, field: FieldId): KnownWords | undefined {
  return known.get(chunk)?.get(field);
}

/** From now on these are the words of the field. */
export function keepWords(chunk: Chunk, field: FieldId, words: KnownWords): void {
  const fields = known.get(chunk);
  if (fields === undefined) known.set(chunk, new Map([[field, words]]));
  else fields.set(field, words);
}
