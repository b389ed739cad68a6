import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { JsonReader, jsonStep } from './json-reader.ts';

function open(text: string | Uint8Array): JsonReader {
  const document = typeof text === 'string' ? Buffer.from(text) : text;
  // Bytes around the document, so that leaving its bounds would show.
  const bytes = Buffer.concat([Buffer.from('"x":1,'), document, Buffer.from('7}]"')]);
  const reader = new JsonReader();
  reader.open(bytes, 6, 6 + document.length);
  return reader;
}

/** The value under the reader, with the reader's own means. */
function read(reader: JsonReader): unknown {
  switch (reader.kind()) {
    case 'number':
      return reader.readNumber();
    case 'text':
      assert.ok(reader.readText());
      return Buffer.from(reader.textBytes.subarray(reader.textStart, reader.textEnd)).toString();
    case 'boolean':
      return reader.readBoolean();
    case 'null':
      return null;
    case 'array': {
      const elements: unknown[] = [];
      reader.forEachElement(() => elements.push(read(reader)) > 0);
      return elements;
    }
    default:
      return reader.kind();
  }
}

const NUMBERS: readonly [text: string, value: number | bigint][] = [
  ['0', 0],
  ['-7', -7],
  ['123456789012345', 123456789012345],
  ['9007199254740993', 9007199254740993n],
  ['-9223372036854775808', -(2 ** 63)],
  ['9223372036854775807', 9223372036854775807n],
  ['18446744073709551617', 18446744073709551617n],
  ['0.1', 0.1],
  ['-2.5', -2.5],
  ['1.0', 1],
  ['1e3', 1000],
  ['1.5E-3', 0.0015],
  ['0.30000000000000004', 0.30000000000000004],
  ['12345678901234567.5', 12345678901234568],
];
for (const [text, value] of NUMBERS)
  test(`reads the number ${text} exactly`, () => assert.equal(read(open(` ${text} `)), value));

/** A parser rounds integers. */
const rounded = (value: unknown) => (typeof value === 'bigint' ? Number(value) : value);

test('finds what a parser would find, in every document', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.integer({ min: 0, max: 3 }), (value, spaces) => {
      const text = JSON.stringify(value, null, spaces);
      const visit = (expected: unknown, steps: readonly string[]) => {
        const reader = open(text);
        assert.ok(reader.find(steps.map(jsonStep)), text);
        if (typeof expected !== 'object' || expected === null)
          assert.deepEqual(rounded(read(reader)), expected);
        else for (const [key, member] of Object.entries(expected)) visit(member, [...steps, key]);
      };
      // What a parser makes of the text, not what was written: JSON has no negative zero from JSON.stringify.
      visit(JSON.parse(text), []);
    }),
  );
});

test('finds no member that is not there', () => {
  for (const steps of [['b'], ['a', 'b'], ['l', '2'], ['l', '-1'], ['l', '01'], ['s', '0'], ['a', '']])
    assert.equal(open('{"a": {"c": 1}, "l": [1, 2], "s": "text"}').find(steps.map(jsonStep)), false);
});

test('the first of equal keys counts, however it is spelled', () => {
  const reader = open('{"\\u0061": 1, "a": 2}');
  assert.ok(reader.find([jsonStep('a')]));
  assert.equal(read(reader), 1);
});

test('stays within its bounds and ends on broken documents', () => {
  const broken = fc
    .array(fc.constantFrom(...'{}[]",:\\tfn01.-eE a'), { maxLength: 30 })
    .map((parts) => parts.join(''));
  const path = fc.array(fc.constantFrom('a', '0', '1', 't'), { maxLength: 3 });
  fc.assert(
    fc.property(broken, path, (text, steps) => {
      const reader = open(text);
      if (!reader.find(steps.map(jsonStep))) return;
      reader.kind();
      reader.readNumber();
      reader.readText();
      reader.forEachElement(() => true);
    }),
    { numRuns: 3_000 },
  );
});

test('a million open brackets are skipped without recursion', () => {
  assert.equal(open(`{"a": ${'['.repeat(1_000_000)}`).find([jsonStep('b')]), false);
});
