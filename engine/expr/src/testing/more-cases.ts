import { DataType } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { FilterCase } from './demo-cases.ts';
import type { Row } from './demo-rows.ts';

const FIELDS = [
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'ts', DataType.Timestamptz, { nullable: true }),
  fieldFixture(102, 'g', DataType.Geometry),
  fieldFixture(103, 'xs', DataType.Array, { elementType: DataType.Int64 }),
  fieldFixture(104, 's[a]', DataType.Array, { elementType: DataType.Int64 }),
  fieldFixture(105, 's[b]', DataType.Array, { elementType: DataType.VarChar }),
  fieldFixture(106, 't', DataType.VarChar),
];

/** Instants, shapes and an array of structs, whose sub-fields are arrays of equal length; no dynamic field. */
export const MORE_SCHEMA = schemaFixture(FIELDS, { name: 'more' });

const microseconds = (text: string) => BigInt(Date.parse(text)) * 1_000n;

export const MORE_ROWS: readonly Row[] = [
  {
    ...{ id: 1, ts: microseconds('2025-01-01T00:00:00Z'), g: 'POINT (1 2)', xs: [1, 5], t: 'x' },
    ...{ 's[a]': [1, 4, 2], 's[b]': ['x', 'xy', 'z'] },
  },
  {
    ...{ id: 2, ts: microseconds('2024-12-31T16:00:00Z'), g: 'POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))', xs: [] },
    ...{ t: '', 's[a]': [], 's[b]': [] },
  },
  { id: 3, g: 'POINT (10 10)', xs: [2, 3], t: 'y', 's[a]': [5, 9], 's[b]': ['xz', 'x'] },
  {
    ...{ id: 6, ts: microseconds('2025-01-01T00:30:00Z'), g: 'LINESTRING (0 0, 2 4)', xs: [4], t: 'z' },
    ...{ 's[a]': [3, 7], 's[b]': ['y', 'q'] },
  },
];

/** Over the rows above. */
export const MORE_CASES: readonly FilterCase[] = [
  [271, 'nosuch == 1', 'field nosuch not exist'],
  [322, "ts > ISO '2025-01-01T00:00:00Z'", [6]],
  [323, "ts >= iso '2025-01-01T00:00:00+08:00'", [1, 2, 6]],
  [324, "ts + INTERVAL 'P1D' < ISO '2025-01-02T00:00:00Z'", [2]],
  [325, "ts - INTERVAL 'PT30M' == ISO '2025-01-01T00:00:00Z'", [6]],
  [326, "ISO '2025-01-01T00:00:00Z' <= ts", [1, 6]],
  [327, "ts + INTERVAL 'P1W' > ISO '2025-01-01T00:00:00Z'", 'invalid ISO 8601 duration: P1W'],
  [328, "ts > ISO 'yesterday'", 'yesterday'],
  [329, "id > ISO '2025-01-01T00:00:00Z'", "field 'id' is not a timestamptz datatype"],
  [330, 'ts is not null', [1, 2, 6]],
  [331, "st_contains(g, 'POINT (1 2)')", [1, 2, 6]],
  [332, 'ST_WITHIN(g, "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))")', [1, 2, 6]],
  [333, "St_Within(g, 'POINT (1 2)')", 'unknown function: st_within'],
  [334, "st_dwithin(g, 'POINT (1 2)', 500)", [1, 2, 6]],
  [335, "st_dwithin(g, 'POINT (1 2)', -1)", 'distance parameter must be non-negative'],
  [
    336,
    "st_contains(t, 'POINT (1 2)')",
    'spatial operation are only supported on geometry fields now, got: t',
  ],
  [337, "not st_intersects(g, 'POINT (1 2)')", [3]],
  [338, 'match_any(s, $[a] > 3)', [1, 3, 6]],
  [339, 'MATCH_ALL(s, $[a] > 3 and $[b] like "x%")', [2, 3]],
  [340, 'match_least(s, $[a] in [1, 2], threshold=2)', [1]],
  [341, 'match_any(s, id > 3)', 'only elements'],
  [342, 'match_any(s, match_any(s, $[a] > 1))', 'nested'],
  [343, 'match_any(xs, $ > 3)', [1, 6]],
  [344, 'id > 5 and element_filter(s, $[a] > 3)', [6]],
  [
    345,
    'element_filter(s, $[a] > 3) and id > 5',
    'element filter expression can only be the last expression in the logical and expression',
  ],
  [346, 'not element_filter(s, $[a] > 3)', 'element filter expression cannot be used in unary expression'],
  [347, '$[a] > 3', '$[x] syntax can only be used inside ElementFilter or MATCH_*'],
  [348, 's[0][a] == 1', [1]],
  [349, 'array_length(s) > 1', [1, 3, 6]],
  [350, 'array_contains(s[a], 3)', [6]],
  [351, 's[zz] == 1', 'struct field not found: s[zz]'],
  [352, 'nosuch == 1', 'field nosuch not exist'],
  [353, 'text_match(t, "x")', 'field "t" does not enable match'],
  [354, '$meta["k"] == 1', 'field $meta not exist'],
];
