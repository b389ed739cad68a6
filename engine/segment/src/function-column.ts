import { analyzerChoice, functionVectors, runInSlices } from '@elanus/functions';
import {
  type CollectionSchema,
  type Column,
  type FieldId,
  fieldById,
  type SchemaFunction,
  type VarCharColumn,
} from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import { columnBuffer } from './column-buffer.ts';

/** Rows with all their columns but the one that is made. */
export interface GivenRows {
  readonly length: number;
  column(id: FieldId): Column;
}

/** Rows whose values lie in memory twice. */
const PIECE_ROWS = 1024;

/**
 * What a function that asks no model makes of rows, in shared memory. A text that is not UTF-8, which a field without
 * functions may have, is read with replacement characters.
 */
export async function functionColumn(
  made: SchemaFunction,
  schema: CollectionSchema,
  rows: GivenRows,
  share: LoopShare,
): Promise<Column> {
  const input = fieldById(schema, made.input)!;
  const { validity, offsets, bytes } = rows.column(input.id) as VarCharColumn;
  const analyzerOf = await analyzerChoice(input, { get: (id) => rows.column(id) }, schema, share);
  const buffer = columnBuffer(fieldById(schema, made.output)!, rows.length);
  for (let start = 0; start < rows.length; start += PIECE_ROWS) {
    const length = Math.min(PIECE_ROWS, rows.length - start);
    const texts = {
      length,
      validity: validity?.subarray(start, start + length) ?? null,
      offsets: offsets.subarray(start, start + length + 1),
      bytes,
    };
    const vectors = functionVectors(made, schema, texts, (row) => analyzerOf(start + row));
    buffer.append(await runInSlices(vectors, share), 0, length);
  }
  return buffer.column();
}
