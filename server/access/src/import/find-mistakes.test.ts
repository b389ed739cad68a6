import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { invalidParameter } from '@elanus/model';
import { findMistakes } from './find-mistakes.ts';

/** Rows of which some can't be encoded and some are refused when they are checked. */
function batchWith(rows: number, unreadable: readonly number[], refused: readonly number[]) {
  let looks = 0;
  const reader = {
    encode: async (_batch: number, from: number, to: number) => {
      looks++;
      const bad = unreadable.find((row) => row >= from && row < to);
      if (bad !== undefined)
        return `fail to deal the insert data, error: row ${bad - from} has no value for the field v`;
      return { fieldsData: [Uint32Array.of(from, to) as unknown as Uint8Array], numRows: to - from };
    },
  };
  const check = async ({ fieldsData }: { readonly fieldsData: readonly Uint8Array[] }) => {
    const [from, to] = fieldsData[0] as unknown as [number, number];
    const bad = refused.find((row) => row >= from && row < to);
    if (bad !== undefined) throw invalidParameter(`length of name exceeds max length`);
  };
  return {
    find: (most: number) => findMistakes({ batch: 0, rows, encoded: null }, reader, { most, check }),
    looks: () => looks,
  };
}

describe('the mistakes of a batch', () => {
  it('are found wherever they are, each once, in the order of rows', async () => {
    const { find } = batchWith(1_000, [0, 17, 999], [18, 500]);
    assert.deepEqual(
      (await find(100)).map(({ row }) => row),
      [0, 17, 18, 500, 999],
    );
  });

  it('are told without the number that a row has when it is alone', async () => {
    const { find } = batchWith(100, [42], []);
    assert.deepEqual(await find(1), [{ row: 42, reason: 'has no value for the field v' }]);
  });

  it('take few looks at many rows, and no more are found than are asked for', async () => {
    const many = Array.from({ length: 4_096 }, (_, row) => row);
    const { find, looks } = batchWith(4_096, many, []);
    assert.equal((await find(3)).length, 3);
    assert.ok(looks() < 60, `${looks()} looks`);
  });

  it('are none in rows that are sound', async () => {
    assert.deepEqual(await batchWith(10, [], []).find(10), []);
  });
});
