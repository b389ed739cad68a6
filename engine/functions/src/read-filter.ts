import { invalidParameter } from '@elanus/model';
import { type FilterSpec, PLAIN_FILTERS, type PlainFilter } from './analyzer-spec.ts';
import type { PinyinOptions } from './filters/pinyin.ts';
import { checkWordPattern } from './filters/regex.ts';
import { stemmedLanguage } from './filters/stemmer.ts';
import { readSynonymRule } from './filters/synonyms.ts';
import { flag, type JsonObject, member, requireObject, textList } from './json-options.ts';

/** Most words of one list: they are kept in memory for each analyzer. */
const WORDS_MAX = 65_536;

/**
 * What one entry of the list `filter` asks for: a name, or an object with a `type`.
 * @throws MilvusError 1100 in Milvus' words
 */
export function readFilter(entry: unknown): FilterSpec {
  if (typeof entry === 'string') {
    if (isPlain(entry)) return { kind: entry };
    if (entry === 'pinyin') return { kind: 'pinyin', options: pinyinOptions({}) };
    throw invalidParameter(`build analyzer failed, filter not found :${entry}`);
  }
  const options = requireObject(entry, 'analyzer filter');
  const type = member(options, 'type');
  if (type === undefined) throw invalidParameter('no type field in filter params');
  if (typeof type !== 'string') throw invalidParameter('filter type should be string');
  if (isPlain(type)) return { kind: type };
  switch (type) {
    case 'length':
      return { kind: 'length', bytesMax: lengthMax(options) };
    case 'stop':
      return { kind: 'stop', words: wordsOf(options, 'stop_words') };
    case 'decompounder':
      return { kind: 'decompounder', words: compoundsOf(options) };
    case 'stemmer':
      return { kind: 'stemmer', language: languageOf(options) };
    case 'regex':
      return { kind: 'regex', pattern: patternOf(options) };
    case 'synonym':
      return {
        kind: 'synonym',
        rules: wordsOf(options, 'synonyms').map(readSynonymRule),
        expand: flag(member(options, 'expand'), `${SYNONYM_FAILED}\`expand\` must be bool`, true),
      };
    case 'pinyin':
      return { kind: 'pinyin', options: pinyinOptions(options) };
    default:
      throw invalidParameter(`unsupport filter type: ${type}`);
  }
}

function isPlain(name: string): name is PlainFilter {
  return (PLAIN_FILTERS as readonly string[]).includes(name);
}

function lengthMax(options: JsonObject): number {
  const max = member(options, 'max');
  if (typeof max === 'number' && Number.isSafeInteger(max) && max >= 0) return max;
  throw invalidParameter('lenth max param was none or not uint');
}

const SYNONYM_FAILED = 'create synonym filter failed, ';
/** Of each list what Milvus says of one that is none, and of members that are no texts. */
const LISTS = {
  stop_words: ['stop_words should be array', 'stop_words list item should be string'],
  word_list: ['decompounder word list should be array', 'decompounder word list item should be string'],
  synonyms: [
    `${SYNONYM_FAILED}\`synonyms\` must be array`,
    `${SYNONYM_FAILED}item in \`synonyms\` must be string`,
  ],
} as const;

function compoundsOf(options: JsonObject): readonly string[] {
  const words = wordsOf(options, 'word_list');
  if (words.length === 0) throw invalidParameter('decompounder word list is empty');
  return words;
}

function wordsOf(options: JsonObject, key: keyof typeof LISTS): readonly string[] {
  if (member(options, `${key}_file`) !== undefined)
    throw invalidParameter(`${key}_file: the files of this analyzer were not read`);
  const [notList, notText] = LISTS[key];
  const words = textList(member(options, key), notList, notText);
  if (words.length > WORDS_MAX) throw invalidParameter(`${key} has more than ${WORDS_MAX} entries`);
  return words;
}

function languageOf(options: JsonObject): (FilterSpec & { kind: 'stemmer' })['language'] {
  const name = member(options, 'language');
  if (typeof name !== 'string') throw invalidParameter('stemmer language field should be string');
  const language = stemmedLanguage(name);
  if (language === undefined)
    throw invalidParameter(`create stemmer failed : unsupport language: ${name.toLowerCase()}`);
  return language;
}

function pinyinOptions(options: JsonObject): PinyinOptions {
  const option = (key: string, otherwise: boolean): boolean => {
    const value = member(options, key) ?? otherwise;
    if (typeof value === 'boolean') return value;
    throw invalidParameter(`${key} must be a boolean value`);
  };
  return {
    original: option('keep_original', true),
    full: option('keep_full_pinyin', true),
    joined: option('keep_joined_full_pinyin', false),
    firstLetters: option('keep_separate_first_letter', false),
  };
}

function patternOf(options: JsonObject): string {
  const pattern = member(options, 'expr');
  if (pattern === undefined) throw invalidParameter('must set expr for regex filter');
  if (typeof pattern !== 'string') throw invalidParameter('expr must be string');
  checkWordPattern(pattern);
  return pattern;
}
