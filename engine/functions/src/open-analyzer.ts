import { MilvusError } from '@elanus/model';
import { type Analyzer, LanguageChoice, Pipeline } from './analyzer.ts';
import type { AnalyzerSpec, FilterSpec, LanguageSpec, TokenizerSpec } from './analyzer-spec.ts';
import { CharFiltering } from './char-filters/char-filtering.ts';
import { decompounder } from './filters/compounds.ts';
import {
  arabicNormalization,
  asciiFolding,
  decimalDigit,
  lowercase,
  onlyAsciiWords,
  onlyChinese,
  onlyWords,
  withoutPunctuation,
} from './filters/letters.ts';
import { pinyinFilter } from './filters/pinyin.ts';
import { regexFilter } from './filters/regex.ts';
import { stemmerFilter } from './filters/stemmer.ts';
import { stopFilter } from './filters/stop-words.ts';
import { synonymFilter } from './filters/synonyms.ts';
import { languageIdentifier } from './identify-language.ts';
import { readAnalyzer } from './read-analyzer.ts';
import { keepTexts, type TokenFilter } from './token.ts';
import { charGroupPieces, charGroupTokenizer } from './tokenizers/char-group.ts';
import { GrpcAnalyzer } from './tokenizers/grpc/grpc-analyzer.ts';
import { icuPieces, icuTokenizer } from './tokenizers/icu.ts';
import { DICTIONARIES_MAX, isOneDictionaryTooMany, jiebaPieces, jiebaTokenizer } from './tokenizers/jieba.ts';
import { linderaPieces, linderaTokenizer } from './tokenizers/lindera.ts';
import { ngramPieces, ngramTokenizer } from './tokenizers/ngram.ts';
import { standardPieces, standardTokenizer } from './tokenizers/standard.ts';
import { thaiTokenizer } from './tokenizers/thai.ts';
import { whitespacePieces, whitespaceTokenizer } from './tokenizers/whitespace.ts';

/** Analyzers by their parameters, those used last at the end. */
const opened = new Map<string, Promise<Analyzer>>();
const OPENED_MAX = 256;

/**
 * The analyzer that `analyzer_params` of a field ask for, with its dictionaries. The same parameters give the same one,
 * as long as it is among the last that were asked for.
 * @throws MilvusError 1100 for parameters that no analyzer has, 65535 when there are too many dictionaries
 */
export async function openAnalyzer(params: string): Promise<Analyzer> {
  const known = opened.get(params);
  const analyzer = known ?? build(readAnalyzer(params));
  opened.delete(params);
  opened.set(params, analyzer);
  if (opened.size > OPENED_MAX) opened.delete(opened.keys().next().value!);
  if (known === undefined) analyzer.catch(() => opened.delete(params));
  return await analyzer;
}

async function build({ charFilter, tokenizer, filters }: AnalyzerSpec): Promise<Analyzer> {
  const opened = await Promise.all(filters.map(openFilter));
  const analyzer =
    tokenizer.kind === 'language'
      ? await languageChoice(tokenizer, opened)
      : await pipeline(tokenizer, opened);
  return charFilter === undefined ? analyzer : new CharFiltering(charFilter, analyzer);
}

async function pipeline(
  tokenizer: Exclude<TokenizerSpec, LanguageSpec>,
  filters: readonly TokenFilter[],
): Promise<Analyzer> {
  switch (tokenizer.kind) {
    case 'standard':
      return new Pipeline(standardTokenizer, standardPieces, filters);
    case 'whitespace':
      return new Pipeline(whitespaceTokenizer, whitespacePieces, filters);
    case 'icu':
      return new Pipeline(icuTokenizer, icuPieces, filters);
    case 'thai':
      return new Pipeline(thaiTokenizer, icuPieces, filters);
    case 'char_group': {
      const { delimiters } = tokenizer;
      return new Pipeline(charGroupTokenizer(delimiters), charGroupPieces(delimiters), filters);
    }
    case 'ngram':
      return new Pipeline(ngramTokenizer(tokenizer.options), ngramPieces(tokenizer.options), filters);
    case 'lindera':
      return new Pipeline(await linderaTokenizer(tokenizer.options), linderaPieces, filters);
    case 'grpc': {
      const { options } = tokenizer;
      // Few servers ask one.
      const { TokenizerService } = await import('./tokenizers/grpc/tokenizer-service.ts');
      return new GrpcAnalyzer(TokenizerService.at(options.endpoint), options, filters);
    }
    case 'jieba':
      if (isOneDictionaryTooMany(tokenizer.options)) {
        throw new MilvusError(`more than ${DICTIONARIES_MAX} jieba dictionaries are in use`, { code: 65535 });
      }
      return new Pipeline(await jiebaTokenizer(tokenizer.options), jiebaPieces, filters);
  }
}

async function languageChoice(spec: LanguageSpec, filters: readonly TokenFilter[]): Promise<Analyzer> {
  const names = [...spec.analyzers.keys()];
  const specs = [...spec.analyzers.values()];
  const analyzers = new Map((await Promise.all(specs.map(build))).map((each, at) => [names[at]!, each]));
  const identify = await languageIdentifier();
  const fallback = analyzers.get('default')!;
  const analyzerFor = (text: string): Analyzer => {
    for (const name of identify(text)) {
      const analyzer = analyzers.get(spec.mapping.get(name) ?? name);
      if (analyzer !== undefined) return analyzer;
    }
    return fallback;
  };
  return new LanguageChoice(analyzerFor, filters);
}

async function openFilter(spec: FilterSpec): Promise<TokenFilter> {
  switch (spec.kind) {
    case 'lowercase':
      return lowercase;
    case 'asciifolding':
      return asciiFolding;
    case 'alphanumonly':
      return onlyAsciiWords;
    case 'cnalphanumonly':
      return onlyWords;
    case 'cncharonly':
      return onlyChinese;
    case 'removepunct':
      return withoutPunctuation;
    case 'decimaldigit':
      return decimalDigit;
    case 'arabic_normalization':
      return arabicNormalization;
    case 'length':
      return keepTexts((text) => Buffer.byteLength(text) <= spec.bytesMax);
    case 'stop':
      return await stopFilter(spec.words);
    case 'decompounder':
      return decompounder(spec.words);
    case 'stemmer':
      return await stemmerFilter(spec.language);
    case 'regex':
      return regexFilter(spec.pattern);
    case 'pinyin':
      return pinyinFilter(spec.options);
    case 'synonym':
      return synonymFilter(spec.rules, spec.expand);
  }
}
