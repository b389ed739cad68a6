import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MilvusError } from '@elanus/model';
import { openAnalyzer } from './open-analyzer.ts';

const wordsOf = async (params: object | string, text: string): Promise<string> => {
  const analyzer = await openAnalyzer(typeof params === 'string' ? params : JSON.stringify(params));
  return analyzer
    .analyze(text)
    .map((token) => token.text)
    .join('|');
};

const filtered = (...filter: unknown[]) => ({ tokenizer: 'standard', filter });
const stemmed = (language: string) => filtered('lowercase', { type: 'stemmer', language });

describe('sentences and their words', () => {
  const cases: readonly (readonly [params: object | string, text: string, words: string])[] = [
    ['', "Don't panic: a_b, É cole 42!", 'don|t|panic|a|b|é|cole|42'],
    [{}, 'The QUICK fox', 'the|quick|fox'],
    [{ type: 'standard', stop_words: ['_english_', 'fox'] }, 'The quick fox of', 'quick'],
    ['', '向量数据库 is one word', '向量数据库|is|one|word'],
    ['', 'ΟΔΟΣ', 'οδοσ'],
    ['', 'मिलवस तेज़ है', 'मिलवस|तेज|है'],
    [
      { type: 'english' },
      'Milvus is a vector database built for scale!',
      'milvus|vector|databas|built|scale',
    ],
    [{ type: 'english', stop_words: ['built'] }, 'This was built generously', 'generous'],
    [
      { type: 'chinese' },
      'Milvus 是一个高性能、可扩展的向量数据库！',
      'Milvus|是|一个|高性|性能|高性能|可|扩展|的|向量|数据|据库|数据库',
    ],
    [{ type: 'chinese', stop_words: ['的', '扩展'] }, '可扩展的向量', '可|向量'],
    [{ type: 'chinese', stop_words: ['_chinese_'] }, '我的向量', '向量'],
    [{ tokenizer: 'thai', filter: [{ type: 'stop', stop_words: ['_thai_'] }] }, 'การบินและนก', 'บิน|นก'],
    [{ tokenizer: 'jieba' }, '数据库，好', '数据|据库|数据库|，|好'],
    [{ tokenizer: { type: 'jieba', mode: 'exact' } }, '数据库，好', '数据库|，|好'],
    [{ tokenizer: { type: 'jieba', dict: ['大白鲸'], hmm: false } }, '大白鲸游', '大白鲸|游'],
    [{ tokenizer: 'whitespace' }, " Don't\tpanic!\n", "Don't|panic!"],
    [{ tokenizer: 'icu' }, 'Hi, 東京都です', 'Hi|,| |東京|都|です'],
    [
      { tokenizer: 'icu', filter: ['removepunct', { type: 'stop', stop_words: [' '] }] },
      'สวัสดี ชาวโลก!',
      'สวัสดี|ชาว|โลก',
    ],
    [stemmed('english'), 'running dogs happily', 'run|dog|happili'],
    [stemmed('german'), 'Häuser aufeinanderfolgend', 'haus|aufeinanderfolg'],
    [stemmed('french'), 'continuellement mangées', 'continuel|mang'],
    [stemmed('spanish'), 'chicharrones torneos', 'chicharron|torne'],
    [stemmed('italian'), 'abbandonata', 'abbandon'],
    [stemmed('portuguese'), 'bondades', 'bondad'],
    [stemmed('dutch'), 'lichamelijk', 'licham'],
    [stemmed('swedish'), 'jaktkarlarna', 'jaktkarl'],
    [stemmed('danish'), 'undersøgelser', 'undersøg'],
    [stemmed('norwegian'), 'havnedistriktene', 'havnedistrikt'],
    [stemmed('finnish'), 'taloissa', 'talo'],
    [stemmed('hungarian'), 'házakban', 'ház'],
    [stemmed('romanian'), 'copiilor', 'cop'],
    [stemmed('russian'), 'Книгами', 'книг'],
    [stemmed('greek'), 'ελληνικά', 'ελλην'],
    [stemmed('turkish'), 'kitaplarımızdan', 'kitap'],
    [stemmed('arabic'), 'الكتاب', 'كتاب'],
    [stemmed('arabig'), 'الكتاب', 'كتاب'],
    // The mark at its end is no letter, for Milvus either.
    [stemmed('tamil'), 'மரங்கள்', 'மரங|கள'],
    [filtered('asciifolding'), 'Café straße Łódź Æon', 'Cafe|strasse|Lodz|AEon'],
    [filtered('alphanumonly'), 'naïve plain 42', 'plain|42'],
    [filtered('cnalphanumonly'), '向量 2 x です これは日 ü', '向量|2|x|これは日'],
    [filtered('cncharonly'), '向量 2 x 5月', '向量|5月'],
    [filtered({ type: 'stop' }, { type: 'synonym' }), 'as it is', 'as|it|is'],
    [{ tokenizer: 'whitespace', filter: ['removepunct'] }, 'a ... + b! c', 'a|+|c'],
    [{ tokenizer: 'icu', filter: ['removepunct'] }, 'Hi, 東京', 'Hi|東京'],
    [filtered({ type: 'length', max: 4 }), 'four fives éé éée', 'four|éé'],
    [filtered({ type: 'stop', stop_words: ['_german_', 'x'] }), 'x und Haus', 'Haus'],
    [
      { tokenizer: 'whitespace', filter: [{ type: 'stop', stop_words: ['__proto__', 'constructor'] }] },
      '__proto__ constructor toString',
      'toString',
    ],
    [
      filtered({ type: 'decompounder', word_list: ['dampf', 'schiff', 'fahrt'] }),
      'dampfschiff dampfer',
      'dampf|schiff|dampfer',
    ],
    [filtered({ type: 'regex', expr: '^[a-c]+$' }), 'abc abd', 'abc'],
    [
      filtered({ type: 'synonym', synonyms: ['big, large', 'tv => television'] }),
      'big tv',
      'big|large|television|tv',
    ],
    [filtered({ type: 'synonym', synonyms: ['big, large'], expand: false }), 'large big', 'big|big'],
    [
      filtered({ type: 'synonym', expand: false, synonyms: ['a\\ b, \\=> => c\\,d', '\\\\x , x'] }),
      'x y',
      '\\x|y',
    ],
    [
      { tokenizer: 'jieba', filter: [{ type: 'pinyin', keep_joined_full_pinyin: true }] },
      '中文测试 ok',
      '中文|zhong|wen|zhongwen|测试|ce|shi|ceshi| |ok',
    ],
    [
      {
        tokenizer: 'jieba',
        filter: [
          { type: 'pinyin', keep_original: false, keep_full_pinyin: false, keep_separate_first_letter: true },
        ],
      },
      '中文测试 ok',
      'zw|cs',
    ],
    [{ tokenizer: 'jieba', filter: ['pinyin'] }, '绿', '绿|lü'],
    [
      { tokenizer: { type: 'lindera', dict_kind: 'ipadic' } },
      '東京スカイツリーの最寄り駅はとうきょうスカイツリー駅です',
      '東京|スカイ|ツリー|の|最寄り駅|は|とう|きょう|スカイ|ツリー|駅|です',
    ],
    [
      { tokenizer: { type: 'lindera', dict_kind: 'ko-dic' }, filter: ['removepunct'] },
      '하네다공항한정토트백.',
      '하네다|공항|한정|토트백',
    ],
    [
      {
        tokenizer: {
          type: 'lindera',
          dict_kind: 'ipadic',
          filter: [{ kind: 'japanese_stop_tags', tags: ['助詞,連体化', '助詞,格助詞,一般', '記号,句点'] }],
        },
      },
      '東京の公園を歩く。',
      '東京|公園|歩く',
    ],
    [
      { tokenizer: { type: 'lindera', dict_kind: 'cc-cedict' } },
      '它可以进行日语和汉语的语态分析',
      '它|可以|进行|日语|和|汉语|的|语态|分析',
    ],
    [filtered('decimaldigit'), '٤٢ ४२', '42|42'],
    [
      { tokenizer: { type: 'char_group', delimiters: ['o', 'punctuation', 'digit'] } },
      'testotest,test1test',
      'test|test|test|test',
    ],
    [{ tokenizer: { type: 'char_group', delimiters: [' ', '，', '-'] } }, 'a-b，c  d\te', 'a|b|c|d\te'],
    [
      { tokenizer: { type: 'char_group', delimiters: ['symbol', 'whitespace'] } },
      '1+1=2 🪁x\u3000y',
      '1|1|2|x|y',
    ],
    [
      { tokenizer: { type: 'char_group', delimiters: ['ascii_punctuation'] } },
      'a[b]c\\d^e~f、g',
      'a|b|c|d|e|f、g',
    ],
    [{ tokenizer: 'ngram' }, 'ab🪁', 'a|ab|b|b🪁|🪁'],
    [
      { tokenizer: { type: 'ngram', min_gram: 2, max_gram: 3, token_chars: ['letter', 'digit'] } },
      'hello-w12',
      'he|hel|el|ell|ll|llo|lo|w1|w12|12',
    ],
    [
      {
        tokenizer: {
          type: 'ngram',
          min_gram: 2,
          max_gram: 9,
          prefix_only: true,
          token_chars: ['letter', 'custom'],
          custom_token_chars: '-]',
        },
      },
      'a-]b x c',
      'a-|a-]|a-]b',
    ],
    [{ tokenizer: 'thai' }, 'สวัสดี! ทดสอบ, Hello 42.', 'สวัสดี|ทดสอบ|Hello|42'],
    [{ tokenizer: 'thai' }, 'ภาษาไทยง่าย', 'ภาษา|ไทย|ง่าย'],
    [filtered('arabic_normalization'), 'أحمد مدرسة', 'احمد|مدرسه'],
    [{ tokenizer: 'whitespace', filter: ['arabic_normalization'] }, 'ك\u0650ت\u0640ا\u0653ب\u065f', 'كتاب'],
  ];
  for (const [params, text, words] of cases)
    test(`${JSON.stringify(params)} of ${JSON.stringify(text)}`, async () => {
      assert.equal(await wordsOf(params, text), words);
    });
});

