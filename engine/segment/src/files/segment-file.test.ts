import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import {
  type Column,
  DataType,
  type FieldId,
  isDenseVector,
  type KeyColumn,
  type VarCharColumn,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { openObjectStore } from '@elanus/object-store';
import { NodeDisk, seededRandom, systemClock, systemRandom } from '@elanus/runtime';
import fc from 'fast-check';
import { everyTypeSchema } from '../testing/every-type-schema.ts';
import { keyColumn, valueAt } from '../testing/random-rows.ts';
import { TIMESTAMP_FIELD } from './file-field.ts';
import { SegmentFile } from './segment-file.ts';
import { SegmentFileError } from './segment-file-error.ts';
import { alignedCopy, contentFixture, fileOf, LABEL, share } from './segment-file-fixture.ts';
import { sourceInMemory, sourceInStore } from './segment-file-source.ts';
import { encodeSegmentFile, type SegmentFileContent } from './segment-file-writer.ts';

const openBytes = (bytes: Uint8Array) => SegmentFile.open(sourceInMemory(bytes));
const rowsOf = (pieces: readonly Column[]) =>
  pieces.flatMap((piece) => Array.from({ length: piece.length }, (_, row) => valueAt(piece, row)));

async function requireEqual(file: SegmentFile, content: SegmentFileContent): Promise<void> {
  for (const { field, pieces } of content.columns) {
    const column = await file.column(field.id, { share });
    assert.equal(column.dataType, field.dataType);
    assert.deepEqual(rowsOf([column]), rowsOf(pieces), field.name);
  }
  const times = content.timestamps.flatMap((values) => [...values]);
  assert.deepEqual([...(await file.timestamps({ share }))], times);
}

describe('a segment file', () => {
  test('gives back what was written, of every type, however the rows came in pieces', async () => {
    const keyTypes = fc.constantFrom(DataType.Int64, DataType.VarChar);
    const lengths = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.nat(), keyTypes, lengths, async (seed, keyType, pieces) => {
        const content = contentFixture(everyTypeSchema(keyType), pieces, seededRandom(seed));
        const file = await openBytes(await fileOf(content));
        await requireEqual(file, content);
        await file.verify({ share });
        assert.deepEqual(file.footer.label, LABEL);
        assert.equal(
          file.footer.rows,
          pieces.reduce((sum, length) => sum + length, 0),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('has the same bytes for the same content', async () => {
    const content = contentFixture(everyTypeSchema(DataType.Int64), [20, 3], seededRandom(1));
    assert.deepEqual(await fileOf(content), await fileOf(content));
  });

  test('packs flags and nulls right where pieces meet, also in long columns', async () => {
    const random = seededRandom(5);
    const schema = schemaFixture([
      fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }),
      fieldFixture(101, 'flag', DataType.Bool, { nullable: true }),
    ]);
    const content = contentFixture(schema, [131_071, 3, 0, 140_000], random);
    await requireEqual(await openBytes(await fileOf(content)), content);
  });

  test('leaves values where the file has them', async () => {
    const content = contentFixture(everyTypeSchema(DataType.VarChar), [40], seededRandom(2));
    const bytes = await fileOf(content);
    const file = await openBytes(bytes);
    for (const { field } of content.columns) {
      const column = await file.column(field.id, { share });
      if (field.dataType === DataType.Bool) continue;
      const values = 'values' in column ? column.values : 'bytes' in column ? column.bytes : column.offsets;
      assert.equal(values.buffer, bytes.buffer, field.name);
      if (isDenseVector(field.dataType)) assert.equal(values.byteOffset % 64, 0, field.name);
    }
  });

  test('takes columns whose texts do not begin at 0', async () => {
    const whole = keyColumn(['skipped', 'a', 'bc', ''], DataType.VarChar) as VarCharColumn;
    const column: VarCharColumn = { ...whole, length: 3, offsets: whole.offsets.subarray(1) };
    const field = fieldFixture(100, 'key', DataType.VarChar, { isPrimaryKey: true });
    const columns = [{ field, pieces: [column, column] }];
    const timestamps = [new BigInt64Array(6)];
    const file = await openBytes(await fileOf({ kind: 'rows', label: LABEL, columns, timestamps }));
    const read = await file.column(field.id, { share });
    assert.deepEqual(rowsOf([read]), ['a', 'bc', '', 'a', 'bc', '']);
  });

  test('keeps deletions: keys and when they were deleted', async () => {
    const keys = keyColumn([5n, -7n, 5n], DataType.Int64);
    const field = fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true });
    const columns = [{ field, pieces: [keys] }];
    const timestamps = [BigInt64Array.of(1n, 2n, 3n)];
    const file = await openBytes(await fileOf({ kind: 'deletes', label: LABEL, columns, timestamps }));
    assert.equal(file.footer.kind, 'deletes');
    assert.deepEqual(rowsOf([await file.column(field.id, { share })]), [5n, -7n, 5n]);
    assert.deepEqual([...(await file.timestamps({ share }))], [1n, 2n, 3n]);
    assert.equal(await file.keyFilter({ share }), null);
  });

  test('says what it does not have', async () => {
    const content = contentFixture(everyTypeSchema(DataType.Int64), [3], seededRandom(3));
    const file = await openBytes(await fileOf(content));
    await assert.rejects(file.column(7_777 as FieldId, { share }), RangeError);
    assert.equal(file.find(7_777 as FieldId), undefined);
    assert.equal(file.find(TIMESTAMP_FIELD.id)?.field.name, '$timestamp');
  });

  test('knows each of its keys by its filter, and few others', async () => {
    for (const type of [DataType.Int64, DataType.VarChar]) {
      const key = (index: number) => (type === DataType.Int64 ? BigInt(index) * 1_000_003n : `key-${index}`);
      const known = keyColumn(Array.from({ length: 20_000 }, (_, i) => key(i)) as bigint[], type);
      const others = keyColumn(Array.from({ length: 20_000 }, (_, i) => key(i + 20_000)) as bigint[], type);
      const field = fieldFixture(100, 'key', type, { isPrimaryKey: true });
      const timestamps = [new BigInt64Array(20_000)];
      const columns = [{ field, pieces: [known] }];
      const file = await openBytes(await fileOf({ kind: 'rows', label: LABEL, columns, timestamps }));
      const filter = (await file.keyFilter({ share }))!;
      const count = (keys: KeyColumn) => {
        const found = new Uint8Array(keys.length);
        filter.mayHold(keys, 0, keys.length, found);
        return found.reduce((sum, flag) => sum + flag, 0);
      };
      assert.equal(count(known), 20_000);
      assert.ok(count(others) < 200, `${count(others)} of 20000 keys seem to be there`);
    }
  });

  test('reads only what is asked for, from a store, into memory that the kernel sees', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'elanus-segment-file-'));
    const context = { clock: systemClock, random: systemRandom, disk: new NodeDisk() };
    await using store = await openObjectStore({ type: 'local', directory }, context);
    try {
      const schema = schemaFixture([
        fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }),
        fieldFixture(101, 'vector', DataType.FloatVector, { dim: 256 }),
      ]);
      const content = contentFixture(schema, [3_000], seededRandom(4));
      const { sizeBytes } = await store.put('s.arrow', encodeSegmentFile(content, { share }));
      const source = sourceInStore(store, 's.arrow', sizeBytes);
      let bytesRead = 0;
      const file = await SegmentFile.open({
        sizeBytes,
        read: (offset, length, signal) => {
          bytesRead += length;
          return source.read(offset, length, signal);
        },
      });
      const column = await file.column(100 as FieldId, { share });
      assert.ok(bytesRead < 100_000, `${bytesRead} bytes for 3,000 keys`);
      assert.ok('values' in column && column.values.buffer instanceof SharedArrayBuffer);
      await requireEqual(file, content);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('gives up the thread and ends when it is told to', async () => {
    const schema = schemaFixture([fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true })]);
    const content = contentFixture(schema, [400_000], seededRandom(6));
    const reason = new Error('enough');
    const end = new AbortController();
    setImmediate(() => end.abort(reason));
    await assert.rejects(
      async () => {
        for await (const piece of encodeSegmentFile(content, { share, signal: end.signal })) assert.ok(piece);
      },
      (error) => error === reason,
    );
  });
});

