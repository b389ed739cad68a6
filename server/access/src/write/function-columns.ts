import { isUtf8 } from 'node:buffer';
import { analyzerChoice, functionVectors } from '@elanus/functions';
import {
  assert,
  type CollectionSchema,
  type Column,
  DataType,
  type FieldId,
  fieldById,
  invalidParameter,
  isDenseVector,
  type SchemaFunction,
  type VarCharColumn,
} from '@elanus/model';
import type { ReadOptions } from '@elanus/rpc';
import type { AccessDependencies } from '../handler.ts';
import { runInSlices, type Work } from '../rows/sliced-work.ts';
import { textsOf } from '../rows/texts-of.ts';

export interface FunctionOptions extends ReadOptions {
  /** A model takes so many texts of a request at most, and of a file as many as there are. Usually of a request. */
  readonly source?: 'request' | 'file';
}

/**
 * Adds the columns that the functions of a schema make of those in `columns`, but for those that are there already.
 * @throws MilvusError 1100 for a text that is not UTF-8, or that a model does not take; 2400 when a model, or a service that
 *   cuts texts, does not answer
 */
export async function addFunctionColumns(
  columns: Map<FieldId, Column>,
  schema: CollectionSchema,
  dependencies: Pick<AccessDependencies, 'share' | 'models'>,
  options: FunctionOptions,
): Promise<void> {
  const { share } = dependencies;
  for (const made of schema.functions) {
    const { input, output, type } = made;
    if (columns.has(output)) continue;
    const field = fieldById(schema, input);
    const texts = columns.get(input);
    assert(field !== undefined && texts !== undefined && isText(texts), 'a function has its input');
    await runInSlices(checkUtf8(texts), share);
    if (type === 'TextEmbedding') {
      columns.set(output, await embeddings(texts, schema, made, dependencies, options));
      continue;
    }
    const analyzerOf = await analyzerChoice(field, columns, schema, share);
    const counting = functionVectors(made, schema, texts, analyzerOf);
    columns.set(output, await runInSlices(counting, share, options));
  }
}

/** What a model makes of texts that are UTF-8. */
async function embeddings(
  column: TextColumn,
  schema: CollectionSchema,
  made: SchemaFunction,
  { models }: Pick<AccessDependencies, 'models'>,
  options: FunctionOptions,
): Promise<Column> {
  const { dataType, dim } = fieldById(schema, made.output)!;
  assert(isDenseVector(dataType) && dim !== null, 'a model makes dense vectors');
  const embedder = models.embedderOf(schema, made);
  const bytes = await embedder.embed(textsOf(column), 'document', options);
  return { dataType, dim, length: column.length, validity: null, bytes };
}

type TextColumn = Pick<VarCharColumn, 'length' | 'validity' | 'offsets' | 'bytes'>;

function isText(column: Column): column is Column & TextColumn {
  return column.dataType === DataType.VarChar || column.dataType === DataType.Text;
}

/** Bytes that are looked through in well under a millisecond. */
const SLICE_BYTES = 1024 * 1024;
const SHOWN_BYTES_MAX = 64;

/** Runs of rows at a time: what is UTF-8 as a whole is so row by row, unless a character spans two of them. */
function* checkUtf8({ length, offsets, bytes }: TextColumn): Work<void> {
  for (let row = 0; row < length; ) {
    let end = row + 1;
    while (end < length && offsets[end + 1]! - offsets[row]! <= SLICE_BYTES) end++;
    if (!isUtf8(bytes.subarray(offsets[row]!, offsets[end]!))) throw notUtf8(bytes, offsets, row, end);
    row = end;
    yield;
  }
}

function notUtf8(bytes: Uint8Array, offsets: Uint32Array, from: number, to: number): Error {
  const textOf = (row: number) => bytes.subarray(offsets[row]!, offsets[row + 1]!);
  let row = from;
  while (row < to - 1 && isUtf8(textOf(row))) row++;
  const shown = Buffer.from(textOf(row).subarray(0, SHOWN_BYTES_MAX)).toString('latin1');
  return invalidParameter(
    `input with analyzer should be utf-8 format, but row: ${row} not utf-8 format. data: ${shown}`,
  );
}
