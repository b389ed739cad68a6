import assert from 'node:assert/strict';
import test from 'node:test';
import { compileCondition, planFilter } from '@elanus/expr';
import { type Column, DataType } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { seededRandom } from '@elanus/runtime';
import type { Chunk } from '../chunk.ts';
import { statisticsBuilder } from '../files/column-statistics.ts';
import { isRuledOut } from './zone-map.ts';

const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'x', DataType.Double, { nullable: true }),
]);
const LEAVES = ['==', '!=', '<', '<=', '>', '>='].flatMap((operator) =>
  ['id', 'x'].flatMap((name) => [-1, 0, 4, 9, 10].map((value) => `${name} ${operator} ${value}`)),
);
const FILTERS = [
  ...LEAVES,
  ...LEAVES.map((leaf) => `not (${leaf})`),
  ...[
    'id in [1, 20]',
    'id in [20, 30]',
    'id not in [20]',
    '2 < id < 3',
    '20 < id < 30',
    'x in [1.5, 40]',
    'id + 1 == 90',
  ],
  'id == 20 and x < 5',
  'id == 20 or x < 5',
  'id == 20 or x > 50',
];

test('a chunk is ruled out only when no row of it matches', () => {
  const random = seededRandom(5);
  let ruledOut = 0;
  for (let round = 0; round < 60; round++) {
    const rows = 1 + random.below(5);
    const numbers = (of: () => number): number[] => Array.from({ length: rows }, of);
    const ids = BigInt64Array.from(numbers(() => random.below(12)).map(BigInt));
    const xs = Float64Array.from(
      numbers(() => (random.chance(0.1) ? Number.NaN : random.chance(0.2) ? -0 : random.below(12))),
    );
    const validity = random.chance(0.5) ? Uint8Array.from(numbers(() => random.below(2))) : null;
    const columns: Record<number, Column> = {
      100: { dataType: DataType.Int64, length: rows, validity: null, values: ids },
      101: { dataType: DataType.Double, length: rows, validity, values: xs },
    };
    const chunk = { rows, column: (id: number) => columns[id]! } as unknown as Chunk;
    for (const text of FILTERS) {
      const { condition } = planFilter(text, schema)!;
      if (!isRuledOut(condition, chunk)) continue;
      ruledOut += 1;
      const matches = new Uint8Array(rows);
      compileCondition(condition)(chunk, 0, rows, matches);
      assert.ok(!matches.includes(1), `${text} over ${ids} and ${xs} (${validity})`);
    }
  }
  assert.ok(ruledOut > 500, `${ruledOut} ruled out`);
});

const WORDS = ['', 'a', 'ab', 'b', 'é', '𝄞', '\ufffd', 'a long text of more than sixteen letters', 'abc'];
const TEXT_FILTERS = WORDS.flatMap((word) => [
  ...['==', '!=', '<', '<=', '>', '>='].map((operator) => `text ${operator} ${JSON.stringify(word)}`),
  ...[`${word}%`, `${word}_%`, word].map((pattern) => `text like ${JSON.stringify(pattern)}`),
  `text in [${JSON.stringify(word)}, "ab"]`,
  `not (text > ${JSON.stringify(word)})`,
]);

test('texts of a file are ruled out by its bounds, which may be cut, only when none of them matches', () => {
  const random = seededRandom(6);
  const texts = schemaFixture([
    fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
    fieldFixture(101, 'text', DataType.VarChar, { nullable: true }),
  ]);
  let ruledOut = 0;
  for (let round = 0; round < 60; round++) {
    const rows = 1 + random.below(3);
    const values = Array.from({ length: rows }, () => Buffer.from(WORDS[random.below(WORDS.length)]!));
    const offsets = new Uint32Array(rows + 1);
    for (const [row, value] of values.entries()) offsets[row + 1] = offsets[row]! + value.length;
    const validity = random.chance(0.5) ? Uint8Array.from(values, () => random.below(2)) : null;
    const bytes = Buffer.concat(values);
    const column = { dataType: DataType.VarChar, length: rows, validity, offsets, bytes } as const;
    const builder = statisticsBuilder(DataType.VarChar);
    builder.add(column, 0, rows);
    const statistics = builder.finish(validity?.filter((isThere) => isThere === 0).length ?? 0);
    const stored = { file: { statistics: () => statistics, info: { rows } }, firstRow: 0 };
    const chunk = { rows, column: () => column, stored } as unknown as Chunk;
    for (const text of TEXT_FILTERS) {
      const { condition } = planFilter(text, texts)!;
      if (!isRuledOut(condition, chunk)) continue;
      ruledOut += 1;
      const matches = new Uint8Array(rows);
      compileCondition(condition)(chunk, 0, rows, matches);
      assert.ok(!matches.includes(1), `${text} over ${values.join()} (${validity})`);
    }
  }
  assert.ok(ruledOut > 500, `${ruledOut} ruled out`);
});
