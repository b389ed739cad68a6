import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CollectionInfo, DataType, type PartitionId, partitionNotFound } from '@elanus/model';
import { type Draft, decode, encode, type Messages } from '@elanus/proto';
import type { InsertPart } from '@elanus/rpc';
import { FailedAnswer } from '../handler.ts';
import { column, int64s, texts, vectors } from '../testing/request-drafts.ts';
import { encodeFieldData } from '../wire/field-data-writer.ts';
import { fieldOf } from '../wire/field-fixture.ts';
import { bookFields, collectionOf, failureOf, partitionOf, WriteBench } from './write-fixture.ts';

type InsertDraft = Draft<Messages['milvus.InsertRequest']>;

const twoRows: InsertDraft = { numRows: 2, fieldsData: [int64s('id', 1n, 2n), vectors([1, 2], [3, 4])] };

function partsOf(bench: WriteBench): readonly InsertPart[] {
  const [write] = bench.writes;
  assert.ok(write && write.kind !== 'delete');
  return write.parts;
}

/** The column of `name` in a part, as the scalars or vectors a client would read. */
function stored(part: InsertPart, collection: CollectionInfo, name: string) {
  const { fields, dynamicField } = collection.schema;
  const field = [...fields, dynamicField].find((each) => each?.name === name)!;
  return decode('schema.FieldData', encodeFieldData(field, part.batch.columns.get(field.id)!));
}

test('writes rows of one shard and one partition as they came', async () => {
  const collection = collectionOf(bookFields());
  const bench = new WriteBench(collection);
  const answer = await bench.insert(twoRows);
  assert.deepEqual(answer.IDs?.intId?.data, [1n, 2n]);
  assert.deepEqual(answer.succIndex, [0, 1]);
  assert.deepEqual([answer.insertCnt, answer.upsertCnt, answer.deleteCnt], [2n, 0n, 0n]);
  assert.equal(answer.timestamp, 60n);
  assert.ok(answer.status);
  const [part] = partsOf(bench);
  assert.equal(part?.partitionId, 1n);
  assert.equal(part?.batch.length, 2);
  assert.deepEqual(stored(part!, collection, 'vector').vectors?.floatVector?.data, [1, 2, 3, 4]);
});

test('counts succ_index in any length', async () => {
  const bench = new WriteBench(collectionOf([fieldOf(DataType.Int64, { name: 'id', isPrimaryKey: true })]));
  for (const rows of [1, 127, 128, 129, 16_383, 16_384, 16_385, 20_000]) {
    const keys = Array.from({ length: rows }, (_, row) => BigInt(row));
    const answer = await bench.insert({ numRows: rows, fieldsData: [int64s('id', ...keys)] });
    assert.deepEqual(answer.succIndex, keys.map(Number), `of ${rows} rows`);
  }
});

test('writes into the partition that is named', async () => {
  const bench = new WriteBench(collectionOf(bookFields()));
  await bench.insert({ ...twoRows, partitionName: 'new' });
  assert.equal(partsOf(bench)[0]?.partitionId, 2n);
});

test('generates keys for the rows that come without', async () => {
  const auto = { name: 'id', isPrimaryKey: true, autoId: true };
  for (const [type, ids] of [
    [DataType.Int64, { intId: { data: [1_000n, 1_001n] } }],
    [DataType.VarChar, { strId: { data: ['1000', '1001'] } }],
  ] as const) {
    const bench = new WriteBench(collectionOf([fieldOf(type, auto), bookFields()[1]!]));
    const answer = await bench.insert({ numRows: 2, fieldsData: [vectors([1, 2], [3, 4])] });
    assert.deepEqual(decode('schema.IDs', encode('schema.IDs', ids)), answer.IDs);
    assert.equal(bench.takenIds, 2);
  }
});

test('takes no id for rows that are refused', async () => {
  const auto = fieldOf(DataType.Int64, { name: 'id', isPrimaryKey: true, autoId: true });
  const bench = new WriteBench(collectionOf([auto, bookFields()[1]!]));
  await assert.rejects(bench.insert({ numRows: 2, fieldsData: [vectors([1, 2], [3, Number.NaN])] }));
  assert.equal(bench.takenIds, 0);
});

