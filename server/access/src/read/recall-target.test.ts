import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Parameters } from './parameters.ts';
import { readRecallTarget } from './recall-target.ts';

const read = (parameters: Readonly<Record<string, string>>, property?: string) =>
  readRecallTarget(new Parameters(Object.entries(parameters).map(([key, value]) => ({ key, value }))), {
    properties: property === undefined ? [] : [{ key: 'elanus.recall_target', value: property }],
  });

describe('the recall that a search wants', () => {
  for (const [what, parameters, property, target] of [
    ['is nothing when nobody says so', {}, undefined, null],
    ['is what the search says', { recall_target: '0.98' }, undefined, 0.98],
    ['is what the search says inside of params', { params: '{"recall_target":0.9}' }, undefined, 0.9],
    ['is what the search says, not the collection', { recall_target: '1' }, '0.9', 1],
    ['is what the collection says', {}, '0.95', 0.95],
    ['is nothing when the search names its effort', { params: '{"ef":100}' }, '0.95', null],
    ['is nothing when the collection says nothing sensible', {}, 'much', null],
  ] as const)
    it(what, () => assert.equal(read(parameters, property), target));

  for (const wrong of [{ recall_target: '0' }, { recall_target: '-1' }, { recall_target: 'NaN' }])
    it(`is refused: ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => read(wrong), { code: 1100, message: /should be a number above 0 and up to 1/ });
    });

  for (const effort of ['ef', 'search_list', 'nprobe'])
    it(`is refused beside ${effort}`, () => {
      const message = new RegExp(`recall_target and ${effort} exclude one another`);
      assert.throws(() => read({ recall_target: '0.9', [effort]: '64' }), { code: 1100, message });
    });
});
