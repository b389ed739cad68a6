import type { Condition } from '@elanus/expr';
import { openFieldAnalyzer, readFieldAnalysis } from '@elanus/functions';
import { assert, type FieldSchema } from '@elanus/model';
import type { Chunk } from '../chunk.ts';
import type { Read } from '../read.ts';
import type { ChunkView } from '../shard.ts';
import { ChunkWords } from './chunk-words.ts';
import { keepWords, knownWords } from './known-words.ts';

const fieldsOf = new WeakMap<Condition, readonly FieldSchema[]>();

/** The text fields whose words a filter asks about. */
export function matchedFields(condition: Condition): readonly FieldSchema[] {
  const known = fieldsOf.get(condition) ?? findFields(condition);
  fieldsOf.set(condition, known);
  return known;
}

function findFields(condition: Condition): readonly FieldSchema[] {
  const fields = new Map<number, FieldSchema>();
  const pending = [condition];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next.kind === 'and' || next.kind === 'or') pending.push(...next.operands);
    else if (next.kind === 'text-match' || next.kind === 'phrase-match')
      fields.set(next.field.id, next.field);
  }
  return [...fields.values()];
}

/** Makes the words of all rows of the views known, so that `Chunk.words` can say where they are. */
export async function lookUpWords(
  read: Read,
  views: readonly Pick<ChunkView, 'chunk' | 'rows'>[],
  fields: readonly FieldSchema[],
): Promise<void> {
  for (const field of fields) {
    const analysis = readFieldAnalysis(field);
    assert(analysis?.kind === 'one', 'a field that is matched has one analyzer');
    const analyzer = await openFieldAnalyzer(analysis);
    for (const { chunk, rows } of views) {
      const words = wordsOf(chunk, field, analysis.params);
      if (words.rows < rows) await words.extend(chunk, field.id, rows, analyzer, read);
    }
  }
}

function wordsOf(chunk: Chunk, field: FieldSchema, params: string): ChunkWords {
  const known = knownWords(chunk, field.id);
  if (known?.analyzedBy === params) return known;
  const words = new ChunkWords(params);
  keepWords(chunk, field.id, words);
  return words;
}
