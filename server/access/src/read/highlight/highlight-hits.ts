import { type Analyzer, analyzerChoice, openFieldAnalyzer, readFieldAnalysis } from '@elanus/functions';
import {
  assert,
  type CollectionInfo,
  type CollectionSchema,
  type Column,
  type FieldId,
  type FieldSchema,
  fieldByName,
} from '@elanus/model';
import type { ReadOptions, SearchHits } from '@elanus/rpc';
import type { AccessDependencies } from '../../handler.ts';
import { runInSlices, type Work } from '../../rows/sliced-work.ts';
import { cutFragments, type MarkedWord } from './cut-fragments.ts';
import type { HighlightedField, Highlighting, HighlightStyle } from './read-highlighter.ts';

/** What of a field's texts is shown, hit by hit. */
export interface FieldHighlights {
  readonly fieldName: string;
  readonly fragments: readonly (readonly string[])[];
}

/** Shows the words that the search looked for in the texts of its hits. */
export async function highlightHits(
  { reader, share }: Pick<AccessDependencies, 'reader' | 'share'>,
  { id, schema }: CollectionInfo,
  hits: SearchHits,
  { fields, style }: Highlighting,
  options: ReadOptions,
): Promise<readonly FieldHighlights[]> {
  const needed = new Set(fields.flatMap(({ field }) => fieldsNeeded(field, schema)));
  const columns = await reader.fetch(id, hits.locations, [...needed]);
  const shown: FieldHighlights[] = [];
  for (const highlighted of fields) {
    const { field } = highlighted;
    const wanted = await wordsByQuery(highlighted, hits.counts.length, share, options);
    const analyzerOf = await analyzerChoice(field, columns, schema, share);
    const marking = markTexts(columns.get(field.id)!, hits.counts, { wanted, analyzerOf, style });
    shown.push({ fieldName: field.name, fragments: await runInSlices(marking, share, options) });
  }
  return shown;
}

/** The field, and the one that says which of several analyzers takes a row. */
function fieldsNeeded(field: FieldSchema, schema: CollectionSchema): readonly FieldId[] {
  const analysis = readFieldAnalysis(field);
  if (analysis?.kind !== 'several') return [field.id];
  const by = fieldByName(schema, analysis.byField);
  assert(by !== undefined, 'the field that names analyzers exists');
  return [field.id, by.id];
}

/** Of each query the words to mark. */
async function wordsByQuery(
  { field, texts, searchTexts, analyzerName }: HighlightedField,
  queries: number,
  share: AccessDependencies['share'],
  options: ReadOptions,
): Promise<readonly ReadonlySet<string>[]> {
  const analysis = readFieldAnalysis(field);
  assert(analysis !== null, 'a highlighted field is analysed');
  const analyzer = await openFieldAnalyzer(analysis, analyzerName);
  const wordsOf = async (text: string): Promise<readonly string[]> =>
    (await runInSlices(analyzer.analyzing(text), share, options)).map((token) => token.text);
  const everywhere = (await Promise.all(texts.map(wordsOf))).flat();
  const byQuery: ReadonlySet<string>[] = [];
  for (let query = 0; query < queries; query++) {
    const search = searchTexts[query];
    byQuery.push(new Set([...(search === undefined ? [] : await wordsOf(search)), ...everywhere]));
  }
  return byQuery;
}

/** Words of a text that are looked at between two yields. */
const SLICE_TOKENS = 4096;
/** Found words of a text of which fragments are made: no more go into them, as long as few overlap. */
const WORDS_MAX = 16_384;
const OVERLAPS_MAX = 4;

interface Marking {
  /** Words of each query. */
  readonly wanted: readonly ReadonlySet<string>[];
  readonly analyzerOf: (row: number) => Analyzer;
  readonly style: HighlightStyle;
}

function* markTexts(
  column: Column,
  counts: Uint32Array,
  { wanted, analyzerOf, style }: Marking,
): Work<readonly (readonly string[])[]> {
  assert('bytes' in column && 'offsets' in column, 'a highlighted field has texts');
  const { offsets, bytes, validity } = column;
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shown: (readonly string[])[] = [];
  const wordsMax = Math.min(WORDS_MAX, OVERLAPS_MAX * style.fragmentsMax * (style.fragmentSize + 1));
  for (const [query, count] of counts.entries()) {
    const words = wanted[query]!;
    for (let hit = 0; hit < count; hit++) {
      yield;
      const row = shown.length;
      const text = validity?.[row] === 0 ? '' : source.toString('utf8', offsets[row], offsets[row + 1]);
      const found: MarkedWord[] = [];
      const tokens = yield* analyzerOf(row).analyzing(text);
      for (let at = 0; at < tokens.length && found.length < wordsMax; at++) {
        if (at % SLICE_TOKENS === SLICE_TOKENS - 1) yield;
        const { text: word, start, end } = tokens[at]!;
        // Of a word that stands nowhere in the text there is nothing to show.
        if (end > start && words.has(word)) found.push({ start, end });
      }
      shown.push(cutFragments(text, found, style));
    }
  }
  return shown;
}