test('leaves each text to the analyzer of its language', async () => {
  const params = {
    tokenizer: {
      type: 'language_identifier',
      identifier: 'whatlang',
      analyzers: { default: { tokenizer: 'whitespace' }, en: { type: 'english' }, cn: { type: 'chinese' } },
      mapping: { English: 'en', Mandarin: 'cn' },
    },
  };
  assert.equal(
    await wordsOf(params, 'The dogs were running through the old town'),
    'dog|were|run|through|old|town',
  );
  assert.equal(await wordsOf(params, '向量数据库'), '向量|数据|据库|数据库');
  assert.equal(await wordsOf(params, 'Это русский текст!'), 'Это|русский|текст!');
  assert.equal(await wordsOf(params, '!?'), '!?');
});

test('says where each word stands', async () => {
  const english = await openAnalyzer('{"type":"english"}');
  assert.deepEqual(english.analyze('The dogs of É war'), [
    { text: 'dog', start: 4, end: 8, position: 1 },
    { text: 'é', start: 12, end: 13, position: 3 },
    { text: 'war', start: 14, end: 17, position: 4 },
  ]);
  const chinese = await openAnalyzer('{"type":"chinese"}');
  assert.deepEqual(chinese.analyze('好，数据库'), [
    { text: '好', start: 0, end: 1, position: 0 },
    { text: '数据', start: 2, end: 4, position: 2 },
    { text: '据库', start: 3, end: 5, position: 3 },
    { text: '数据库', start: 2, end: 5, position: 2 },
  ]);
});