describe('what a segment file knows of its columns', () => {
  const statisticsOf = async (column: Column, type: DataType) => {
    const field = fieldFixture(100, 'value', type, { nullable: true });
    const timestamps = [new BigInt64Array(column.length)];
    const columns = [{ field, pieces: [column] }];
    const file = await openBytes(await fileOf({ kind: 'rows', label: LABEL, columns, timestamps }));
    return file.find(field.id)!.statistics;
  };
  const doubles = (values: number[], validity: Uint8Array | null = null): Column => {
    return { dataType: DataType.Double, length: values.length, validity, values: Float64Array.from(values) };
  };

  test('bounds of integers are exact to the last bit', async () => {
    const column = keyColumn([2n ** 63n - 1n, -(2n ** 63n), 0n, 0n], DataType.Int64);
    assert.deepEqual(await statisticsOf(column, DataType.Int64), {
      nulls: 0,
      min: -(2n ** 63n),
      max: 2n ** 63n - 1n,
      distinct: 3,
    });
  });

  test('nulls do not count, infinities do, and what is not a number has no bounds', async () => {
    assert.deepEqual(await statisticsOf(doubles([5, 0, -0, 9], Uint8Array.of(1, 1, 1, 0)), DataType.Double), {
      nulls: 1,
      min: 0,
      max: 5,
      distinct: 2,
    });
    const infinite = await statisticsOf(doubles([1e300, Number.NEGATIVE_INFINITY]), DataType.Double);
    assert.deepEqual([infinite.min, infinite.max], [Number.NEGATIVE_INFINITY, 1e300]);
    const none = await statisticsOf(doubles([1, Number.NaN]), DataType.Double);
    assert.deepEqual([none.min, none.max], [null, null]);
    const empty = await statisticsOf(doubles([]), DataType.Double);
    assert.deepEqual(empty, { nulls: 0, min: null, max: null, distinct: 0 });
  });

  test('bounds of texts hold in the order of UTF-8, also when they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary', maxLength: 25 }), { minLength: 1 }),
        async (texts) => {
          const column = keyColumn(texts, DataType.VarChar);
          const { min, max } = await statisticsOf(column, DataType.VarChar);
          for (const text of texts) {
            assert.ok(
              Buffer.compare(Buffer.from(min as string), Buffer.from(text)) <= 0,
              `${min} <= ${text}`,
            );
            const isBelow =
              max === null || Buffer.compare(Buffer.from(max as string), Buffer.from(text)) >= 0;
            assert.ok(isBelow, `${max} >= ${text}`);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  test('the number of different values is right within five in a hundred', async () => {
    for (const distinct of [1, 10, 1_000, 20_000, 150_000]) {
      const keys = BigInt64Array.from({ length: 200_000 }, (_, row) => BigInt(row % distinct) * 7_919n);
      const column: Column = { dataType: DataType.Int64, length: keys.length, validity: null, values: keys };
      const estimate = (await statisticsOf(column, DataType.Int64)).distinct!;
      assert.ok(Math.abs(estimate - distinct) <= 0.05 * distinct, `${estimate} for ${distinct}`);
    }
  });
});

