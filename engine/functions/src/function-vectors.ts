import {
  assert,
  type CollectionSchema,
  type DenseVectorColumn,
  fieldById,
  type SchemaFunction,
  type SparseVectorColumn,
} from '@elanus/model';
import type { Analyzer } from './analyzer.ts';
import { minHashVectors, readMinHashOptions } from './min-hash.ts';
import { type Texts, termVectors } from './term-vectors.ts';
import type { Work } from './work.ts';

/** What a function that asks no model makes of texts, row by row. */
export function functionVectors(
  { type, output, params }: SchemaFunction,
  schema: CollectionSchema,
  texts: Texts,
  analyzerOf: (row: number) => Analyzer,
): Work<SparseVectorColumn | DenseVectorColumn> {
  assert(type !== 'TextEmbedding', 'models embed texts elsewhere');
  if (type === 'BM25') return termVectors(texts, analyzerOf);
  return minHashVectors(texts, readMinHashOptions(params, fieldById(schema, output)!), analyzerOf);
}
