import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keepMembers } from './json-members.ts';

const keep = (json: string, ...keys: string[]) => keepMembers(Buffer.from(json), new Set(keys)).toString();

const CASES: readonly [json: string, keys: readonly string[], kept: string][] = [
  ['', ['a'], ''],
  ['{}', ['a'], ''],
  ['{"a":1}', [], ''],
  ['{"a":9007199254740993,"b":1.50}', ['a', 'b'], '"a":9007199254740993,"b":1.50'],
  ['{ "a" : [1, {"b": 2}] , "b" : 3 }', ['b'], '"b" : 3 '],
  ['{"a":{"b":1},"b":2}', ['b'], '"b":2'],
  ['{"a":"},{\\"b\\":3","b":"\\\\"}', ['b'], '"b":"\\\\"'],
  ['{"gr\\u00f6\\u00dfe":1}', ['größe'], '"gr\\u00f6\\u00dfe":1'],
  ['{"a\\"":1,"a":2}', ['a"'], '"a\\"":1'],
  ['{"a":1,"b":2,"a":3}', ['a'], '"a":1,"a":3'],
  ['{"__proto__":1,"":2}', ['__proto__', ''], '"__proto__":1,"":2'],
];
for (const [json, keys, kept] of CASES) {
  test(`of ${json} the members ${keys.join(', ')} are ${kept}`, () => {
    assert.equal(keep(json, ...keys), kept);
  });
}

test('keeps what a parser finds under the keys, of any object', () => {
  const keys = fc.constantFrom('a', 'b', 'c"', 'd\\', 'ö', '\u2028');
  const object = fc.dictionary(keys, fc.jsonValue());
  fc.assert(
    fc.property(object, fc.uniqueArray(keys), fc.constantFrom(0, 2), (value, wanted, indent) => {
      const json = JSON.stringify(value, null, indent);
      const expected = Object.entries(value).filter(([key]) => (wanted as string[]).includes(key));
      assert.deepEqual(
        JSON.parse(`{${keep(json, ...wanted)}}`),
        JSON.parse(JSON.stringify(Object.fromEntries(expected))),
      );
    }),
  );
});

test('nests deeper than any stack', () => {
  const deep = '['.repeat(1_000_000) + ']'.repeat(1_000_000);
  assert.equal(keep(`{"a":${deep},"b":1}`, 'b'), '"b":1');
  assert.equal(keep(`{"a":${deep},"b":1}`, 'a'), `"a":${deep}`);
});
