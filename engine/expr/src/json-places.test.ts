import assert from 'node:assert/strict';
import test from 'node:test';
import { type Column, DataType, type FieldId } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import fc from 'fast-check';
import { compilePredicate } from './compile.ts';
import { type JsonPlaces, NO_PLACE, pathName, pathsOf, UNKNOWN_PLACE } from './json-places.ts';
import { planFilter } from './plan-filter.ts';

const schema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'doc', DataType.JSON, { nullable: true }),
]);

function columnOf(documents: readonly (string | null)[]): Column {
  const parts = documents.map((document) => Buffer.from(document ?? ''));
  const offsets = new Uint32Array(documents.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  return {
    dataType: DataType.JSON,
    length: documents.length,
    validity: Uint8Array.from(documents, (document) => (document === null ? 0 : 1)),
    offsets,
    bytes: Buffer.concat(parts),
  };
}

/** The rows that match, with and without places, which are those of earlier filters where they have the same paths. */
function answers(
  filter: string,
  documents: readonly (string | null)[],
  places: Map<string, JsonPlaces> | null,
): readonly number[] {
  const column = columnOf(documents);
  const matches = new Uint8Array(documents.length);
  const source = {
    column: (_: FieldId) => column,
    ...(places === null ? {} : { places: (path: string) => places.get(path) }),
  };
  compilePredicate(planFilter(filter, schema)!)(source, 0, documents.length, matches);
  return [...matches];
}

const FILTERS = [
  'doc["a"] == 1',
  'doc["a"] != "x"',
  'doc["a"] is null or doc["b"] > 2',
  'exists doc["a"]["b"]',
  'not (doc["a"]["b"] in [1, "x"])',
  'doc["b"][1] == 2 and doc["a"] is not null',
  'json_contains(doc["b"], 2)',
  'array_length(doc["b"]) > 1',
  'doc["a"] + 1 == 2',
  'doc["b"] like "%x%"',
];

const documents = fc.array(
  fc.option(
    fc.oneof(
      fc.json({ maxDepth: 2 }),
      fc
        .record(
          {
            a: fc.oneof(
              fc.constantFrom(1, 2, 'x', null, true),
              fc.record({ b: fc.constantFrom(1, 'x', null) }),
            ),
            b: fc.oneof(fc.constantFrom(3, 'axb', null), fc.array(fc.constantFrom(1, 2, 'x'))),
          },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value, null, 1)),
    ),
    { freq: 6 },
  ),
  { maxLength: 20 },
);

test('filters find the same rows when values are found where they were the last time', () => {
  fc.assert(
    fc.property(documents, (rows) => {
      const places = new Map<string, JsonPlaces>();
      for (const filter of [...FILTERS, ...FILTERS]) {
        for (const path of pathsOf(planFilter(filter, schema)!.condition)) {
          const name = pathName(path);
          if (!places.has(name)) places.set(name, new Uint16Array(rows.length).fill(UNKNOWN_PLACE));
        }
        assert.deepEqual(answers(filter, rows, places), answers(filter, rows, null), filter);
      }
    }),
  );
});

test('a value that begins too far behind is looked for each time', () => {
  const far = (padding: number): string => `{"long": "${'x'.repeat(padding)}", "a": 1}`;
  const rows = [far(10), far(65_510), far(65_530), `{"a": 1, "long": "${'x'.repeat(70_000)}"}`, '{"b": 1}'];
  const [path] = pathsOf(planFilter('doc["a"] == 1', schema)!.condition);
  const places = new Map([[pathName(path!), new Uint16Array(rows.length).fill(UNKNOWN_PLACE)]]);
  for (let round = 0; round < 3; round++)
    assert.deepEqual(answers('doc["a"] == 1', rows, places), [1, 1, 1, 1, 0]);
  const [known] = places.values();
  assert.deepEqual([known![2], known![4]], [UNKNOWN_PLACE, NO_PLACE]);
  assert.equal(known![0], rows[0]!.indexOf('1}') + 1);
});

test('paths have different names, whatever is in their steps', () => {
  const names = ['doc["a"]["b"]', 'doc["a,b"]', 'doc["a\\",\\"b"]', 'doc["ab"]', 'doc[0]', 'doc["a"][0]'].map(
    (path) =>
      pathsOf(planFilter(`${path} == 1`, schema)!.condition)
        .map(pathName)
        .join(),
  );
  assert.equal(new Set(names).size, names.length);
});
