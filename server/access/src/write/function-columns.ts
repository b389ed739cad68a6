import { isUtf8 } from 'node:buffer';
import {
  type Analyzer,
  type FieldAnalysis,
  openFieldAnalyzer,
  readFieldAnalysis,
  termVectors,
} from '@elanus/functions';
import {
  assert,
  type CollectionSchema,
  type Column,
  DataType,
  type FieldId,
  type FieldSchema,
  fieldById,
  fieldByName,
  invalidParameter,
  type VarCharColumn,
} from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import { runInSlices, type Work } from '../rows/sliced-work.ts';

/**
 * Adds the columns that the functions of a schema make of those in `columns`.
 * @throws MilvusError 1100 for a text that is not UTF-8
 */
export async function addFunctionColumns(
  columns: Map<FieldId, Column>,
  schema: CollectionSchema,
  share: LoopShare,
): Promise<void> {
  for (const { input, output } of schema.functions) {
    const field = fieldById(schema, input);
    const texts = columns.get(input);
    assert(field !== undefined && texts !== undefined && isText(texts), 'a function has its input');
    await runInSlices(checkUtf8(texts), share);
    const analyzerOf = await analyzerChoice(field, columns, schema, share);
    columns.set(output, await runInSlices(termVectors(texts, analyzerOf), share));
  }
}

type TextColumn = Pick<VarCharColumn, 'length' | 'validity' | 'offsets' | 'bytes'>;

function isText(column: Column): column is Column & TextColumn {
  return column.dataType === DataType.VarChar || column.dataType === DataType.Text;
}

/** Which analyzer takes the text of a row. */
async function analyzerChoice(
  field: FieldSchema,
  columns: ReadonlyMap<FieldId, Column>,
  schema: CollectionSchema,
  share: LoopShare,
): Promise<(row: number) => Analyzer> {
  const analysis = readFieldAnalysis(field);
  assert(analysis !== null, 'the input of a function is analysed');
  if (analysis.kind === 'one') {
    const analyzer = await openFieldAnalyzer(analysis);
    return () => analyzer;
  }
  const names = columns.get(fieldByName(schema, analysis.byField)!.id) as VarCharColumn;
  return await choiceByName(analysis, names, share);
}

const NAME_BYTES_MAX = 256;

async function choiceByName(
  analysis: FieldAnalysis & { kind: 'several' },
  names: VarCharColumn,
  share: LoopShare,
): Promise<(row: number) => Analyzer> {
  const known = [...analysis.analyzers.keys(), ...analysis.alias.keys()];
  const opened = new Map<string, Analyzer>();
  for (const name of known) opened.set(name, await openFieldAnalyzer(analysis, name));
  if (share.isSpent()) await share.nextTurn();
  const fallback = opened.get('default')!;
  const source = Buffer.from(names.bytes.buffer, names.bytes.byteOffset, names.bytes.byteLength);
  return (row) => {
    const [start, end] = [names.offsets[row]!, names.offsets[row + 1]!];
    if (names.validity?.[row] === 0 || end - start > NAME_BYTES_MAX) return fallback;
    return opened.get(source.toString('utf8', start, end)) ?? fallback;
  };
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
