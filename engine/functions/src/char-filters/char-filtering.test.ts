import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MilvusError } from '@elanus/model';
import fc from 'fast-check';
import { openAnalyzer } from '../open-analyzer.ts';
import { runAtOnce } from '../work.ts';
import { mapping, readMapping } from './mapping.ts';

interface Options {
  readonly mode?: string;
  readonly tokenizer?: unknown;
}

const paramsOf = (lists: readonly (readonly string[])[], { mode, tokenizer = 'standard' }: Options = {}) =>
  JSON.stringify({
    char_filter: lists.map((mappings) => ({ type: 'mapping', mappings })),
    ...(mode === undefined ? {} : { char_filter_offset_mode: mode }),
    tokenizer,
  });

/** Words with the bytes of the text that they come from, as `RunAnalyzer` shows them. */
async function wordsOf(params: string, text: string): Promise<string> {
  const byteOf = (unit: number) => Buffer.byteLength(text.slice(0, unit));
  const tokens = (await openAnalyzer(params)).analyze(text);
  return tokens.map((token) => `${token.text} ${byteOf(token.start)}-${byteOf(token.end)}`).join('|');
}

describe('texts are rewritten before they are cut, and their words stand where they came from', () => {
  const cases: readonly (readonly [lists: string[][], text: string, words: string, options?: Options])[] = [
    [[['&=>and']], 'A&B c', 'AandB 0-3|c 4-5'],
    [[['& => and', ':) => _happy_']], 'a&b :)', 'aandb 0-3|happy 4-6'],
    [[['-=>\\u0020']], 'FOO-BAR', 'FOO 0-3|BAR 4-7'],
    [[['a=>x', 'aa=>y']], 'aaa', 'yx 0-3'],
    [[['a=>b', 'b=>c']], 'ab', 'bc 0-2'],
    [[['a=>b'], ['b=>c']], 'ab', 'cc 0-2'],
    [[['-=>']], '中-文', '中文 0-7'],
    [[['a=>b=>c']], 'a=>b', 'c 0-4'],
    [[['\\=\\>=>arrow']], '=>', 'arrow 0-2'],
    [
      [['\\t=>\\u0020']],
      'foo\tbar',
      'foo 0-3|bar 4-7',
      { tokenizer: { type: 'char_group', delimiters: [' '] } },
    ],
    [[['\\ud83d\\ude00=>smile', '\\u4e2d=>zhong']], '中😀', 'zhongsmile 0-7'],
    [[['ab=>x y']], 'ab', 'x 0-2|y 0-2'],
    [[['ab=>x y']], 'ab', 'x 0-1|y 1-2', { mode: 'boundary' }],
    [[['中=>x y']], '中', 'x 0-0|y 0-3', { mode: 'boundary' }],
    [[['a=>中 英']], 'a', '中 0-0|英 0-1', { mode: 'boundary' }],
    [[['中英=>xy']], '中英', 'x 0-3|y 3-6', { mode: 'boundary', tokenizer: { type: 'ngram', max_gram: 1 } }],
    [[['-=>\\u0020and\\u0020'], ['\\u0020and\\u0020=>x']], 'A-B', 'AxB 0-3'],
    [[['a=>x y'], ['x=>p q']], 'ab', 'p 0-1|q 0-1|yb 0-2'],
    [[['中=>x y'], ['x=>p q']], '中', 'p 0-0|q 0-0|y 0-3', { mode: 'boundary' }],
    [[['b=>', 'c=>\\ y z']], 'abc de', 'a 0-1|y 2-3|z 2-3|de 4-6'],
    [[[]], 'as it is', 'as 0-2|it 3-5|is 6-8'],
    [[], 'as it is', 'as 0-2|it 3-5|is 6-8'],
  ];
  for (const [lists, text, words, options] of cases)
    test(`${JSON.stringify(lists)} of ${JSON.stringify(text)} ${options?.mode ?? ''}`, async () => {
      assert.equal(await wordsOf(paramsOf(lists, options), text), words);
    });

  test('the filters of words follow, and languages are told of what was rewritten', async () => {
    const inner = { default: { tokenizer: 'whitespace' }, en: { type: 'english' } };
    const tokenizer = { type: 'language_identifier', analyzers: inner, mapping: { English: 'en' } };
    const params = paramsOf([['0=>o']], { tokenizer });
    const text = 'The d0gs were running through the 0ld t0wn';
    const words = (await openAnalyzer(params)).analyze(text).map((token) => token.text);
    assert.deepEqual(words, ['dog', 'were', 'run', 'through', 'old', 'town']);
  });
});

