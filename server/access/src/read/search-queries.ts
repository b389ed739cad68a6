import { openFieldAnalyzer, readFieldAnalysis, termVectors } from '@elanus/functions';
import {
  assert,
  type CollectionSchema,
  DataType,
  type FieldSchema,
  fieldById,
  functionOfOutput,
} from '@elanus/model';
import type { QueryVectors } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { runInSlices } from '../rows/sliced-work.ts';
import { type QueryTexts, readQueryTexts, readQueryVectors } from '../wire/query-vectors.ts';
import type { Parameters } from './parameters.ts';

/**
 * What a search asks for: the vectors of its placeholder group, or the vectors that the function of the field makes of
 * its texts.
 * @throws MilvusError 1100 when type, dimension or values do not fit the field
 */
export async function readQueries(
  { share }: Pick<AccessDependencies, 'share'>,
  schema: CollectionSchema,
  field: FieldSchema,
  placeholderGroup: Uint8Array,
  parameters: Parameters,
): Promise<QueryVectors> {
  const made = functionOfOutput(schema, field.id);
  const texts = made === undefined ? null : readQueryTexts(placeholderGroup);
  if (made === undefined || texts === null) return readQueryVectors(placeholderGroup, field);
  const input = fieldById(schema, made.input);
  assert(input !== undefined, 'a function has its input');
  return await wordsOf(texts, input, parameters.text('analyzer_name'), share);
}

async function wordsOf(
  texts: QueryTexts,
  input: FieldSchema,
  analyzerName: string | undefined,
  share: AccessDependencies['share'],
): Promise<QueryVectors> {
  const analysis = readFieldAnalysis(input);
  assert(analysis !== null, 'the input of a function is analysed');
  const analyzer = await openFieldAnalyzer(analysis, analyzerName);
  const { length, offsets, bytes } = await runInSlices(
    termVectors({ ...texts, validity: null }, () => analyzer),
    share,
  );
  return { dataType: DataType.SparseFloatVector, dim: null, count: length, bytes, offsets };
}
