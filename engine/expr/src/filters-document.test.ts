import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { type CollectionSchema, DataType } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';
import { compilePredicate } from './compile.ts';
import { parseInstantText } from './instant.ts';
import { planFilter } from './plan-filter.ts';
import { columnsOf, type Row } from './testing/demo-rows.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../../../docs/filters.md'), 'utf8');

const MATCHED = [
  { key: 'enable_analyzer', value: 'true' },
  { key: 'enable_match', value: 'true' },
];
const nullable = { nullable: true };
const SCHEMA: CollectionSchema = schemaFixture([
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'title', DataType.VarChar),
  fieldFixture(102, 'price', DataType.Double, nullable),
  fieldFixture(103, 'stock', DataType.Int32),
  fieldFixture(104, 'tags', DataType.Array, { elementType: DataType.VarChar }),
  fieldFixture(105, 'info', DataType.JSON, nullable),
  fieldFixture(106, 'sold', DataType.Timestamptz, nullable),
  fieldFixture(107, 'place', DataType.Geometry, nullable),
  fieldFixture(108, 'parts[size]', DataType.Array, { elementType: DataType.Int64 }),
  fieldFixture(109, 'parts[kind]', DataType.Array, { elementType: DataType.VarChar }),
  fieldFixture(110, 'review', DataType.VarChar, { typeParams: MATCHED }),
  fieldFixture(111, '$meta', DataType.JSON, { isDynamic: true }),
]);

/** A row of the document as the columns have it. */
function storedRow(row: Readonly<Record<string, unknown>>): Row {
  const parts = row.parts as readonly Readonly<Record<string, unknown>>[];
  const names = new Set([...SCHEMA.fields.map(({ name }) => name), 'parts']);
  const dynamic = Object.entries(row).filter(([name]) => !names.has(name));
  const present = Object.entries(row).filter(([, value]) => value !== null);
  return {
    ...Object.fromEntries(present),
    ...(row.info === null ? {} : { info: JSON.stringify(row.info) }),
    ...(row.sold === null ? {} : { sold: parseInstantText(row.sold as string, 'UTC') }),
    'parts[size]': parts.map(({ size }) => size),
    'parts[kind]': parts.map(({ kind }) => kind),
    $meta: JSON.stringify(Object.fromEntries(dynamic)),
  };
}

function fences(language: string): string[] {
  return [...TEXT.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]!);
}

const ROWS = (JSON.parse(fences('json')[0]!) as Readonly<Record<string, unknown>>[]).map(storedRow);
const EXAMPLES = fences('filter')
  .flatMap((fence) => fence.trimEnd().split('\n'))
  .map((line) => line.split('→').map((part) => part.trim()) as [filter: string, outcome: string]);

function idsFoundBy(filter: string): readonly unknown[] {
  const matches = new Uint8Array(ROWS.length);
  compilePredicate(planFilter(filter, SCHEMA)!)(columnsOf(SCHEMA, ROWS), 0, ROWS.length, matches);
  return ROWS.filter((_, at) => matches[at] === 1).map((row) => row.id);
}

test('the document has its examples', () => assert.ok(EXAMPLES.length > 60, String(EXAMPLES.length)));

for (const [filter, outcome] of EXAMPLES) {
  test(`docs/filters.md: ${filter}`, () => {
    if (outcome.startsWith('error: ')) {
      assert.throws(
        () => planFilter(filter, SCHEMA),
        (error: Error) => error.message.includes(outcome.slice('error: '.length)),
      );
    } else {
      assert.deepEqual(idsFoundBy(filter), outcome === 'none' ? [] : outcome.split(', ').map(Number));
    }
  });
}
