import {
  type CollectionSchema,
  type Column,
  type FieldId,
  type FieldSchema,
  fieldByName,
  type VarCharColumn,
} from '@elanus/model';
import type { LoopShare } from '@elanus/runtime';
import type { Analyzer } from './analyzer.ts';
import { type FieldAnalysis, openFieldAnalyzer, readFieldAnalysis } from './field-analysis.ts';

/** How the texts of a field become words; by the standard analyzer where it says nothing of it. */
export function analysisOf(field: FieldSchema): FieldAnalysis {
  return readFieldAnalysis(field) ?? { kind: 'one', params: '' };
}

/** Which analyzer takes the text of a row of `columns`, which has the field that names analyzers where there are several. */
export async function analyzerChoice(
  field: FieldSchema,
  columns: Pick<ReadonlyMap<FieldId, Column>, 'get'>,
  schema: CollectionSchema,
  share: LoopShare,
): Promise<(row: number) => Analyzer> {
  const analysis = analysisOf(field);
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
