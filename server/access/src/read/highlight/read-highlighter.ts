import { readFieldAnalysis } from '@elanus/functions';
import {
  type FieldSchema,
  fieldById,
  fieldByName,
  functionOfOutput,
  invalidParameter,
  MilvusError,
} from '@elanus/model';
import type { Methods } from '@elanus/proto';
import { textsOf } from '../../rows/texts-of.ts';
import { readQueryTexts } from '../../wire/query-vectors.ts';
import { type ReadTarget, requireLoaded } from '../read-target.ts';

type SearchRequest = Methods['Search']['request'];

/** How found words are shown. */
export interface HighlightStyle {
  /** The words of a fragment take turns with them. */
  readonly preTags: readonly string[];
  readonly postTags: readonly string[];
  /** Characters shown before the first word of a fragment, of a fragment at most, and fragments of a text at most. */
  readonly fragmentOffset: number;
  readonly fragmentSize: number;
  readonly fragmentsMax: number;
}

/** A field whose texts are to be shown, and the texts whose words are marked there. */
export interface HighlightedField {
  readonly field: FieldSchema;
  /** Of every query of the search. */
  readonly texts: readonly string[];
  /** Of each query its own; empty when the text of the search is not to be marked. */
  readonly searchTexts: readonly string[];
  /** Which of several analyzers the search names for the words of these texts. */
  readonly analyzerName: string | undefined;
}

export interface Highlighting {
  readonly fields: readonly HighlightedField[];
  readonly style: HighlightStyle;
}

const LEXICAL = 0;
const USUAL: HighlightStyle = {
  preTags: ['<em>'],
  postTags: ['</em>'],
  fragmentOffset: 0,
  fragmentSize: 100,
  fragmentsMax: 5,
};

/**
 * What a search is to show of the words that it found; `null`: nothing.
 * @throws MilvusError 1100 for parameters that make no sense, 10 for highlighting by a model
 */
export function readHighlighter(
  target: ReadTarget,
  searched: FieldSchema,
  { highlighter, placeholderGroup }: SearchRequest,
  analyzerName: string | undefined,
): Highlighting | null {
  if (highlighter === undefined) return null;
  if (highlighter.type !== LEXICAL)
    throw new MilvusError('semantic highlighter: service unimplemented', { code: 10 });
  const params = new Map(highlighter.params.map(({ key, value }) => [key, value]));
  const texts = new Map<FieldSchema, string[]>();
  // Milvus' first servers with a highlighter called them `queries`.
  for (const { field, text } of readQueries(params.get('highlight_query') ?? params.get('queries'))) {
    const schema = requireAnalysed(target, field);
    texts.set(schema, [...(texts.get(schema) ?? []), text]);
  }
  const isTextMarked = /^\s*(true|1)\s*$/i.test(params.get('highlight_search_text') ?? '');
  const input = isTextMarked ? inputOf(target, searched) : null;
  const searchTexts = input === null ? [] : queriesOf(placeholderGroup ?? new Uint8Array());
  if (input !== null && !texts.has(input)) texts.set(input, []);
  if (texts.size === 0)
    throw invalidParameter('highlighter should have highlight_query or highlight_search_text');
  requireLoaded(
    target,
    Array.from(texts.keys(), ({ id }) => id),
  );
  const fields = Array.from(texts, ([field, own]) => ({
    field,
    texts: own,
    searchTexts: field === input ? searchTexts : [],
    analyzerName,
  }));
  return { fields, style: readStyle(params) };
}

const BAD_QUERIES = 'unmarshal highlight queries failed: ';

function readQueries(json: string | undefined): readonly { field: string; text: string }[] {
  if (json === undefined) return [];
  const given = parseJson(json, 'unmarshal highlight queries as json array failed');
  if (!Array.isArray(given))
    throw invalidParameter('unmarshal highlight queries as json array failed: it is none');
  return given.map((query: unknown) => {
    if (typeof query !== 'object' || query === null || Array.isArray(query))
      throw invalidParameter(`${BAD_QUERIES}item in array is not json object`);
    const text = memberOf(query, 'text');
    const type = memberOf(query, 'type');
    if (type !== 'TextMatch') throw invalidParameter(`${BAD_QUERIES}invalid highlight query type: ${type}`);
    return { field: memberOf(query, 'field'), text };
  });
}

function memberOf(query: object, key: string): string {
  if (!Object.hasOwn(query, key)) throw invalidParameter(`${BAD_QUERIES}must set \`${key}\` in query`);
  const value = (query as Readonly<Record<string, unknown>>)[key];
  if (typeof value === 'string') return value;
  throw invalidParameter(`${BAD_QUERIES}\`${key}\` must be string`);
}

function requireAnalysed({ collection }: ReadTarget, name: string): FieldSchema {
  const field = fieldByName(collection.schema, name);
  if (field === undefined) throw invalidParameter(`highlight field not found in schema: ${name}`);
  if (readFieldAnalysis(field) === null)
    throw invalidParameter(`highlight field ${name} should enable analyzer`);
  return field;
}

/** The field of the texts that the search looks for. */
function inputOf({ collection }: ReadTarget, searched: FieldSchema): FieldSchema {
  const made = functionOfOutput(collection.schema, searched.id);
  if (made?.type !== 'BM25')
    throw invalidParameter(
      `highlight_search_text is for BM25 search only, but ${searched.name} is no output of BM25`,
    );
  return fieldById(collection.schema, made.input)!;
}

function queriesOf(placeholderGroup: Uint8Array): readonly string[] {
  const found = readQueryTexts(placeholderGroup);
  if (found === null) throw invalidParameter('highlight_search_text asks for a search by text');
  return textsOf(found);
}

function readStyle(params: ReadonlyMap<string, string>): HighlightStyle {
  return {
    preTags: tagsOf(params, 'pre_tags', 'unmarshal pre_tags as string array failed') ?? USUAL.preTags,
    postTags: tagsOf(params, 'post_tags', 'unmarshal post_tags as string list failed') ?? USUAL.postTags,
    fragmentOffset: integerOf(params, 'fragment_offset', 0) ?? USUAL.fragmentOffset,
    fragmentSize: integerOf(params, 'fragment_size', 1) ?? USUAL.fragmentSize,
    fragmentsMax: integerOf(params, 'num_of_fragments', 0) ?? USUAL.fragmentsMax,
  };
}

function tagsOf(
  params: ReadonlyMap<string, string>,
  key: string,
  failed: string,
): readonly string[] | undefined {
  const json = params.get(key);
  if (json === undefined) return undefined;
  const tags = parseJson(json, failed);
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string'))
    throw invalidParameter(`${failed}: it is no list of strings`);
  if (tags.length === 0) throw invalidParameter(`${key} cannot be empty list`);
  return tags;
}

function integerOf(params: ReadonlyMap<string, string>, key: string, min: number): number | undefined {
  const text = params.get(key);
  if (text === undefined) return undefined;
  const value = /^\s*\d{1,9}\s*$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min) return value;
  throw invalidParameter(`invalid ${key}: ${text}`);
}

function parseJson(text: string, failed: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidParameter(`${failed}: ${(error as Error).message}`);
  }
}
