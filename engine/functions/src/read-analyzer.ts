import { invalidParameter } from '@elanus/model';
import type { AnalyzerSpec, FilterSpec, LanguageSpec, TokenizerSpec } from './analyzer-spec.ts';
import { flag, type JsonObject, member, parseJsonObject, requireText, textList } from './json-options.ts';
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
  if (!/^\s*\{/.test(text)) throw invalidParameter('params should be a json map');
  return readParams(parseJsonObject(text, 'analyzer params'), 'field');
}

/** An analyzer of a field, or one of those that a field chooses between by language. */
type Place = 'field' | 'language';

/** @throws MilvusError 1100 */
export function readParams(params: JsonObject, place: Place): AnalyzerSpec {
  if (Object.keys(params).length === 0) return STANDARD;
  const type = member(params, 'type');
  if (typeof type === 'string') return builtIn(type, params);
  if (type !== undefined) throw invalidParameter('analyzer type shoud be string');
  for (const key of Object.keys(params))
    if (!KEYS.includes(key)) throw invalidParameter(`unknown analyzer option key: ${key}`);
  const filters = member(params, 'filter') ?? [];
  if (!Array.isArray(filters)) throw invalidParameter('filter params should be array');
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
  const words = textList(
    member(params, 'stop_words'),
    'filter stop_words should be array',
    'filter stop_words list item should be string',
  );
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
  const options = tokenizerOptions(given);
  const type = member(options, 'type');
  if (type === undefined) throw invalidParameter('costum tokenizer must set type');
  if (typeof type !== 'string') throw invalidParameter('tokenizer type should be string');
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

/** Tokenizers that their names alone do not make, and what Milvus says then. */
const NOT_BY_NAME: ReadonlyMap<string, string> = new Map([
  ['lindera', 'lindera tokenizer must be costum'],
  ['language_identifier', 'lang ident tokenizer must be costum'],
]);

function tokenizerOptions(given: unknown): JsonObject {
  if (given === undefined) throw invalidParameter('tokenizer name or type must be set');
  if (typeof given === 'string') {
    const refused = NOT_BY_NAME.get(given);
    if (refused !== undefined) throw invalidParameter(refused);
    return { type: given };
  }
  return dictionary(given, 'tokenizer name should be string or dict');
}

function jiebaOptions(options: JsonObject): (TokenizerSpec & { kind: 'jieba' })['options'] {
  const given = member(options, 'dict');
  const entries = textList(
    given ?? ['_default_'],
    'jieba tokenizer dict must be array',
    'jieba tokenizer dict item must be string',
  );
  const words = entries.filter((entry) => !DEFAULT_DICTIONARIES.includes(entry));
  const broken = words.find((word) => word === '' || /\s/.test(word));
  if (broken !== undefined) throw invalidParameter(`jieba dict entry "${broken}" should be one word`);
  const mode = member(options, 'mode') ?? 'search';
  if (typeof mode !== 'string') throw invalidParameter('jieba tokenizer mode must be string');
  if (mode !== 'search' && mode !== 'exact')
    throw invalidParameter('jieba tokenizer mode must be "exact" or "search"');
  return {
    defaultDictionary: words.length < entries.length,
    words: [...new Set(words)].sort(),
    mode,
    // Milvus' words, for `hmm`.
    hmm: flag(member(options, 'hmm'), 'jieba tokenizer mode must be boolean', true),
  };
}

function languageSpec(options: JsonObject): LanguageSpec {
  checkIdentifier(member(options, 'identifier'));
  const given = member(options, 'analyzers');
  if (given === undefined) throw invalidParameter('analyzers must be set');
  const analyzers = new Map(
    Object.entries(dictionary(given, 'analyzers must be dict')).map(([name, params]) => [
      name,
      readParams(dictionary(params, `sub analyzer "${name}" params must be dict`), 'language'),
    ]),
  );
  const fallback = analyzers.get('default');
  if (fallback === undefined)
    throw invalidParameter('default sub analyzer for language identifier analyzer must be set');
  const mapping = new Map(
    Object.entries(dictionary(member(options, 'mapping') ?? {}, 'mapping must be dict')).map(
      ([language, name]) => [language, requireText(name, `analyzer for ${language}`)] as const,
    ),
  );
  for (const name of mapping.values())
    if (!analyzers.has(name)) throw invalidParameter(`analyzer ${name} of the mapping does not exist`);
  return { kind: 'language', analyzers, default: fallback, mapping };
}

function dictionary(value: unknown, otherwise: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalidParameter(otherwise);
}

/** Both that Milvus knows are the same here; neither says how sure it is. */
function checkIdentifier(given: unknown): void {
  if (given === undefined || isIdentifier(given)) return;
  if (typeof given === 'string') throw invalidParameter(`unknown identifier name: ${given}`);
  const options = dictionary(given, 'identifier params must be string or dict');
  const type = member(options, 'type');
  if (type === undefined) throw invalidParameter('identifier type must be set');
  if (typeof type !== 'string') throw invalidParameter('identifier type must be string');
  if (!isIdentifier(type)) throw invalidParameter(`unknown identifier type: ${type}`);
  if (typeof (member(options, 'confidence') ?? 0) !== 'number')
    throw invalidParameter('confidence must be float');
}

function isIdentifier(name: unknown): boolean {
  return name === 'whatlang' || name === 'lingua';
}
