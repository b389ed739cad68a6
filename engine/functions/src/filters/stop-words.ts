import { createRequire } from 'node:module';
import { keepTexts, type TokenFilter } from '../token.ts';

/** The list that Lucene has, and Milvus with it. */
const ENGLISH =
  'a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with';

type List = { readonly stopwords: readonly string[] };

const LISTS: Readonly<Record<string, (() => Promise<List>) | undefined>> = {
  // A word to drop may be the name of what every object has.
  __proto__: null as never,
  _english_: async () => ({ stopwords: ENGLISH.split(' ') }),
  _arabic_: () => import('@orama/stopwords/arabic'),
  _chinese_: async () => ({ stopwords: moreLists().zho }),
  _danish_: () => import('@orama/stopwords/danish'),
  _dutch_: () => import('@orama/stopwords/dutch'),
  _finnish_: () => import('@orama/stopwords/finnish'),
  _french_: () => import('@orama/stopwords/french'),
  _german_: () => import('@orama/stopwords/german'),
  _greek_: () => import('@orama/stopwords/greek'),
  _hungarian_: () => import('@orama/stopwords/hungarian'),
  _italian_: () => import('@orama/stopwords/italian'),
  _norwegian_: () => import('@orama/stopwords/norwegian'),
  _portuguese_: () => import('@orama/stopwords/portuguese'),
  _romanian_: () => import('@orama/stopwords/romanian'),
  _russian_: () => import('@orama/stopwords/russian'),
  _spanish_: () => import('@orama/stopwords/spanish'),
  _swedish_: () => import('@orama/stopwords/swedish'),
  _tamil_: () => import('@orama/stopwords/tamil'),
  _thai_: async () => ({ stopwords: moreLists().tha }),
  _turkish_: () => import('@orama/stopwords/turkish'),
};

/** Of a library that has no types. */
function moreLists(): { readonly zho: readonly string[]; readonly tha: readonly string[] } {
  return createRequire(import.meta.url)('stopword');
}

/** A filter that drops exactly these words; `_german_` and its like stand for the list of a language. */
export async function stopFilter(words: readonly string[]): Promise<TokenFilter> {
  const lists = await Promise.all(words.map(async (word) => (await LISTS[word]?.())?.stopwords ?? [word]));
  const dropped = new Set(lists.flat());
  return keepTexts((text) => !dropped.has(text));
}
