import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Column,
  DataType,
  type FieldId,
  type PartitionId,
  type RowBatch,
  type SegmentId,
} from '@elanus/model';
import { schemaFixture } from '@elanus/model/testing';
import { type Random, seededRandom } from '@elanus/runtime';
import { everyTypeSchema, keyColumn, keysOf, randomBatch, valueAt } from './testing/index.ts';
import { isRowPart, isSegmentPart, type WriteRecord, type WrittenSegment } from './write-record.ts';
import { WRITE_RECORD_VERSION } from './write-record-format.ts';
import { decodeWriteRecord, WriteRecordError } from './write-record-reader.ts';
import { encodeWriteRecord } from './write-record-writer.ts';

const partition = (id: bigint): PartitionId => id as PartitionId;

function bytesOf(record: WriteRecord): Uint8Array {
  return new Uint8Array(Buffer.concat(encodeWriteRecord(record)));
}

function rowsOf(batch: RowBatch): unknown {
  return Array.from({ length: batch.length }, (_, row) =>
    [...batch.columns].map(([id, column]) => [id, valueAt(column, row)]),
  );
}

/** The record with every value spelled out. */
function spelled({ kind, duplicates, parts }: WriteRecord): unknown {
  return {
    kind,
    duplicates,
    parts: parts.map((part) => {
      if (isRowPart(part)) return { partitionId: part.partitionId, rows: rowsOf(part.batch) };
      return isSegmentPart(part) ? part : { partitionIds: part.partitionIds, keys: keysOf(part.keys) };
    }),
  };
}

function randomSegment(random: Random): WrittenSegment {
  return {
    id: (BigInt(random.uint32()) << 30n) as SegmentId,
    rows: random.uint32(),
    bytes: random.uint32() * 2 ** 20,
    crc32: random.uint32(),
  };
}

function randomRecord(random: Random): WriteRecord {
  const keyType = random.chance(0.5) ? DataType.Int64 : DataType.VarChar;
  const schema = everyTypeSchema(keyType);
  const keys = (count: number) =>
    Array.from({ length: count }, () => {
      const number = random.below(1000);
      return keyType === DataType.Int64 ? BigInt(number) * -0x1_0000_0001n : `schlüssel ${number}`;
    });
  if (random.chance(0.3)) {
    const partitionIds = random.chance(0.5) ? null : [partition(1n), partition(2n ** 62n)];
    return {
      kind: 'delete',
      duplicates: 'replace',
      parts: [{ partitionIds, keys: keyColumn(keys(random.below(20)), keyType) }],
    };
  }
  const parts = Array.from({ length: 1 + random.below(3) }, (_, at) => {
    const partitionId = partition(BigInt(at) - 1n);
    if (random.chance(0.2)) return { partitionId, segment: randomSegment(random), takes: 'rows' } as const;
    return { partitionId, batch: randomBatch(schema, keys(random.below(9)), random) };
  });
  return {
    kind: random.chance(0.5) ? 'insert' : 'upsert',
    duplicates: random.chance(0.5) ? 'keep' : 'replace',
    parts,
  };
}

describe('a write record', () => {
  it('reads back as it was written, wherever its bytes begin', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const record = randomRecord(seededRandom(seed));
      const bytes = bytesOf(record);
      assert.equal(bytes.length % 8, 0);
      const shifted = new Uint8Array(bytes.length + 3).subarray(3);
      shifted.set(bytes);
      assert.deepEqual(spelled(decodeWriteRecord(bytes)), spelled(record), `seed ${seed}`);
      assert.deepEqual(spelled(decodeWriteRecord(shifted)), spelled(record), `seed ${seed}, unaligned`);
    }
  });

  it('copies no values when it is written', () => {
    const batch = randomBatch(everyTypeSchema(DataType.Int64), [1n, 2n, 3n], seededRandom(1));
    const pieces = encodeWriteRecord({
      kind: 'insert',
      duplicates: 'replace',
      parts: [{ partitionId: partition(1n), batch }],
    });
    for (const column of batch.columns.values()) {
      if (!('dim' in column)) continue;
      assert.ok(pieces.some((piece) => piece.buffer === column.bytes.buffer));
    }
  });

  it('takes columns that are views with offsets above 0', () => {
    const texts = keyColumn(['left out', 'ä', '', 'zz'], DataType.VarChar);
    assert.ok(texts.dataType === DataType.VarChar);
    const column: Column = { ...texts, length: 3, offsets: texts.offsets.subarray(1) };
    const batch = { length: 3, columns: new Map([[100 as FieldId, column]]) };
    const record = decodeWriteRecord(
      bytesOf({ kind: 'insert', duplicates: 'keep', parts: [{ partitionId: partition(5n), batch }] }),
    );
    const [part] = record.parts;
    assert.ok(part !== undefined && isRowPart(part));
    assert.deepEqual(rowsOf(part.batch), [[[100, 'ä']], [[100, '']], [[100, 'zz']]]);
  });

  it('refuses a version that it does not know', () => {
    const bytes = bytesOf({ kind: 'delete', duplicates: 'replace', parts: [] });
    for (const version of [0, WRITE_RECORD_VERSION.newest + 1]) {
      bytes[0] = version;
      assert.throws(() => decodeWriteRecord(bytes), WriteRecordError);
    }
  });

  it('is of the first version unless it holds what that does not know', () => {
    const versionOf = (types: readonly DataType[]) => {
      const { fields } = everyTypeSchema(DataType.Int64);
      const schema = schemaFixture(fields.filter(({ dataType }) => types.includes(dataType)));
      const batch = randomBatch(schema, [1n], seededRandom(1));
      const parts = [{ partitionId: partition(1n), batch }];
      return bytesOf({ kind: 'insert', duplicates: 'replace', parts })[0];
    };
    assert.equal(versionOf([DataType.Int64, DataType.JSON, DataType.Array, DataType.FloatVector]), 1);
    for (const type of [DataType.Geometry, DataType.Text, DataType.Timestamptz, DataType.ArrayOfVector])
      assert.equal(versionOf([DataType.Int64, type]), 2);
    const parts = [
      { partitionId: partition(1n), segment: randomSegment(seededRandom(1)), takes: 'rows' },
    ] as const;
    assert.equal(bytesOf({ kind: 'insert', duplicates: 'replace', parts })[0], 3);
  });

  it('answers damage with an error of its own, at every length and after every change', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = seededRandom(seed);
      const bytes = bytesOf(randomRecord(random));
      for (let i = 0; i < 200; i++) {
        const damaged = bytes.slice(0, random.chance(0.3) ? random.below(bytes.length) : bytes.length);
        for (let changes = random.below(4); changes > 0 && damaged.length > 0; changes--) {
          const at = random.chance(0.5)
            ? random.below(damaged.length)
            : random.below(Math.min(64, damaged.length));
          damaged[at] = random.chance(0.3) ? 0xff : random.below(256);
        }
        try {
          spelled(decodeWriteRecord(damaged));
        } catch (error) {
          assert.ok(error instanceof WriteRecordError, `seed ${seed}: ${error}`);
        }
      }
    }
  });
});
