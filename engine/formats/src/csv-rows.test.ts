import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FormatError, sourceOf } from './byte-source.ts';
import { csvRows } from './csv-rows.ts';

async function recordsOf(text: string, separator = ','): Promise<string[][]> {
  const records = (await Array.fromAsync(csvRows(sourceOf(Buffer.from(text)), { separator }))).flat();
  return records.map((cells) => cells.map(({ text: own, isQuoted }) => (isQuoted ? `"${own}"` : own)));
}

describe('records of a CSV file', () => {
  it('are cut at separators and at line ends, but not within quotes', async () => {
    const text = 'a,b\r\n1,"x, ""y""\n"\n\n,""\n2,z';
    assert.deepEqual(await recordsOf(text), [
      ['a', 'b'],
      ['1', '"x, "y"\n"'],
      ['', '""'],
      ['2', 'z'],
    ]);
  });

  it('are cut at another separator when one is given', async () => {
    assert.deepEqual(await recordsOf('a;b,c\n', ';'), [['a', 'b,c']]);
  });

  it('hold characters that lie across two pieces', async () => {
    const long = 'ü'.repeat(600_001);
    assert.deepEqual(await recordsOf(`a,${long}`), [['a', long]]);
  });

  for (const text of ['a,"b', 'a"b,c', '"a"b', Buffer.of(0x61, 0xff).toString('latin1')])
    it(`are refused in ${JSON.stringify(text)}`, async () => {
      const bytes = Buffer.from(text, text.includes('ÿ') ? 'latin1' : 'utf8');
      await assert.rejects(Array.fromAsync(csvRows(sourceOf(bytes), { separator: ',' })), FormatError);
    });
});
