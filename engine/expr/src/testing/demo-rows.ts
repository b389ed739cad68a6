import {
  type ArrayColumn,
  type CollectionSchema,
  type Column,
  DataType,
  type ElementColumn,
  type FieldId,
  type FieldSchema,
} from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import type { ColumnSource } from '../predicate.ts';
import { standardWords } from '../standard-analyzer.ts';
import { isWordLike, type WordIndex } from '../word-index.ts';

/** A row as JSON would write it; `undefined` is null. JSON fields hold their text. */
export type Row = Readonly<Record<string, unknown>>;

const nullable = { nullable: true };

/** What makes text_match possible. */
const MATCHED = [
  { key: 'enable_analyzer', value: 'true' },
  { key: 'enable_match', value: 'true' },
];

const FIELDS: readonly FieldSchema[] = [
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'i8', DataType.Int8),
  fieldFixture(102, 'age', DataType.Int32, nullable),
  fieldFixture(103, 'ratio', DataType.Float),
  fieldFixture(104, 'score', DataType.Double, nullable),
  fieldFixture(105, 'ok', DataType.Bool, nullable),
  fieldFixture(106, 'name', DataType.VarChar),
  fieldFixture(107, 'nick', DataType.VarChar, nullable),
  fieldFixture(108, 'tags', DataType.Array, { elementType: DataType.VarChar }),
  fieldFixture(109, 'nums', DataType.Array, { elementType: DataType.Int64, ...nullable }),
  fieldFixture(110, 'doc', DataType.JSON, nullable),
  fieldFixture(111, 'vec', DataType.FloatVector, { dim: 4 }),
  fieldFixture(112, 'text', DataType.Text, nullable),
  fieldFixture(113, 'time', DataType.Timestamptz, nullable),
  fieldFixture(114, 'area', DataType.Geometry, nullable),
  fieldFixture(115, 'body', DataType.VarChar, { typeParams: MATCHED }),
  fieldFixture(116, 'parts[size]', DataType.Array, { elementType: DataType.Int64, ...nullable }),
  fieldFixture(117, 'parts[kind]', DataType.Array, { elementType: DataType.VarChar, ...nullable }),
];
const META = fieldFixture(120, '$meta', DataType.JSON, { isDynamic: true });

/** One field of each type that filters treat in its own way; `$meta` beside them when `dynamic`. */
export function demoSchema(dynamic: 'dynamic' | 'fixed'): CollectionSchema {
  return schemaFixture(dynamic === 'dynamic' ? [...FIELDS, META] : FIELDS, { name: 'demo' });
}

const row = (id: number, values: Row): Row => ({ id, $meta: '{}', ...values });

/** Ten rows with nulls, empty values, quotes, and JSON of every kind under one key. */
export const DEMO_ROWS: readonly Row[] = [
  row(1, {
    body: 'The quick brown fox',
    ...{
      i8: 1,
      age: 18,
      ratio: 0.5,
      score: 1,
      ok: true,
      name: 'alice',
      nick: 'al',
      tags: ['a', 'b'],
      nums: [1, 2, 3],
    },
    doc: '{"a": 1, "s": "x", "t": ["p", "q"], "n": {"k": 1}}',
    $meta: '{"color": "red", "level": 1}',
  }),
  row(2, {
    body: 'quick fox',
    ...{ i8: -5, age: 25, ratio: 1.5, score: 2.5, ok: false, name: 'bob', tags: ['b'], nums: [] },
    doc: '{"a": 1.0, "s": "y", "t": [1, 2]}',
    $meta: '{"color": "blue"}',
  }),
  row(3, {
    body: 'lazy dog',
    ...{ i8: 127, ratio: 2, name: 'carol', nick: '', tags: [] },
    doc: '{"a": "1", "t": []}',
    $meta: '{"level": 3}',
  }),
  row(4, {
    body: 'Brown dog quick',
    ...{
      i8: 0,
      age: 40,
      ratio: -1,
      score: -3,
      ok: true,
      name: 'dave%',
      nick: 'd_v',
      tags: ['a', 'c', 'a'],
      nums: [10],
    },
    doc: '{"a": null, "b": true}',
    $meta: '{"color": null}',
  }),
  row(5, {
    body: '',
    ...{ i8: 7, age: 33, ratio: 0, score: 0, ok: false, name: 'Eve', nick: 'eve', tags: ['x'], nums: [5, 5] },
    doc: '{"b": false, "a": [1, 2]}',
    $meta: '{"color": "red", "level": "1"}',
  }),
  row(6, {
    body: 'fox fox fox',
    i8: 100,
    age: 60,
    ratio: 3.25,
    score: 9.75,
    ok: true,
    name: 'zoë',
    tags: ['b', 'a'],
    nums: [3, 2, 1],
  }),
  row(7, {
    body: 'the lazy brown dog',
    ...{ i8: -128, age: 18, ratio: 10, score: 100, name: '', nick: 'n', tags: ['long tag'], nums: [-1, 0] },
    doc: '{}',
    $meta: '{"extra": {"x": [1, {"y": 2}]}}',
  }),
  row(8, {
    body: 'QUICK',
    ...{
      i8: 12,
      ratio: 0.25,
      score: 5,
      ok: true,
      name: 'ali"ce',
      nick: 'q',
      tags: ['a'],
      nums: [7, 8, 9, 10],
    },
    doc: '{"a": 2, "n": {"k": "v"}}',
    $meta: '{"level": 2.0}',
  }),
  row(9, {
    body: 'foxes',
    ...{
      i8: 33,
      age: 99,
      ratio: 7.5,
      score: 7.5,
      ok: false,
      name: 'back\\slash',
      nick: 'b',
      tags: ['b', 'b'],
      nums: [2],
    },
    doc: '{"a": -3, "s": "xyz"}',
    $meta: '{"color": "green", "level": 2}',
  }),
  row(10, {
    body: 'brown',
    ...{ i8: 64, age: 5, ratio: 1_000_000, ok: true, name: '100_pct', tags: ['A'], nums: [1] },
    doc: '{"a": true, "a b": 5, "0": 9}',
    $meta: '{"color": "RED"}',
  }),
];

