import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodedGrpcMessage, GrpcError } from './grpc-status.ts';
import { millisecondsOf } from './grpc-timeout.ts';

test('a message to the client is printable ASCII, the rest percent-encoded', () => {
  const cases: readonly (readonly [text: string, encoded: string])[] = [
    ['plain, with "marks" ~', 'plain, with "marks" ~'],
    ['100 %', '100 %25'],
    ['a\nb', 'a%0Ab'],
    ['Größe €', 'Gr%C3%B6%C3%9Fe %E2%82%AC'],
    ['\u{1f426}', '%F0%9F%90%A6'],
    ['\ud83d', '%EF%BF%BD'],
  ];
  for (const [text, encoded] of cases) assert.equal(encodedGrpcMessage(text), encoded);
});

test('a timeout is digits and a unit', () => {
  const cases: readonly (readonly [text: string, ms: number])[] = [
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3_000],
    ['40m', 40],
    ['1500u', 2],
    ['0n', 1],
    ['99999999H', 99_999_999 * 3_600_000],
  ];
  for (const [text, ms] of cases) assert.equal(millisecondsOf(text), ms);
  for (const text of ['', '1', 'S', '1s', '-1S', '1.5S', '123456789S', '1S1S'])
    assert.throws(() => millisecondsOf(text), GrpcError, text);
});
