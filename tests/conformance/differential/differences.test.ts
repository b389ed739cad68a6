import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareAnswers } from './differences.ts';

test('leaves out what each server gives out anew, and the order of columns', () => {
  const one = {
    collectionID: '1',
    fieldsData: [{ fieldName: 'a' }, { fieldName: 'b' }],
    reason: 'id 470612815094112472',
  };
  const other = {
    collectionID: '2',
    fieldsData: [{ fieldName: 'b' }, { fieldName: 'a' }],
    reason: 'id 470612815094100000',
  };
  assert.deepEqual(compareAnswers('asks', one, other), []);
});

test('names the place where two answers differ', () => {
  const one = { status: { code: 1100, reason: 'same' } };
  const other = { status: { code: 65535, reason: 'same' } };
  assert.deepEqual(compareAnswers('asks', one, other), [
    { step: 'asks', path: 'status.code', elanus: 1100, milvus: 65535 },
  ]);
});
