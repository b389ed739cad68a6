import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DataType, type DenseVectorColumn, type FieldId, type PartitionId } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { seededRandom } from '@elanus/runtime';
import { Chunk } from '../chunk.ts';
import type { SealedFile } from '../sealed/sealed-file.ts';
import { randomBatch } from '../testing/random-rows.ts';
import { VectorLoan } from './vector-loan.ts';

const ROWS = 64;
const field = fieldFixture(101, 'vector', DataType.FloatVector, { dim: 4 });
const schema = schemaFixture([fieldFixture(100, 'key', DataType.Int64, { isPrimaryKey: true }), field]);

/** A chunk with rows, and the same rows as a file has them. */
function chunkAndFile(): { readonly chunk: Chunk; readonly file: SealedFile } {
  const { columns } = randomBatch(
    schema,
    Array.from({ length: ROWS }, (_, row) => BigInt(row)),
    seededRandom(1),
  );
  const chunk = new Chunk({ schema, partitionId: 1n as PartitionId, firstLocation: 0, rowsReserved: ROWS });
  chunk.append(columns, 0, ROWS, 1);
  const stored = new Map(schema.fields.map(({ id }) => [id, { ...columns.get(id)! }]));
  const file = { isThere: true, column: (id: FieldId) => stored.get(id) };
  return { chunk, file: file as unknown as SealedFile };
}

function bytesOf(chunk: Chunk): Uint8Array {
  return (chunk.column(field.id) as DenseVectorColumn).bytes;
}

it('reads vectors in memory until the last loan ends, and from the file then', () => {
  const { chunk, file } = chunkAndFile();
  const inMemory = bytesOf(chunk);
  const runs = [{ chunk, from: 0, to: ROWS, firstRow: 0 }];
  const [first, second] = [new VectorLoan({ runs, field }), new VectorLoan({ runs, field })];
  const keysBefore = chunk.keys;
  chunk.moveTo({ file, firstRow: 0 });
  assert.equal(bytesOf(chunk), inMemory);
  assert.notEqual(chunk.keys, keysBefore, 'other columns are the file’s at once');
  first.end();
  first.end();
  assert.equal(bytesOf(chunk), inMemory);
  second.end();
  assert.equal(bytesOf(chunk), (file.column(field.id, 0, ROWS) as DenseVectorColumn).bytes);
});

it('leaves rows alone that are in a file already', () => {
  const { chunk, file } = chunkAndFile();
  chunk.moveTo({ file, firstRow: 0 });
  const loan = new VectorLoan({ runs: [{ chunk, from: 0, to: ROWS, firstRow: 0 }], field });
  assert.equal(bytesOf(chunk), (file.column(field.id, 0, ROWS) as DenseVectorColumn).bytes);
  loan.end();
});