test('what is found by looking everywhere for each rule is found', () => {
  const letters = fc.constantFrom('a', 'b', '😀', ' ');
  const side = (minLength: number) =>
    fc.array(letters, { minLength, maxLength: 4 }).map((each) => each.join(''));
  const rules = fc.uniqueArray(fc.tuple(side(1), side(0)), { selector: ([source]) => source, maxLength: 6 });
  const escaped = (text: string) => text.replaceAll(' ', '\\u0020');
  fc.assert(
    fc.property(rules, fc.array(letters, { maxLength: 30 }), (pairs, characters) => {
      const text = characters.join('');
      const read = readMapping(pairs.map(([source, target]) => `${escaped(source)}=>${escaped(target)}`));
      const longestFirst = pairs.toSorted(([a], [b]) => b.length - a.length);
      let wanted = '';
      for (let at = 0; at < text.length; ) {
        const rule = longestFirst.find(([source]) => text.startsWith(source, at));
        wanted += rule === undefined ? text[at] : rule[1];
        at += rule === undefined ? 1 : rule[0].length;
      }
      for (const mode of ['source_span', 'boundary'] as const) {
        const rewrite = runAtOnce(mapping(text, read, mode));
        assert.equal(rewrite.after(), wanted);
        // Places never go back, and are places of the text.
        let last = 0;
        for (let at = 0; at < wanted.length; at++) {
          const start = rewrite.startOf(at);
          const end = rewrite.endOf(at + 1);
          assert.ok(last <= start && start <= end && end <= text.length, `${at}: ${last} ${start} ${end}`);
          last = start;
        }
      }
    }),
  );
});

describe('refuses char filters that nobody has', () => {
  const withFilters = (char_filter: unknown) => ({ char_filter, tokenizer: 'standard' });
  const ofRules = (...mappings: unknown[]) => withFilters([{ type: 'mapping', mappings }]);
  const cases: readonly (readonly [params: object, text: string])[] = [
    [withFilters('mapping'), 'char_filter params should be array'],
    [withFilters(['mapping']), 'char_filter item should be object'],
    [withFilters([{}]), 'char_filter type must be set'],
    [withFilters([{ type: 1 }]), 'char_filter type should be string'],
    [withFilters([{ type: 'html_strip' }]), 'unsupported char_filter type: html_strip'],
    [withFilters([{ type: 'mapping' }]), 'mapping char_filter must set mappings'],
    [withFilters([{ type: 'mapping', mappings: 'a=>b' }]), 'mapping char_filter mappings must be array'],
    [ofRules(1), 'mapping char_filter mapping item must be string'],
    [ofRules('a'), 'invalid mapping char_filter mapping: a'],
    [ofRules(' =>b'), 'mapping char_filter source must not be empty'],
    [ofRules('a=>x', '\\u0061=>y'), 'mapping char_filter source must be unique: "a"'],
    [ofRules('a=>b\\'), 'mapping char_filter escape sequence must not end with backslash'],
    [ofRules('a=>b\\=>c'), 'mapping char_filter escape sequence must not end with backslash'],
    [ofRules('\\u123=>x'), 'mapping char_filter contains an invalid unicode escape'],
    [ofRules('\\ud83d=>x'), 'mapping char_filter contains an invalid unicode escape'],
    [ofRules('\\ud83d\\u0041=>x'), 'mapping char_filter contains an invalid unicode escape'],
    [ofRules(`${'a'.repeat(65)}=>x`), 'mapping char_filter source is longer than 64 characters'],
    [{ ...ofRules(), char_filter_offset_mode: 1 }, 'char_filter_offset_mode should be string'],
    [{ ...ofRules(), char_filter_offset_mode: 'x' }, 'unsupported char_filter_offset_mode: x'],
    [
      { tokenizer: 'standard', char_filter_offset_mode: 'boundary' },
      'char_filter_offset_mode requires char_filter',
    ],
    [{ type: 'english', char_filter: [] }, 'build-in analyzer type english takes no char_filter'],
  ];
  for (const [params, text] of cases)
    test(text, async () => {
      await assert.rejects(openAnalyzer(JSON.stringify(params)), (error) => {
        assert(error instanceof MilvusError);
        assert.equal(error.code, 1100);
        assert(error.message.includes(text), error.message);
        return true;
      });
    });
});

describe('long texts of anything are rewritten in slices', () => {
  const long = Array.from({ length: 64 }, (_, at) => `${'a'.repeat(at)}b=>`);
  for (const [name, text] of Object.entries({
    'one letter': 'a'.repeat(2 ** 18),
    'halves of surrogate pairs': '\ud83d'.repeat(2 ** 20),
    'zero bytes': '\0'.repeat(2 ** 20),
  }))
    test(name, async () => {
      const work = (await openAnalyzer(paramsOf([long, ['\\u0000=>\\u0020x', '\ufffd=>é']]))).analyzing(text);
      let slices = 1;
      let step = work.next();
      for (; !step.done; step = work.next()) slices += 1;
      assert(slices >= 256, `${slices} slices`);
      assert.ok(step.value.length > 0);
    });

  test('and refused when a rule makes too much of it', async () => {
    const much = `a=>${'much '.repeat(1000)}`;
    const analyzer = await openAnalyzer(paramsOf([[much]]));
    assert.throws(() => analyzer.analyze('a'.repeat(10_000)), /makes a text longer than 4194304 characters/);
  });
});