test('fills defaults, nulls and `$meta` for columns and rows that are missing', async () => {
  const collection = collectionOf(
    bookFields(
      fieldOf(DataType.VarChar, { name: 'title', defaultValue: 'untitled' }),
      fieldOf(DataType.Int32, { name: 'pages', nullable: true }),
      fieldOf(DataType.Int64, { name: 'isbn', defaultValue: 5n, nullable: true }),
    ),
    { dynamic: true },
  );
  const bench = new WriteBench(collection);
  const isbn = column({ fieldName: 'isbn', scalars: { longData: { data: [9n] } }, validData: [true, false] });
  await bench.insert({ ...twoRows, fieldsData: [...twoRows.fieldsData!, isbn] });
  const [part] = partsOf(bench);
  assert.deepEqual(stored(part!, collection, 'title').scalars?.stringData?.data, ['untitled', 'untitled']);
  assert.deepEqual(stored(part!, collection, 'pages').validData, [false, false]);
  assert.deepEqual(stored(part!, collection, 'isbn').scalars?.longData?.data, [9n, 5n]);
  assert.deepEqual(stored(part!, collection, 'isbn').validData, [true, true]);
  const metas = stored(part!, collection, '$meta').scalars?.jsonData?.data ?? [];
  assert.deepEqual(
    metas.map((bytes) => Buffer.from(bytes).toString()),
    ['{}', '{}'],
  );
});

test('sends each row to the shard of its key, in order', async () => {
  const channels = ['dml_0', 'dml_1', 'dml_2'] as unknown as CollectionInfo['channels'];
  const collection = collectionOf(bookFields(), { channels });
  const bench = new WriteBench(collection);
  const keys = Array.from({ length: 100 }, (_, row) => BigInt(row));
  const rows = keys.map((key) => [Number(key), Number(key) + 0.5]);
  await bench.insert({ numRows: 100, fieldsData: [int64s('id', ...keys), vectors(...rows)] });
  const parts = partsOf(bench);
  assert.deepEqual(new Set(parts.map(({ channel }) => channel)), new Set(channels));
  const all: bigint[] = [];
  for (const part of parts) {
    const ids = stored(part, collection, 'id').scalars!.longData!.data;
    assert.deepEqual(
      ids,
      [...ids].sort((left, right) => Number(left - right)),
    );
    const floats = stored(part, collection, 'vector').vectors!.floatVector!.data;
    assert.deepEqual(
      floats,
      ids.flatMap((id) => [Number(id), Number(id) + 0.5]),
    );
    all.push(...ids);
  }
  assert.deepEqual(
    all.sort((left, right) => Number(left - right)),
    keys,
  );
});

const partitioned = collectionOf(
  bookFields(fieldOf(DataType.VarChar, { name: 'shelf', isPartitionKey: true })),
  { partitions: [partitionOf(10n, '_default_0'), partitionOf(11n, '_default_1')] },
);

test('sends rows with equal partition keys to one partition, and of a key only the last row', async () => {
  const bench = new WriteBench(partitioned);
  const answer = await bench.insert({
    numRows: 5,
    fieldsData: [
      int64s('id', 1n, 2n, 3n, 1n, 4n),
      vectors([1, 1], [2, 2], [3, 3], [9, 9], [4, 4]),
      texts('shelf', 'a', 'b', 'a', 'b', 'c'),
    ],
  });
  assert.equal(answer.insertCnt, 5n);
  const rows = partsOf(bench).flatMap((part) => {
    const ids = stored(part, partitioned, 'id').scalars!.longData!.data;
    const shelves = stored(part, partitioned, 'shelf').scalars!.stringData!.data;
    return ids.map((id, at) => ({ id, shelf: shelves[at]!, partition: part.partitionId }));
  });
  assert.deepEqual(rows.map(({ id, shelf }) => `${id}${shelf}`).sort(), ['1b', '2b', '3a', '4c']);
  const ofShelf = new Map(rows.map(({ shelf, partition }) => [shelf, partition]));
  for (const row of rows) assert.equal(row.partition, ofShelf.get(row.shelf));
});

