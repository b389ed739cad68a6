import assert from 'node:assert/strict';
import test from 'node:test';
import { type Column, DataType } from '@elanus/model';
import { seededRandom } from '@elanus/runtime';
import { columnBuffer } from '../column-buffer.ts';
import { everyTypeSchema, randomBatch, valueAt } from '../testing/index.ts';
import { shareColumn } from './share-column.ts';

const schema = everyTypeSchema(DataType.Int64);

/** Whether every array of a column lies in memory that threads share. */
function isShared(column: Column): boolean {
  const arrays = Object.values(column).filter((part) => ArrayBuffer.isView(part));
  const isHere = arrays.every(({ buffer }) => buffer instanceof SharedArrayBuffer);
  return isHere && (column.dataType !== DataType.Array || isShared(column.elements));
}

test('a part of a column is shared with its values as they are, copied or not', () => {
  const random = seededRandom(3);
  const keys = Array.from({ length: 50 }, (_, i) => BigInt(i));
  const { columns } = randomBatch(schema, keys, random);
  let shared = 0;
  for (const field of schema.fields) {
    const plain = columns.get(field.id)!;
    const buffer = columnBuffer(field, 50);
    buffer.append(plain, 0, 50);
    for (const column of [plain, buffer.column()])
      for (const [start, end] of [
        [0, 50],
        [0, 13],
        [16, 50],
        [17, 18],
        [20, 20],
      ] as const) {
        const part = shareColumn(column, start, end);
        if (part === null) continue;
        shared += 1;
        assert.ok(isShared(part), field.name);
        assert.equal(part.length, end - start);
        for (let row = start; row < end; row++)
          assert.deepEqual(valueAt(part, row - start), valueAt(column, row), `${field.name}, row ${row}`);
      }
  }
  assert.ok(shared > 50, `${shared} shared`);
});
