import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KeyValue } from '@elanus/model';
import { Parameters, readParameters } from './parameters.ts';

const PAIRS: readonly KeyValue[] = [
  { key: 'topk', value: '10' },
  { key: 'params', value: '{"ef": 80, "topk": 5, "radius": null}' },
];

test('what stands outside wins, and what stands in `params` is found', () => {
  const parameters = readParameters(PAIRS);
  assert.deepEqual([parameters.integer('topk'), parameters.integer('ef')], [10, 80]);
  assert.deepEqual([parameters.value('topk'), parameters.text('radius')], [5, undefined]);
});

test('the same pairs are read once, others by themselves', () => {
  assert.equal(readParameters(PAIRS), readParameters(structuredClone(PAIRS)));
  const others: readonly (readonly KeyValue[])[] = [
    [],
    [{ key: '', value: '' }],
    [...PAIRS].reverse(),
    [{ key: 'a', value: 'bc' }],
    [{ key: 'ab', value: 'c' }],
    [{ key: 'a', value: 'b1 c1 d' }],
    [
      { key: 'a', value: 'b' },
      { key: 'c', value: 'd' },
    ],
  ];
  const read = [PAIRS, ...others].map(readParameters);
  assert.equal(new Set(read).size, read.length);
  assert.deepEqual(
    read.map((parameters) => parameters.text('a')),
    [undefined, undefined, undefined, undefined, 'bc', undefined, 'b1 c1 d', 'b'],
  );
});

test('however many there are, each is read as it is', () => {
  for (let round = 0; round < 2; round++)
    for (let ef = 1; ef <= 300; ef++)
      assert.equal(readParameters([{ key: 'params', value: `{"ef":${ef}}` }]).integer('ef'), ef);
});

test('long ones are not kept', () => {
  const long = [{ key: 'a', value: 'x'.repeat(2_000) }];
  assert.notEqual(readParameters(long), readParameters(long));
});

test('what is no object is refused each time', () => {
  for (let time = 0; time < 2; time++)
    assert.throws(() => readParameters([{ key: 'params', value: '[1]' }]), { code: 1100 });
  assert.throws(() => new Parameters([{ key: 'params', value: '{' }]), { code: 1100 });
});
