import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openAnalyzer } from './open-analyzer.ts';
import { filtering, keepTexts, type Token } from './token.ts';

describe('a megabyte of anything is cut in slices', () => {
  const texts: Readonly<Record<string, string>> = {
    'one word': 'a'.repeat(2 ** 20),
    'combining marks': `e${'\u0301'.repeat(2 ** 20)}`,
    'halves of surrogate pairs': '\ud800'.repeat(2 ** 20),
    'zero bytes': '\0'.repeat(2 ** 20),
    'one Chinese run': '数据库'.repeat(2 ** 18),
  };
  const params = {
    standard: '',
    english: '{"type":"english"}',
    chinese: '{"type":"chinese"}',
    lindera: '{"tokenizer":{"type":"lindera","dict_kind":"ipadic"}}',
    thai: '{"tokenizer":"thai"}',
    'char group': '{"tokenizer":{"type":"char_group","delimiters":["punctuation","whitespace"]}}',
    ngram: '{"tokenizer":{"type":"ngram","min_gram":1,"max_gram":4,"token_chars":["letter"]}}',
    'ngram of everything': '{"tokenizer":{"type":"ngram","min_gram":3,"max_gram":3}}',
    icu: '{"tokenizer":"icu","filter":["asciifolding","removepunct"]}',
    pinyin: '{"tokenizer":"jieba","filter":["pinyin","cncharonly","arabic_normalization"]}',
    'a language':
      '{"tokenizer":{"type":"language_identifier","analyzers":{"default":{},"Mandarin":{"type":"chinese"}}}}',
    'lists of words':
      '{"tokenizer":"standard","filter":[{"type":"decompounder","word_list":["a","aa","数"]},{"type":"synonym","synonyms":["a,aa,数据"]}]}',
    whitespace:
      '{"tokenizer":"whitespace","filter":[{"type":"stemmer","language":"turkish"},"decimaldigit"]}',
  };
  const PART_UNITS: Readonly<Record<string, number>> = { lindera: 2 ** 16, pinyin: 2 ** 18 };
  for (const [analyzerName, param] of Object.entries(params))
    for (const [name, text] of Object.entries(texts))
      test(`${name} by ${analyzerName}`, async () => {
        // Seconds for a megabyte of what no dictionary knows, or of what each character has to be looked up in one.
        const part = text.slice(0, PART_UNITS[analyzerName]);
        const work = (await openAnalyzer(param)).analyzing(part);
        let slices = 1;
        let step = work.next();
        for (; !step.done; step = work.next()) slices += 1;
        assert(slices >= 48, `${slices} slices`);
        const last = step.value.at(-1);
        assert(last === undefined || last.end <= text.length);
      });
});

test('filters are given a few words at a time', () => {
  const tokens = Array.from({ length: 1000 }, (_, at) => ({
    text: `w${at}`,
    start: at,
    end: at + 1,
    position: at,
  }));
  const given: number[] = [];
  const twice = (some: readonly Token[]) => {
    given.push(some.length);
    return some.flatMap((token) => [token, token]);
  };
  const work = filtering(tokens, [twice, keepTexts((text) => text !== 'w7')]);
  assert.deepEqual(given, []);
  let yields = 0;
  let step = work.next();
  for (; !step.done; step = work.next()) yields += 1;
  assert.deepEqual([given, yields, step.value.length], [[256, 256, 256, 232], 3, 1998]);
});
