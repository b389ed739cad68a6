import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { FormatError, sourceOf } from '../byte-source.ts';
import { areOneRun, levelBits, readLevels, zerosOf } from './levels.ts';
import { ParquetRows } from './parquet-rows.ts';

type Written = Parameters<typeof parquetWriteBuffer>[0]['columnData'];

function fileOf(columnData: Written, rowGroupSize = 1_000): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }));
}

/** All rows of the file, taken so many at a time. */
async function rowsOf(bytes: Uint8Array, at = 7, skip = 0): Promise<Map<string, unknown[]>> {
  const reader = await ParquetRows.open(sourceOf(bytes));
  await reader.skip(skip);
  const found = new Map<string, unknown[]>(reader.names.map((name) => [name, []]));
  for (let batch = await reader.next(at); batch !== null; batch = await reader.next(at)) {
    for (const [name, column] of batch.columns) {
      if (column.kind !== 'lists') found.get(name)!.push(...column.values);
      else
        for (let row = 0; row < batch.rows; row++)
          found.get(name)!.push([...column.numbers.subarray(column.offsets[row], column.offsets[row + 1])]);
    }
  }
  return found;
}

describe('rows of a Parquet file', () => {
  const rows = 2_500;
  const columns = {
    id: Array.from({ length: rows }, (_, row) => BigInt(row) * 2n ** 40n),
    name: Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? null : `name ${row % 50}`)),
    weight: Array.from({ length: rows }, (_, row) => row / 8),
    flag: Array.from({ length: rows }, (_, row) => row % 2 === 0),
  };
  const bytes = fileOf([
    { name: 'id', data: columns.id, type: 'INT64' },
    { name: 'name', data: columns.name, type: 'STRING', nullable: true },
    { name: 'weight', data: columns.weight, type: 'DOUBLE' },
    { name: 'flag', data: columns.flag, type: 'BOOLEAN' },
  ]);

  for (const at of [1, 999, 10_000])
    it(`are all there when they are taken ${at} at a time`, async () => {
      assert.deepEqual(Object.fromEntries(await rowsOf(bytes, at)), columns);
    });

  for (const skip of [0, 1, 1_000, 1_700, 2_500])
    it(`begin behind the first ${skip} when those are passed over`, async () => {
      const found = await rowsOf(bytes, 500, skip);
      assert.deepEqual(found.get('id'), columns.id.slice(skip));
      assert.deepEqual(found.get('name'), columns.name.slice(skip));
    });

  it('never end in anything but rows or a FormatError, whatever is done to the bytes', async () => {
    const small = fileOf([
      { name: 'id', data: [1n, 2n, 3n], type: 'INT64' },
      { name: 'name', data: ['a', null, 'b'], type: 'STRING', nullable: true },
    ]);
    const change = fc.record({ at: fc.nat(small.length - 1), to: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const damaged = Uint8Array.from(small);
        for (const { at, to } of changes) damaged[at] = to;
        try {
          await rowsOf(damaged);
        } catch (error) {
          assert.ok(error instanceof FormatError, String((error as Error).stack));
        }
      }),
      { numRuns: 400 },
    );
  });

  it('are refused in what is no Parquet file', async () => {
    for (const text of ['', 'PAR1', 'hello, wide world', 'PAR1\xff\xff\xff\xffPAR1'])
      await assert.rejects(ParquetRows.open(sourceOf(Buffer.from(text, 'latin1'))), FormatError);
  });
});

describe('levels', () => {
  it('are runs and packed bits', () => {
    // A run of five ones; eight levels packed in two bits each.
    const bytes = Uint8Array.of(10, 1, 3, 0b11_10_01_00, 0b00_00_11_11);
    assert.deepEqual([...readLevels(bytes, 2, 12)], [1, 1, 1, 1, 1, 0, 1, 2, 3, 3, 3, 0]);
    assert.deepEqual([0, 1, 2, 3, 4].map(levelBits), [0, 1, 2, 2, 3]);
  });

  it('of one bit are told by where they are zero, wherever runs end', () => {
    const runs = fc.array(
      fc.oneof(
        fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 1 })),
        fc.uint8Array({ minLength: 1, maxLength: 12 }),
      ),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(runs, fc.nat(7), (parts, missing) => {
        const bytes: number[] = [];
        let levels = 0;
        for (const part of parts) {
          const isPacked = part instanceof Uint8Array;
          const header = isPacked ? 2 * part.length + 1 : 2 * part[0];
          levels += isPacked ? 8 * part.length : part[0];
          if (header > 127) bytes.push((header & 127) | 128, header >> 7);
          else bytes.push(header);
          bytes.push(...(isPacked ? part : [part[1]]));
        }
        const count = Math.max(0, levels - missing);
        const all = [...readLevels(Uint8Array.from(bytes), 1, count)];
        const zeros = all.flatMap((level, at) => (level === 0 ? [at] : []));
        assert.deepEqual([...zerosOf(Uint8Array.from(bytes), count)], zeros);
      }),
    );
  });

  it('of one run are told apart from all others', () => {
    for (const [bytes, isRun] of [
      [[24, 1], true],
      [[0x80, 0x02, 1], true],
      [[22, 1], false],
      [[24, 0], false],
      [[3, 0xff], false],
      [[24], false],
      [[], false],
      [[0xff, 0xff, 0xff, 0xff, 0xff, 1], false],
    ] as const)
      assert.equal(areOneRun(Uint8Array.from(bytes), 1, 12), isRun, bytes.join());
  });

  it('that the bytes do not hold are an error', () => {
    for (const bytes of [[], [10], [3, 1], [0, 1], [0xff, 0xff, 0xff, 0xff, 0xff]])
      for (const read of [
        () => readLevels(Uint8Array.from(bytes), 2, 12),
        () => zerosOf(Uint8Array.from(bytes), 12),
      ])
        assert.throws(read, FormatError);
  });
});
