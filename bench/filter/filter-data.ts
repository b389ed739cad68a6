/** The rows that filters are measured on, the same in every run and for every contestant. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { type Column, DataType, type FieldId, type FieldSchema, type RowBatch } from '@elanus/model';
import { fieldFixture, schemaFixture } from '@elanus/model/testing';

/** Values that one row in a thousand has. */
const RARE = 1_000;

export const FIELDS: readonly FieldSchema[] = [
  fieldFixture(100, 'id', DataType.Int64, { isPrimaryKey: true }),
  fieldFixture(101, 'number', DataType.Int64),
  fieldFixture(102, 'small', DataType.Int32),
  fieldFixture(103, 'score', DataType.Double),
  fieldFixture(104, 'title', DataType.VarChar),
  fieldFixture(105, 'doc', DataType.JSON),
  fieldFixture(106, 'tags', DataType.Array, { elementType: DataType.Int64 }),
];
export const SCHEMA = schemaFixture([...FIELDS], { name: 'filters' });

const WORDS = ['amber', 'birch', 'cedar', 'delta', 'ember', 'fjord', 'grove', 'heron', 'islet', 'jetty'];

/** A number from 0 up to `bound`, the same for the same row and column. */
function drawn(row: number, column: number, bound: number): number {
  let mixed = Math.imul(row + 1, 0x9e3779b1) ^ Math.imul(column + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return Math.floor((((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32) * bound);
}

/** One row as its values. */
export interface FilterRow {
  readonly number: number;
  readonly small: number;
  readonly score: number;
  readonly title: string;
  readonly doc: string;
  readonly tags: readonly number[];
}

export function rowAt(row: number): FilterRow {
  const word = (column: number) => WORDS[drawn(row, column, WORDS.length)]!;
  const code = String(drawn(row, 4, RARE)).padStart(3, '0');
  const middle = String(drawn(row, 5, RARE)).padStart(3, '0');
  return {
    number: drawn(row, 1, 1_000_000_000),
    small: drawn(row, 2, RARE),
    score: drawn(row, 3, 1_000_000) / 1_000_000,
    title: `t${code} ${word(6)} ${word(7)} m${middle}z ${word(8)}`,
    doc: `{"kind": "${word(9)}", "level": ${drawn(row, 10, RARE)}, "note": "a row among others"}`,
    tags: Array.from({ length: drawn(row, 11, 5) }, (_, i) => drawn(row, 12 + i, RARE)),
  };
}

/** Rows `start .. end` as columns. */
export function batchOf(start: number, end: number): RowBatch {
  const rows = Array.from({ length: end - start }, (_, i) => rowAt(start + i));
  const { length } = rows;
  const base = { length, validity: null };
  const offsets = new Uint32Array(length + 1);
  for (const [i, { tags }] of rows.entries()) offsets[i + 1] = offsets[i]! + tags.length;
  const elements = {
    dataType: DataType.Int64,
    length: offsets[length]!,
    validity: null,
    values: BigInt64Array.from(rows.flatMap(({ tags }) => tags.map(BigInt))),
  };
  const columns = new Map<FieldId, Column>();
  const put = (id: number, column: object) => columns.set(id as FieldId, { ...base, ...column } as Column);
  put(100, { dataType: DataType.Int64, values: BigInt64Array.from(rows, (_, i) => BigInt(start + i)) });
  put(101, { dataType: DataType.Int64, values: BigInt64Array.from(rows, ({ number }) => BigInt(number)) });
  put(102, { dataType: DataType.Int32, values: Int32Array.from(rows, ({ small }) => small) });
  put(103, { dataType: DataType.Double, values: Float64Array.from(rows, ({ score }) => score) });
  put(104, { dataType: DataType.VarChar, ...packed(rows.map(({ title }) => title)) });
  put(105, { dataType: DataType.JSON, ...packed(rows.map(({ doc }) => doc)) });
  put(106, { dataType: DataType.Array, offsets, elements });
  return { length, columns };
}

function packed(values: readonly string[]): { offsets: Uint32Array; bytes: Uint8Array } {
  const parts = values.map((value) => Buffer.from(value));
  const offsets = new Uint32Array(values.length + 1);
  for (const [i, part] of parts.entries()) offsets[i + 1] = offsets[i]! + part.length;
  return { offsets, bytes: Buffer.concat(parts) };
}

/** Writes the rows as CSV, for contestants that are no library of ours. */
export async function writeCsv(path: string, rows: number): Promise<void> {
  const file = createWriteStream(path);
  for (let row = 0; row < rows; row++) {
    const { number, small, score, title, doc, tags } = rowAt(row);
    const line = `${row},${number},${small},${score},${title},"${doc.replaceAll('"', '""')}","[${tags.join()}]"\n`;
    if (!file.write(line)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

/** One question, as Milvus and as SQL say it, and the index that would help. */
export interface FilterQuestion {
  readonly name: string;
  /** `at` counts the times it is asked: the constant is another one each time, and what is found stays as much. */
  readonly filter: (at: number) => string;
  readonly sql: (at: number) => string;
  readonly index: {
    readonly field: string;
    readonly type: string;
    readonly path?: string;
    readonly cast?: string;
  };
}

const code = (at: number) => String((at * 37) % RARE).padStart(3, '0');
const keys = (at: number) =>
  Array.from({ length: 10_000 }, (_, i) => (i * 99_991 + at) % 1_000_000_000).join();
const level = { field: 'doc', type: 'INVERTED', path: 'doc["level"]', cast: 'DOUBLE' };

export const QUESTIONS: readonly FilterQuestion[] = [
  {
    name: 'number < x, half of the rows',
    filter: (at) => `number < ${500_000_000 + at}`,
    sql: (at) => `number < ${500_000_000 + at}`,
    index: { field: 'number', type: 'STL_SORT' },
  },
  {
    name: 'number < x, 0.1 %',
    filter: (at) => `number < ${1_000_000 + at}`,
    sql: (at) => `number < ${1_000_000 + at}`,
    index: { field: 'number', type: 'STL_SORT' },
  },
  {
    name: 'score between two, 0.1 %',
    filter: (at) => `${0.25 + at / 1e6} <= score < ${0.251 + at / 1e6}`,
    sql: (at) => `score >= ${0.25 + at / 1e6} and score < ${0.251 + at / 1e6}`,
    index: { field: 'score', type: 'STL_SORT' },
  },
  {
    name: 'small == x, 0.1 %',
    filter: (at) => `small == ${(at * 37) % RARE}`,
    sql: (at) => `small = ${(at * 37) % RARE}`,
    index: { field: 'small', type: 'BITMAP' },
  },
  {
    name: 'number in 10,000',
    filter: (at) => `number in [${keys(at)}]`,
    sql: (at) => `number in (${keys(at)})`,
    index: { field: 'number', type: 'STL_SORT' },
  },
  {
    name: 'title == x',
    filter: (at) => `title == "${rowAt(at * 7919).title}"`,
    sql: (at) => `title = '${rowAt(at * 7919).title}'`,
    index: { field: 'title', type: 'TRIE' },
  },
  {
    name: 'title like prefix, 0.1 %',
    filter: (at) => `title like "t${code(at)}%"`,
    sql: (at) => `title like 't${code(at)}%'`,
    index: { field: 'title', type: 'TRIE' },
  },
  {
    name: 'title like infix, 0.1 %',
    filter: (at) => `title like "%m${code(at)}z%"`,
    sql: (at) => `title like '%m${code(at)}z%'`,
    index: { field: 'title', type: 'NGRAM' },
  },
  {
    name: 'doc["level"] == x, 0.1 %',
    filter: (at) => `doc["level"] == ${(at * 37) % RARE}`,
    sql: (at) => `cast(doc->'level' as bigint) = ${(at * 37) % RARE}`,
    index: level,
  },
  {
    name: 'doc["level"] < x, 0.1 %',
    filter: (at) => `doc["level"] < ${1 + at / 1e6}`,
    sql: (at) => `cast(doc->'level' as double) < ${1 + at / 1e6}`,
    index: level,
  },
  {
    name: 'tags contain x, 0.2 %',
    filter: (at) => `array_contains(tags, ${(at * 37) % RARE})`,
    sql: (at) => `list_contains(tags, ${(at * 37) % RARE})`,
    index: { field: 'tags', type: 'INVERTED' },
  },
];
