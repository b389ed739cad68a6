import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ByteSource, FormatError, sourceOf } from './byte-source.ts';
import { jsonLines, jsonRows } from './json-rows.ts';

const source = (text: string): ByteSource => sourceOf(Buffer.from(text));

async function textsOf(rows: AsyncIterable<readonly Buffer[]>): Promise<string[]> {
  return (await Array.fromAsync(rows)).flat().map(String);
}

describe('rows of a JSON file', () => {
  const cases: readonly (readonly [text: string, rows: readonly string[]])[] = [
    ['[]', []],
    [' \n[ {"a":1} , {"b":[1,{"c":"]}"}]} ]\n', ['{"a":1}', '{"b":[1,{"c":"]}"}]}']],
    ['{"rows": [{"a":"\\"]"}]}', ['{"a":"\\"]"}']],
    ['[1, "x,]", null]', ['1', '"x,]"', 'null']],
    ['\ufeff[{}]', ['{}']],
  ];
  for (const [text, rows] of cases)
    it(`are the elements of ${JSON.stringify(text)}`, async () => {
      assert.deepEqual(await textsOf(jsonRows(source(text))), rows);
    });

  for (const text of ['', '{}', '{"data":[]}', '[{"a":1}', '[{} {}]', '[{}],', 'rows', '{"rows":1}'])
    it(`are not to be had of ${JSON.stringify(text)}`, async () => {
      await assert.rejects(textsOf(jsonRows(source(text))), FormatError);
    });

  it('are the same however the pieces of the file are cut', async () => {
    const filler = 'x'.repeat(700);
    const rows = Array.from({ length: 4_000 }, (_, at) => JSON.stringify({ at, filler, nested: [[at]] }));
    assert.deepEqual(await textsOf(jsonRows(source(`[${rows.join(',\n')}]`))), rows);
  });
});

describe('JSON lines', () => {
  it('are rows, but for those that are empty', async () => {
    assert.deepEqual(await textsOf(jsonLines(source('{"a":1}\r\n\n  \n{"b":2}'))), ['{"a":1}\r', '{"b":2}']);
  });
});