test('upserts whole rows under the keys that were sent, also automatic ones', async () => {
  const auto = fieldOf(DataType.Int64, { name: 'id', isPrimaryKey: true, autoId: true });
  const bench = new WriteBench(collectionOf([auto, bookFields()[1]!]));
  bench.replacedRows = 1;
  const answer = await bench.upsert(twoRows);
  assert.equal(bench.writes[0]?.kind, 'upsert');
  assert.deepEqual(answer.IDs?.intId?.data, [1n, 2n]);
  assert.deepEqual([answer.insertCnt, answer.upsertCnt, answer.deleteCnt], [2n, 2n, 1n]);
  assert.equal(
    await failureOf(bench.upsert({ numRows: 1, fieldsData: [vectors([1, 2])] })),
    '1100: upsert can not assign primary field data when auto id enabled id: invalid parameter',
  );
});

test('lets a property allow automatic keys to be sent', async () => {
  const auto = fieldOf(DataType.Int64, { name: 'id', isPrimaryKey: true, autoId: true });
  const properties = [{ key: 'allow_insert_auto_id', value: 'True' }];
  const bench = new WriteBench(collectionOf([auto, bookFields()[1]!], { properties }));
  assert.deepEqual((await bench.insert(twoRows)).IDs?.intId?.data, [1n, 2n]);
  assert.equal(bench.takenIds, 0);
});

test('says of a refused request that every row failed', async () => {
  const bench = new WriteBench(collectionOf(bookFields()));
  await assert.rejects(bench.insert({ numRows: 3, fieldsData: [] }), (error) => {
    assert.ok(error instanceof FailedAnswer);
    assert.deepEqual(error.answer, { errIndex: [0, 1, 2] });
    return true;
  });
});

test('refuses four billion rows that nobody sent', async () => {
  const key = fieldOf(DataType.Int64, { name: 'id', isPrimaryKey: true, autoId: true });
  const title = fieldOf(DataType.VarChar, { name: 'title', nullable: true });
  const bench = new WriteBench(collectionOf([key, title]));
  const failure = await failureOf(bench.insert({ numRows: 4_294_967_295, fieldsData: [] }));
  assert.match(failure, /^1102: 4294967295 rows .*: parameter too large$/);
  assert.deepEqual([bench.writes.length, bench.takenIds], [0, 0]);
});

test('rows whose partition went meanwhile go to the one that has its name now', async () => {
  const collection = collectionOf(bookFields());
  const bench = new WriteBench(collection);
  const emptied = collection.partitions.map((each) => ({ ...each, id: (each.id + 100n) as PartitionId }));
  bench.beforeWrite = () => {
    bench.beforeWrite = () => {};
    bench.collection = { ...collection, partitions: emptied };
    throw partitionNotFound(String(collection.partitions[0]!.id));
  };
  await bench.insert(twoRows);
  assert.deepEqual(
    partsOf(bench).map(({ partitionId }) => partitionId),
    [emptied[0]!.id],
  );
  bench.beforeWrite = () => {
    bench.collection = { ...collection, partitions: [] };
    throw partitionNotFound('7');
  };
  assert.equal(await failureOf(bench.insert(twoRows)), '200: partition not found[partition=_default]');
});

test('gives others their turn when reading a request takes long', async () => {
  const dim = 1_024;
  const collection = collectionOf([bookFields()[0]!, fieldOf(DataType.FloatVector, { name: 'vector', dim })]);
  let nowMs = 0;
  // Every look at this clock is another millisecond later.
  const bench = new WriteBench(collection, { monotonicMs: () => nowMs++ });
  const rows = 2_000;
  const keys = Array.from({ length: rows }, (_, row) => BigInt(row));
  const data = Array.from({ length: rows * dim }, () => 0.5);
  const vector = column({ fieldName: 'vector', vectors: { dim: BigInt(dim), floatVector: { data } } });
  let turns = 0;
  let immediate: NodeJS.Immediate;
  const count = () => {
    turns += 1;
    immediate = setImmediate(count);
  };
  count();
  await bench.insert({ numRows: rows, fieldsData: [int64s('id', ...keys), vector] });
  clearImmediate(immediate!);
  assert.ok(turns >= 4, `${turns} turns`);
});
