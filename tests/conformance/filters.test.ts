import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DEMO_CASES, DEMO_ROWS, type FilterCase, type Row } from '@elanus/expr/testing';
import { ElanusProcess } from '@elanus/tests-harness';
import { DataType, type FieldType, MilvusClient } from '@zilliz/milvus2-sdk-node';

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
});