describe('a reader of segment files', () => {
  const readAll = async (bytes: Uint8Array) => {
    const file = await openBytes(bytes);
    await file.verify({ share });
    for (const { field } of file.footer.columns) {
      const column = await file.column(field.id, { share });
      for (let row = 0; row < column.length; row++) valueAt(column, row);
    }
    return file;
  };
  const small = () => fileOf(contentFixture(everyTypeSchema(DataType.Int64), [9], seededRandom(8)));

  test('notices every damaged bit outside of the padding', async () => {
    const sound = await small();
    const content = contentFixture(everyTypeSchema(DataType.Int64), [9], seededRandom(8));
    const last = (await openBytes(sound)).footer.columns.at(-1)!.buffers.at(-1)!;
    // Arrow's mark behind its last buffer, for readers of streams only.
    const endOfStream = 64 * Math.ceil((last.offset + last.bytes) / 64);
    const random = seededRandom(9);
    let unnoticed = 0;
    for (let round = 0; round < 1_500; round++) {
      const bytes = alignedCopy(sound);
      const bit = random.below(8 * bytes.length);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      try {
        const file = await readAll(bytes);
        // Nobody reads the zeros between buffers; all that is read has to be what was written.
        await requireEqual(file, content);
        unnoticed += 1;
        const isEndOfStream = bit >> 3 >= endOfStream && bit >> 3 < endOfStream + 8;
        assert.ok(sound[bit >> 3] === 0 || isEndOfStream, `bit ${bit} is not padding`);
      } catch (error) {
        if (!(error instanceof SegmentFileError)) throw error;
      }
    }
    assert.ok(unnoticed < 900, `${unnoticed} of 1500`);
  });

  test('refuses a file that was cut or has grown', async () => {
    const sound = await small();
    for (let length = 0; length < sound.length; length += 1 + (length >> 5)) {
      await assert.rejects(readAll(alignedCopy(sound.subarray(0, length))), SegmentFileError, `${length}`);
    }
    await assert.rejects(readAll(alignedCopy(Buffer.concat([sound, Buffer.alloc(64)]))), SegmentFileError);
  });

  test('tells a newer file and a stranger’s from a damaged one', async () => {
    const kindOf = async (change: (bytes: Uint8Array, trailerAt: number) => void) => {
      const bytes = await small();
      change(bytes, trailerOf(bytes));
      const error = await readAll(bytes).then(
        () => null,
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof SegmentFileError, String(error));
      return error.kind;
    };
    assert.equal(
      await kindOf((bytes, at) => {
        bytes[at + 8] = 2;
        seal(bytes, at);
      }),
      'newer',
    );
    assert.equal(
      await kindOf((bytes, at) => {
        bytes[at + 8] = 2;
      }),
      'damaged',
    );
    assert.equal(
      await kindOf((bytes, at) => {
        bytes[at] = 0;
      }),
      'foreign',
    );
    assert.equal(
      await kindOf((bytes) => {
        bytes[bytes.length - 1] = 0;
      }),
      'foreign',
    );
  });

  test('survives footers that add up and lie', async () => {
    const sound = await small();
    const trailerAt = trailerOf(sound);
    const footerBytes = viewOf(sound).getUint32(trailerAt + 16, true);
    const footer: unknown = JSON.parse(
      Buffer.from(sound.subarray(trailerAt - footerBytes, trailerAt)).toString(),
    );
    const random = seededRandom(10);
    const outcomes = { refused: 0, read: 0 };
    for (let round = 0; round < 3_000; round++) {
      const lie = structuredClone(footer);
      for (let changes = 1 + random.below(2); changes > 0; changes--) tellLie(lie, random);
      const bytes = withFooter(sound, JSON.stringify(lie));
      try {
        await readAll(bytes);
        outcomes.read += 1;
      } catch (error) {
        if (!(error instanceof SegmentFileError))
          throw new Error(`round ${round}: ${JSON.stringify(lie)}`, { cause: error });
        outcomes.refused += 1;
      }
    }
    assert.ok(outcomes.refused > 1_000 && outcomes.read > 50, JSON.stringify(outcomes));
  });

  test('survives offsets that add up and lie', async () => {
    const schema = everyTypeSchema(DataType.VarChar);
    const sound = await fileOf(contentFixture(schema, [9], seededRandom(11)));
    const { footer } = await openBytes(sound);
    const random = seededRandom(12);
    let refused = 0;
    for (let round = 0; round < 1_000; round++) {
      const bytes = alignedCopy(sound);
      const columns = footer.columns.filter(({ buffers }) =>
        buffers.some(({ role }) => /offsets/i.test(role)),
      );
      const { buffers } = columns[random.below(columns.length)]!;
      const buffer = buffers.find(({ role }) => /offsets/i.test(role))!;
      const at = buffer.offset + 4 * random.below(buffer.bytes / 4);
      viewOf(bytes).setUint32(at, random.chance(0.5) ? random.below(40) : random.uint32(), true);
      const sum = crc32(bytes.subarray(buffer.offset, buffer.offset + buffer.bytes));
      const json = JSON.stringify(footerJson(bytes)).replace(
        `"offset":${buffer.offset},"bytes":${buffer.bytes},"crc32":${buffer.crc32}`,
        `"offset":${buffer.offset},"bytes":${buffer.bytes},"crc32":${sum}`,
      );
      try {
        await readAll(withFooter(bytes, json));
      } catch (error) {
        if (!(error instanceof SegmentFileError)) throw new Error(`round ${round}`, { cause: error });
        refused += 1;
      }
    }
    assert.ok(refused > 500, `${refused}`);
  });

  test('reads no more than the file has, whatever it says', async () => {
    const random = seededRandom(13);
    for (let round = 0; round < 500; round++) {
      const bytes = new Uint8Array(new SharedArrayBuffer(200 + random.below(400)));
      for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
      Buffer.from('ARROW1').copy(bytes, bytes.length - 6);
      viewOf(bytes).setUint32(bytes.length - 10, random.below(bytes.length), true);
      const source = {
        sizeBytes: bytes.length,
        read: async (offset: number, length: number) => {
          assert.ok(offset >= 0 && length >= 0 && offset + length <= bytes.length);
          return bytes.subarray(offset, offset + length);
        },
      };
      await assert.rejects(SegmentFile.open(source), SegmentFileError);
    }
  });
});

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function trailerOf(bytes: Uint8Array): number {
  return bytes.length - 10 - viewOf(bytes).getUint32(bytes.length - 10, true) - 40;
}

