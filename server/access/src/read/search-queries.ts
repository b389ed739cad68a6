import { analysisOf, functionVectors, openFieldAnalyzer } from '@elanus/functions';
import {
  assert,
  type CollectionSchema,
  type FieldSchema,
  fieldById,
  functionOfOutput,
  isDenseVector,
  type MetricType,
  type SchemaFunction,
} from '@elanus/model';
import type { QueryVectors, ReadOptions } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { type TextRuns, textsOf } from '../rows/texts-of.ts';
import { readQueryTexts, readQueryVectors } from '../wire/query-vectors.ts';
import { checkCompared } from './list-search.ts';
import type { Parameters } from './parameters.ts';

/**
 * What a search asks for: the vectors of its placeholder group, or the vectors that the function of the field makes of
 * its texts.
 * @throws MilvusError 1100 when type, dimension or values do not fit the field; 2400 when a model does not answer
 */
export async function readQueries(
  dependencies: Pick<AccessDependencies, 'share' | 'models'>,
  schema: CollectionSchema,
  { field, metric }: { readonly field: FieldSchema; readonly metric: MetricType },
  placeholderGroup: Uint8Array,
  parameters: Parameters,
  options: ReadOptions,
): Promise<QueryVectors> {
  const made = functionOfOutput(schema, field.id);
  const texts = made === undefined ? null : readQueryTexts(placeholderGroup);
  if (made === undefined || texts === null) {
    const queries = readQueryVectors(placeholderGroup, field);
    checkCompared(queries, field, metric);
    return queries;
  }
  if (made.type === 'TextEmbedding') {
    const embedder = dependencies.models.embedderOf(schema, made);
    const bytes = await embedder.embed(textsOf(texts), 'query', options);
    assert(isDenseVector(field.dataType), 'a model makes dense vectors');
    return { dataType: field.dataType, dim: field.dim, count: texts.length, bytes, offsets: null };
  }
  return await madeOf(texts, made, schema, parameters.text('analyzer_name'), dependencies.share, options);
}

async function madeOf(
  texts: TextRuns,
  made: SchemaFunction,
  schema: CollectionSchema,
  analyzerName: string | undefined,
  share: AccessDependencies['share'],
  options: ReadOptions,
): Promise<QueryVectors> {
  const input = fieldById(schema, made.input);
  assert(input !== undefined, 'a function has its input');
  const analyzer = await openFieldAnalyzer(analysisOf(input), analyzerName);
  const column = await runInSlices(
    functionVectors(made, schema, { ...texts, validity: null }, () => analyzer),
    share,
    options,
  );
  const { dataType, length: count, bytes } = column;
  return 'offsets' in column
    ? { dataType, dim: null, count, bytes, offsets: column.offsets }
    : { dataType, dim: column.dim, count, bytes, offsets: null };
}
