import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DEMO_CASES, DEMO_ROWS, type FilterCase, type Row } from '@elanus/expr/testing';
import { ElanusProcess } from '@elanus/tests-harness';
import {
  buildBloomFilter,
  buildRoaringBitmap,
  DataType,
  type FieldType,
  MilvusClient,
} from '@zilliz/milvus2-sdk-node';

const COLLECTION = 'filters';

const text = { data_type: DataType.VarChar, max_length: 64 };
const FIELDS: FieldType[] = [
  { name: 'id', data_type: DataType.Int64, is_primary_key: true },
  { name: 'i8', data_type: DataType.Int8 },
  { name: 'age', data_type: DataType.Int32, nullable: true },
  { name: 'ratio', data_type: DataType.Float },
  { name: 'score', data_type: DataType.Double, nullable: true },
  { name: 'ok', data_type: DataType.Bool, nullable: true },
  { ...text, name: 'name' },
  { ...text, name: 'nick', nullable: true },
  { ...text, name: 'body', enable_match: true, enable_analyzer: true },
  { ...text, name: 'tags', data_type: DataType.Array, element_type: DataType.VarChar, max_capacity: 9 },
  { name: 'nums', data_type: DataType.Array, element_type: DataType.Int64, max_capacity: 9, nullable: true },
  { name: 'doc', data_type: DataType.JSON, nullable: true },
  { name: 'vec', data_type: DataType.FloatVector, dim: 2 },
];
const NULLABLE = FIELDS.filter(({ nullable }) => nullable).map(({ name }) => name);

/** What the rows of the table look like to a client: dynamic keys beside fields, nulls said. */
function insertable({ $meta, doc, ...row }: Row) {
  const nulls = Object.fromEntries(NULLABLE.map((name) => [name, null]));
  const parsed = (json: unknown) => JSON.parse(json as string) as Record<string, unknown>;
  return {
    ...nulls,
    ...row,
    ...parsed($meta),
    ...(doc === undefined ? {} : { doc: parsed(doc) }),
    vec: [1, 2],
  };
}

/** The client takes integers as numbers; a fraction stays one by itself. */
function valuesOf(templates: FilterCase[3] = {}): Record<string, unknown> {
  const value = (given: unknown): unknown =>
    typeof given === 'bigint' ? Number(given) : Array.isArray(given) ? given.map(value) : given;
  return Object.fromEntries(Object.entries(templates).map(([name, given]) => [name, value(given)]));
}

describe('the table of the filter language, through the wire', () => {
  let server: ElanusProcess;
  let client: MilvusClient;
  before(async () => {
    server = await ElanusProcess.start();
    client = new MilvusClient({ address: server.address });
    const fields = { collection_name: COLLECTION, enable_dynamic_field: true, fields: FIELDS };
    assert.equal((await client.createCollection(fields)).code, 0);
    const index = { field_name: 'vec', index_type: 'FLAT', metric_type: 'L2' };
    assert.equal((await client.createIndex({ collection_name: COLLECTION, ...index })).code, 0);
    assert.equal((await client.loadCollection({ collection_name: COLLECTION })).code, 0);
    const { status } = await client.insert({
      collection_name: COLLECTION,
      data: DEMO_ROWS.map(insertable) as never,
    });
    assert.equal(status.code, 0, status.reason);
  });
  after(async () => {
    await client?.closeConnection();
    await server?.[Symbol.asyncDispose]();
  });

  // A query without any filter needs a limit, which is told elsewhere.
  for (const [number, filter, outcome, templates] of DEMO_CASES.filter(([, filter]) => filter !== ''))
    test(`${number}: ${filter}`, async () => {
      const { status, data } = await client.query({
        collection_name: COLLECTION,
        filter,
        exprValues: valuesOf(templates),
        output_fields: ['id'],
        consistency_level: 'Strong' as never,
      });
      if (typeof outcome === 'string') {
        assert.equal(status.code, 1100, status.reason);
        assert.ok(status.reason.includes(outcome), status.reason);
        return;
      }
      assert.equal(status.code, 0, status.reason);
      const ids = data.map(({ id }) => Number(id)).sort((a, b) => a - b);
      if ('sampleOf' in outcome)
        assert.ok(
          ids.every((id) => outcome.sampleOf.includes(id)),
          String(ids),
        );
      else assert.deepEqual(ids, outcome);
    });

  const SETS: readonly (readonly [filter: string, set: Uint8Array, ids: readonly number[]])[] = [
    ['membership_match(id, {set})', buildRoaringBitmap([2, 3, '9223372036854775807']), [2, 3]],
    ['membership_match(i8, {set}, type=roaring)', buildRoaringBitmap([-128, -5]), [2, 7]],
    ['not membership_match(age, {set})', buildRoaringBitmap([18, 99]), [2, 4, 5, 6, 10]],
    ['membership_match(id, {set}, type=bloom) and id < 3', buildBloomFilter([1, 9n]), [1]],
    [
      'membership_match(name, {set})',
      buildBloomFilter(['zoë', 'a name of more than 32 bytes, to be sure']),
      [6],
    ],
    ['membership_match(doc["a"], {set})', buildBloomFilter(['1']), [3]],
    // The client writes 2.0 as 2, which is an integer.
    ['membership_match(level, {set})', buildBloomFilter([1n, 2n]), [1, 8, 9]],
  ];
  for (const [filter, set, ids] of SETS)
    test(`${filter}, packed by the client`, async () => {
      const asked = { collection_name: COLLECTION, filter, exprValues: { set }, output_fields: ['id'] };
      const { status, data } = await client.query(asked);
      assert.equal(status.code, 0, status.reason);
      assert.deepEqual(
        data.map(({ id }) => Number(id)).sort((a, b) => a - b),
        ids,
      );
    });

  test('a delete takes an exact set, and no other', async () => {
    const refused = await client.delete({
      collection_name: COLLECTION,
      filter: 'membership_match(id, {set})',
      exprValues: { set: buildBloomFilter([1]) },
    });
    assert.equal(refused.status.code, 1100);
    assert.match(refused.status.reason, /membership_match of type bloom is not supported in delete/);
    const deleted = await client.delete({
      collection_name: COLLECTION,
      filter: 'membership_match(id, {set})',
      exprValues: { set: buildRoaringBitmap([10, 11]) },
    });
    assert.equal(deleted.status.code, 0, deleted.status.reason);
    const left = { collection_name: COLLECTION, filter: 'id >= 9', output_fields: ['id'] };
    const { data } = await client.query({ ...left, consistency_level: 'Strong' as never });
    assert.deepEqual(
      data.map(({ id }) => Number(id)),
      [9],
    );
  });
});
