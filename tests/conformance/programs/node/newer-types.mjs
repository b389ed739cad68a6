// Instants, shapes, arrays of structs and fields that come later, in JavaScript.
import assert from 'node:assert/strict';
import { check, createLoaded, runChecks } from './case-runner.mjs';
import { client, must, sdk } from './steps.mjs';

const { DataType } = sdk;
const place = { name: 'v', data_type: DataType.FloatVector, dim: 2 };
const flatL2 = { field_name: 'v', index_type: 'FLAT', metric_type: 'L2' };

async function query(collection_name, filter, ...output_fields) {
  return (await must(client.query({ collection_name, filter, output_fields }))).data;
}

async function ids(collection_name, filter) {
  return (await query(collection_name, filter, 'id')).map(({ id }) => Number(id)).sort((a, b) => a - b);
}

check(
  'instants and shapes come back as they went in, and are found',
  async (collection_name) => {
    const fields = [
      place,
      { name: 'at', data_type: 'Timestamptz', nullable: true },
      { name: 'area', data_type: 'Geometry', nullable: true },
    ];
    await createLoaded(collection_name, fields, flatL2);
    const data = [
      { id: 1, v: [0, 1], at: '2025-01-01T08:00:00+08:00', area: 'POINT (1 2)' },
      { id: 2, v: [0, 1], at: '2025-06-15T12:00:00.25Z', area: 'LINESTRING (0 0, 5 5)' },
      { id: 3, v: [0, 1], at: null, area: null },
    ];
    await must(client.insert({ collection_name, data }));
    const rows = await query(collection_name, 'id > 0', 'at', 'area');
    assert.deepEqual(
      rows.map(({ at, area }) => [at, area]),
      [
        ['2025-01-01T00:00:00Z', 'POINT (1 2)'],
        ['2025-06-15T12:00:00.25Z', 'LINESTRING (0 0, 5 5)'],
        [null, null],
      ],
    );
    assert.deepEqual(await ids(collection_name, "at > ISO '2025-01-01T00:00:00Z'"), [2]);
    assert.deepEqual(await ids(collection_name, "st_intersects(area, 'POINT (1 1)')"), [2]);
    const answer = await client.insert({ collection_name, data: [{ id: 4, v: [0, 1], at: 'noon' }] });
    assert.match(answer.status.reason, /got invalid timestamptz string/);
  },
  '3.0',
);

check(
  'structs come back as they went in, and rows are found by them',
  async (collection_name) => {
    const fields = [
      { name: 'size', data_type: DataType.Int32 },
      { name: 'kind', data_type: DataType.VarChar, max_length: 9 },
      { name: 'spot', data_type: DataType.FloatVector, dim: 2 },
    ];
    const parts = {
      name: 'parts',
      data_type: DataType.Array,
      element_type: DataType.Struct,
      max_capacity: 4,
      fields,
    };
    await createLoaded(collection_name, [place, parts], flatL2);
    const sent = [
      [
        { size: 1, kind: 'tail', spot: [1, 2] },
        { size: 5, kind: 'wing', spot: [3, 4] },
      ],
      [{ size: 7, kind: 'wing', spot: [5, 6] }],
    ];
    const data = sent.map((structs, at) => ({ id: at + 1, v: [0, 1], parts: structs }));
    await must(client.insert({ collection_name, data }));
    const rows = await query(collection_name, 'id > 0', 'parts');
    assert.deepEqual(
      rows.map((row) => row.parts),
      sent,
    );
    assert.deepEqual(await ids(collection_name, 'match_any(parts, $[size] > 4)'), [1, 2]);
    assert.deepEqual(await ids(collection_name, 'match_all(parts, $[kind] == "wing")'), [2]);
    const { schema } = await must(client.describeCollection({ collection_name }));
    const names = schema.fields.map(({ name }) => name);
    assert.ok(names.includes('id') && names.includes('v'), names.join());
  },
  '3.0',
);

check(
  'rows are found by lists of vectors',
  async (collection_name) => {
    const spot = { name: 'spot', data_type: DataType.FloatVector, dim: 2 };
    const parts = {
      ...{ name: 'parts', data_type: DataType.Array, element_type: DataType.Struct, max_capacity: 4 },
      fields: [spot],
    };
    const listIndex = { field_name: 'parts[spot]', index_type: 'HNSW', metric_type: 'MAX_SIM_IP' };
    const params = { M: 8, efConstruction: 64 };
    await createLoaded(collection_name, [place, parts], [flatL2, { ...listIndex, params }]);
    const lists = [
      [[1, 0]],
      [
        [0, 1],
        [2, 0],
      ],
      [],
    ];
    const data = lists.map((list, at) => ({ id: at + 1, v: [0, 1], parts: list.map((spot) => ({ spot })) }));
    await must(client.insert({ collection_name, data }));
    const asked = { collection_name, anns_field: 'parts[spot]', limit: 3 };
    const found = await must(
      client.search({
        ...asked,
        data: [
          [1, 0],
          [0, 3],
        ],
      }),
    );
    assert.deepEqual(
      found.results.map(({ id, score }) => [Number(id), score]),
      [
        [2, 5],
        [1, 1],
      ],
    );
    const several = await must(
      client.search({
        ...asked,
        data: [
          [[1, 0]],
          [
            [0, 3],
            [0, 1],
          ],
        ],
      }),
    );
    assert.deepEqual(
      several.results.map((hits) => hits.map(({ id }) => Number(id))),
      [
        [2, 1],
        [2, 1],
      ],
    );
  },
  '3.0',
);

check(
  'a field is added to rows that are there',
  async (collection_name) => {
    await createLoaded(collection_name, [place], flatL2);
    await must(client.insert({ collection_name, data: [{ id: 1, v: [0, 1] }] }));
    const field = { name: 'size', data_type: DataType.Int64, nullable: true, default_value: 42 };
    await must(client.addCollectionField({ collection_name, field }));
    await must(client.insert({ collection_name, data: [{ id: 2, v: [0, 1], size: 7 }] }));
    const rows = await query(collection_name, 'id > 0', 'size');
    assert.deepEqual(
      rows.map(({ size }) => String(size)),
      ['42', '7'],
    );
    assert.deepEqual(await ids(collection_name, 'size == 42'), [1]);
  },
  '3.0',
);

await runChecks();
