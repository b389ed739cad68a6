import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestHeaders } from './request-headers.ts';

const TEXT = '/s/M\n:method\nPOST\nvalue\nname\nname\nvalue\nempty\n\nname\nlater\n';

const CASES: readonly (readonly [name: string, value: string | undefined])[] = [
  [':method', 'POST'],
  ['value', 'name'],
  ['name', 'value'],
  ['empty', ''],
  ['later', undefined],
  ['POST', undefined],
  ['/s/M', undefined],
  ['', undefined],
  ['other', undefined],
];

for (const [name, value] of CASES)
  test(`the header "${name}" is ${value === undefined ? 'not there' : `"${value}"`}`, () => {
    const headers = new RequestHeaders(TEXT);
    assert.equal(headers.get(name), value);
    assert.equal(headers.path, '/s/M');
  });

test('a request without any headers has a path', () => {
  assert.equal(new RequestHeaders('/s/M\n').path, '/s/M');
  assert.equal(new RequestHeaders('/s/M\n').get('name'), undefined);
});