function footerJson(bytes: Uint8Array): unknown {
  const at = trailerOf(bytes);
  const length = viewOf(bytes).getUint32(at + 16, true);
  return JSON.parse(Buffer.from(bytes.subarray(at - length, at)).toString());
}

/** Makes the trailer add up. */
function seal(bytes: Uint8Array, trailerAt: number): void {
  viewOf(bytes).setUint32(trailerAt + 36, crc32(bytes.subarray(trailerAt, trailerAt + 36)), true);
}

/** The file with another footer, and all its checksums right. */
function withFooter(bytes: Uint8Array, json: string): Uint8Array {
  const trailerAt = trailerOf(bytes);
  const footerBytes = viewOf(bytes).getUint32(trailerAt + 16, true);
  const footer = Buffer.from(json);
  const result = alignedCopy(
    Buffer.concat([bytes.subarray(0, trailerAt - footerBytes), footer, bytes.subarray(trailerAt)]),
  );
  const at = trailerOf(result);
  viewOf(result).setUint32(at + 12, crc32(footer), true);
  viewOf(result).setUint32(at + 16, footer.length, true);
  seal(result, at);
  return result;
}

/** Changes one value somewhere in it to another of some type. */
function tellLie(value: unknown, random: ReturnType<typeof seededRandom>): void {
  let node = value as Record<string, unknown>;
  for (;;) {
    const names = Object.keys(node);
    if (names.length === 0) return;
    const name = names[random.below(names.length)]!;
    const child = node[name];
    if (typeof child === 'object' && child !== null && random.chance(0.93)) {
      node = child as Record<string, unknown>;
      continue;
    }
    const lies = [
      null,
      -1,
      0,
      1,
      8,
      64,
      4_096,
      2 ** 31,
      2 ** 53,
      1e300,
      0.5,
      '',
      'values',
      '9',
      true,
      [],
      {},
    ];
    const isNumber = typeof child === 'number';
    node[name] =
      isNumber && random.chance(0.6)
        ? child + [1, -1, 64, -64, 8][random.below(5)]!
        : lies[random.below(lies.length)];
    return;
  }
}
