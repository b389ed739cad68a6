import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Column, DataType } from '@elanus/model';
import { seededRandom } from '@elanus/runtime';
import { everyTypeSchema } from '../testing/every-type-schema.ts';
import { valueAt } from '../testing/random-rows.ts';
import { contentFixture, fileOf } from './segment-file-fixture.ts';
import { pythonWithReaders } from './testing/python.ts';

const found = pythonWithReaders();
const options = 'missing' in found ? { skip: found.missing } : {};
const content = contentFixture(everyTypeSchema(DataType.Int64), [30, 0, 25], seededRandom(21));

interface Found {
  readonly error?: string;
  readonly columns: Readonly<Record<string, readonly unknown[]>>;
}

describe('what people have opens segment files', options, () => {
  const directory = mkdtempSync(join(tmpdir(), 'elanus-arrow-'));
  const path = join(directory, 'segment.arrow');
  before(async () => writeFileSync(path, await fileOf(content)));
  after(() => rmSync(directory, { recursive: true }));

  function read(reader: string): Found & Readonly<Record<string, unknown>> {
    assert.ok('python' in found);
    const script = join(import.meta.dirname, 'testing/read_files.py');
    const line = execFileSync(found.python, [script, path, reader], { encoding: 'utf8' });
    const result = JSON.parse(line) as Found & Readonly<Record<string, unknown>>;
    assert.equal(result.error, undefined);
    return result;
  }

  test('pyarrow finds every value, and types that say what they are', () => {
    const { batches, columns, schema, metadata } = read('pyarrow');
    assert.equal(batches, 1);
    for (const { field, pieces } of content.columns) {
      assert.deepEqual(columns[field.name], expectedOf(pieces), field.name);
    }
    assert.equal(columns.$timestamp!.length, 55);
    const types = Object.fromEntries(
      Object.entries(schema as Readonly<Record<string, { type: string }>>).map(([name, { type }]) => [
        name,
        type,
      ]),
    );
    assert.deepEqual(types, {
      key: 'int64',
      bool: 'bool',
      int8: 'int8',
      int16: 'int16',
      int32: 'int32',
      int64: 'int64',
      float: 'float',
      double: 'double',
      text: 'string',
      json: 'string',
      numbers: 'list<item: int64 not null>',
      words: 'list<item: string not null>',
      floatVector: 'fixed_size_list<item: float not null>[8]',
      binaryVector: 'fixed_size_binary[1]',
      halfVector: 'fixed_size_binary[16]',
      brainVector: 'fixed_size_binary[16]',
      byteVector: 'fixed_size_list<item: int8 not null>[8]',
      sparseVector: 'binary',
      instant: 'timestamp[us, tz=UTC]',
      shape: 'string',
      longText: 'string',
      'struct[numbers]': 'list<item: int16 not null>',
      'struct[vectors]': 'list<item: fixed_size_list<item: float not null>[8] not null>',
      'struct[bits]': 'list<item: fixed_size_binary[1] not null>',
      $meta: 'string',
      $timestamp: 'int64',
    });
    const { floatVector } = schema as Readonly<Record<string, { metadata: object }>>;
    assert.deepEqual(floatVector!.metadata, {
      'elanus.field_id': '112',
      'elanus.type': 'FloatVector',
      'elanus.dim': '8',
    });
    assert.equal((metadata as Record<string, string>)['elanus.collection_id'], '451');
  });

  test('pyarrow reads it as a stream, too', () => {
    const { columns } = read('stream');
    assert.deepEqual(columns.text, expectedOf(piecesOf('text')));
  });

  test('numpy has the vectors without a copy', () => {
    const { shape, sum, halves } = read('numpy');
    assert.deepEqual(shape, [55, 8]);
    const floats = piecesOf('floatVector').flatMap((piece) => floatsOf(piece));
    assert.deepEqual(halves, piecesOf('halfVector').flatMap(floatsOf).map(doubled));
    assert.equal(sum, doubled(floats.reduce((total, value) => total + value, 0)));
  });

  for (const reader of ['polars', 'duckdb'] as const) {
    test(`${reader} finds every value`, () => {
      const { columns } = read(reader);
      for (const { field, pieces } of content.columns) {
        assert.deepEqual(columns[field.name], expectedOf(pieces), field.name);
      }
    });
  }

  test('pandas opens it as a Feather file', () => {
    const { rows, columns } = read('pandas');
    assert.equal(rows, 55);
    const names = content.columns.map(({ field }) => field.name).filter((name) => name !== 'struct[bits]');
    assert.deepEqual(Object.keys(columns), [...names, '$timestamp']);
  });
});

function piecesOf(name: string): readonly Column[] {
  return content.columns.find(({ field }) => field.name === name)!.pieces;
}

/** Values as the script prints them. */
function expectedOf(pieces: readonly Column[]): unknown[] {
  return pieces.flatMap((piece) => Array.from({ length: piece.length }, (_, row) => expectedAt(piece, row)));
}

function expectedAt(column: Column, row: number): unknown {
  if (column.validity?.[row] === 0) return null;
  const value = valueAt(column, row);
  switch (column.dataType) {
    case DataType.Bool:
      return value === 1;
    case DataType.Float:
    case DataType.Double:
      return doubled(value as number);
    case DataType.Array:
    case DataType.ArrayOfVector: {
      const [start, end] = [column.offsets[row]!, column.offsets[row + 1]!];
      return Array.from({ length: end - start }, (_, at) => expectedAt(column.elements, start + at));
    }
    case DataType.FloatVector:
    case DataType.Int8Vector: {
      const width = floatsOf(column).length / column.length;
      return floatsOf(column)
        .slice(row * width, (row + 1) * width)
        .map((number) => (column.dataType === DataType.Int8Vector ? String(number) : doubled(number)));
    }
    default:
      return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  }
}

/** All elements of a vector column, one behind the other. */
function floatsOf(column: Column): readonly number[] {
  assert.ok('dim' in column);
  const bytes = column.bytes.slice();
  const count = column.length * column.dim;
  if (column.dataType === DataType.FloatVector) return [...new Float32Array(bytes.buffer, 0, count)];
  if (column.dataType === DataType.Float16Vector) return [...new Float16Array(bytes.buffer, 0, count)];
  return [...new Int8Array(bytes.buffer, 0, count)];
}

/** The bits of a number as a double. */
function doubled(value: number): string {
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(value);
  return bits.toString('hex');
}
