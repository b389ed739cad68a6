import type { CharFilterSpec } from './char-filters/char-filtering.ts';
import type { PinyinOptions } from './filters/pinyin.ts';
import type { StemmedLanguage } from './filters/stemmer.ts';
import type { SynonymRule } from './filters/synonyms.ts';
import type { GrpcOptions } from './tokenizers/grpc/grpc-analyzer.ts';
import type { JiebaOptions } from './tokenizers/jieba.ts';
import type { LinderaOptions } from './tokenizers/lindera.ts';
import type { NgramOptions } from './tokenizers/ngram.ts';

/** What an analyzer is to do, every parameter checked. */
export interface AnalyzerSpec {
  /** What is done to a text before it is cut; nothing usually. */
  readonly charFilter?: CharFilterSpec;
  readonly tokenizer: TokenizerSpec;
  /** In the order in which they work. */
  readonly filters: readonly FilterSpec[];
}

export type TokenizerSpec =
  | { readonly kind: 'standard' | 'whitespace' | 'icu' | 'thai' }
  /** `delimiters` is a class of characters, as in a pattern. */
  | { readonly kind: 'char_group'; readonly delimiters: string }
  | { readonly kind: 'ngram'; readonly options: NgramOptions }
  | { readonly kind: 'jieba'; readonly options: JiebaOptions }
  | { readonly kind: 'lindera'; readonly options: LinderaOptions }
  | { readonly kind: 'grpc'; readonly options: GrpcOptions }
  | LanguageSpec;

/** Another analyzer for each language; texts of languages that it has none for get `default`. */
export interface LanguageSpec {
  readonly kind: 'language';
  readonly analyzers: ReadonlyMap<string, AnalyzerSpec>;
  readonly default: AnalyzerSpec;
  /** From the English name of a language to the name of its analyzer. */
  readonly mapping: ReadonlyMap<string, string>;
}

/** Filters that are said by their names alone. */
export const PLAIN_FILTERS = [
  'lowercase',
  'asciifolding',
  'alphanumonly',
  'cnalphanumonly',
  'cncharonly',
  'removepunct',
  'decimaldigit',
  'arabic_normalization',
] as const;
export type PlainFilter = (typeof PLAIN_FILTERS)[number];

export type FilterSpec =
  | { readonly kind: PlainFilter }
  | { readonly kind: 'length'; readonly bytesMax: number }
  | { readonly kind: 'stop' | 'decompounder'; readonly words: readonly string[] }
  | { readonly kind: 'stemmer'; readonly language: StemmedLanguage }
  | { readonly kind: 'regex'; readonly pattern: string }
  | { readonly kind: 'pinyin'; readonly options: PinyinOptions }
  | { readonly kind: 'synonym'; readonly rules: readonly SynonymRule[]; readonly expand: boolean };

/** The tokenizers of an analyzer that ask a service for the words of each text; mostly there is none. */
export function askedTokenizers({ tokenizer }: AnalyzerSpec): readonly GrpcOptions[] {
  if (tokenizer.kind === 'grpc') return [tokenizer.options];
  return tokenizer.kind === 'language' ? [...tokenizer.analyzers.values()].flatMap(askedTokenizers) : [];
}