/** The rows as columns of `schema`; vector fields have none. */
export function columnsOf(schema: CollectionSchema, rows: readonly Row[]): ColumnSource {
  const columns = new Map<FieldId, Column>();
  const fields = schema.dynamicField === null ? schema.fields : [...schema.fields, schema.dynamicField];
  for (const { id, name, dataType, elementType, nullable } of fields) {
    const values = rows.map((values) => values[name]);
    if (dataType !== DataType.FloatVector) columns.set(id, columnOf(dataType, elementType, nullable, values));
  }
  const texts = (id: FieldId) => {
    const name = fields.find((field) => field.id === id)!.name;
    return rows.map((row) => standardWords((row[name] ?? '') as string));
  };
  return { column: (id) => columns.get(id)!, words: (id) => indexOf(texts(id)) };
}

function indexOf(texts: readonly (readonly string[])[]): WordIndex {
  return {
    visit(word, start, end, visit) {
      for (let row = start; row < end; row++)
        for (const [position, other] of texts[row]!.entries()) if (other === word) visit(row, position);
    },
    visitLike(wanted, start, end, visit) {
      const isWanted = isWordLike(wanted);
      for (let row = start; row < end; row++) if (texts[row]!.some(isWanted)) visit(row);
    },
  };
}

function columnOf(
  type: DataType,
  elementType: DataType | null,
  nullable: boolean,
  values: readonly unknown[],
): Column {
  const length = values.length;
  const validity = nullable ? Uint8Array.from(values, (value) => (value === undefined ? 0 : 1)) : null;
  if (type !== DataType.Array) return { ...elementColumn(type, values), validity } as Column;
  const lists = values.map((value) => (value ?? []) as readonly unknown[]);
  const offsets = new Uint32Array(length + 1);
  lists.forEach((list, index) => {
    offsets[index + 1] = offsets[index]! + list.length;
  });
  const elements = elementColumn(elementType!, lists.flat()) as ElementColumn;
  return { dataType: DataType.Array, length, validity, offsets, elements } satisfies ArrayColumn;
}

function elementColumn(type: DataType, values: readonly unknown[]): object {
  const base = { dataType: type, length: values.length, validity: null };
  const numbers = () => values.map((value) => Number(value ?? 0));
  switch (type) {
    case DataType.Bool:
      return { ...base, values: Uint8Array.from(numbers()) };
    case DataType.Int8:
      return { ...base, values: Int8Array.from(numbers()) };
    case DataType.Int16:
      return { ...base, values: Int16Array.from(numbers()) };
    case DataType.Int32:
      return { ...base, values: Int32Array.from(numbers()) };
    case DataType.Int64:
    case DataType.Timestamptz:
      return { ...base, values: BigInt64Array.from(values, (value) => BigInt((value ?? 0) as number)) };
    case DataType.Float:
      return { ...base, values: Float32Array.from(numbers()) };
    case DataType.Double:
      return { ...base, values: Float64Array.from(numbers()) };
    default: {
      const texts = values.map((value) => Buffer.from((value ?? '') as string));
      const offsets = new Uint32Array(values.length + 1);
      texts.forEach((text, index) => {
        offsets[index + 1] = offsets[index]! + text.length;
      });
      return { ...base, offsets, bytes: Buffer.concat(texts) };
    }
  }
}
