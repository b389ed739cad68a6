import type { Condition, WordsLike } from '@elanus/expr';
import { openFieldAnalyzer, readFieldAnalysis } from '@elanus/functions';
import { assert, type FieldId, type FieldSchema } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import type { Read } from '../read.ts';
import type { ChunkView } from '../shard.ts';
import { ChunkWords } from './chunk-words.ts';
import { type KnownWords, keepWords, knownWords } from './known-words.ts';

/** A text field that a filter asks about. */
export interface MatchedField {
  readonly field: FieldSchema;
  /** Of its words those that are to be near others. */
  readonly like: readonly WordsLike[];
}

const matched = new WeakMap<Condition, readonly MatchedField[]>();

/** The text fields whose words a filter asks about. */
export function matchedFields(condition: Condition): readonly MatchedField[] {
  const known = matched.get(condition) ?? findFields(condition);
  matched.set(condition, known);
  return known;
}

function findFields(condition: Condition): readonly MatchedField[] {
  const fields = new Map<FieldId, { readonly field: FieldSchema; readonly like: WordsLike[] }>();
  const pending = [condition];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.kind === 'and' || next.kind === 'or') pending.push(...next.operands);
    if (next.kind !== 'text-match' && next.kind !== 'phrase-match') continue;
    const { field } = next;
    const one = fields.get(field.id) ?? { field, like: [] };
    if (next.kind === 'text-match' && next.editsMax > 0) one.like.push(next);
    fields.set(field.id, one);
  }
  return [...fields.values()];
}

/** Makes the words of all rows of the views known, so that `Chunk.words` can say where they are. */
export async function lookUpWords(
  read: Read,
  views: readonly Pick<ChunkView, 'chunk' | 'rows'>[],
  fields: readonly MatchedField[],
): Promise<void> {
  await read.filters?.indexes.restored(fields.map(({ field }) => field.id));
  read.signal?.throwIfAborted();
  for (const { field, like } of fields) {
    const analysis = readFieldAnalysis(field);
    assert(analysis?.kind === 'one', 'a field that is matched has one analyzer');
    const analyzer = await openFieldAnalyzer(analysis);
    for (const { chunk, rows } of views) {
      const words = wordsOf(chunk, field, analysis.params);
      if (!(words instanceof ChunkWords)) for (const wanted of like) await words.prepareLike(wanted, read);
      else if (words.rows < rows) await words.extend(chunk, field.id, rows, analyzer, read);
    }
  }
}

function wordsOf(chunk: Chunk, field: FieldSchema, params: string): KnownWords {
  const known = knownWords(chunk, field.id);
  if (known?.analyzedBy === params) return known;
  const words = new ChunkWords(params);
  keepWords(chunk, field.id, words);
  return words;
}
