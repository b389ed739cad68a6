import { invalidParameter } from '@elanus/model';
import type { AnalyzerSpec, FilterSpec, LanguageSpec, TokenizerSpec } from './analyzer-spec.ts';
import {
  flag,
  type JsonObject,
  member,
  parseJsonObject,
  requireObject,
  requireText,
  textList,
} from './json-options.ts';
import { CHAR_FILTER_KEYS, readCharFilters } from './read-char-filters.ts';
import { readFilter } from './read-filter.ts';
import { readDelimiters, readNgramOptions } from './read-gram-options.ts';
import { readGrpcOptions } from './read-grpc-options.ts';
import { readLinderaOptions } from './read-lindera-options.ts';

const STANDARD: AnalyzerSpec = { tokenizer: { kind: 'standard' }, filters: [{ kind: 'lowercase' }] };
/** Words of files are part of them. */
const PARAMS_UNITS_MAX = 512 * 1024;
const FILTERS_MAX = 64;
const KEYS: readonly string[] = [...CHAR_FILTER_KEYS, 'tokenizer', 'filter'];
const DEFAULT_DICTIONARIES = ['_default_', '_extend_default_'];

/**
 * What `analyzer_params` of a field ask for; nothing asks for the standard analyzer.
 * @throws MilvusError 1100 in Milvus' words
 */
export function readAnalyzer(text: string): AnalyzerSpec {
  if (text.trim() === '') return STANDARD;
  if (text.length > PARAMS_UNITS_MAX)
    throw invalidParameter(`analyzer params are longer than ${PARAMS_UNITS_MAX}`);
  return readParams(parseJsonObject(text, 'analyzer params'), 'field');
}

/** An analyzer of a field, or one of those that a field chooses between by language. */
type Place = 'field' | 'language';

/** @throws MilvusError 1100 */
export function readParams(params: JsonObject, place: Place): AnalyzerSpec {
  if (Object.keys(params).length === 0) return STANDARD;
  const type = member(params, 'type');
  if (type !== undefined) return builtIn(requireText(type, 'analyzer type'), params);
  for (const key of Object.keys(params))
    if (!KEYS.includes(key)) throw invalidParameter(`unknown analyzer option key: ${key}`);
  const filters = member(params, 'filter') ?? [];
  if (!Array.isArray(filters)) throw invalidParameter('analyzer filter should be a list');
  if (filters.length > FILTERS_MAX)
    throw invalidParameter(`an analyzer has ${FILTERS_MAX} filters at most, got ${filters.length}`);
  return {
    ...readCharFilters(params),
    tokenizer: readTokenizer(member(params, 'tokenizer'), place),
    filters: filters.map(readFilter),
  };
}

function builtIn(type: string, params: JsonObject): AnalyzerSpec {
  const notTaken = CHAR_FILTER_KEYS.find((key) => member(params, key) !== undefined);
  if (notTaken !== undefined) throw invalidParameter(`build-in analyzer type ${type} takes no ${notTaken}`);
  const words = textList(member(params, 'stop_words'), 'stop_words');
  const stop: readonly FilterSpec[] = words.length > 0 ? [{ kind: 'stop', words }] : [];
  switch (type) {
    case 'standard':
      return { tokenizer: { kind: 'standard' }, filters: [{ kind: 'lowercase' }, ...stop] };
    case 'english':
      return {
        tokenizer: { kind: 'standard' },
        filters: [
          { kind: 'lowercase' },
          { kind: 'stemmer', language: 'english' },
          { kind: 'stop', words: ['_english_', ...words] },
        ],
      };
    case 'chinese':
      return {
        tokenizer: {
          kind: 'jieba',
          options: { defaultDictionary: true, words: [], mode: 'search', hmm: true },
        },
        filters: [{ kind: 'cnalphanumonly' }, ...stop],
      };
    default:
      throw invalidParameter(`unknown build-in analyzer type: ${type}`);
  }
}

function readTokenizer(given: unknown, place: Place): TokenizerSpec {
  const options: JsonObject = typeof given === 'string' ? { type: given } : requireTokenizerObject(given);
  const type = member(options, 'type');
  if (typeof type !== 'string') throw invalidParameter('tokenizer name or type must be set');
  switch (type) {
    case 'standard':
    case 'whitespace':
    case 'icu':
    case 'thai':
      return { kind: type };
    case 'char_group':
      return { kind: 'char_group', delimiters: readDelimiters(options) };
    case 'ngram':
      return { kind: 'ngram', options: readNgramOptions(options) };
    case 'jieba':
      return { kind: 'jieba', options: jiebaOptions(options) };
    case 'lindera':
      return { kind: 'lindera', options: readLinderaOptions(options) };
    case 'grpc':
      return { kind: 'grpc', options: readGrpcOptions(options) };
    case 'language_identifier':
      if (place === 'field') return languageSpec(options);
      throw invalidParameter('a language identifier cannot choose another one');
    default:
      throw invalidParameter(`unsupported tokenizer: ${type}`);
  }
}

function requireTokenizerObject(given: unknown): JsonObject {
  if (given === undefined) throw invalidParameter('tokenizer name or type must be set');
  return requireObject(given, 'tokenizer params');
}

function jiebaOptions(options: JsonObject): (TokenizerSpec & { kind: 'jieba' })['options'] {
  const given = member(options, 'dict');
  const entries = given === undefined ? ['_default_'] : textList(given, 'dict of jieba tokenizer');
  const words = entries.filter((entry) => !DEFAULT_DICTIONARIES.includes(entry));
  const broken = words.find((word) => word === '' || /\s/.test(word));
  if (broken !== undefined) throw invalidParameter(`jieba dict entry "${broken}" should be one word`);
  const mode = member(options, 'mode') ?? 'search';
  if (mode !== 'search' && mode !== 'exact')
    throw invalidParameter(`jieba mode should be "search" or "exact", but got ${JSON.stringify(mode)}`);
  return {
    defaultDictionary: words.length < entries.length,
    words: [...new Set(words)].sort(),
    mode,
    hmm: flag(member(options, 'hmm'), 'hmm of jieba tokenizer', true),
  };
}

function languageSpec(options: JsonObject): LanguageSpec {
  const given = requireObject(member(options, 'analyzers'), 'analyzers of language identifier');
  const analyzers = new Map(
    Object.entries(given).map(([name, params]) => [
      name,
      readParams(requireObject(params, `analyzer ${name}`), 'language'),
    ]),
  );
  const fallback = analyzers.get('default');
  if (fallback === undefined) throw invalidParameter('no default analyzer in language identifier');
  checkIdentifier(member(options, 'identifier'));
  const mapping = new Map(
    Object.entries(requireObject(member(options, 'mapping') ?? {}, 'mapping of language identifier')).map(
      ([language, name]) => [language, requireText(name, `analyzer for ${language}`)] as const,
    ),
  );
  for (const name of mapping.values())
    if (!analyzers.has(name)) throw invalidParameter(`analyzer ${name} of the mapping does not exist`);
  return { kind: 'language', analyzers, default: fallback, mapping };
}

/** Both that Milvus knows are the same here. */
function checkIdentifier(given: unknown): void {
  const name = typeof given === 'object' && given !== null ? member(given as JsonObject, 'type') : given;
  if (name === undefined || name === 'whatlang' || name === 'lingua') return;
  throw invalidParameter(`unknown identifier type: ${JSON.stringify(name)}`);
}
