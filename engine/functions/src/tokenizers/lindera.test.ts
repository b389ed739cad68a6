import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';
import { seededRandom } from '@elanus/runtime';
import { readLinderaOptions } from '../read-lindera-options.ts';
import { LINDERA_DICTIONARIES, linderaTokenizer } from './lindera.ts';
import { openLindera } from './lindera-library.ts';
import { UNITS_MAX } from './lindera-mailbox.ts';

const SEED = 11;
const TEXTS = [
  '東京都の公園を歩くと、桜の花が咲いていた。',
  '한국어 형태소 분석을 시작합니다.',
  '北京大学生前来应聘',
  'Elanus は 2026 年に 🪁 を飛ばす\n\t。',
  'e\u0301\u0302 \u0000 zero',
  ' ',
  'あ'.repeat(UNITS_MAX),
];

const textsOf = (words: readonly { readonly text: string }[]) => words.map(({ text }) => text);

/** Characters of many scripts, whole ones only. */
function randomText(random: ReturnType<typeof seededRandom>): string {
  const firsts = [0x20, 0x41, 0x3041, 0x30a1, 0x4e00, 0xac00, 0x1f600];
  const codes = Array.from(
    { length: random.below(60) },
    () => firsts[random.below(firsts.length)]! + random.below(60),
  );
  return String.fromCodePoint(...codes);
}

// Before anything else: a module that is loaded once is not asked for again.
test('a dictionary is not unpacked on the thread that answers clients', async () => {
  const asked: string[] = [];
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      asked.push(specifier);
      return next(specifier, context);
    },
  });
  await linderaTokenizer({ dictionary: 'ko-dic', stopTags: [] });
  assert.ok(!asked.includes('lindera-wasm'), asked.join(' '));
  await openLindera('ko-dic');
  assert.ok(asked.includes('lindera-wasm'), 'the hook sees modules');
  hooks.deregister();
});

test('another thread cuts as this one would', async () => {
  const random = seededRandom(SEED);
  const texts = [...TEXTS, ...Array.from({ length: 40 }, () => randomText(random))];
  for (const dictionary of LINDERA_DICTIONARIES) {
    const [far, near] = [await linderaTokenizer({ dictionary, stopTags: [] }), await openLindera(dictionary)];
    for (const text of texts) {
      const { tokens, nextPosition } = far(text, 5, 3);
      const words = textsOf(tokens);
      assert.deepEqual(words, textsOf(near(text)), `${dictionary}, ${JSON.stringify(text)}, seed ${SEED}`);
      assert.equal(nextPosition, 3 + words.length);
      for (const { text: word, start, end } of tokens) assert.equal(text.slice(start - 5, end - 5), word);
    }
  }
});

test('words of some parts of speech are left out as the library itself leaves them out', async () => {
  const random = seededRandom(SEED);
  const lists = {
    ipadic: ['助詞,連体化', '記号,句点', 'UNK', '助動詞', '名詞,固有名詞,地域,一般'],
    'ko-dic': ['JKG', 'SF', 'UNK', 'EC', 'JKO', 'NNG'],
  } as const;
  const filters = { ipadic: 'japanese_stop_tags', 'ko-dic': 'korean_stop_tags' } as const;
  const { TokenizerBuilder } = await import('lindera-wasm');
  for (const dictionary of ['ipadic', 'ko-dic'] as const) {
    const kind = filters[dictionary];
    const tags = lists[dictionary];
    const builder = new TokenizerBuilder();
    builder.setMode('normal');
    builder.setDictionary(`embedded://${dictionary}`);
    builder.appendTokenFilter(kind, { tags });
    const theirs = builder.build();
    const options = readLinderaOptions({ dict_kind: dictionary, filter: [{ kind, tags }] });
    const ours = await linderaTokenizer(options);
    let leftOut = 0;
    for (const text of [...TEXTS, ...Array.from({ length: 30 }, () => randomText(random))]) {
      const { tokens, nextPosition } = ours(text, 0, 0);
      const expected = (theirs.tokenize(text) as { readonly surface: string }[]).map(
        ({ surface }) => surface,
      );
      assert.deepEqual(textsOf(tokens), expected, `${dictionary}, ${JSON.stringify(text)}, seed ${SEED}`);
      leftOut += nextPosition - tokens.length;
    }
    assert.ok(leftOut > 5, `${leftOut} words of ${dictionary} left out`);
  }
});