describe('refuses parameters that no analyzer has', () => {
  const cases: readonly (readonly [params: object | string, text: string])[] = [
    ['{', 'is not valid JSON'],
    ['[]', 'params should be a json map'],
    [{ type: 'klingon' }, 'unknown build-in analyzer type: klingon'],
    [{ type: 5 }, 'analyzer type shoud be string'],
    [{ tokenizer: 'klingon' }, 'unsupported tokenizer: klingon'],
    [{ filter: ['lowercase'] }, 'tokenizer name or type must be set'],
    [{ tokenizer: 5 }, 'tokenizer name should be string or dict'],
    [{ tokenizer: {} }, 'costum tokenizer must set type'],
    [{ tokenizer: { type: 5 } }, 'tokenizer type should be string'],
    [{ tokenizer: 'standard', filters: [] }, 'unknown analyzer option key: filters'],
    [{ tokenizer: 'standard', filter: 'lowercase' }, 'filter params should be array'],
    [filtered('upper'), 'build analyzer failed, filter not found :upper'],
    [filtered('toString'), 'build analyzer failed, filter not found :toString'],
    [filtered({ type: 'upper' }), 'unsupport filter type: upper'],
    [filtered({ type: 'length' }), 'lenth max param was none or not uint'],
    [filtered({ type: 'length', max: -1 }), 'lenth max param was none or not uint'],
    [
      filtered({ type: 'stemmer', language: 'klingon' }),
      'create stemmer failed : unsupport language: klingon',
    ],
    [
      filtered({ type: 'stemmer', language: 'constructor' }),
      'create stemmer failed : unsupport language: constructor',
    ],
    [filtered({ type: 'stemmer' }), 'stemmer language field should be string'],
    [filtered({ type: 5 }), 'filter type should be string'],
    [filtered({ type: 'stop', stop_words: 'a' }), 'stop_words should be array'],
    [filtered({ type: 'stop', stop_words: [1] }), 'stop_words list item should be string'],
    [{ type: 'english', stop_words: 'a' }, 'filter stop_words should be array'],
    [filtered({ type: 'decompounder', word_list: 1 }), 'decompounder word list should be array'],
    [filtered({ type: 'decompounder' }), 'decompounder word list is empty'],
    [filtered({ type: 'synonym', synonyms: 'a' }), 'create synonym filter failed, `synonyms` must be array'],
    [filtered({ type: 'synonym', synonyms: [1] }), 'item in `synonyms` must be string'],
    [filtered({ type: 'synonym', expand: 1 }), 'create synonym filter failed, `expand` must be bool'],
    [filtered({ type: 'regex' }), 'must set expr for regex filter'],
    [filtered({ type: 'regex', expr: 1 }), 'expr must be string'],
    [filtered({ type: 'regex', expr: '(' }), 'regex expression invalid, expr:(, err: '],
    [{ tokenizer: { type: 'jieba', mode: 'fast' } }, 'jieba tokenizer mode must be "exact" or "search"'],
    [{ tokenizer: { type: 'jieba', mode: 1 } }, 'jieba tokenizer mode must be string'],
    [{ tokenizer: { type: 'jieba', hmm: 1 } }, 'jieba tokenizer mode must be boolean'],
    [{ tokenizer: { type: 'jieba', dict: 'a' } }, 'jieba tokenizer dict must be array'],
    [{ tokenizer: { type: 'jieba', dict: [1] } }, 'jieba tokenizer dict item must be string'],
    [{ tokenizer: 'lindera' }, 'lindera tokenizer must be costum'],
    [{ tokenizer: { type: 'lindera' } }, 'lindera tokenizer dict_kind must be set'],
    [{ tokenizer: 'language_identifier' }, 'lang ident tokenizer must be costum'],
    [{ tokenizer: { type: 'language_identifier' } }, 'analyzers must be set'],
    [{ tokenizer: { type: 'language_identifier', analyzers: [] } }, 'analyzers must be dict'],
    [
      { tokenizer: { type: 'language_identifier', analyzers: { default: 5 } } },
      'sub analyzer "default" params must be dict',
    ],
    [{ tokenizer: { type: 'language_identifier', identifier: 'x' } }, 'unknown identifier name: x'],
    [{ tokenizer: { type: 'language_identifier', identifier: { type: 'x' } } }, 'unknown identifier type: x'],
    [{ tokenizer: { type: 'language_identifier', identifier: {} } }, 'identifier type must be set'],
    [{ tokenizer: { type: 'lindera', dict_kind: 1 } }, 'lindera tokenizer dict kind should be string'],
    [{ tokenizer: { type: 'lindera', dict_kind: 'unidic' } }, 'lindera tokenizer with invalid dict_kind'],
    [{ tokenizer: { type: 'lindera', dict_kind: 'x' } }, 'unsupported lindera dict type: x'],
    [
      { tokenizer: { type: 'lindera', dict_kind: 'ipadic', filter: 'x' } },
      'lindera tokenizer filter should be array',
    ],
    [
      { tokenizer: { type: 'lindera', dict_kind: 'ipadic', filter: [{ kind: 'x' }] } },
      'unsupported lindera filter kind: "x"',
    ],
    [
      { tokenizer: { type: 'lindera', dict_kind: 'ko-dic', filter: [{ kind: 'japanese_stop_tags' }] } },
      'lindera filter japanese_stop_tags is for the dictionary ipadic',
    ],
    [filtered({ type: 'pinyin', keep_original: 'no' }), 'keep_original must be a boolean value'],
    [filtered({ type: 'synonym', synonyms: ['a b'] }), 'has space between words a b'],
    [filtered({ type: 'synonym', synonyms: ['a => b => c'] }), 'has more than one "=>"'],
    [filtered({ type: 'synonym', synonyms: ['a\\'] }), 'invalid synonym escaped in the end: a\\'],
    [filtered({ type: 'synonym', synonyms: ['a\\b'] }), 'invalid synonym escaped: \\b in a\\b'],
    [{ tokenizer: 'char_group' }, "char group tokenizer delimiters can't be empty"],
    [{ tokenizer: { type: 'char_group', delimiters: ' ' } }, 'delimiters must be a vector'],
    [{ tokenizer: { type: 'char_group', delimiters: [1] } }, 'delimiter in delimiters must be string'],
    [
      { tokenizer: { type: 'char_group', delimiters: ['ab'] } },
      'ab not a char or name of build-in char group',
    ],
    [{ tokenizer: { type: 'char_group', delimiters: ['toString'] } }, 'toString not a char or name'],
    [{ tokenizer: { type: 'ngram', min_gram: 0 } }, 'min_gram must be greater than 0'],
    [{ tokenizer: { type: 'ngram', min_gram: 3 } }, 'min_gram must not be greater than max_gram'],
    [{ tokenizer: { type: 'ngram', max_gram: 1.5 } }, 'max_gram of ngram tokenizer should be an integer'],
    [{ tokenizer: { type: 'ngram', max_gram: 9 } }, 'grams of at most 4 lengths'],
    [
      { tokenizer: { type: 'ngram', token_chars: ['vowel'] } },
      'unknown token_chars of ngram tokenizer: vowel',
    ],
    [
      { tokenizer: { type: 'ngram', token_chars: ['custom'] } },
      'custom_token_chars of ngram tokenizer should be',
    ],
    [
      { tokenizer: { type: 'language_identifier', analyzers: { en: {} } } },
      'default sub analyzer for language identifier analyzer must be set',
    ],
    [
      { tokenizer: { type: 'language_identifier', analyzers: { default: {} }, mapping: { English: 'en' } } },
      'analyzer en of the mapping does not exist',
    ],
  ];
  for (const [params, text] of cases)
    test(text, async () => {
      await assert.rejects(wordsOf(params, 'x'), (error) => {
        assert(error instanceof MilvusError);
        assert.equal(error.code, 1100);
        assert(error.message.includes(text), error.message);
        return true;
      });
    });
});

test('half a surrogate pair counts as the replacement character', async () => {
  assert.equal(await wordsOf({ tokenizer: 'whitespace' }, 'a\ud800 b'), 'a\ufffd|b');
});
